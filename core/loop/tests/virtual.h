/* SPDX-License-Identifier: MIT
 *
 * Virtual time for the loop's tests: the clock moves only when the loop has nothing to do, and then
 * straight to the next deadline.
 */
#ifndef RILL_TEST_VIRTUAL_H
#define RILL_TEST_VIRTUAL_H

#include <math.h>

#include <rill/rill.h>

#include "check.h"

struct virtual_time {
    double now;
    int idles; /* how often the loop had nothing to do */
};

static inline double virtual_now(void *arg)
{
    const struct virtual_time *time = arg;
    return time->now;
}

/* With nothing to wait for but descriptors the loop blocks for real. */
static inline int virtual_idle(void *arg, double until)
{
    struct virtual_time *time = arg;
    time->idles++;
    if (isinf(until)) {
        return 1;
    }
    time->now = until > time->now ? until : time->now;
    return 0;
}

/* What callbacks and tasks saw, in order, as text. */
struct trace {
    char text[4096];
    size_t used;
};

static inline void trace_add(struct trace *trace, const char *word)
{
    const int count = snprintf(trace->text + trace->used, sizeof trace->text - trace->used, "%s%s",
                               trace->used > 0 ? " " : "", word);
    trace->used += count > 0 ? (size_t)count : 0;
}

/* Runs fn as a main task in virtual time and returns its result. */
static inline int run_virtual(rill_task_fn *fn, void *arg, struct virtual_time *time)
{
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = time};
    const struct rill_run_options options = {.loop.clock = &clock};
    return rill_run(fn, arg, &options);
}

#endif
