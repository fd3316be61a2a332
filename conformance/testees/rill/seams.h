/* SPDX-License-Identifier: MIT
 *
 * The seam of a loop at which the script goes on: the clock's hook is called when the loop would
 * sleep. Whether it has settled then is told by what the system-call table saw (syscalls.c).
 */
#ifndef TESTEE_SEAMS_H
#define TESTEE_SEAMS_H

#include "replay.h"

/* Fills the case's clock and table; the replay must stay where it is. */
void seams_init(struct replay *replay);

/* The kernel barrier alone (PROTOCOL.md, section 4): nothing is under way to the app. True after
 * three real seconds in any case. */
bool kernel_is_quiet(struct replay *replay);

/* A fraction of a millisecond of real time, for what is under way to arrive. */
void nap(void);

/* Real seconds, for giving up. */
double real_time(void);

#endif
