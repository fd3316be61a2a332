/* SPDX-License-Identifier: MIT
 *
 * The TCP echo client once more, below streams: a protocol whose functions the transport calls.
 * Sends one message, prints what comes back, ends when the server closes. Twin:
 * python/echo_client_protocol.py.
 */
#include <stdio.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "future.h"
#include "repr.h"
#include "utf8.h"

struct echo_client {
    struct rill_protocol protocol; /* first: the transport hands a pointer to it back */
    struct rill_bytes message;
    struct future on_con_lost;
};

static void connection_made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    const struct echo_client *self = (const struct echo_client *)protocol;

    /* A failed send is no error here: it comes with connection_lost. */
    rill_transport_write(transport, self->message.ptr, self->message.len, NULL);
    printf("Data sent: %s\n", repr_str(self->message).text);
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    struct rill_bytes text;

    (void)protocol;
    const int rc = utf8_decode(data, &text);
    if (rc < 0) {
        return rc; /* as an exception in Python: reported, and the connection is aborted */
    }
    printf("Data received: %s\n", repr_str(text).text);
    return 0;
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct echo_client *self = (struct echo_client *)protocol;

    (void)error;
    printf("The server closed the connection\n");
    future_set(&self->on_con_lost);
}

static const struct rill_protocol_ops echo_client_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .connection_lost = connection_lost,
};

static struct rill_protocol *make_protocol(void *arg)
{
    struct echo_client *client = arg;

    return &client->protocol;
}

struct program {
    struct endpoint endpoint;
    struct echo_client client;
};

static int run(void *arg)
{
    struct program *program = arg;
    struct echo_client *client = &program->client;
    struct rill_transport *transport;
    struct rill_protocol *protocol;

    int rc = future_init(&client->on_con_lost);
    if (rc < 0) {
        return rc;
    }
    rc = rill_create_connection(make_protocol, client, program->endpoint.host,
                                program->endpoint.port, NULL, &transport, &protocol);
    if (rc < 0) {
        goto cleanup_future;
    }

    /* Wait until the protocol says that the connection is lost, and close the transport. */
    rc = future_wait(&client->on_con_lost);
    rill_transport_close(transport);
    rill_transport_unref(transport);

cleanup_future:
    future_cleanup(&client->on_con_lost);
    return rc;
}

int main(int argc, char **argv)
{
    /* Not on the task's stack: after Ctrl-C connection_lost comes when the task has ended. */
    struct program program = {
        .client = {.protocol = {&echo_client_ops}, .message = rill_bytes_of("Hello World!")}};

    if (!endpoint_parse(argc, argv, "echo_client_protocol", &program.endpoint)) {
        return ENDPOINT_USAGE;
    }
    return rill_main(run, &program);
}
