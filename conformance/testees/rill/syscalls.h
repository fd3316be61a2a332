/* SPDX-License-Identifier: MIT
 *
 * The system-call table of a case: the kernel's own calls, counted, but for what the script says of
 * look-ups, connects and faults (PROTOCOL.md, section 9). Only the library calls through it.
 */
#ifndef TESTEE_SYSCALLS_H
#define TESTEE_SYSCALLS_H

#include "replay.h"

/* Fills the case's table; the replay must stay where it is. */
void syscalls_init(struct replay *replay);

/* Bytes that the library took from this descriptor since it was opened. */
size_t syscalls_received(const struct replay *replay, int fd);

/* The descriptor is a new one: nothing was received on it yet. */
void syscalls_forget(struct replay *replay, int fd);

#endif
