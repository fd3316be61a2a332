/* SPDX-License-Identifier: MIT
 *
 * A server from the inside.
 */
#ifndef RILL__SERVER_PRIVATE_H
#define RILL__SERVER_PRIVATE_H

#include "net/net.h"
#include "streams/selector.h"
#include "streams/stream.h"

struct rill__listener {
    int fd; /* -1 once closed */
    struct rill_server *server;
    struct rill__watch *watch; /* from the first listen on */
    struct rill__timer retry;  /* of R-642 */
};

/* A live connection of the server. */
struct rill__client {
    struct rill__link link;
    struct rill_server *server;
    struct rill_transport *transport; /* alive while the link is in the list */
};

struct rill_server {
    struct rill_loop *loop;
    struct rill__open open; /* in the loop's list while not closed: the loop holds a reference */
    struct rill__listener *sockets;
    size_t count;
    int backlog;
    rill_protocol_factory *factory;
    void *factory_arg;
    void (*discard)(struct rill_protocol *protocol); /* of a protocol that got no transport */
    struct rill__connected connected;                /* of start_server */
    size_t limit;
    struct rill__list clients;
    struct rill__list waiters;  /* of wait_closed */
    struct rill__wait *forever; /* serve_forever's */
    const struct rill_error *error;
    size_t references;
    bool serving;
    bool closed;
};

void rill__server_ref(struct rill_server *server);
void rill__server_unref(struct rill_server *server);
void rill__server_drop(struct rill__open *open);

/* listen() and watching on every socket. */
int rill__server_listen(struct rill_server *server);

#endif
