/* SPDX-License-Identifier: MIT
 *
 * The page's last program: waits for data on a socket that was open before, one end of a
 * socketpair. Twin: python/wait_for_data.py.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/rill.h>

#include "utf8.h"

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
    /* Get a reference to the current event loop because we want to access low-level APIs. */
    struct rill_loop *loop = rill_running_loop();
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes data;
    struct rill_bytes text;
    int pair[2];

    (void)arg;
    /* Create a pair of connected sockets. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return rill_task_fail(rill_error_from_errno(errno));
    }
    const int rsock = pair[0];
    int wsock = pair[1];

    /* Register the open socket to wait for data. */
    const struct rill_connection_options options = {.sock = RILL_SET(rsock)};
    int rc = rill_open_connection(NULL, NULL, &options, &reader, &writer);
    if (rc < 0) {
        close(rsock);
        goto close_wsock;
    }

    /* Simulate the reception of data from the network. */
    rc = rill_call_soon(loop, send_abc, &wsock, NULL);
    if (rc < 0) {
        goto free_pair;
    }

    /* Wait for data. */
    rc = rill_reader_read(reader, 100, &data);
    if (rc < 0) {
        goto free_pair;
    }
    rc = utf8_decode(data, &text);
    if (rc < 0) {
        goto free_pair;
    }

    /* Got data, we are done: close the socket. */
    printf("Received: %.*s\n", (int)text.len, text.ptr);
    rill_writer_close(writer);

free_pair:
    rill_writer_free(writer);
close_wsock:
    /* Close the second socket. */
    close(wsock);
    return rc;
}

int main(void)
{
    return rill_main(wait_for_data, NULL);
}
