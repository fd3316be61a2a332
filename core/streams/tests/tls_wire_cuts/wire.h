/* SPDX-License-Identifier: MIT
 *
 * What lies between rill's memory transport and the peer: it carries bytes both ways whenever the
 * loop has nothing else to do, and at one chosen byte it does something else. It is the clock too:
 * time moves only when nothing else does.
 */
#ifndef RILL_TEST_WIRE_WIRE_H
#define RILL_TEST_WIRE_WIRE_H

#include <rill/loop.h>
#include <rill/transport.h>

#include "peer.h"

enum direction { FROM_PEER, FROM_RILL };
enum ending { END_FIN, END_RST, END_STALL, END_DRIP, ENDINGS };

/* After exactly `at` bytes in that direction the line ends, is still, or goes on byte by byte.
 * FIN in the peer's bytes: it has no more to say and still listens. In rill's: it is gone. */
struct cut {
    bool given;
    enum direction direction;
    size_t at;
    enum ending ending;
};

struct wire {
    const struct rill_loop *loop;
    struct rill_memory_peer *pipe; /* NULL: nothing is connected */
    struct peer *peer;
    struct cut cut;
    bool reached; /* the cut */
    size_t sent;  /* by the peer, delivered to rill */
    size_t taken; /* by the peer, of what rill sent */
    bool peer_ended;
    bool errors_left; /* something was in OpenSSL's queue when rill had returned */
    bool hang;        /* nothing moves and nothing will */
    double now;
    void (*on_hang)(void *arg);
    void *arg;
};

/* The window with which the pipe must be made. */
struct rill_opt_int wire_window(const struct wire *wire);
/* The clock's idle: carries, or else moves the time. */
int wire_idle(struct wire *wire, double until);
/* After the loop: the peer gets what is still under way. */
void wire_drain(struct wire *wire);

#endif
