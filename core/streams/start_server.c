/* SPDX-License-Identifier: MIT
 *
 * start_server and create_server (6.1, 6.2), and what becomes of a stream when its connection is
 * made (6.4).
 */
#include <string.h>

#include "sansio/memory.h"
#include "streams/server_private.h"

#define BACKLOG_DEFAULT 100 /* */

static const struct rill_server_options no_options = {0};

/* -- the connected callback ------------------------------------------------------------------ */

static int run_handler(void *arg)
{
    struct rill__stream *stream = arg;
    const int rc = stream->connected.task(&stream->reader, &stream->writer, stream->connected.arg);

    if (rc >= 0 && !rill_writer_is_closing(
                       &stream->writer)) { /* nobody refers to the writer any more */
        if (stream->loop->debug) {
            rill__log(stream->loop, RILL_LOG_WARNING, "unclosed <StreamWriter>");
        }
        rill_writer_close(&stream->writer);
    }
    return rc;
}

static void report_handler(struct rill__stream *stream, const struct rill_error *exception)
{
    const struct rill_exception_context context = {
        .message = "Unhandled exception in client_connected_cb", /* */
        .exception = exception,
        .transport = stream->transport,
    };
    rill_loop_call_exception_handler(stream->loop, &context);
}

/* The task's done callback: a failure is reported, failure and cancellation close.
 */
static void handler_done(struct rill__entry *entry)
{
    struct rill__stream *stream = rill__container(entry, struct rill__stream, handler_done);
    struct rill_task *task = stream->handler;
    const struct rill_error *exception = rill_task_exception(task);

    if (exception != NULL) {
        report_handler(stream, exception);
    }
    if (exception != NULL || rill_task_cancelled(task)) {
        rill_transport_close(stream->transport);
    }
    stream->handler = NULL;
    rill_task_free(task);
    rill__stream_release_owner(stream);
}

static void start_handler(struct rill__stream *stream)
{
    const struct rill_task_options options = {.loop = stream->loop};

    if (rill_task_create(run_handler, stream, &options, &stream->handler) < 0) {
        const struct rill_error *error = rill__error_of_code(RILL_ENOMEM);
        report_handler(stream, error);
        rill_error_unref(error);
        rill_transport_close(stream->transport);
        rill__stream_release_owner(stream);
        return;
    }
    stream->handler_done.run = handler_done;
    rill__task_on_done(stream->handler, &stream->handler_done);
}

static void call_plain(struct rill__stream *stream)
{
    const int rc = stream->connected.plain(&stream->reader, &stream->writer, stream->connected.arg);
    if (rc >= 0) {
        return; /* the callback owns the pair */
    }
    const struct rill_error *error = rill__error_of_code(rc);
    const struct rill_exception_context context = {
        .message = "Exception in callback StreamReaderProtocol.connection_made()", /* */
        .exception = error,
        .has_handle = true,
    };
    rill_loop_call_exception_handler(stream->loop, &context);
    rill_error_unref(error);
    rill_writer_free(&stream->writer); /* closes */
}

void rill__stream_call_connected(struct rill__stream *stream)
{
    if (stream->connected.task != NULL) {
        start_handler(stream);
    } else if (stream->connected.plain != NULL) {
        call_plain(stream);
    }
}

/* The protocol factory of start_server. Without any callback nobody owns the pair. */
static struct rill_protocol *make_stream(void *arg)
{
    struct rill_server *server = arg;
    struct rill__stream *stream = rill__stream_new(server->loop, server->limit);

    if (stream == NULL) {
        return NULL;
    }
    stream->connected = server->connected;
    struct rill_protocol *protocol = rill__stream_protocol(stream);
    if (server->connected.task == NULL && server->connected.plain == NULL) {
        rill__stream_release_owner(stream);
    }
    return protocol;
}

static void discard_stream(struct rill_protocol *protocol)
{
    struct rill__stream *stream = rill__container(protocol, struct rill__stream, protocol);
    stream->held_by_transport = false;
    rill__stream_release_owner(stream);
}

/* -- sockets --------------------------------------------------------------------------------- */

static int add_socket(struct rill_server *server, int fd)
{
    struct rill__listener *sockets =
        rill__realloc(server->sockets, (server->count + 1) * sizeof server->sockets[0]);
    if (sockets == NULL) {
        return RILL_ENOMEM;
    }
    server->sockets = sockets;
    sockets[server->count++] = (struct rill__listener){.fd = fd, .server = server};
    return 0;
}

/* `could not bind on any address out of [...]`. */
static const struct rill_error *none_bound(const struct rill__address_list *list)
{
    char text[1024] = "";
    size_t used = 0;

    for (size_t i = 0; i < list->count && used + 200 < sizeof text; i++) {
        if (i > 0) {
            memcpy(text + used, ", ", 3);
            used += 2;
        }
        rill__endpoint_text(&list->items[i], text + used, sizeof text - used);
        used += strlen(text + used);
    }
    return rill_error_from_errno_text(0, "could not bind on any address out of [%s]", text);
}

static int bind_list(struct rill_server *server, const struct rill__address_list *list,
                     const struct rill__bind_options *options)
{
    const struct rill_error *error;
    bool skip;

    for (size_t i = 0; i < list->count; i++) {
        const int fd = rill__bind(server->loop, &list->items[i], options, &skip, &error);
        if (fd < 0 && skip) {
            rill_error_unref(error);
        } else if (fd < 0) {
            return rill__fail(error);
        } else if (add_socket(server, fd) < 0) {
            rill__close(server->loop, fd);
            return rill__fail(rill_error_new(RILL_ENOMEM, "%s", ""));
        }
    }
    return server->count > 0 ? 0 : rill__fail(none_bound(list));
}

