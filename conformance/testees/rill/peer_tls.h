/* SPDX-License-Identifier: MIT
 *
 * A peer that speaks TLS over another one, its wire. It moves by itself as a well-behaved program
 * would, unless the script holds it (PROTOCOL.md, section 10).
 */
#ifndef TESTEE_PEER_TLS_H
#define TESTEE_PEER_TLS_H

#include "peer.h"

struct peer_tls_start {
    bool server_side;
    bool hold;               /* also when the script's `tls` does not say so */
    bool never_hold;         /* also when it does */
    struct rill_bytes first; /* in clear, in one chunk with a ClientHello */
};

/* A TLS peer as the script's `tls` wants it, in the case's arena; the wire is its own. */
struct peer *peer_tls_new(struct peer *wire, const struct peer_tls_start *start);

/* Peer `number` speaks TLS from now on, over what it spoke until now: as the client when it
 * connected to the app's server. */
void peer_tls_upgrade(struct replay *replay, int number, struct rill_bytes first);

/* `tell`; nothing for a peer that speaks no TLS. */
void peer_tls_tell(const struct replay *replay, int number);

/* OpenSSL's reason; NULL: nothing failed, or it speaks no TLS. */
const char *peer_tls_failure(const struct peer *peer);

/* Whether it takes nothing by the script's will. False without TLS. */
bool peer_tls_holds(const struct peer *peer);

#endif
