/* SPDX-License-Identifier: MIT
 *
 * Server: listening sockets, accepting, the connections it counts (6.3, 6.5).
 */
#include <errno.h>

#include "loop/poller.h"
#include "sansio/memory.h"
#include "streams/server_private.h"

#define ACCEPT_RETRY_DELAY_S 1.0 /* asyncio's ACCEPT_RETRY_DELAY */

/* -- life: held by the caller's handle, its sockets, each connection and each call in progress --
 */

void rill__server_ref(struct rill_server *server)
{
    server->references++;
}

void rill__server_unref(struct rill_server *server)
{
    if (--server->references > 0) {
        return;
    }
    rill_assert(rill__list_empty(&server->waiters) && rill__list_empty(&server->clients));
    rill__free(server->sockets);
    rill_error_unref(server->error);
    rill__free(server);
}

static void wake_waiters(struct rill_server *server)
{
    if (server->closed && rill__list_empty(&server->clients)) {
        rill__wait_complete_all(&server->waiters, 0);
    }
}

/* -- connections ----------------------------------------------------------------------------- */

/* Server._detach, behind the loss of a connection. */
static void client_lost(void *arg, struct rill_transport *transport)
{
    struct rill__client *client = arg;
    struct rill_server *server = client->server;

    (void)transport;
    rill__list_remove(&client->link);
    rill__free(client);
    wake_waiters(server);
    rill__server_unref(server);
}

static struct rill__client *client_new(struct rill_server *server)
{
    struct rill__client *client = rill__alloc_zeroed(sizeof *client);
    if (client != NULL) {
        client->server = server;
        rill__server_ref(server);
    }
    return client;
}

static void report_creation(struct rill_server *server, const struct rill_error *error,
                            const struct rill_protocol *protocol)
{
    const struct rill_exception_context context = {
        .message = "Error on transport creation for incoming connection", /* */
        .exception = error,
        .protocol = protocol,
    };
    if (server->loop->debug) {
        rill_loop_call_exception_handler(server->loop, &context);
    }
}

/* An accepted connection on its way to a transport, which is made one iteration after the accept
 * (R-646). */
struct accepted {
    struct rill__entry entry;
    struct rill__open open; /* so that the loop's end closes it */
    struct rill_server *server;
    int fd;
    struct rill_address peer;
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
    const struct rill_error *error = NULL;
    struct rill__client *client = client_new(server);
    struct rill_protocol *protocol = client != NULL ? server->factory(server->factory_arg) : NULL;

