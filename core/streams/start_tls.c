/* SPDX-License-Identifier: MIT
 *
 * start_tls: a live connection goes on over TLS (specification 2.3).
 */
#include "streams/open.h"

#define TLS_HANDSHAKE_RECORD 0x16 /* the first byte of a ClientHello */

static const struct rill_start_tls_options no_options = {0};

/* The first turn of the new layer. */
struct upgrade {
    struct rill__entry start;
    struct rill__ssl *ssl;
    struct rill_transport *below;
};

/* In the iteration after the call, as asyncio queues it; the connection may be lost by then. */
static void run_start(struct rill__entry *entry)
{
    struct upgrade *upgrade = rill__container(entry, struct upgrade, start);
    if (!upgrade->ssl->gone) {
        rill__ssl_start(upgrade->ssl, upgrade->below);
        rill_transport_resume_reading(upgrade->below);
    }
}

/* A transport that closes is refused, as drain does it: until it is lost it may owe that
 * news to a layer whose handshake has failed, and only its protocol of that moment hears it. */
static const struct rill_error *check(const struct rill_ssl_context *context,
                                      struct rill_transport *below)
{
    if (context == NULL || context == rill_ssl_default) { /* */
        return rill_error_new(RILL_ETYPE,
                              "sslcontext is expected to be an instance of ssl.SSLContext, got %s",
                              context == NULL ? "None" : "True");
    }
    return rill_transport_is_closing(below) ? rill_error_new(RILL_ECONNRESET, "Connection lost")
           : rill__ssl_top(below) != below  ? rill__upgrade_in_progress() /* */
                                            : NULL;
}

/* Swaps the protocol and waits for the handshake; `stream` is whose transport it will be, or NULL.
 * The connection does not survive a failure. */
static int run(struct rill_task *task, struct rill__ssl *ssl, struct rill_transport *below,
               struct rill__stream *stream)
{
    struct upgrade upgrade = {.start = {.run = run_start}, .ssl = ssl, .below = below};

    rill_transport_pause_reading(below);
    rill_transport_set_protocol(below, &ssl->lower);
    rill__ready(task->loop, &upgrade.start);
    const int rc = rill__await_handshake(task, ssl, stream);
    if (rc < 0) {
        rill__unready(&upgrade.start);
        ssl->closing = true; /* a cancelled task's stream may have gone over to it already */
        rill_transport_close(below);
        rill_transport_unref(&ssl->base);
    }
    return rc;
}

static struct rill__ssl_params params_of(struct rill_ssl_context *ssl,
                                         const struct rill_start_tls_options *options,
                                         bool server_side)
{
    return (struct rill__ssl_params){
        .context = ssl,
        .server_side = server_side,
        .server_hostname = server_side ? NULL : options->server_hostname,
        .skip_hostname = options->insecure_skip_hostname,
        .handshake_timeout = options->ssl_handshake_timeout,
        .shutdown_timeout = options->ssl_shutdown_timeout,
    };
}

int rill_start_tls(struct rill_transport *transport, struct rill_protocol *protocol,
                   struct rill_ssl_context *ssl, const struct rill_start_tls_options *options,
                   struct rill_transport **made)
{
    struct rill__ssl *layer = NULL;
    struct rill_task *task;

    *made = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    const struct rill__ssl_params params = params_of(ssl, options, options->server_side);
    const struct rill_error *error = check(ssl, transport);
    if (error == NULL) {
        rill__ssl_new(task->loop, &params, protocol, true, &layer, &error);
    }
    if (error != NULL) {
        return rill__fail(error);
    }
    const int rc = run(task, layer, transport, NULL);
    if (rc == 0) {
        *made = &layer->base;
        rill_transport_unref(transport);
    }
    return rc;
}

/* -- streams ---------------------------------------------------------------------------------- */

static bool is_server(const struct rill__stream *stream) /* */
{
    return stream->connected.task != NULL || stream->connected.plain != NULL;
}

/* bytes that came in clear must not be taken for bytes that came over TLS, nor what a read to
 * the end has collected and would return in front of them. A server may hand them to the
 * handshake, which refuses whatever is none. */
static const struct rill_error *check_buffered(const struct rill__stream *stream)
{
    const struct rill__buffer *buffer = &stream->reader.core.buffer;
    const size_t held = rill__buffer_held_length(buffer);
    const size_t count = held + rill__buffer_length(buffer);

    if (count == 0 ||
        (held == 0 && is_server(stream) && rill__buffer_data(buffer)[0] == TLS_HANDSHAKE_RECORD)) {
        return NULL;
    }
    return rill_error_new(RILL_ERUNTIME,
                          "start_tls() with %zu byte%s received in clear and not read yet", count,
                          count == 1 ? "" : "s");
}

static const struct rill_error *hand_over(struct rill__stream *stream, struct rill__ssl *layer)
{
    struct rill__buffer *buffer = &stream->reader.core.buffer;
    const struct rill_bytes early = {rill__buffer_data(buffer), rill__buffer_length(buffer)};

    rill__tls_feed(layer->session, early);
    if (rill__tls_settle(layer->session) < 0) {
        return rill_error_no_memory();
    }
    if (early.len > 0) {
        rill__buffer_discard(buffer, early.len);
    }
    return NULL;
}

static const struct rill_error *make_layer(struct rill__stream *stream,
                                           const struct rill__ssl_params *params,
                                           struct rill__ssl **layer)
{
    const struct rill_error *error = check_buffered(stream);

    if (error != NULL ||
        rill__ssl_new(stream->loop, params, &stream->protocol, true, layer, &error) < 0) {
        return error;
    }
    error = hand_over(stream, *layer);
    if (error != NULL) {
        rill__ssl_discard(*layer);
    }
    return error;
}

static int upgrade_stream(struct rill_writer *writer, struct rill_ssl_context *ssl,
                          const struct rill_start_tls_options *options)
{
    struct rill__stream *stream = writer->stream;
    struct rill__ssl *layer = NULL;

    int rc = rill_writer_drain(writer); /* */
    if (rc < 0) {
        return rc;
    }
    struct rill_transport *below = stream->transport;
    const struct rill__ssl_params params =
        params_of(ssl, options != NULL ? options : &no_options, is_server(stream));
    const struct rill_error *error = check(ssl, below);
    if (error == NULL) {
        error = make_layer(stream, &params, &layer);
    }
    if (error != NULL) {
        return rill__fail_on(&writer->error, error);
    }
    rill_transport_ref(below);
    rc = run(rill_current_task(), layer, below, stream);
    rill_transport_unref(below);
    if (rc == 0) {
        stream->over_ssl = true;
        rill_transport_unref(&layer->base); /* the stream has its own */
    } else if (rc != RILL_ECANCELLED) {
        rc = rill__fail_on(&writer->error, rill_error_ref(rill_task_error()));
    }
    return rc;
}

int rill_writer_start_tls(struct rill_writer *writer, struct rill_ssl_context *ssl,
                          const struct rill_start_tls_options *options)
{
    struct rill__stream *stream = writer->stream;

    if (stream->upgrading) { /* */
        return rill__fail_on(&writer->error, rill__upgrade_in_progress());
    }
    stream->upgrading = true;
    const int rc = upgrade_stream(writer, ssl, options);
    stream->upgrading = false;
    return rc;
}
