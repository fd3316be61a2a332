/* SPDX-License-Identifier: MIT
 *
 * Flow control of the write side (specification section 3 and 2.2): the transport's water marks,
 * and what a drain does.
 */
#ifndef RILL__FLOW_CONTROL_H
#define RILL__FLOW_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/error.h>

#define RILL__HIGH_WATER_DEFAULT ((size_t)65536) /* */

enum rill__flow_event {
    RILL__FLOW_KEEP = 0,
    RILL__FLOW_PAUSE,  /* call the protocol's pause_writing, once */
    RILL__FLOW_RESUME, /* call its resume_writing, once */
};

/* The transport's side. */
struct rill__water {
    size_t high;
    size_t low;
    bool paused; /* pause_writing was said and not yet taken back */
};

void rill__water_init(struct rill__water *water, size_t high_default);

/* NULL means not given; high_default is what "neither" means. On a bad pair nothing
 * changes and the ValueError is returned (caller's reference). */
const struct rill_error *rill__water_set(struct rill__water *water, const long long *high,
                                         const long long *low, size_t high_default);

/* After bytes were queued, or the marks changed: size > high. */
enum rill__flow_event rill__water_grew(struct rill__water *water, size_t size);

/* After bytes left: size <= low. */
enum rill__flow_event rill__water_shrank(struct rill__water *water, size_t size);

/* The protocol's side: asyncio.streams.FlowControlMixin. */
struct rill__flow {
    bool paused;
    bool lost;
};

enum rill__drain {
    RILL__DRAIN_READY = 0, /* return without yielding */
    RILL__DRAIN_RAISE,     /* the reader's exception */
    RILL__DRAIN_YIELD, /* T is closing: yield one iteration, then ask again with yielded = true */
    RILL__DRAIN_LOST,  /* ConnectionResetError `Connection lost` */
    RILL__DRAIN_WAIT,  /* until resume_writing or connection_lost; not re-tested then */
};

/* The order of specification section 2.2. */
enum rill__drain rill__drain_decide(const struct rill__flow *flow, bool reader_has_exception,
                                    bool transport_is_closing, bool yielded);

#endif
