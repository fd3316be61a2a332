/* SPDX-License-Identifier: MIT
 *
 * Server: its life, and the table of its states (6.5).
 */
#include "loop/poller.h"
#include "sansio/memory.h"
#include "streams/server_private.h"

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
    rill__free(server->unix_file);
    rill__free(server->sockets);
    rill_error_unref(server->error);
    rill_ssl_context_unref(server->ssl.context);
    rill__free(server);
}

void rill__server_wake_waiters(struct rill_server *server)
{
    if (server->closed && rill__list_empty(&server->clients)) {
        rill__wait_complete_all(&server->waiters, 0);
    }
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
            return rill__fail_on(&server->error, rill_error_no_memory());
        }
        listener->watch->owner = listener;
        listener->watch->on_readable.run = rill__server_readable;
        rill__watch_reading(listener->watch, true);
    }
    return 0;
}

/* loop._stop_serving(): the socket stays open when it was somebody else's and the server never
 * became one. */
static void stop_listening(struct rill_server *server, struct rill__listener *listener)
{
    rill__timer_stop(&listener->retry); /* */
    rill__watch_free(listener->watch);
    listener->watch = NULL;
    if (!server->sock_is_callers) {
        rill__close(server->loop, listener->fd);
    }
    listener->fd = -1;
}

static void close_server(struct rill_server *server, bool remove_file)
{
    server->closed = true;
    server->serving = false;
    for (size_t i = 0; i < server->count; i++) {
        stop_listening(server, &server->sockets[i]);
    }
    if (server->unix_file != NULL && remove_file) { /* */
        rill__unix_file_remove(server->loop, server->unix_file);
    }
    if (server->forever != NULL && rill__wait_cancel(server->forever)) { /* */
        server->is_awaited = false;
    }
    rill__server_wake_waiters(server);
}

void rill_server_close(struct rill_server *server)
{
    if (server->closed) {
        return;
    }
    close_server(server, true);
    if (rill__linked(&server->open.link)) {
        rill__list_remove(&server->open.link);
        rill__server_unref(server); /* the loop's */
    }
}

/* The loop ends before the server was closed: as in asyncio, the file of a Unix socket stays. */
void rill__server_drop(struct rill__open *open)
{
    struct rill_server *server = rill__container(open, struct rill_server, open);
    close_server(server, false);
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

/* repr(server): `<Server sockets=(<asyncio.TransportSocket ...>,)>`. */
static void add_repr(struct rill__text *text, struct rill_server *server)
{
    const size_t count = rill_server_socket_count(server);

    rill__text_add(text, "<Server sockets=(");
    for (size_t i = 0; i < count; i++) {
        rill__text_add(text, "%s", i > 0 ? ", " : "");
        rill__socket_add_repr(text, server->loop, "asyncio.TransportSocket", server->sockets[i].fd);
    }
    rill__text_add(text, "%s)>", count == 1 ? "," : "");
}

/* RuntimeError `server {server!r} is ...`. */
static int fail_state(struct rill_server *server, const char *what)
{
    struct rill__text text = {0};

    add_repr(&text, server);
    const int rc =
        fail(server, rill_error_new(RILL_ERUNTIME, "server %s %s", rill__text_of(&text), what));
    rill__text_cleanup(&text);
    return rc;
}

void rill__server_log_serving(struct rill_server *server)
{
    struct rill__text text = {0};

    if (server->loop->debug) {
        add_repr(&text, server);
        rill__log(server->loop, RILL_LOG_INFO, "%s is serving", rill__text_of(&text));
        rill__text_cleanup(&text);
    }
}

static int require_task(struct rill_server *server, struct rill_task **task)
{
    if (rill__require_task(task) < 0) {
        return fail(server, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    return 0;
}

int rill_server_start_serving(struct rill_server *server)
{
    struct rill_task *task;

    int rc = require_task(server, &task);
    if (rc < 0) {
        return rc;
    }
    /* R-662; asyncio notes that it serves before it looks. */
    if (server->closed && !server->serving) {
        server->serving = true;
        return fail(server, rill_error_new(RILL_ETYPE, "'NoneType' object is not iterable"));
    }
    rc = rill__server_listen(server);
    return rc < 0 ? rc : rill__yield(task);
}

int rill_server_wait_closed(struct rill_server *server)
{
    struct rill__wait wait;
    struct rill_task *task;

    int rc = require_task(server, &task);
    if (rc < 0 || (server->closed && rill__list_empty(&server->clients))) {
        return rc;
    }
    rill__server_ref(server);
    rill__wait_init(&wait, task);
    rill__list_append(&server->waiters, &wait.entry.link);
    rc = rill__wait(&wait, NULL);
    rill__server_unref(server);
    return rc;
}

int rill_server_wait_closed_for(struct rill_server *server, double seconds)
{
    struct rill_timeout scope;
    struct rill_task *task;

    int rc = require_task(server, &task);
    if (rc < 0 || (server->closed && rill__list_empty(&server->clients))) {
        return rc;
    }
    rill__server_ref(server);
    rill_timeout_enter(&scope, seconds);
    rc = rill_timeout_exit(&scope, rill_server_wait_closed(server));
    if (rc == RILL_ETIMEOUT) {
        rc = fail(server, rill_error_ref(rill_task_error()));
    }
    rill__server_unref(server);
    return rc;
}

/* Waits for a future that nobody completes: ends cancelled, by the task or by close. */
static void await_cancellation(struct rill_server *server, struct rill_task *task)
{
    struct rill__wait wait;

    rill__wait_init(&wait, task);
    server->forever = &wait;
    server->is_awaited = true;
    rill__wait(&wait, NULL);
    server->forever = NULL;
}

int rill_server_serve_forever(struct rill_server *server)
{
    struct rill_task *task;

    int rc = require_task(server, &task);
    if (rc < 0) {
        return rc;
    }
    if (server->is_awaited) { /* R-664, also while a cancelled one still waits for its clients */
        return fail_state(server, "is already being awaited on serve_forever()");
    }
    if (server->closed) { /* */
        return fail_state(server, "is closed");
    }
    rc = rill__server_listen(server);
    if (rc < 0) {
        return rc;
    }
    rill__server_ref(server);
    await_cancellation(server, task);
    const struct rill_error *cancelled = rill__error_of_code(RILL_ECANCELLED); /* with its text */
    rill_server_close(server);                                                 /* */
    rill_server_wait_closed(server);
    server->is_awaited = false;
    rill__server_unref(server);
    return rill__fail(cancelled);
}

static void each_client(struct rill_server *server, void (*act)(struct rill_transport *transport))
{
    struct rill__link *link = rill__list_first(&server->clients);
    while (link != NULL) { /* close and abort only schedule the loss, the list stays as it is */
        struct rill__selector *client = rill__container(link, struct rill__selector, client);
        link = rill__list_after(&server->clients, link);
        act(rill__ssl_top(&client->base)); /* TLS says goodbye */
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
