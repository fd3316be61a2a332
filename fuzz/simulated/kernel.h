/* SPDX-License-Identifier: MIT
 *
 * A kernel in memory: the clock and the poller of a loop that never waits.
 */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

#include <rill/loop.h>

struct rill__poller;

struct kernel {
    double now; /* seconds; moves only by kernel_advance */
};

void kernel_init(struct kernel *kernel);

/* The clock seam of a loop on this kernel. */
struct rill_clock kernel_clock(struct kernel *kernel);

/* Takes the loop from the real kernel: from now on it polls this one. Before its first turn. False:
 * no memory. */
bool kernel_adopt(struct kernel *kernel, struct rill_loop *loop);

#endif
