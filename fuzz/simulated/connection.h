/* SPDX-License-Identifier: MIT
 *
 * One connection of a run and what must hold of its bytes: what is read is what the peer sent, what
 * the peer receives is what was written, each byte once and in order. Both ways carry the same
 * endless text, so the count alone says which byte comes next.
 */
#ifndef FUZZ_CONNECTION_H
#define FUZZ_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/rill.h>

#include "simulated/rig.h"
#include "simulated/script.h"

/* The other end: of a transport in memory, or of a simulated socket. */
struct peer_ops {
    int (*send)(void *peer, const void *data, size_t size);
    void (*shutdown_write)(void *peer);
    void (*close)(void *peer);
    void (*reset)(void *peer);
    void (*set_window)(void *peer, struct rill_opt_int window);
    struct rill_bytes (*received)(const void *peer); /* and not discarded */
    void (*discard)(void *peer, size_t count);
    size_t (*unread)(const void *peer); /* sent, not taken by the transport */
    void (*free)(void *peer);
    bool merges; /* what was sent by several calls may come as one event */
};
extern const struct peer_ops memory_peer_ops;

/* A call that may wait, of one task. */
struct asked {
    const struct op *op; /* NULL: none is in progress */
    size_t reads_ended;  /* of the connection, when it began */
};

struct connection {
    struct rig *rig;
    struct rill_reader *reader; /* NULL: none, or freed */
    struct rill_writer *writer;
    const struct peer_ops *peer_ops;
    void *peer; /* NULL: a reader made by hand */
    size_t limit;
    size_t users;                     /* calls in progress */
    struct asked asked[SCRIPT_TASKS]; /* by the number of the task */
    size_t reads_ended;
    struct rill_opt_int window; /* of the peer */

    size_t sent;       /* by the peer, or fed by hand */
    size_t largest;    /* of one send, or of one readexactly */
    size_t consumed;   /* by reads */
    size_t reading;    /* read calls in progress, the one that is judged included */
    size_t collecting; /* of them, those that hold bytes which nobody else sees */
    size_t written;    /* what the transport took over */
    size_t discarded;  /* by the peer, of what it received */
    size_t lent;       /* done calls that are owed */

    struct rill_bytes view; /* the last read's result */
    size_t view_at;

    bool unordered;  /* two calls took from the buffer at once: only the sums hold */
    bool unbounded;  /* the program resumed reading itself, or collects */
    bool peer_ended; /* closed or reset: not everything arrives */
    bool peer_shut;  /* nothing more is sent */
    bool aborted;    /* or may be */
    bool is_servers; /* the pair belongs to a server: a handler never frees it */
};

/* The endless text from `at` on; there is enough for every run. */
const char *text_at(size_t at);
enum { TEXT_SIZE = 1 << 19 };
/* Once. */
void text_init(void);

/* The peer's moves. */
void connection_send(struct connection *self, size_t size);
void connection_discard(struct connection *self, size_t count);
void connection_set_window(struct connection *self, struct rill_opt_int window);

/* Around every call that reads: the view ends, its result is judged. A view is watched when no
 * other call is in progress that will end it. */
void connection_read_begins(struct connection *self);
void connection_read(struct connection *self, struct rill_bytes data);
/* Bytes that a call took without handing them over. */
void connection_dropped(struct connection *self, const char *data, size_t size);
void connection_skipped(struct connection *self);

/* What must hold between any two turns. */
void connection_check(struct connection *self);
/* What must hold when the loop has nothing to do: nobody waits for what is there. waits.c */
void connection_check_waits(const struct connection *self);
/* What must hold once the transport is gone: everything written has arrived. */
void connection_check_end(struct connection *self);

/* Nothing keeps a task waiting any longer: the peer has read everything and sent its end, the
 * writer is closed, nobody pauses. */
void connection_let_go(struct connection *self);

/* Frees the pair. No call is in progress. */
void connection_free_pair(struct connection *self);
/* And the peer. */
void connection_free(struct connection *self);

#endif
