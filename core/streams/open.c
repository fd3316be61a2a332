/* SPDX-License-Identifier: MIT
 *
 * open_connection and create_connection (section 5).
 */
#include "streams/open.h"

#include "net/net.h"
#include "sansio/memory.h"

static const struct rill_connection_options no_options = {0};

int rill__await_made(struct rill_task *task, struct rill__selector *transport)
{
    struct rill__wait wait;

    rill__wait_init(&wait, task);
    transport->opener = &wait;
    const int rc = rill__wait(&wait, NULL);
    if (transport->opener == &wait) {
        transport->opener = NULL;
    }
    if (rc < 0) {
        rill_transport_close(&transport->base);
        rill_transport_unref(&transport->base);
    }
    return rc;
}

/* -- the socket ------------------------------------------------------------------------------- */

int rill__check_no_ssl(const char *server_hostname, struct rill_opt_real handshake_timeout,
                       struct rill_opt_real shutdown_timeout)
{
    const char *given = server_hostname != NULL   ? "server_hostname"
                        : handshake_timeout.given ? "ssl_handshake_timeout"
                        : shutdown_timeout.given  ? "ssl_shutdown_timeout"
                                                  : NULL;
    return given == NULL
               ? 0
               : rill__fail(rill_error_new(RILL_EVALUE, "%s is only meaningful with ssl", given));
}

static int adopt_socket(struct rill_loop *loop, int fd)
{
    if (!rill__is_stream_socket(loop, fd)) { /* */
        return rill__fail(rill__wrong_socket(loop, "Stream Socket", fd));
    }
    const int rc = rill__set_nonblocking(loop, fd);
    return rc < 0 ? rill__fail(rill_error_from_errno(-rc)) : fd;
}

/* 5.2's order, then a connected descriptor. */
static int connected_socket(struct rill_loop *loop, const char *host, const char *port,
                            const struct rill_connection_options *options)
{
    const bool named = host != NULL || port != NULL;
    const int rc = rill__check_no_ssl(options->server_hostname, options->ssl_handshake_timeout,
                                      options->ssl_shutdown_timeout);
    if (rc < 0) {
        return rc;
    }
    if (named && options->sock.given) { /* */
        return rill__fail(rill_error_new(
            RILL_EVALUE, "host/port and sock can not be specified at the same time"));
    }
    if (named) {
        return rill__dial(loop, host, port, options);
    }
    if (!options->sock.given) { /* */
        return rill__fail_with(RILL_EVALUE,
                               "host and port was not specified and no sock specified");
    }
    return adopt_socket(loop, (int)options->sock.value);
}

/* A descriptor that rill made is rill's to close; one that was passed in stays the caller's on
 * failure. */
static void give_up_socket(struct rill_loop *loop, int fd, bool is_callers)
{
    if (!is_callers) {
        rill__close(loop, fd);
    }
}

int rill__connection_over(struct rill_task *task, int fd, bool is_callers,
                          rill_protocol_factory *factory, void *arg,
                          struct rill_transport **transport, struct rill_protocol **protocol)
{
    struct rill__selector *made = NULL;
    const struct rill_error *error = NULL;

    *protocol = factory(arg);
    if (*protocol == NULL) {
        give_up_socket(task->loop, fd, is_callers);
        return rill__fail_no_memory();
    }
    int rc = rill__socket_transport_new(task->loop, fd, NULL, *protocol, &made, &error);
    if (rc < 0) {
        give_up_socket(task->loop, fd, is_callers);
        return rill__fail(error);
    }
    rc = rill__await_made(task, made);
    if (rc == 0) {
        *transport = &made->base;
    }
    return rc;
}

/* The pair over a transport whose caller's reference goes to the pair. */
static int pair_of(struct rill_task *task, struct rill__stream *stream,
                   struct rill__selector *transport, struct rill_reader **reader,
                   struct rill_writer **writer)
{
    const int rc = rill__await_made(task, transport);
    if (rc < 0) {
        rill__stream_release_owner(stream);
        return rc;
    }
    rill_transport_unref(&transport->base); /* the stream has its own since connection_made */
    *reader = &stream->reader;
    *writer = &stream->writer;
    return 0;
}

int rill__open_stream(struct rill_loop *loop, struct rill_opt_int option,
                      struct rill__stream **stream)
{
    size_t limit;
    const int rc = rill__limit_of(option, &limit); /* first of all */
    if (rc < 0) {
        return rc;
    }
    *stream = rill__stream_new(loop, limit);
    return *stream != NULL ? 0 : rill__fail_no_memory();
}

int rill__pair_over(struct rill_task *task, struct rill__stream *stream, int fd, bool is_callers,
                    struct rill_reader **reader, struct rill_writer **writer)
{
    struct rill__selector *transport = NULL;
    const struct rill_error *error = NULL;
    const int rc = rill__socket_transport_new(task->loop, fd, NULL, rill__stream_protocol(stream),
                                              &transport, &error);
    if (rc < 0) {
        stream->held_by_transport = false;
        give_up_socket(task->loop, fd, is_callers);
        rill__stream_release_owner(stream);
        return rill__fail(error);
    }
    return pair_of(task, stream, transport, reader, writer);
}

/* -- the public calls ------------------------------------------------------------------------ */

int rill_create_connection(rill_protocol_factory *factory, void *arg, const char *host,
                           const char *port, const struct rill_connection_options *options,
                           struct rill_transport **transport, struct rill_protocol **protocol)
{
    struct rill_task *task;

    *transport = NULL;
    *protocol = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    const int fd = connected_socket(task->loop, host, port, options);
    if (fd < 0) {
        return fd;
    }
    return rill__connection_over(task, fd, options->sock.given, factory, arg, transport, protocol);
}

int rill_open_connection(const char *host, const char *port,
                         const struct rill_connection_options *options, struct rill_reader **reader,
                         struct rill_writer **writer)
{
    struct rill__stream *stream;
    struct rill_task *task;

    *reader = NULL;
    *writer = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    const int rc = rill__open_stream(task->loop, options->limit, &stream);
    if (rc < 0) {
        return rc;
    }
    const int fd = connected_socket(task->loop, host, port, options);
    if (fd < 0) {
        rill__stream_release_owner(stream);
        return fd;
    }
    return rill__pair_over(task, stream, fd, options->sock.given, reader, writer);
}

int rill_open_memory_connection(const struct rill_connection_options *options,
                                const struct rill_memory_options *memory,
                                struct rill_reader **reader, struct rill_writer **writer,
                                struct rill_memory_peer **peer)
{
    struct rill_transport *transport;
    struct rill__stream *stream;
    struct rill_task *task;

    *reader = NULL;
    *writer = NULL;
    *peer = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    int rc =
        rill__open_stream(task->loop, (options != NULL ? options : &no_options)->limit, &stream);
    if (rc < 0) {
        return rc;
    }
    rc = rill_memory_transport_new(task->loop, rill__stream_protocol(stream), memory, &transport,
                                   peer);
    if (rc < 0) {
        stream->held_by_transport = false;
        rill__stream_release_owner(stream);
        return rill__fail(rill_error_new(rc, "%s", ""));
    }
    rc = pair_of(task, stream, rill__container(transport, struct rill__selector, base), reader,
                 writer);
    if (rc < 0) {
        rill_memory_peer_free(*peer);
        *peer = NULL;
    }
    return rc;
}
