/* SPDX-License-Identifier: MIT
 *
 * Peers of calls with ssl: they must speak TLS while the call that connects still waits for the
 * handshake, so they are there before the connection is (PROTOCOL.md, section 10).
 */
#ifndef TESTEE_EARLY_H
#define TESTEE_EARLY_H

#include "replay.h"

/* A call that connects with ssl; in the case's arena. */
struct early_call {
    struct early_call *next;
    bool has_peer;
};

/* The call runs, and has ended. While it has no peer the loop has not settled. */
struct early_call *early_begin(struct replay *replay, bool has_peer);
void early_end(struct replay *replay, struct early_call *call);

/* Accepts what the raw listeners have while such a call runs; true when something came. */
bool early_accept(struct replay *replay);

/* A raw socket becomes the next TLS peer; inode: of the app's end when that is a socketpair's, else
 * 0. */
void early_add(struct replay *replay, int fd, ino_t inode);

/* The number of the early peer at the other end of the app's descriptor, which has its connection
 * from now on; 0: there is none. */
int early_claim(struct replay *replay, int fd);

#endif
