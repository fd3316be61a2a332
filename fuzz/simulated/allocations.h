/* SPDX-License-Identifier: MIT
 *
 * The allocator of a simulated run: counts what rill holds and fails where the run's plan says.
 */
#ifndef FUZZ_ALLOCATIONS_H
#define FUZZ_ALLOCATIONS_H

#include <stddef.h>

#include "simulated/shelf.h"

struct allocations {
    size_t blocks; /* that rill holds now */
    size_t bytes;
    size_t peak;       /* the most bytes since the plan was set */
    size_t calls;      /* since the plan was set */
    size_t fail_first; /* the number of the first call that fails; 0: none does */
    size_t fail_count; /* how many fail from there on */
    size_t failed;     /* since the plan was set */

    struct shelf shelf;
};

/* Becomes rill's allocator, for good; before rill is first used. */
void allocations_install(struct allocations *self);

/* At the beginning of an input, once: what the one before has freed may be had again. */
void allocations_next_input(struct allocations *self);

/* From now on the calls `first` to `first + count - 1` answer NULL; first 0: none. */
void allocations_plan(struct allocations *self, size_t first, size_t count);

/* From now on none fails. */
void allocations_heal(struct allocations *self);

#endif
