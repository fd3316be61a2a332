/* SPDX-License-Identifier: MIT
 *
 * asyncio.start_server and Server (specification section 6).
 */
#ifndef RILL_SERVER_H
#define RILL_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/streams.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_server;

/* client_connected_cb as a coroutine function: runs as a task. The pair belongs to the server: it
 * is freed when the handler has returned and the connection is lost. A handler that returns without
 * closing has its connection closed with a warning; a negative result is reported as
 * `Unhandled exception in client_connected_cb` and closes; RILL_ECANCELLED closes silently
 * (R-654). */
typedef int rill_client_connected_task(struct rill_reader *reader, struct rill_writer *writer,
                                       void *arg);
/* client_connected_cb as a plain callable: runs in the loop, must not suspend, owns the pair
 * (rill_writer_free). A negative result is reported, and rill frees the pair if the callback has
 * not. */
typedef int rill_client_connected_cb(struct rill_reader *reader, struct rill_writer *writer,
                                     void *arg);

struct rill_server_options {
    struct rill_opt_int limit; /* bytes; bad values fail here, not per connection */
    int family;                /* AF_INET, AF_INET6; 0: both */
    struct rill_opt_int flags; /* not given: AI_PASSIVE */
    struct rill_opt_int
        sock; /* a bound stream socket; owned by the server from success on */
    struct rill_opt_int backlog;       /* not given: 100; negative: RILL_EVALUE */
    struct rill_opt_int reuse_address; /* not given: on */
    struct rill_opt_int reuse_port;    /* not given: off */
    struct rill_opt_int start_serving; /* not given: yes */
    struct rill_opt_int keep_alive;    /* SO_KEEPALIVE on the listening sockets */
    /* Instead of host: each is resolved and bound; NULL elements: all interfaces. Given
     * when host_count is; 0 is Python's []. */
    const char *const *hosts;
    struct rill_opt_int host_count;
    struct rill_ssl_context *ssl;               /* a server's context, or NULL: plain */
    struct rill_opt_real ssl_handshake_timeout; /* seconds, with ssl only */
    struct rill_opt_real ssl_shutdown_timeout;
    rill_client_connected_cb *plain_cb; /* used instead of the task handler, with the same arg */
};

/* asyncio.start_server(): suspends (resolution, one iteration more: R-635). handler may be NULL:
 * nobody serves unless options->plain_cb is set. host NULL or "": all interfaces.
 * The caller owns *server until rill_server_free. Cancelled: no socket is left. Errors:
 * sections 6.1, 6.2. */
int rill_start_server(rill_client_connected_task *handler, void *arg, const char *host,
                      const char *port, const struct rill_server_options *options,
                      struct rill_server **server);

/* loop.create_server(): the same with a protocol for each connection. limit and plain_cb are not
 * used. */
int rill_create_server(rill_protocol_factory *factory, void *arg, const char *host,
                       const char *port, const struct rill_server_options *options,
                       struct rill_server **server);

/* Options of the Unix twin. */
struct rill_unix_server_options {
    struct rill_opt_int limit;
    struct rill_opt_int sock; /* an AF_UNIX stream socket, bound */
    struct rill_opt_int backlog;
    struct rill_opt_int start_serving;
    struct rill_opt_int cleanup_socket; /* not given: yes, the path is removed at close */
    struct rill_ssl_context *ssl;       /* as in rill_server_options */
    struct rill_opt_real ssl_handshake_timeout;
    struct rill_opt_real ssl_shutdown_timeout;
    rill_client_connected_cb *plain_cb;
};

/* asyncio.start_unix_server(): as rill_start_server on a path or abstract name (see
 * rill_open_unix_connection). Errors: section 7. */
int rill_start_unix_server(rill_client_connected_task *handler, void *arg, struct rill_bytes path,
                           const struct rill_unix_server_options *options,
                           struct rill_server **server);

/* loop.create_unix_server(): the same with a protocol for each connection. limit and plain_cb are
 * not used. */
int rill_create_unix_server(rill_protocol_factory *factory, void *arg, struct rill_bytes path,
                            const struct rill_unix_server_options *options,
                            struct rill_server **server);

/* server.sockets: how many (0 after close, R-660), and one by index with its address; -1 when there
 * is none. The server's: do not close. */
size_t rill_server_socket_count(const struct rill_server *server);
int rill_server_socket(const struct rill_server *server, size_t index);
bool rill_server_sockname(const struct rill_server *server, size_t index,
                          struct rill_address *address);

bool rill_server_is_serving(const struct rill_server *server); /* */
int rill_server_start_serving(struct rill_server *server);     /* R-662; suspends one iteration */
/* server.serve_forever(): suspends until cancelled or closed (R-666, RILL_ECANCELLED).
 * RILL_ERUNTIME. */
int rill_server_serve_forever(struct rill_server *server);
void rill_server_close(struct rill_server *server); /* idempotent; connections live on */
/* Suspends until closed and every connection has ended. */
int rill_server_wait_closed(struct rill_server *server);
/* The same for at most so many seconds: RILL_ETIMEOUT. */
int rill_server_wait_closed_for(struct rill_server *server, double seconds);
void rill_server_close_clients(struct rill_server *server); /* */
void rill_server_abort_clients(struct rill_server *server); /* */

const struct rill_error *rill_server_error(const struct rill_server *server);

/* Lets go of the handle; a server that was not closed keeps serving. NULL is fine. */
void rill_server_free(struct rill_server *server);

#ifdef __cplusplus
}
#endif

#endif