static int bind_host(struct rill_server *server, const char *host, const char *port,
                     const struct rill_server_options *options)
{
    const struct rill__bind_options bind_options = {
        .reuse_address = !options->reuse_address.given || options->reuse_address.value != 0,
        .reuse_port = options->reuse_port.given && options->reuse_port.value != 0,
    };
    const int flags = options->flags.given ? (int)options->flags.value : rill__flag_passive();
    const char *any_host = host != NULL && host[0] != '\0' ? host : NULL; /* */
    struct rill__address_list list;

    /* None as a port is 0: each socket gets a port of its own. */
    int rc = rill__resolve(server->loop, any_host, port != NULL ? port : "0", options->family, 0,
                           flags, &list);
    if (rc < 0) {
        return rc;
    }
    if (list.count == 0) { /* */
        rc = rill__fail(rill_error_from_errno_text(0, "getaddrinfo('%s') returned empty list",
                                                   any_host != NULL ? any_host : ""));
    } else {
        rc = bind_list(server, &list, &bind_options);
    }
    rill__address_list_cleanup(&list);
    return rc;
}

static int adopt_socket(struct rill_server *server, int fd)
{
    if (!rill__is_stream_socket(server->loop, fd)) { /* */
        return rill__fail(
            rill_error_new(RILL_EVALUE, "A Stream Socket was expected, got <socket fd=%d>", fd));
    }
    const int rc = rill__set_nonblocking(server->loop, fd);
    if (rc < 0) {
        return rill__fail(rill_error_from_errno(-rc));
    }
    return add_socket(server, fd) < 0 ? rill__fail(rill_error_new(RILL_ENOMEM, "%s", "")) : 0;
}

static int get_sockets(struct rill_server *server, const char *host, const char *port,
                       const struct rill_server_options *options)
{
    const bool named = host != NULL || port != NULL;

    if (named && options->sock.given) { /* */
        return rill__fail(rill_error_new(
            RILL_EVALUE, "host/port and sock can not be specified at the same time"));
    }
    if (named) {
        return bind_host(server, host, port, options);
    }
    if (!options->sock.given) { /* */
        return rill__fail(rill_error_new(RILL_EVALUE, "Neither host/port nor sock were specified"));
    }
    return adopt_socket(server, (int)options->sock.value);
}

/* -- the public calls ------------------------------------------------------------------------ */

static struct rill_server *server_new(struct rill_loop *loop,
                                      const struct rill_server_options *options)
{
    struct rill_server *server = rill__alloc_zeroed(sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    server->loop = loop;
    server->references = 1; /* the caller's */
    server->backlog = options->backlog.given ? (int)options->backlog.value : BACKLOG_DEFAULT;
    server->open.drop = rill__server_drop;
    rill__list_init(&server->clients);
    rill__list_init(&server->waiters);
    return server;
}

/* Undoes what was made before the server was the caller's; a socket that was passed in stays open.
 */
static void give_up(struct rill_server *server, const struct rill_server_options *options)
{
    if (options->sock.given && server->count > 0) {
        server->count = 0;
    }
    rill_server_close(server);
    rill__server_unref(server);
}

static int start(struct rill_server *server, const char *host, const char *port,
                 const struct rill_server_options *options)
{
    struct rill_task *task = rill_current_task();
    int rc = get_sockets(server, host, port, options);

    if (rc < 0) {
        return rc;
    }
    rill__server_add(server->loop, &server->open);
    rill__server_ref(server); /* the loop's, until close */
    if (!options->start_serving.given || options->start_serving.value != 0) {
        rc = rill__server_listen(server);
        rc = rc < 0 ? rc : rill__yield(task); /* */
    }
    return rc;
}

static int check(const struct rill_server_options *options, struct rill_task **task)
{
    if (rill__require_task(task) < 0) {
        return RILL_ERUNTIME;
    }
    if (options->backlog.given && options->backlog.value < 0) { /* */
        return rill__fail(
            rill_error_new(RILL_EVALUE, "backlog must be >= 0, got %lld", options->backlog.value));
    }
    return 0;
}

int rill_start_server(rill_client_connected_task *handler, void *arg, const char *host,
                      const char *port, const struct rill_server_options *options,
                      struct rill_server **result)
{
    struct rill_task *task;
    size_t limit;

    *result = NULL;
    options = options != NULL ? options : &no_options;
    int rc = check(options, &task);
    rc = rc < 0 ? rc : rill__limit_of(options->limit, &limit); /* */
    if (rc < 0) {
        return rc;
    }
    struct rill_server *server = server_new(task->loop, options);
    if (server == NULL) {
        return rill__fail(rill_error_new(RILL_ENOMEM, "%s", ""));
    }
    server->factory = make_stream;
    server->factory_arg = server;
    server->discard = discard_stream;
    server->limit = limit;
    server->connected = (struct rill__connected){
        .task = options->plain_cb == NULL ? handler : NULL, .plain = options->plain_cb, .arg = arg};
    rc = start(server, host, port, options);
    if (rc < 0) {
        give_up(server, options);
        return rc;
    }
    *result = server;
    return 0;
}

int rill_create_server(rill_protocol_factory *factory, void *arg, const char *host,
                       const char *port, const struct rill_server_options *options,
                       struct rill_server **result)
{
    struct rill_task *task;

    *result = NULL;
    options = options != NULL ? options : &no_options;
    int rc = check(options, &task);
    if (rc < 0) {
        return rc;
    }
    struct rill_server *server = server_new(task->loop, options);
    if (server == NULL) {
        return rill__fail(rill_error_new(RILL_ENOMEM, "%s", ""));
    }
    server->factory = factory;
    server->factory_arg = arg;
    rc = start(server, host, port, options);
    if (rc < 0) {
        give_up(server, options);
        return rc;
    }
    *result = server;
    return 0;
}
