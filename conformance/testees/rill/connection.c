/* SPDX-License-Identifier: MIT
 *
 * The connections of a case.
 */
#include "connection.h"

#include <unistd.h>

#include "listeners.h"
#include "peer.h"
#include "syscalls.h"

static int next_number(const struct replay *replay)
{
    int highest = 0;
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        highest = connection->number > highest ? connection->number : highest;
    }
    return highest + 1;
}

struct rill_transport *connection_transport(const struct connection *connection)
{
    return connection->writer != NULL ? rill_writer_transport(connection->writer)
                                      : connection->bare;
}

static int cannot_pause(struct rill_transport *transport)
{
    (void)transport;
    return RILL_ENOTIMPLEMENTED;
}

/* `no_pause`: a transport of another make, which cannot stop reading. */
static void forbid_pause(const struct connection *connection)
{
    struct replay *replay = connection->replay;
    struct rill_transport *transport = connection_transport(connection);
    if (json_is_true(json_object_get(replay->script, "no_pause"))) {
        struct rill_transport_ops *ops = arena_take(&replay->arena, sizeof *ops);
        *ops = *transport->ops;
        ops->pause_reading = cannot_pause;
        transport->ops = ops;
    }
}

void connection_upgraded(struct connection *connection, struct rill_transport *bare)
{
    connection->bare = bare;
    forbid_pause(connection);
}

static struct connection *append(struct replay *replay, int number)
{
    struct connection **link = &replay->connections;
    struct connection *connection = arena_take(&replay->arena, sizeof *connection);
    connection->replay = replay;
    connection->number = number != 0 ? number : next_number(replay);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = connection;
    return connection;
}

struct connection *connection_new(struct replay *replay, int number, struct rill_reader *reader,
                                  struct rill_writer *writer, bool owned)
{
    struct connection *connection = append(replay, number);
    connection->reader = reader;
    connection->writer = writer;
    connection->owned = owned;
    if (writer != NULL) {
        rill_observe_hold(writer); /* its state is told until the case ends */
        forbid_pause(connection);
    }
    return connection;
}

struct connection *connection_of_transport(struct replay *replay, int number,
                                           struct rill_transport *transport)
{
    struct connection *connection = append(replay, number);
    connection->bare = transport;
    forbid_pause(connection);
    return connection;
}

struct connection *connection_find(const struct replay *replay, int number)
{
    struct connection *found = NULL;
    for (struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if (connection->number == number) {
            found = connection;
        }
    }
    return found;
}

bool connection_is_usable(const struct connection *connection)
{
    const struct record *handler = connection->handler;
    const bool open =
        handler == NULL || handler->outcome == NOT_BEGUN || handler->outcome == RUNNING;
    return open && !connection->dropped;
}

int connection_descriptor(const struct connection *connection)
{
    struct rill_transport *transport = connection_transport(connection);
    struct rill_extra_info info;
    if (transport == NULL || !rill_transport_get_extra_info(transport, "socket", &info) ||
        info.kind != RILL_EXTRA_SOCKET) {
        return -1;
    }
    return info.socket;
}

void connection_find_peer(struct connection *connection)
{
    struct replay *replay = connection->replay;
    const int other = listener_other_end(replay, connection_descriptor(connection));
    if (other >= 0 && connection->number < PEERS_MAX) {
        replay->peers[connection->number] = peer_socket_new(replay, other);
        connection_join(connection, replay->peers[connection->number]);
    } else if (other >= 0) {
        close(other);
    }
}

void connection_join(struct connection *connection, struct peer *peer)
{
    connection->peer = peer;
    peer_belongs(peer, connection);
}

void connections_abort(struct replay *replay)
{
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        struct rill_transport *transport = connection_transport(connection);
        if (transport != NULL) {
            rill_transport_abort(transport);
        }
    }
}

void connection_drop(struct connection *connection)
{
    connection->dropped = true;
    if (connection->owned && connection->writer != NULL) {
        connection->owned = false;
        rill_writer_free(connection->writer);
    }
}

static void let_go(struct connection *connection)
{
    struct rill_writer *writer = connection->writer;
    if (writer != NULL) {
        if (connection->owned) {
            rill_writer_free(writer);
        }
        rill_observe_release(writer);
    } else {
        rill_reader_free(connection->reader);
        rill_transport_unref(connection->bare);
    }
    connection->reader = NULL;
    connection->writer = NULL;
    connection->bare = NULL;
}

void connections_free(struct replay *replay)
{
    for (struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        let_go(connection);
    }
}
