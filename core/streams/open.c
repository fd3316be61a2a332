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
    const int rc = rill__check_ssl(host, options);
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
int rill__give_up(struct rill_loop *loop, const struct rill__connection *connection,
                  const struct rill_error *error)
{
    if (!connection->is_callers) {
        rill__close(loop, connection->fd);
    }
    return rill__fail(error);
}

static int plain_over(struct rill_task *task, const struct rill__connection *connection,
                      struct rill_protocol *protocol, bool *protocol_given,
                      struct rill_transport **transport)
{
    struct rill__selector *made = NULL;
    const struct rill_error *error = NULL;

    if (rill__socket_transport_new(task->loop, connection->fd, NULL, NULL, protocol, &made,
                                   &error) < 0) {
        return rill__give_up(task->loop, connection, error);
    }
    *protocol_given = true;
    *transport = &made->base;
    return rill__await_made(task, made);
}

/* On success *transport is the caller's reference. *protocol_given: the protocol will hear of the
 * end. */
static int transport_over(struct rill_task *task, const struct rill__connection *connection,
                          struct rill_protocol *protocol, bool *protocol_given,
                          struct rill_transport **transport)
{
    *protocol_given = false;
    return (connection->ssl.context != NULL ? rill__tls_over : plain_over)(
        task, connection, protocol, protocol_given, transport);
}

int rill__connection_over(struct rill_task *task, const struct rill__connection *connection,
                          rill_protocol_factory *factory, void *arg,
                          struct rill_transport **transport, struct rill_protocol **protocol)
{
    struct rill_transport *made = NULL;
    bool given;

    *protocol = factory(arg);
    if (*protocol == NULL) {
        return rill__give_up(task->loop, connection, rill_error_no_memory());
    }
    const int rc = transport_over(task, connection, *protocol, &given, &made);
    *transport = rc == 0 ? made : NULL;
    return rc;
}

/* The pair over a transport whose caller's reference goes to the pair. */
static int pair_of(struct rill__stream *stream, struct rill_transport *transport, int rc,
                   struct rill_reader **reader, struct rill_writer **writer)
{
    if (rc < 0) {
        rill__stream_release_owner(stream);
        return rc;
    }
    rill_transport_unref(transport); /* the stream has its own since connection_made */
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
    *stream = rill__stream_new(loop, limit, NULL);
    return *stream != NULL ? 0 : rill__fail_no_memory();
}

int rill__pair_over(struct rill_task *task, const struct rill__connection *connection,
                    struct rill__stream *stream, struct rill_reader **reader,
                    struct rill_writer **writer)
{
    struct rill_transport *transport = NULL;
    bool given;
    const int rc =
        transport_over(task, connection, rill__stream_protocol(stream), &given, &transport);

    stream->held_by_transport = stream->held_by_transport && given;
    return pair_of(stream, transport, rc, reader, writer);
}

/* -- the public calls ------------------------------------------------------------------------ */

static struct rill__ssl_params ssl_of(const char *host,
                                      const struct rill_connection_options *options)
{
    return (struct rill__ssl_params){
        .context = options->ssl,
        .server_hostname =
            options->server_hostname != NULL ? options->server_hostname : host, /* */
        .skip_hostname = options->insecure_skip_hostname,
        .handshake_timeout = options->ssl_handshake_timeout,
        .shutdown_timeout = options->ssl_shutdown_timeout,
    };
}

static struct rill__connection connection_of(int fd, const char *host,
                                             const struct rill_connection_options *options)
{
    return (struct rill__connection){
        .fd = fd, .is_callers = options->sock.given, .ssl = ssl_of(host, options)};
}

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
    const struct rill__connection connection = connection_of(fd, host, options);
    return rill__connection_over(task, &connection, factory, arg, transport, protocol);
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
    const struct rill__connection connection = connection_of(fd, host, options);
    return rill__pair_over(task, &connection, stream, reader, writer);
}

/* Over memory the handshake needs the peer's moves, so the caller has *peer before it ends. */
static int memory_over(struct rill_task *task, struct rill_protocol *protocol,
                       const struct rill__ssl_params *params,
                       const struct rill_memory_options *memory, bool *protocol_given,
                       struct rill_transport **transport, struct rill_memory_peer **peer)
{
    struct rill__ssl *layer = NULL;
    const struct rill_error *error = NULL;

    if (params->context != NULL &&
        rill__ssl_new(task->loop, params, protocol, false, &layer, &error) < 0) {
        return rill__fail(error);
    }
    const int rc = rill_memory_transport_new(task->loop, layer != NULL ? &layer->lower : protocol,
                                             memory, transport, peer);
    if (rc < 0) {
        if (layer != NULL) {
            rill__ssl_discard(layer);
        }
        return rill__fail_no_memory();
    }
    *protocol_given = true;
    if (layer == NULL) {
        return rill__await_made(task, rill__container(*transport, struct rill__selector, base));
    }
    rill_transport_unref(*transport);
    return rill__secure(task, layer, transport);
}

int rill_open_memory_connection(const struct rill_connection_options *options,
                                const struct rill_memory_options *memory,
                                struct rill_reader **reader, struct rill_writer **writer,
                                struct rill_memory_peer **peer)
{
    struct rill_transport *transport = NULL;
    struct rill__stream *stream;
    struct rill_task *task;
    bool given = false;

    *reader = NULL;
    *writer = NULL;
    *peer = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    int rc = rill__open_stream(task->loop, options->limit, &stream);
    if (rc < 0) {
        return rc;
    }
    struct rill__ssl_params params = ssl_of(NULL, options);
    params.server_side = memory != NULL && memory->server_side;
    rc =
        memory_over(task, rill__stream_protocol(stream), &params, memory, &given, &transport, peer);
    stream->held_by_transport = stream->held_by_transport && given;
    rc = pair_of(stream, transport, rc, reader, writer);
    if (rc < 0 && *peer != NULL) {
        rill_memory_peer_close(*peer); /* nobody is left who could answer a goodbye */
        rill_memory_peer_free(*peer);
        *peer = NULL;
    }
    return rc;
}
