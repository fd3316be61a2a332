/* SPDX-License-Identifier: MIT
 *
 * Scripted connects (PROTOCOL.md, section 9): what connect(2) to some addresses does, in virtual
 * time. While such an attempt is under way another open file stands at its descriptor, which does
 * not show itself to a poll until the moment has come.
 */
#ifndef TESTEE_ATTEMPTS_H
#define TESTEE_ATTEMPTS_H

#include <sys/socket.h>

#include "replay.h"

/* Whether the script says something of this address. If so *result is what connect gives. */
bool attempt_connect(struct replay *replay, int fd, const struct sockaddr *address, unsigned length,
                     int *result);

/* Whether SO_ERROR of this descriptor is scripted; if so it is in *os_errno. */
bool attempt_outcome(struct replay *replay, int fd, int *os_errno);

/* The library has closed this descriptor. */
void attempt_closed(struct replay *replay, int fd);

/* Whether one is under way: its moment has not come, or never will. */
bool attempts_under_way(const struct replay *replay);

/* The earliest moment to come; infinity: none. */
double attempts_next(const struct replay *replay);

/* Makes those writable whose moment has come. */
void attempts_ripen(struct replay *replay);

/* Closes what is left. */
void attempts_cleanup(struct replay *replay);

#endif
