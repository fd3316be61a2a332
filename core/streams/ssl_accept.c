/* SPDX-License-Identifier: MIT
 *
 * The TLS of a server's connections: a layer for each, and what becomes of failed handshakes.
 */
#include "streams/open.h"
#include "streams/server_private.h"

/* a connection that never became one ends silently; the server keeps serving. */
static void handshake_ended(void *arg, struct rill__ssl *layer, const struct rill_error *error)
{
    struct rill_server *server = arg;
    struct rill_protocol *protocol = layer->protocol;

    if (error != NULL) {
        rill__server_report_creation(server, error, protocol, &layer->base);
        rill__ssl_forget_protocol(layer);
        rill__server_discard(protocol, error);
    }
}

void rill__server_transport(struct rill_server *server, int fd, const struct rill__name *peer,
                            struct rill_protocol *protocol, struct rill__selector **transport,
                            const struct rill_error **error)
{
    struct rill_task *home = NULL;
    struct rill__ssl *layer = NULL;

    if (server->connected.task != NULL) {
        home = rill__container(protocol, struct rill__stream, protocol)->home;
    }
    if (server->ssl.context != NULL) {
        if (rill__ssl_new(server->loop, &server->ssl, protocol, false, &layer, error) < 0) {
            return;
        }
        layer->on_handshake = handshake_ended;
        layer->on_handshake_arg = server;
        protocol = &layer->lower;
    }
    rill__socket_transport_new(server->loop, fd, peer, home, protocol, transport, error);
    if (layer != NULL && *transport == NULL) {
        rill__ssl_discard(layer);
    } else if (layer != NULL) {
        rill_transport_unref(&layer->base); /* the layer below keeps it */
    }
}

/* -- starting -------------------------------------------------------------------------------- */

int rill__server_check_ssl(const struct rill__server_plan *plan)
{
    if (plan->ssl == rill_ssl_default) {
        return rill__fail_with(RILL_ETYPE, "ssl argument must be an SSLContext or None");
    }
    return rill__check_no_ssl(plan->ssl, NULL, plan->ssl_handshake_timeout,
                              plan->ssl_shutdown_timeout);
}

int rill__server_check_ssl_timeouts(const struct rill__server_plan *plan)
{
    const struct rill_error *error =
        rill__ssl_check_timeouts(plan->ssl_handshake_timeout, plan->ssl_shutdown_timeout);
    return error != NULL ? rill__fail(error) : 0;
}

void rill__server_use_ssl(struct rill_server *server, const struct rill__server_plan *plan)
{
    if (plan->ssl != NULL) {
        server->ssl = (struct rill__ssl_params){
            .context = rill_ssl_context_ref(plan->ssl),
            .server_side = true,
            .handshake_timeout = plan->ssl_handshake_timeout,
            .shutdown_timeout = plan->ssl_shutdown_timeout,
        };
    }
}
