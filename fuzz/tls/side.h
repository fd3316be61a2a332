/* SPDX-License-Identifier: MIT
 *
 * rill's end: the engine as a transport would use it, each result judged.
 */
#ifndef FUZZ_TLS_SIDE_H
#define FUZZ_TLS_SIDE_H

#include "peer.h"
#include "tls/engine.h"

struct side {
    struct rill_ssl_object *object;
    const struct peer *peer;
    struct wire *to_peer;
    size_t piece; /* bytes asked for by a read */
    size_t said;
    size_t heard;
    size_t unsaid;   /* a write that waits for input and must be repeated: its length */
    size_t cut;      /* one that failed for want of memory: its length. It was the last. */
    size_t sent;     /* bytes of ciphertext */
    size_t cut_at;   /* of them, when that write was over */
    bool cut_late;   /* something had failed before it */
    size_t may_send; /* bytes; what came and what was said account for so many */
    bool verifies; /* the context that it began with; one that a name chose since can only add to it
                    */
    bool handshaken;
    bool closing; /* it has sent its close_notify */
    bool ended;   /* the peer's came */
    bool failed;
};

/* False when the engine refuses, with an error that is judged. */
bool side_open(struct side *side, struct rill_ssl_context *context, bool server_side,
               const char *server_hostname, bool skip_hostname);
void side_close(struct side *side);

/* Bytes came; it goes as far as it can, and sends. */
void side_take(struct side *side, const char *data, size_t size);
void side_say(struct side *side, size_t count);
void side_say_goodbye(struct side *side);
/* What the peer may have heard of it at most, after `carried` bytes of what was sent. */
size_t side_said_at_most(const struct side *side, size_t carried);
/* All that can be asked of a session, against what the peer knows. */
void side_ask(struct side *side);

#endif
