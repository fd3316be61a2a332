/* SPDX-License-Identifier: MIT
 *
 * The case's server, its handlers, and raw listening sockets.
 */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "events.h"
#include "peer.h"
#include "script.h"
#include "seams.h"
#include "tasks.h"

enum { ACCEPT_TIMEOUT_MS = 3000, RAW_BACKLOG = 5, NAME_SIZE = 16 };

/* -- raw sockets --------------------------------------------------------------------------------
 */

static int port_of(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : 0;
}

/* Connects or binds a new socket; -1 when that fails. */
static int raw_socket(int port, int (*attach)(int, const struct sockaddr *, socklen_t))
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && attach(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void listener_open(struct replay *replay)
{
    replay->listener = raw_socket(0, bind);
    if (replay->listener >= 0 && listen(replay->listener, RAW_BACKLOG) == 0) {
        replay->listener_port = port_of(replay->listener);
        emit_port(replay, "peer1", replay->listener_port);
    }
}

int listener_accept(const struct replay *replay)
{
    struct pollfd descriptor = {.fd = replay->listener, .events = POLLIN};
    if (replay->listener < 0 || poll(&descriptor, 1, ACCEPT_TIMEOUT_MS) <= 0) {
        return -1;
    }
    return accept4(replay->listener, NULL, NULL, SOCK_CLOEXEC);
}

void port_reserve(struct replay *replay)
{
    replay->reserved = raw_socket(0, bind);
    if (replay->reserved >= 0) {
        replay->reserved_port = port_of(replay->reserved);
        emit_port(replay, "closed", replay->reserved_port);
    }
}

void server_connect_peer(struct replay *replay, int number)
{
    char name[NAME_SIZE];
    const int fd = replay->server != NULL ? raw_socket(replay->server_port, connect) : -1;
    if (fd < 0) {
        return;
    }
    snprintf(name, sizeof name, "peer%d", number);
    emit_port(replay, name, port_of(fd));
    replay->peers[number] = peer_socket_new(replay, fd);
    if (rill_server_is_serving(replay->server)) {
        replay->accept_order[replay->accept_count++] = number;
    }
}

void server_cleanup(struct replay *replay)
{
    if (replay->listener >= 0) {
        close(replay->listener);
    }
    if (replay->reserved >= 0) {
        close(replay->reserved);
    }
    replay->listener = -1;
    replay->reserved = -1;
}

/* -- the server ---------------------------------------------------------------------------------
 */

static struct connection *accepted(struct replay *replay, struct rill_reader *reader,
                                   struct rill_writer *writer)
{
    const int number = accept_order_pop(replay);
    struct connection *connection = connection_new(replay, number, reader, writer, false);
    int fd = -1;
    if (rill_writer_get_socket(writer, &fd)) {
        seams_forget(replay, fd);
    }
    if (number != 0) {
        connection_join(connection, replay->peers[number]);
    }
    return connection;
}

static const json_t *handler_calls(const struct replay *replay)
{
    return json_object_get(json_object_get(replay->script, "handler"), "calls");
}

/* Where the calls of a connection's handler run; the ids of all but the first are marked. */
static struct at handler_at(struct replay *replay, const struct connection *connection)
{
    char *mark = arena_take(&replay->arena, NAME_SIZE);
    if (connection->number > 1) {
        snprintf(mark, NAME_SIZE, "@%d", connection->number);
    }
    return (struct at){.replay = replay, .mark = mark, .number = connection->number};
}

static int handler_task(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct replay *replay = arg;
    struct connection *connection = accepted(replay, reader, writer);
    const struct at at = handler_at(replay, connection);
    char *name = arena_take(&replay->arena, NAME_SIZE);
    snprintf(name, NAME_SIZE, "h%d", connection->number);
    connection->handler = record_of_handler(&at, name, handler_calls(replay));
    return record_run(connection->handler);
}

static int handler_callback(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct replay *replay = arg;
    struct connection *connection = accepted(replay, reader, writer);
    struct at at = handler_at(replay, connection);
    const int rc = calls_run(&at, handler_calls(replay));
    rill_error_unref(at.error);
    connection->owned = rc >= 0; /* the pair of a callback that fails is the server's */
    return rc < 0 ? rc : 0;
}

static bool handler_is_task(const struct replay *replay)
{
    const json_t *handler = json_object_get(replay->script, "handler");
    const char *kind = json_string_value(json_object_get(handler, "kind"));
    return kind != NULL && strcmp(kind, "task") == 0;
}

int server_start(struct replay *replay, const json_t *options, const char *host, const char *port)
{
    const json_t *serving = json_object_get(options, "start_serving");
    const bool task = handler_is_task(replay);
    const struct rill_server_options given = {
        .limit = int_argument(options, "limit"),
        .backlog = int_argument(options, "backlog"),
        .start_serving = {json_is_boolean(serving), json_is_true(serving)},
        .plain_cb = task ? NULL : handler_callback,
    };
    struct rill_server *server = NULL;
    struct rill_address address;

    replay->connecting++;
    const int rc =
        rill_start_server(task ? handler_task : NULL, replay, host, port, &given, &server);
    replay->connecting--;
    if (rc < 0) {
        return rc;
    }
    rill_server_free(replay->server);
    replay->server = server;
    if (rill_server_sockname(server, 0, &address)) {
        replay->server_port = address.port;
        emit_port(replay, "server", address.port);
    }
    return 0;
}
