/* SPDX-License-Identifier: MIT
 *
 * Waits for data on a socket that was open before, one end of a socketpair, with a protocol: the
 * transport calls it when there is data. Twin: python/wait_for_data_protocol.py.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/rill.h>

#include "future.h"
#include "utf8.h"

struct receiver {
    struct rill_protocol protocol; /* first: the transport hands a pointer to it back */
    struct rill_transport *transport;
    struct future on_con_lost;
};

static void connection_made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    struct receiver *self = (struct receiver *)protocol;

    self->transport = transport;
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    const struct receiver *self = (const struct receiver *)protocol;
    struct rill_bytes text;

    const int rc = utf8_decode(data, &text);
    if (rc < 0) {
        return rc;
    }
    printf("Received: %.*s\n", (int)text.len, text.ptr);

    /* We are done: close the transport; connection_lost is then called by itself. */
    rill_transport_close(self->transport);
    return 0;
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct receiver *self = (struct receiver *)protocol;

    (void)error;
    future_set(&self->on_con_lost);
}

static const struct rill_protocol_ops receiver_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .connection_lost = connection_lost,
};

static struct rill_protocol *make_protocol(void *arg)
{
    struct receiver *receiver = arg;

    return &receiver->protocol;
}

/* Where Python has the bound method wsock.send, C has a function and the descriptor behind `arg`.
 */
static void send_abc(void *arg)
{
    const int *wsock = arg;

    if (send(*wsock, "abc", 3, MSG_NOSIGNAL) < 0) {
        perror("send");
    }
}

static int wait_for_data(void *arg)
{
    struct receiver *receiver = arg;
    struct rill_transport *transport;
    struct rill_protocol *protocol;
    int pair[2];

    /* Create a pair of connected sockets. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return rill_task_fail(rill_error_from_errno(errno));
    }
    const int rsock = pair[0];
    int wsock = pair[1];
    const struct rill_connection_options options = {.sock = RILL_SET(rsock)};

    int rc = future_init(&receiver->on_con_lost);
    if (rc < 0) {
        close(rsock);
        goto close_wsock;
    }

    /* Register the open socket to wait for data. */
    rc = rill_create_connection(make_protocol, receiver, NULL, NULL, &options, &transport,
                                &protocol);
    if (rc < 0) {
        close(rsock);
        goto cleanup_future;
    }

    /* Simulate the reception of data from the network. */
    rc = rill_call_soon(rill_running_loop(), send_abc, &wsock, NULL);

    /* Wait until the protocol has closed the transport. */
    if (rc >= 0) {
        rc = future_wait(&receiver->on_con_lost);
    }
    rill_transport_close(transport);
    rill_transport_unref(transport);
cleanup_future:
    future_cleanup(&receiver->on_con_lost);
close_wsock:
    close(wsock);
    return rc;
}

int main(int argc, char **argv)
{
    /* Not on the task's stack: after Ctrl-C connection_lost comes when the task has ended. */
    struct receiver receiver = {.protocol = {&receiver_ops}};

    (void)argv;
    if (argc != 1) {
        fprintf(stderr, "usage: wait_for_data_protocol\n");
        return 2;
    }
    return rill_main(wait_for_data, &receiver);
}
