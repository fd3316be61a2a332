/* SPDX-License-Identifier: MIT
 *
 * A server from the inside.
 */
#ifndef RILL__SERVER_PRIVATE_H
#define RILL__SERVER_PRIVATE_H

#include "net/net.h"
#include "streams/selector.h"
#include "streams/ssl_protocol.h"
#include "streams/stream.h"

struct rill__listener {
    int fd;           /* -1 once closed */
    bool has_nodelay; /* and on Linux so have the sockets that it accepts */
    struct rill_server *server;
    struct rill__watch *watch; /* from the first listen on */
    struct rill__timer retry;  /* of R-642 */
};

struct rill_server {
    struct rill_loop *loop;
    struct rill__open open; /* in the loop's list while not closed: the loop holds a reference */
    struct rill__listener *sockets;
    size_t count;
    int backlog;
    rill_protocol_factory *factory;
    void *factory_arg;
    struct rill__connected connected; /* of start_server */
    size_t limit;
    struct rill__ssl_params ssl; /* context: a reference, or NULL: plain */
    struct rill__list clients;   /* transports, each holding a reference to the server */
    struct rill__list waiters;   /* of wait_closed */
    struct rill__wait *forever;  /* serve_forever's future, while it is not cancelled */
    bool is_awaited;             /* a serve_forever has not ended: its second would be R-664 */
    struct rill__unix_file *unix_file; /* to remove at close, or NULL */
    bool sock_is_callers;              /* what failed to become a server leaves it open */
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

/* accept.c's part of a listener's watch. */
void rill__server_readable(struct rill__entry *entry);

/* R-648, in debug mode. */
void rill__server_report_creation(struct rill_server *server, const struct rill_error *error,
                                  const struct rill_protocol *protocol,
                                  struct rill_transport *transport);
/* A protocol that gets no transport; NULL is fine. */
void rill__server_discard(struct rill_protocol *protocol, const struct rill_error *error);
/* The transport of an accepted descriptor, with TLS on it when the server has a context; *transport
 * stays as it is on failure: *error says why. */
void rill__server_transport(struct rill_server *server, int fd, const struct rill__name *peer,
                            struct rill_protocol *protocol, struct rill__selector **transport,
                            const struct rill_error **error);

/* Ends every wait_closed when the server is closed and its last connection is lost. */
void rill__server_wake_waiters(struct rill_server *server);

/* `<Server ...> is serving`, in debug mode. */
void rill__server_log_serving(struct rill_server *server);

/* What start_server and its relatives share (start_server.c). */
struct rill__server_plan {
    rill_client_connected_task *task; /* of start_server, or plain */
    rill_client_connected_cb *plain;
    rill_protocol_factory *factory; /* of create_server, or NULL */
    void *arg;
    struct rill_opt_int limit;
    struct rill_opt_int backlog;
    struct rill_opt_int start_serving;
    struct rill_ssl_context *ssl;
    struct rill_opt_real ssl_handshake_timeout;
    struct rill_opt_real ssl_shutdown_timeout;
};
/* R-608, then R-611. */
int rill__server_check_ssl(const struct rill__server_plan *plan);
int rill__server_check_ssl_timeouts(
    const struct rill__server_plan *plan); /* R-529's texts */
/* Every connection will be TLS, if the plan says so. */
void rill__server_use_ssl(struct rill_server *server, const struct rill__server_plan *plan);
/* What only rill checks, after what asyncio checks: limit, backlog, timeouts. Then a
 * server without sockets. */
int rill__server_new(struct rill_loop *loop, const struct rill__server_plan *plan,
                     struct rill_server **server);
int rill__server_add_socket(struct rill_server *server,
                            int fd); /* 0 or RILL_ENOMEM, with rill__fail */
/* Listens unless told otherwise. On failure, or when rc says that there was one before,
 * everything is undone. */
int rill__server_start(struct rill_server *server, const struct rill__server_plan *plan, int rc,
                       struct rill_server **result);

/* The protocol of a stream whose handler the server starts (handler.c). */
struct rill_protocol *rill__server_make_stream(void *server);

#endif
