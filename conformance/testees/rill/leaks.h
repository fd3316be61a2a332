/* SPDX-License-Identifier: MIT
 *
 * What a case left behind: timers, tasks, watchers and transports in its loop, descriptors in the
 * process, bytes in the library's allocator.
 */
#ifndef TESTEE_LEAKS_H
#define TESTEE_LEAKS_H

#include "replay.h"

struct allocations;

/* Puts a counting allocator under the library; once per process, before its first use. */
struct allocations *allocations_new(void);
void allocations_free(struct allocations *allocations);

/* What the process holds at one moment. */
struct holdings {
    size_t descriptors;
    size_t blocks;
    size_t bytes;
};
struct holdings holdings_now(const struct allocations *allocations);

/* Tells what the loop holds beyond its main task; called by the driver when everything is closed.
 */
void leaks_of_loop(const struct replay *replay);

/* Tells what the process holds now beyond what it held then. */
void leaks_of_process(const struct replay *replay, const struct allocations *allocations,
                      const struct holdings *before);

#endif
