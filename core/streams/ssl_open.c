/* SPDX-License-Identifier: MIT
 *
 * Opening with TLS: the checks of its options, and a task that waits for a handshake.
 */
#include "streams/open.h"

/* -- options --------------------------------------------------------------------------------- */

int rill__check_no_ssl(const struct rill_ssl_context *ssl, const char *server_hostname,
                       struct rill_opt_real handshake_timeout,
                       struct rill_opt_real shutdown_timeout)
{
    const char *given = server_hostname != NULL   ? "server_hostname"
                        : handshake_timeout.given ? "ssl_handshake_timeout"
                        : shutdown_timeout.given  ? "ssl_shutdown_timeout"
                                                  : NULL;
    return given == NULL || ssl != NULL
               ? 0
               : rill__fail(rill_error_new(RILL_EVALUE, "%s is only meaningful with ssl", given));
}

int rill__check_ssl(const char *host, const struct rill_connection_options *options)
{
    if (options->ssl != NULL && options->server_hostname == NULL &&
        (host == NULL || host[0] == '\0')) { /* */
        return rill__fail_with(RILL_EVALUE,
                               "You must set server_hostname when using ssl without a host");
    }
    return rill__check_no_ssl(options->ssl, options->server_hostname,
                              options->ssl_handshake_timeout, options->ssl_shutdown_timeout);
}

/* -- the handshake --------------------------------------------------------------------------- */

struct handshake {
    struct rill__wait wait;
    struct rill__stream *stream;
    const struct rill_error *error;
};

/* Writer and reader go over to the new layer. */
static void take_over(struct rill__stream *stream, struct rill_transport *transport)
{
    struct rill_transport *old = stream->transport;

    stream->transport = rill_transport_ref(transport);
    stream->reader.transport = transport;
    stream->reader.core.paused = false;
    rill_transport_unref(old);
}

static void handshake_ended(void *arg, struct rill__ssl *layer, const struct rill_error *error)
{
    struct handshake *handshake = arg;

    handshake->error = rill_error_ref(error);
    if (error == NULL && handshake->stream != NULL) {
        take_over(handshake->stream, &layer->base);
    }
    rill__wait_complete(&handshake->wait, error != NULL ? error->code : 0);
}

int rill__await_handshake(struct rill_task *task, struct rill__ssl *layer,
                          struct rill__stream *stream)
{
    struct handshake handshake = {.stream = stream};

    rill__wait_init(&handshake.wait, task);
    layer->on_handshake = handshake_ended;
    layer->on_handshake_arg = &handshake;
    const int rc = rill__wait(&handshake.wait, NULL);
    layer->on_handshake = NULL;
    if (rc < 0 && rc != RILL_ECANCELLED) {
        return rill__fail(handshake.error);
    }
    rill_error_unref(handshake.error);
    return rc;
}

const struct rill_error *rill__upgrade_in_progress(void)
{
    return rill_error_new(RILL_ERUNTIME, "start_tls() is in progress");
}

int rill__secure(struct rill_task *task, struct rill__ssl *layer, struct rill_transport **transport)
{
    const int rc = rill__await_handshake(task, layer, NULL);

    *transport = &layer->base;
    if (rc < 0) {
        rill_transport_close(&layer->base); /* aborts in the handshake */
        rill_transport_unref(&layer->base);
    }
    return rc;
}

int rill__tls_over(struct rill_task *task, const struct rill__connection *connection,
                   struct rill_protocol *protocol, bool *protocol_given,
                   struct rill_transport **transport)
{
    struct rill__ssl *layer = NULL;
    struct rill__selector *below = NULL;
    const struct rill_error *error = NULL;

    if (rill__ssl_new(task->loop, &connection->ssl, protocol, false, &layer, &error) < 0) {
        return rill__give_up(task->loop, connection, error);
    }
    if (rill__socket_transport_new(task->loop, connection->fd, NULL, NULL, &layer->lower, &below,
                                   &error) < 0) {
        rill__ssl_discard(layer);
        return rill__give_up(task->loop, connection, error);
    }
    *protocol_given = true;
    rill_transport_unref(&below->base); /* the layer has its own from connection_made on */
    return rill__secure(task, layer, transport);
}
