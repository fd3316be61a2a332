/* SPDX-License-Identifier: MIT
 *
 * Step 0: what a case's `with` says exists before its first operation.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "connection.h"
#include "events.h"
#include "peer.h"
#include "script.h"
#include "seams.h"
#include "server.h"

enum { SMALL_SEND_BUFFER = 16384, PORT_TEXT_SIZE = 16 };

/* A step of set-up that must be made in a task: the driver itself is none. */
struct opening {
    struct replay *replay;
    int socket; /* the app's end of a pair */
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *memory;
};

static void cannot_set_up(const char *what)
{
    fprintf(stderr, "rill-testee: set-up failed: %s\n", what);
    exit(EXIT_FAILURE);
}

/* Runs fn(opening) as a task to its end; a failure is told as an error of step 0. */
static bool open_in_task(struct opening *opening, rill_task_fn *fn)
{
    struct replay *replay = opening->replay;
    const struct rill_task_options options = {.loop = replay->loop, .name = "set-up"};
    struct rill_task *task = NULL;
    if (rill_task_create(fn, opening, &options, &task) < 0) {
        cannot_set_up("no task");
    }
    while (!rill_task_done(task)) {
        settle(replay);
    }
    const struct rill_error *exception = rill_task_exception(task);
    const bool opened = exception == NULL;
    if (!opened) {
        emit_error(replay, json_string("set-up"), exception);
    }
    rill_task_free(task);
    return opened;
}

static struct rill_connection_options connection_options(const struct replay *replay)
{
    return (struct rill_connection_options){.limit = int_argument(replay->script, "limit")};
}

static int open_memory(void *arg)
{
    struct opening *opening = arg;
    const struct rill_connection_options options = connection_options(opening->replay);
    return rill_open_memory_connection(&options, NULL, &opening->reader, &opening->writer,
                                       &opening->memory);
}

static int open_socket(void *arg)
{
    struct opening *opening = arg;
    struct rill_connection_options options = connection_options(opening->replay);
    options.sock = (struct rill_opt_int)RILL_SET(opening->socket);
    return rill_open_connection(NULL, NULL, &options, &opening->reader, &opening->writer);
}

static int open_tcp(void *arg)
{
    struct opening *opening = arg;
    const struct rill_connection_options options = connection_options(opening->replay);
    char port[PORT_TEXT_SIZE];
    snprintf(port, sizeof port, "%d", opening->replay->listener_port);
    return rill_open_connection(LISTEN_HOST, port, &options, &opening->reader, &opening->writer);
}

static int open_reader(void *arg)
{
    struct opening *opening = arg;
    return rill_reader_new(int_argument(opening->replay->script, "limit"), &opening->reader);
}

static int open_server(void *arg)
{
    const struct opening *opening = arg;
    return server_start(opening->replay, opening->replay->script, LISTEN_HOST, "0");
}

static void connect_opened(const struct opening *opening, struct peer *peer)
{
    struct replay *replay = opening->replay;
    replay->peers[1] = peer;
    connection_join(connection_new(replay, 1, opening->reader, opening->writer, true), peer);
}

static bool set_up_memory(struct opening *opening)
{
    const bool opened = open_in_task(opening, open_memory);
    if (opened) {
        connect_opened(opening, peer_memory_new(opening->replay, opening->memory));
    }
    return opened;
}

static void small_send_buffer(int fd)
{
    const int size = SMALL_SEND_BUFFER;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static bool set_up_pair(struct opening *opening)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        cannot_set_up("socketpair");
    }
    small_send_buffer(ends[0]);
    seams_forget(opening->replay, ends[0]);
    opening->socket = ends[0];
    const bool opened = open_in_task(opening, open_socket);
    if (opened) {
        connect_opened(opening, peer_socket_new(opening->replay, ends[1]));
    } else {
        close(ends[0]); /* still ours */
        close(ends[1]);
    }
    return opened;
}

static bool set_up_tcp(struct opening *opening)
{
    struct replay *replay = opening->replay;
    struct rill_address address;
    int fd = -1;
    listener_open(replay);
    if (!open_in_task(opening, open_tcp)) {
        return false;
    }
    if (rill_writer_get_socket(opening->writer, &fd)) {
        small_send_buffer(fd);
        seams_forget(replay, fd);
    }
    const int accepted = listener_accept(replay);
    if (accepted < 0) {
        cannot_set_up("accept");
    }
    connect_opened(opening, peer_socket_new(replay, accepted));
    if (rill_writer_get_sockname(opening->writer, &address)) {
        emit_port(replay, "own1", address.port);
    }
    return true;
}

static bool set_up_connection(struct opening *opening)
{
    const char *backend = text_argument(opening->replay->script, "backend");
    if (strcmp(backend, "mem") == 0) {
        return set_up_memory(opening);
    }
    return strcmp(backend, "pair") == 0 ? set_up_pair(opening) : set_up_tcp(opening);
}

static bool set_up_reader(struct opening *opening)
{
    const bool opened = open_in_task(opening, open_reader);
    if (opened) {
        connection_new(opening->replay, 1, opening->reader, NULL, true);
    }
    return opened;
}

bool set_up(struct replay *replay)
{
    const char *with = text_argument(replay->script, "with");
    struct opening opening = {.replay = replay, .socket = -1};
    if (strcmp(with, "connection") == 0) {
        return set_up_connection(&opening);
    }
    if (strcmp(with, "reader") == 0) {
        return set_up_reader(&opening);
    }
    if (strcmp(with, "server") == 0) {
        return open_in_task(&opening, open_server);
    }
    listener_open(replay);
    port_reserve(replay);
    return true;
}
