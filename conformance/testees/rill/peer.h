/* SPDX-License-Identifier: MIT
 *
 * A peer: the script's end of a connection, moved by the script only. There are raw sockets
 * (peer_socket.c), the library's memory transport (peer_memory.c), and TLS over any of them
 * (peer_tls.c).
 */
#ifndef TESTEE_PEER_H
#define TESTEE_PEER_H

#include "replay.h"

/* What the script does with a peer without saying more; PROTOCOL.md has the names. */
enum peer_act {
    PEER_SHUTDOWN,
    PEER_EOF,
    PEER_CLOSE,
    PEER_CUT,
    PEER_RESET,
    PEER_HOLD,
    PEER_FLIGHT,
    PEER_HANDSHAKE,
    PEER_SILENT,
    PEER_KEY_UPDATE,
    PEER_RENEGOTIATE,
    PEER_TICKET,
    PEER_ACT_COUNT
};

struct peer_ops {
    void (*acts[PEER_ACT_COUNT])(struct peer *peer); /* NULL: nothing is done */
    void (*send)(struct peer *peer, struct rill_bytes bytes);
    void (*raw)(struct peer *peer, struct rill_bytes bytes); /* past TLS */
    void (*window)(struct peer *peer, const json_t *size);   /* NULL: no bound */
    /* Appends what has come, until `into` holds `most` bytes in all. */
    void (*take)(struct peer *peer, struct arena_buffer *into, size_t most);
    const char *(*end)(struct peer *peer); /* open, notify, fin, truncated, rst, closed */
    bool (*arriving)(struct peer *peer);   /* something is under way to this side */
    bool (*quiet)(struct peer *peer);      /* nothing is under way to the app's side */
    bool (*turned_away)(struct peer *peer);
    bool (*pump)(struct peer *peer); /* it moves by itself: true when it did; NULL: never */
    void (*dispose)(struct peer *peer);
};

struct peer {
    const struct peer_ops *ops;
    struct replay *replay;
    struct connection *connection; /* NULL: not accepted yet */
    struct peer *wire;             /* what TLS is carried by; NULL: no TLS */
    bool connected;                /* to the app's server: a client */
    int port;                      /* of its own address, once connected; 0: it has none */
};

/* A peer on a raw socket, which it closes at dispose; in the case's arena. */
struct peer *peer_socket_new(struct replay *replay, int fd);

/* A peer on the library's memory transport. */
struct peer *peer_memory_new(struct replay *replay, struct rill_memory_peer *memory);

/* The app has closed it and freed the library's side: a set-up that failed. */
void peer_memory_lost(struct peer *peer);

static inline bool peer_is_quiet(struct peer *peer)
{
    return peer->ops->quiet(peer);
}

static inline bool peer_turned_away(struct peer *peer)
{
    return peer->ops->turned_away(peer);
}

static inline void peer_perform(struct peer *peer, enum peer_act act)
{
    if (peer->ops->acts[act] != NULL) {
        peer->ops->acts[act](peer);
    }
}

/* Whether the script knows such a doing; `connect` is the server's. */
bool peer_knows(const char *what);

/* It is the other end of this connection, and so is all that carries it. */
void peer_belongs(struct peer *peer, struct connection *connection);

/* All TLS peers move by themselves, as far as they can; true when one did. */
bool peers_pump(const struct replay *replay);

/* Cuts those TLS peers whose handshake never gave a connection. */
void peers_cut_early(const struct replay *replay);

/* The operation `peer` (but for connect, which is the server's). */
void peer_operation(struct replay *replay, int number, const json_t *operation);

/* Reads all that comes, or `most` bytes, and tells it (drop: but not the bytes); the app runs in
 * between, so kernel sizes do not show. Called by the driver. */
void peer_read(struct replay *replay, int number, size_t most, bool drop);

#endif
