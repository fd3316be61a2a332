/* SPDX-License-Identifier: MIT
 *
 * One exchange between rill and the peer, from the first byte to the last, over a wire that may be
 * cut; what each of rill's calls said is noted in order.
 */
#ifndef RILL_TEST_WIRE_EXCHANGE_H
#define RILL_TEST_WIRE_EXCHANGE_H

#include <rill/rill.h>

#include "material.h"
#include "watch.h"
#include "wire.h"

enum role {
    ROLE_CLIENT, /* rill_open_memory_connection with ssl */
    ROLE_SERVER,
    ROLE_START_TLS_CLIENT, /* rill_writer_start_tls */
    ROLE_START_TLS_SERVER, /* rill_start_tls, on a transport with a protocol of ours */
};

struct exchange {
    const char *name;
    enum role role;
    int version;
    bool peer_closes_first;
    bool cuts_closing; /* the bytes from the first close on are cut, else those before */
};

enum phase {
    PHASE_OPEN, /* connected, and TLS if it begins with it */
    PHASE_CLEAR,
    PHASE_START_TLS,
    PHASE_DRAIN,
    PHASE_READ,
    PHASE_READ_END,
    PHASE_CLOSED, /* wait_closed */
    PHASES,
};

/* What one call said. */
struct verdict {
    bool given;
    bool is_short; /* a read that ended before what was expected */
    int code;
    double seconds; /* of virtual time that it took */
    char text[120];
};

struct bytes_passed {
    size_t from_peer;
    size_t from_rill;
};

struct run {
    const struct exchange *exchange;
    const struct material *material;
    struct wire wire;
    struct peer peer;
    struct watch watch;
    struct verdict verdicts[PHASES];
    struct bytes_passed closing; /* what both had said when the first close came */
    bool closing_began;
    bool garbled; /* something was read that was not written */
    int logged;   /* warnings, and reports to the exception handler */
    struct rill_task *task;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_transport *transport; /* the writer's, or ours with a protocol of ours */
    /* The protocol of a server's start_tls: a reader made by hand, and one that ends at the loss.
     */
    struct rill_protocol talker;
    struct rill_reader *loss;
};

void run_init(struct run *run, const struct exchange *exchange, const struct material *material,
              const struct cut *cut);
/* The task. Always 0. */
int run_rill_side(void *arg);
/* After the loop has settled. */
void run_cleanup(struct run *run);

#endif
