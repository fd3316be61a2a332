/* SPDX-License-Identifier: MIT
 *
 * The connections of a case.
 */
#include "connection.h"

#include "peer.h"
#include "seams.h"

static int next_number(const struct replay *replay)
{
    int number = 1;
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        number++;
    }
    return number;
}

struct connection *connection_new(struct replay *replay, int number, struct rill_reader *reader,
                                  struct rill_writer *writer, bool owned)
{
    struct connection **link = &replay->connections;
    struct connection *connection = arena_take(&replay->arena, sizeof *connection);
    connection->number = number != 0 ? number : next_number(replay);
    connection->reader = reader;
    connection->writer = writer;
    connection->owned = owned;
    if (writer != NULL) {
        rill_observe_hold(writer); /* its state is told until the case ends */
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = connection;
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
    return handler == NULL || handler->outcome == NOT_BEGUN || handler->outcome == RUNNING;
}

void connection_join(struct connection *connection, struct peer *peer)
{
    connection->peer = peer;
    peer->connection = connection;
}

void connections_abort(struct replay *replay)
{
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if (connection->writer != NULL) {
            rill_transport_abort(rill_writer_transport(connection->writer));
        }
    }
}

static void let_go(struct connection *connection)
{
    struct rill_writer *writer = connection->writer;
    if (writer == NULL) {
        rill_reader_free(connection->reader);
    } else {
        if (connection->owned) {
            rill_writer_free(writer);
        }
        rill_observe_release(writer);
    }
    connection->reader = NULL;
    connection->writer = NULL;
}

void connections_free(struct replay *replay)
{
    for (struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        let_go(connection);
    }
}
