/* SPDX-License-Identifier: MIT
 *
 * Watches a file descriptor for read events: no transport and no task, only a loop that calls a
 * function. Twin: python/watch_descriptor.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/rill.h>

struct program {
    struct rill_loop *loop;
    int rsock;
    int wsock;
};

static void on_readable(void *arg)
{
    const struct program *program = arg;
    char data[100];

    const ssize_t size = recv(program->rsock, data, sizeof data, 0);
    if (size < 0) {
        perror("recv");
    } else {
        printf("Received: %.*s\n", (int)size, data);
    }

    /* We are done: stop watching the descriptor, and then the loop. */
    rill_remove_reader(program->loop, program->rsock);
    rill_loop_stop(program->loop);
}

static void send_abc(void *arg)
{
    const struct program *program = arg;

    if (send(program->wsock, "abc", 3, MSG_NOSIGNAL) < 0) {
        perror("send");
    }
}

static int watch(struct program *program)
{
    /* Register the descriptor for read events. */
    int rc = rill_add_reader(program->loop, program->rsock, on_readable, program);
    if (rc < 0) {
        return rc;
    }

    /* Simulate the reception of data from the network. */
    rc = rill_call_soon(program->loop, send_abc, program, NULL);
    if (rc < 0) {
        return rc;
    }

    /* Run until on_readable stops the loop. */
    return rill_loop_run_forever(program->loop);
}

int main(int argc, char **argv)
{
    struct program program;
    int pair[2];

    (void)argv;
    if (argc != 1) {
        fprintf(stderr, "usage: watch_descriptor\n");
        return 2;
    }

    /* Create a pair of connected descriptors. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        perror("socketpair");
        return EXIT_FAILURE;
    }
    program.rsock = pair[0];
    program.wsock = pair[1];

    /* Outside a task there is no rill_main that prints what failed. */
    int rc = rill_loop_new(NULL, &program.loop);
    if (rc >= 0) {
        rc = watch(&program);
    }
    if (rc < 0) {
        fprintf(stderr, "%s\n", rill_error_name(rc));
    }

    rill_loop_free(program.loop);
    close(program.rsock);
    close(program.wsock);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
