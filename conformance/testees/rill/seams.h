/* SPDX-License-Identifier: MIT
 *
 * The two seams of a loop that the testee uses: the clock, whose hook is where the script goes on,
 * and the system-call table, which tells when the library touched a socket and how much it
 * received.
 */
#ifndef TESTEE_SEAMS_H
#define TESTEE_SEAMS_H

#include "replay.h"

/* Fills the case's clock and table; the replay must stay where it is. */
void seams_init(struct replay *replay);

/* Bytes that the library took from this descriptor since it was opened. */
size_t seams_received(const struct replay *replay, int fd);

/* The descriptor is a new one: nothing was received on it yet. */
void seams_forget(struct replay *replay, int fd);

/* Conditions 3 to 5 of settling (PROTOCOL.md, section 4): nothing is under way in the kernel or on
 * a helper thread. True after three real seconds in any case. */
bool barrier_holds(struct replay *replay);

/* A fraction of a millisecond of real time, for what is under way to arrive. */
void nap(void);

/* Real seconds, for giving up. */
double real_time(void);

#endif
