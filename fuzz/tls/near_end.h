/* SPDX-License-Identifier: MIT
 *
 * rill's end of a run: a pair of reader and writer, or a transport with a protocol by hand, and the
 * tasks that use it. Each result is judged.
 */
#ifndef FUZZ_TLS_NEAR_END_H
#define FUZZ_TLS_NEAR_END_H

#include <rill/rill.h>

#include "far_end.h"
#include "simulated/rig.h"

enum near_kind {
    NEAR_PLAIN,      /* a client's pair, in clear to begin with */
    NEAR_TLS_CLIENT, /* over TLS from the beginning */
    NEAR_TLS_SERVER,
    NEAR_BY_HAND_CLIENT, /* a transport with a protocol; rill_start_tls */
    NEAR_BY_HAND_SERVER,
    NEAR_KINDS,
    NEAR_SERVER = NEAR_KINDS, /* the pair that a server's callback gets, in clear to begin with */
};

enum { MANNERS_SPACE_MIN = 16 }; /* bytes: the smallest buffer of a protocol's own */

/* What the protocol by hand does when it is told something. */
struct manners {
    size_t space;    /* of get_buffer; 0: it has none */
    bool no_data;    /* a BufferedProtocol: no data_received */
    int keep_open;   /* eof_received's answer; below 0: it fails */
    size_t fails_at; /* data beyond this place: it fails; 0: never */
    bool pauses;     /* reading, whenever data come */
};

struct near_end;

struct by_hand {
    struct rill_protocol base;
    struct near_end *owner;
    struct manners manners;
    char *space;
    size_t made;
    size_t lost;
    size_t eofs;
};

struct near_end {
    struct rig *rig;
    const struct material *material;
    struct far_end *far;
    enum near_kind kind;
    unsigned context; /* which; of the first handshake */
    struct rill_opt_int limit;
    struct rill_opt_int window;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_server *server;       /* NULL: none, or it has its one client */
    struct rill_transport *transport; /* by hand: a reference */
    struct by_hand by_hand;
    size_t said;
    size_t heard;
    size_t swallowed; /* of the ClientHello that start_tls should have had */
    size_t users;     /* calls in progress */
    size_t reading;   /* of them, reads */
    bool upgrading;
    bool met_early; /* the far end began TLS by itself, and rill has not answered yet */
    const struct rill_protocol *protocol; /* the transport's when start_tls was called */
    bool secure;   /* over TLS: nothing but the far end's text can be read any more */
    bool doubtful; /* the wire was tampered with while that was not so */
    bool garbled;  /* and rill may have read it: nobody knows what its text should be */
    bool stalled;  /* a handshake took longer than it may */
    bool narrowed; /* one did, because the far end took too little at a time */
    bool paused;   /* reading, some time, by the program */
    bool opened;
    bool cancelled; /* some task, some time */
    bool failed;    /* something ended by an error */
    bool cut;       /* a part of a write may be out, and there was no memory for its rest */
    bool closed;    /* by the program, or in a way that may lose bytes */
    bool unordered; /* two reads at once: who reads what is no matter of this target */
};

enum near_op {
    NEAR_READ,
    NEAR_READ_EXACTLY,
    NEAR_READ_TO_END,
    NEAR_WRITE,
    NEAR_WRITE_LINES,
    NEAR_DRAIN,
    NEAR_START_TLS,
    NEAR_WRITE_EOF,
    NEAR_CLOSE,
    NEAR_WAIT_CLOSED,
    NEAR_ABORT,
    NEAR_PAUSE,
    NEAR_RESUME,
    NEAR_WRITE_LIMITS,
    NEAR_READ_LIMITS,
    NEAR_CLOSE_TIMEOUT,
    NEAR_ASK,
    NEAR_SLEEP,
    NEAR_OPS,
};

/* In a task. The call's code, which was judged. */
int near_end_open(struct near_end *self);
int near_end_perform(struct near_end *self, enum near_op op, unsigned amount, unsigned aux);
/* Reads what is left, and closes. In a task, the last one. */
int near_end_finish(struct near_end *self);
/* The far end begins TLS, behind what rill has said so far: only a server that gets its ClientHello
 * before start_tls hands it over. */
void near_end_meet_early(struct near_end *self);
/* rill read this. */
void near_end_heard(struct near_end *self, const char *data, size_t size);
/* Lets go of the pair. */
void near_end_cleanup(struct near_end *self);

#endif
