/* SPDX-License-Identifier: MIT
 *
 * A peer: the script's end of a connection, moved by the script only. There are raw sockets
 * (peer_socket.c) and the library's memory transport (peer_memory.c).
 */
#ifndef TESTEE_PEER_H
#define TESTEE_PEER_H

#include "replay.h"

struct peer_ops {
    void (*send)(struct peer *peer, struct rill_bytes bytes);
    void (*shutdown)(struct peer *peer);
    void (*close)(struct peer *peer);
    void (*reset)(struct peer *peer);
    void (*window)(struct peer *peer, const json_t *size); /* NULL: no bound */
    /* Appends what has come, until `into` holds `most` bytes in all. */
    void (*take)(struct peer *peer, struct arena_buffer *into, size_t most);
    const char *(*end)(struct peer *peer); /* open, fin, rst, closed */
    bool (*arriving)(struct peer *peer);   /* something is under way to this side */
    bool (*quiet)(struct peer *peer);      /* nothing is under way to the app's side */
    bool (*turned_away)(struct peer *peer);
    void (*dispose)(struct peer *peer);
};

struct peer {
    const struct peer_ops *ops;
    struct replay *replay;
    struct connection *connection; /* NULL: not accepted yet */
};

/* A peer on a raw socket, which it closes at dispose; in the case's arena. */
struct peer *peer_socket_new(struct replay *replay, int fd);

/* A peer on the library's memory transport. */
struct peer *peer_memory_new(struct replay *replay, struct rill_memory_peer *memory);

static inline bool peer_is_quiet(struct peer *peer)
{
    return peer->ops->quiet(peer);
}

static inline bool peer_turned_away(struct peer *peer)
{
    return peer->ops->turned_away(peer);
}

/* The operation `peer` (but for connect, which is the server's). */
void peer_operation(struct replay *replay, int number, const json_t *operation);

/* Reads all that comes, or `most` bytes, and tells it (drop: but not the bytes); the app runs in
 * between, so kernel sizes do not show. Called by the driver. */
void peer_read(struct replay *replay, int number, size_t most, bool drop);

#endif
