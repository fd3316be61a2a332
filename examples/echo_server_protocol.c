/* SPDX-License-Identifier: MIT
 *
 * The TCP echo server once more, below streams: a protocol for each connection answers with the
 * first bytes that came, and closes. Until Ctrl-C. Twin: python/echo_server_protocol.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"
#include "utf8.h"

struct echo_server {
    struct rill_protocol protocol; /* first: the transport hands a pointer to it back */
    struct rill_transport *transport;
};

static void connection_made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    struct echo_server *self = (struct echo_server *)protocol;
    struct rill_extra_info peername = {0};

    rill_transport_get_extra_info(transport, "peername", &peername);
    printf("Connection from %s\n", repr_address(&peername.address).text);
    self->transport = transport; /* valid until connection_lost; no reference is needed */
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    const struct echo_server *self = (const struct echo_server *)protocol;
    struct rill_bytes message;

    int rc = utf8_decode(data, &message);
    if (rc < 0) {
        return rc; /* as an exception in Python: reported, and the connection is aborted */
    }
    printf("Data received: %s\n", repr_str(message).text);

    printf("Send: %s\n", repr_str(message).text);
    rc = rill_transport_write(self->transport, data.ptr, data.len, NULL);
    if (rc < 0) {
        return rc;
    }

    printf("Close the client socket\n");
    rill_transport_close(self->transport);
    return 0;
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    (void)error;
    free(protocol);
}

static const struct rill_protocol_ops echo_server_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .connection_lost = connection_lost,
};

static struct rill_protocol *make_protocol(void *arg)
{
    struct echo_server *self = calloc(1, sizeof *self);

    (void)arg;
    if (self == NULL) {
        return NULL;
    }
    self->protocol.ops = &echo_server_ops;
    return &self->protocol;
}

static int serve(void *arg)
{
    const struct endpoint *endpoint = arg;
    struct rill_server *server;
    struct rill_address addr = {0};

    int rc = rill_create_server(make_protocol, NULL, endpoint->host, endpoint->port, NULL, &server);
    if (rc < 0) {
        return rc;
    }

    rill_server_sockname(server, 0, &addr);
    printf("Serving on %s\n", repr_address(&addr).text);
    fflush(stdout); /* who started this program with port 0 waits for the line */

    rc = rill_server_serve_forever(server);

    /* `async with server` closes on the way out, whatever the way. */
    rill_server_close(server);
    rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

int main(int argc, char **argv)
{
    struct endpoint endpoint;

    if (!endpoint_parse(argc, argv, "echo_server_protocol", &endpoint)) {
        return ENDPOINT_USAGE;
    }
    return rill_main(serve, &endpoint);
}
