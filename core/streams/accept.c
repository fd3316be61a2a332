/* SPDX-License-Identifier: MIT
 *
 * Accepting: a listening socket that is readable, and what becomes of each connection (6.3).
 */
#include <errno.h>

#include "loop/poller.h"
#include "sansio/memory.h"
#include "streams/server_private.h"

#define ACCEPT_RETRY_DELAY_S 1.0 /* asyncio's ACCEPT_RETRY_DELAY */

/* -- connections ----------------------------------------------------------------------------- */

/* Server._detach, behind the loss of a connection. */
static void client_lost(void *arg, struct rill_transport *transport)
{
    struct rill_server *server = arg;

    rill__list_remove(&rill__container(transport, struct rill__selector, base)->client);
    rill__server_wake_waiters(server);
    rill__server_unref(server);
}

void rill__server_report_creation(struct rill_server *server, const struct rill_error *error,
                                  const struct rill_protocol *protocol,
                                  struct rill_transport *transport)
{
    const struct rill_exception_context context = {
        .message = "Error on transport creation for incoming connection", /* */
        .exception = error,
        .protocol = protocol,
        .transport = transport,
    };
    if (server->loop->debug) {
        rill_loop_call_exception_handler(server->loop, &context);
    }
}

/* A protocol that gets no transport. */
void rill__server_discard(struct rill_protocol *protocol, const struct rill_error *error)
{
    if (protocol != NULL && protocol->ops->connection_lost != NULL) {
        protocol->ops->connection_lost(protocol, error); /* its maker's chance to free it */
    }
}

/* An accepted connection on its way to a transport, which is made one iteration after the accept
 * (R-646). */
struct accepted {
    struct rill__entry entry;
    struct rill__open open; /* so that the loop's end closes it */
    struct rill_server *server;
    int fd;
    bool has_nodelay; /* from its listener */
    struct rill__name peer;
};

static void accepted_free(struct accepted *accepted)
{
    rill__unready(&accepted->entry);
    rill__open_remove(accepted->server->loop, &accepted->open);
    rill__server_unref(accepted->server);
    rill__free(accepted);
}

static void accepted_drop(struct rill__open *open)
{
    struct accepted *accepted = rill__container(open, struct accepted, open);
    rill__close(accepted->server->loop, accepted->fd);
    accepted_free(accepted);
}

/* True when the transport was made: the descriptor is its own then. */
static bool make_transport(struct accepted *accepted)
{
    struct rill_server *server = accepted->server;
    struct rill__selector *transport = NULL;
    const struct rill_error *error = rill_error_no_memory();
    struct rill_protocol *protocol = server->factory(server->factory_arg);

    if (!accepted->has_nodelay) {
        rill__set_nodelay(server->loop, accepted->fd, &accepted->peer);
    }
    if (protocol != NULL) {
        rill__server_transport(server, accepted->fd, &accepted->peer, protocol, &transport, &error);
    }
    if (transport == NULL) {
        rill__server_report_creation(server, error, protocol, NULL);
        rill__server_discard(protocol, error);
        rill_error_unref(error);
        return false;
    }
    rill__server_ref(server);
    rill__list_append(&server->clients, &transport->client);
    transport->on_lost = client_lost;
    transport->on_lost_arg = server;
    rill_transport_unref(&transport->base); /* the loop keeps it */
    return true;
}

static void run_accepted(struct rill__entry *entry)
{
    struct accepted *accepted = rill__container(entry, struct accepted, entry);

    if (accepted->server->closed || !make_transport(accepted)) { /* */
        rill__close(accepted->server->loop, accepted->fd);
    }
    accepted_free(accepted);
}

static void take_connection(const struct rill__listener *listener, int fd,
                            const struct rill__name *peer)
{
    struct rill_server *server = listener->server;
    struct accepted *accepted = rill__alloc_zeroed(sizeof *accepted);
    if (accepted == NULL) {
        rill__close(server->loop, fd);
        return;
    }
    rill__server_ref(server);
    accepted->entry.run = run_accepted;
    accepted->open.drop = accepted_drop;
    accepted->server = server;
    accepted->fd = fd;
    accepted->has_nodelay = listener->has_nodelay;
    accepted->peer = *peer;
    rill__open_add(server->loop, &accepted->open);
    rill__ready(server->loop, &accepted->entry);
}

/* -- accepting ------------------------------------------------------------------------------- */

static void run_retry(struct rill__entry *entry)
{
    struct rill__listener *listener = rill__container(
        rill__container(entry, struct rill__timer, entry), struct rill__listener, retry);
    rill__watch_reading(listener->watch, true);
}

/* One report, one timer; it is stopped when the server closes. */
static void out_of_resources(struct rill__listener *listener, int os_errno)
{
    struct rill_loop *loop = listener->server->loop;
    const struct rill_error *error = rill_error_from_errno(os_errno);
    const struct rill_exception_context context = {
        .message = "socket.accept() out of system resource",
        .exception = error,
        .has_socket = true,
        .socket = listener->fd,
    };

    rill_loop_call_exception_handler(loop, &context);
    rill_error_unref(error);
    if (listener->server->closed) { /* by the handler: there is nothing to pause */
        return;
    }
    rill__watch_reading(listener->watch, false);
    listener->retry.entry.run = run_retry;
    if (!listener->retry.armed &&
        rill__timer_start(loop, &listener->retry, rill_loop_time(loop) + ACCEPT_RETRY_DELAY_S) <
            0) {
        rill__watch_reading(listener->watch, true);
    }
}

static bool is_resource_error(int os_errno)
{
    return os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM;
}

static void report_accept(struct rill_loop *loop, int os_errno)
{
    rill__report_callback(loop, /* */
                          "Exception in callback BaseSelectorEventLoop._accept_connection()",
                          rill_error_from_errno(os_errno));
}

/* Up to `backlog` accepts for one readiness, at least one. */
void rill__server_readable(struct rill__entry *entry)
{
    const struct rill__watch *watch = rill__container(entry, struct rill__watch, on_readable);
    struct rill__listener *listener = watch->owner;
    struct rill_server *server = listener->server;
    struct rill__name peer;

    rill__server_ref(server);
    for (int i = 0; i < (server->backlog > 0 ? server->backlog : 1) && !server->closed; i++) {
        const int fd = rill__accept(server->loop, listener->fd, &peer);
        if (fd >= 0) {
            take_connection(listener, fd, &peer);
        } else if (fd == -ECONNABORTED) {
            continue; /* */
        } else if (fd == -EAGAIN || fd == -EWOULDBLOCK || fd == -EINTR) {
            break;
        } else if (is_resource_error(-fd)) {
            out_of_resources(listener, -fd);
            break;
        } else {
            report_accept(server->loop, -fd);
            break;
        }
    }
    rill__server_unref(server);
}
