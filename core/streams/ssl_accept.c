/* SPDX-License-Identifier: MIT
 *
 * The TLS of a server's connections: a layer for each, and what becomes of failed handshakes.
 */
#include "streams/server_private.h"

/* a connection that never became one ends silently; the server keeps serving. */
static void handshake_ended(void *arg, struct rill__ssl *layer, const struct rill_error *error)
{
    struct rill__client *client = arg;
    struct rill_protocol *protocol = layer->protocol;

    if (error != NULL) {
        rill__server_report_creation(client->server, error, protocol, &layer->base);
        rill__ssl_forget_protocol(layer);
        rill__server_discard(client->server, protocol, error);
    }
}

int rill__server_layer(struct rill_server *server, struct rill__client *client,
                       struct rill_protocol *protocol, struct rill__ssl **layer,
                       const struct rill_error **error)
{
    const int rc = rill__ssl_new(server->loop, &server->ssl, protocol, false, layer, error);
    if (rc == 0) {
        (*layer)->on_handshake = handshake_ended;
        (*layer)->on_handshake_arg = client;
    }
    return rc;
}
