/* SPDX-License-Identifier: MIT
 *
 * Scripted faults (PROTOCOL.md, section 9): some of the library's coming system calls fail, or
 * transfer less than they could.
 */
#ifndef TESTEE_FAULTS_H
#define TESTEE_FAULTS_H

#include "replay.h"

/* What happens to one call. */
struct effect {
    int os_errno; /* it fails by that; 0: it does not */
    size_t most;  /* bytes that it may transfer */
};

/* The operation `fault`, and whether its call is known. */
void fault_operation(struct replay *replay, const json_t *operation);
bool fault_knows(const char *call);

/* The library makes this call now; fd: of the connection that is meant. */
struct effect fault_meet(struct replay *replay, const char *call, int fd);

#endif