    if (protocol == NULL) {
        error = rill_error_new(RILL_ENOMEM, "%s", "");
    } else {
        rill__socket_transport_new(server->loop, accepted->fd, &accepted->peer, protocol,
                                   &transport, &error);
    }
    if (transport == NULL) {
        report_creation(server, error, protocol);
        rill_error_unref(error);
        if (protocol != NULL && server->discard != NULL) {
            server->discard(protocol);
        }
        if (client != NULL) {
            rill__free(client);
            rill__server_unref(server);
        }
        return false;
    }
    client->transport = &transport->base;
    rill__list_append(&server->clients, &client->link);
    transport->on_lost = client_lost;
    transport->on_lost_arg = client;
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

static void take_connection(struct rill_server *server, int fd, const struct rill_address *peer)
{
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
    const struct rill_error *error = rill_error_from_errno(os_errno);
    const struct rill_exception_context context = {
        .message = "Exception in callback BaseSelectorEventLoop._accept_connection()", /* */
        .exception = error,
        .has_handle = true,
    };
    rill_loop_call_exception_handler(loop, &context);
    rill_error_unref(error);
}

/* Up to `backlog` accepts for one readiness, at least one. */
static void run_readable(struct rill__entry *entry)
{
    const struct rill__watch *watch = rill__container(entry, struct rill__watch, on_readable);
    struct rill__listener *listener = watch->owner;
    struct rill_server *server = listener->server;
    struct rill_address peer;

    rill__server_ref(server);
    for (int i = 0; i < (server->backlog > 0 ? server->backlog : 1) && !server->closed; i++) {
        const int fd = rill__accept(server->loop, listener->fd, &peer);
        if (fd >= 0) {
            take_connection(server, fd, &peer);
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

/* -- the table of states --------------------------------------------------------------------- */

int rill__server_listen(struct rill_server *server)
{
    if (server->serving) {
        return 0;
    }
    server->serving = true;
    for (size_t i = 0; i < server->count; i++) {
        struct rill__listener *listener = &server->sockets[i];
        const int rc = rill__listen(server->loop, listener->fd, server->backlog);
        if (rc < 0) {
            return rill__fail_on(&server->error, rill_error_from_errno(-rc));
        }
        if (listener->watch == NULL) {
            listener->watch = rill__watch_new(server->loop, listener->fd);
        }
        if (listener->watch == NULL) {
            return rill__fail_on(&server->error, rill_error_new(RILL_ENOMEM, "%s", ""));
        }
        listener->watch->owner = listener;
        listener->watch->on_readable.run = run_readable;
        rill__watch_reading(listener->watch, true);
    }
    return 0;
}

void rill_server_close(struct rill_server *server)
{
    if (server->closed) {
        return;
    }
    server->closed = true;
    server->serving = false;
    for (size_t i = 0; i < server->count; i++) {
        struct rill__listener *listener = &server->sockets[i];
        rill__timer_stop(&listener->retry);
        rill__watch_free(listener->watch);
        listener->watch = NULL;
        rill__close(server->loop, listener->fd);
        listener->fd = -1;
    }
    if (server->forever != NULL) { /* serve_forever gets CancelledError */
        rill__wait_cancel(server->forever);
        server->forever = NULL;
    }
    wake_waiters(server);
    if (rill__linked(&server->open.link)) {
        rill__list_remove(&server->open.link);
        rill__server_unref(server); /* the loop's */
    }
}

void rill__server_drop(struct rill__open *open)
{
    struct rill_server *server = rill__container(open, struct rill_server, open);
    rill__server_ref(server);
    rill_server_close(server);
    rill__server_unref(server);
    rill__server_unref(server); /* the loop's */
}

bool rill_server_is_serving(const struct rill_server *server)
{
    return server->serving;
}

static int fail(struct rill_server *server, const struct rill_error *error)
{
    return rill__fail_on(&server->error, error);
}

int rill_server_start_serving(struct rill_server *server)
{
    struct rill_task *task;

    if (rill__require_task(&task) < 0) {
        return fail(server, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    if (server->closed && !server->serving) { /* */
        return fail(server, rill_error_new(RILL_ETYPE, "'NoneType' object is not iterable"));
    }
    const int rc = rill__server_listen(server);
    return rc < 0 ? rc : rill__yield(task);
}

int rill_server_wait_closed(struct rill_server *server)
{
    struct rill__wait wait;
    struct rill_task *task;

    if (rill__require_task(&task) < 0) {
        return fail(server, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    if (server->closed && rill__list_empty(&server->clients)) {
        return 0;
    }
    rill__server_ref(server);
    rill__wait_init(&wait, task);
    rill__list_append(&server->waiters, &wait.entry.link);
    const int rc = rill__wait(&wait, NULL);
    rill__server_unref(server);
    return rc;
}

int rill_server_serve_forever(struct rill_server *server)
{
    struct rill__wait wait;
    struct rill_task *task;

    if (rill__require_task(&task) < 0) {
        return fail(server, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    if (server->forever != NULL) { /* */
        return fail(server,
                    rill_error_new(
                        RILL_ERUNTIME,
                        "server <Server sockets=...> is already being awaited on serve_forever()"));
    }
    if (server->closed) { /* */
        return fail(server, rill_error_new(RILL_ERUNTIME, "server <Server sockets=()> is closed"));
    }
    int rc = rill__server_listen(server);
    if (rc < 0) {
        return rc;
    }
    rill__server_ref(server);
    rill__wait_init(&wait, task);
    server->forever = &wait;
    rc = rill__wait(&wait, NULL); /* never completed: ends cancelled */
    server->forever = NULL;
    rill_server_close(server); /* */
    rill_server_wait_closed(server);
    rill__server_unref(server);
    return rill__fail(rill_error_cancelled());
}

static void each_client(struct rill_server *server, void (*act)(struct rill_transport *transport))
{
    struct rill__link *link = rill__list_first(&server->clients);
    while (link != NULL) { /* close and abort only schedule the loss, the list stays as it is */
        struct rill__client *client = rill__container(link, struct rill__client, link);
        link = rill__list_after(&server->clients, link);
        act(client->transport);
    }
}

void rill_server_close_clients(struct rill_server *server)
{
    each_client(server, rill_transport_close);
}

void rill_server_abort_clients(struct rill_server *server)
{
    each_client(server, rill_transport_abort);
}

size_t rill_server_socket_count(const struct rill_server *server)
{
    return server->closed ? 0 : server->count;
}

int rill_server_socket(const struct rill_server *server, size_t index)
{
    return index < rill_server_socket_count(server) ? server->sockets[index].fd : -1;
}

bool rill_server_sockname(const struct rill_server *server, size_t index,
                          struct rill_address *address)
{
    return index < rill_server_socket_count(server) &&
           rill__own_address(server->loop, server->sockets[index].fd, address);
}

const struct rill_error *rill_server_error(const struct rill_server *server)
{
    return server->error;
}

void rill_server_free(struct rill_server *server)
{
    if (server != NULL) {
        rill__server_unref(server);
    }
}
