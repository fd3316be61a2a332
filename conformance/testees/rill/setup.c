/* SPDX-License-Identifier: MIT
 *
 * Step 0: what a case's `with` says exists before its first operation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "connection.h"
#include "events.h"
#include "listeners.h"
#include "peer.h"
#include "place.h"
#include "protocol.h"
#include "script.h"
#include "server.h"
#include "syscalls.h"

enum { SMALL_SEND_BUFFER = 16384, PORT_TEXT_SIZE = 16 };

/* A step of set-up that must be made in a task: the driver itself is none. */
struct opening {
    struct replay *replay;
    bool bare;  /* with a scripted protocol instead of streams */
    int socket; /* the app's end of a pair */
    struct rill_bytes path;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_transport *transport;
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

/* What create_connection does over a socket: its protocol, and connection_made before it returns.
 */
static int open_bare_memory(struct opening *opening)
{
    struct replay *replay = opening->replay;
    struct rill_protocol *protocol = protocol_new(replay);
    int rc = rill_memory_transport_new(replay->loop, protocol, NULL, &opening->transport,
                                       &opening->memory);
    while (rc == 0 && !protocol_is_made(protocol)) {
        rc = rill_sleep(0);
    }
    return rc;
}

static int open_memory(void *arg)
{
    struct opening *opening = arg;
    const struct rill_connection_options options = connection_options(opening->replay);
    if (opening->bare) {
        return open_bare_memory(opening);
    }
    return rill_open_memory_connection(&options, NULL, &opening->reader, &opening->writer,
                                       &opening->memory);
}

static int open_connection(struct opening *opening, const char *host, const char *port,
                           const struct rill_connection_options *options)
{
    struct rill_protocol *protocol;
    if (opening->bare) {
        return rill_create_connection(protocol_new, opening->replay, host, port, options,
                                      &opening->transport, &protocol);
    }
    return rill_open_connection(host, port, options, &opening->reader, &opening->writer);
}

static int open_socket(void *arg)
{
    struct opening *opening = arg;
    struct rill_connection_options options = connection_options(opening->replay);
    options.sock = (struct rill_opt_int)RILL_SET(opening->socket);
    return open_connection(opening, NULL, NULL, &options);
}

static int open_tcp(void *arg)
{
    struct opening *opening = arg;
    const struct rill_connection_options options = connection_options(opening->replay);
    char port[PORT_TEXT_SIZE];
    snprintf(port, sizeof port, "%d", listener_port(opening->replay));
    return open_connection(opening, LISTEN_HOST, port, &options);
}

static int open_unix(void *arg)
{
    struct opening *opening = arg;
    const struct rill_unix_connection_options options = {
        .limit = int_argument(opening->replay->script, "limit")};
    struct rill_protocol *protocol;
    if (opening->bare) {
        return rill_create_unix_connection(protocol_new, opening->replay, opening->path, &options,
                                           &opening->transport, &protocol);
    }
    return rill_open_unix_connection(opening->path, &options, &opening->reader, &opening->writer);
}

static int open_reader(void *arg)
{
    struct opening *opening = arg;
    return rill_reader_new(int_argument(opening->replay->script, "limit"), &opening->reader);
}

static int open_server(void *arg)
{
    const struct opening *opening = arg;
    const json_t *script = opening->replay->script;
    if (opening->path.ptr != NULL) {
        return server_start_unix(opening->replay, script, opening->path);
    }
    return server_start(opening->replay, script, LISTEN_HOST, "0");
}

/* Connection 1; its peer is still to be found. */
static struct connection *opened_connection(const struct opening *opening)
{
    if (opening->bare) {
        return connection_of_transport(opening->replay, 1, opening->transport);
    }
    return connection_new(opening->replay, 1, opening->reader, opening->writer, true);
}

static void connect_opened(const struct opening *opening, struct peer *peer)
{
    opening->replay->peers[1] = peer;
    connection_join(opened_connection(opening), peer);
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
    syscalls_forget(opening->replay, ends[0]);
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

/* The peer is what the listener accepts. */
static const struct connection *accept_peer(const struct opening *opening)
{
    struct connection *connection = opened_connection(opening);
    small_send_buffer(connection_descriptor(connection));
    connection_find_peer(connection);
    if (connection->peer == NULL) {
        cannot_set_up("accept");
    }
    return connection;
}

static bool set_up_tcp(struct opening *opening)
{
    struct replay *replay = opening->replay;
    listener_open(replay, false);
    if (!open_in_task(opening, open_tcp)) {
        return false;
    }
    const struct connection *connection = accept_peer(opening);
    emit_port(replay, "own1", port_of_socket(connection_descriptor(connection)));
    return true;
}

static bool set_up_unix(struct opening *opening)
{
    opening->path = place_path(opening->replay, rill_bytes_of("{dir}/peer"));
    listener_open_unix(opening->replay, opening->path);
    const bool opened = open_in_task(opening, open_unix);
    if (opened) {
        accept_peer(opening);
    }
    return opened;
}

static bool set_up_connection(struct opening *opening)
{
    static const struct backend {
        const char *name;
        bool (*set_up)(struct opening *opening);
    } backends[] = {
        {"mem", set_up_memory},
        {"pair", set_up_pair},
        {"tcp", set_up_tcp},
        {"unix", set_up_unix},
    };
    const char *name = text_argument(opening->replay->script, "backend");
    const struct backend *backend = backends;
    while (strcmp(backend->name, name) != 0) { /* the script was checked */
        backend++;
    }
    return backend->set_up(opening);
}

static bool set_up_reader(struct opening *opening)
{
    const bool opened = open_in_task(opening, open_reader);
    if (opened) {
        connection_new(opening->replay, 1, opening->reader, NULL, true);
    }
    return opened;
}

static bool set_up_server(struct opening *opening)
{
    const char *backend = text_argument(opening->replay->script, "backend");
    if (strcmp(backend, "unix") == 0) {
        opening->path = place_path(opening->replay, rill_bytes_of("{dir}/server"));
    }
    return open_in_task(opening, open_server);
}

bool set_up(struct replay *replay)
{
    const char *with = text_argument(replay->script, "with");
    const bool bare = strcmp(with, "protocol") == 0;
    struct opening opening = {.replay = replay, .bare = bare, .socket = -1};
    if (bare || strcmp(with, "connection") == 0) {
        return set_up_connection(&opening);
    }
    if (strcmp(with, "reader") == 0) {
        return set_up_reader(&opening);
    }
    if (strcmp(with, "server") == 0) {
        return set_up_server(&opening);
    }
    listener_open(replay, json_array_size(json_object_get(replay->script, "connect")) > 0);
    port_reserve(replay);
    return true;
}
