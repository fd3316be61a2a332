/* SPDX-License-Identifier: MIT
 *
 * start_tls on a connection of the case.
 */
#include "upgrade.h"

#include "connection.h"
#include "contexts.h"
#include "events.h"
#include "options.h"
#include "peer.h"

static int upgrade_bare(struct connection *connection, struct rill_ssl_context *context,
                        const struct rill_start_tls_options *options)
{
    struct rill_transport *made;
    const int rc = rill_start_tls(connection->bare, rill_transport_get_protocol(connection->bare),
                                  context, options, &made);
    if (rc == 0) {
        connection_upgraded(connection, made);
    }
    return rc;
}

int upgrade_connection(struct connection *connection, struct rill_ssl_context *context,
                       const struct rill_start_tls_options *options)
{
    int rc;
    connection->upgrading = true;
    if (connection->bare != NULL) {
        rc = upgrade_bare(connection, context, options);
    } else {
        rc = rill_writer_start_tls(connection->writer, context, options);
        if (rc == 0) {
            connection_upgraded(connection, NULL);
        }
    }
    connection->upgrading = false;
    return rc;
}

int upgrade_as_told(struct connection *connection)
{
    const struct replay *replay = connection->replay;
    const json_t *app = json_object_get(json_object_get(replay->script, "tls"), "app");
    const struct rill_start_tls_options options = options_of_start_tls(app);
    return upgrade_connection(connection, context_of(replay, json_object_get(app, "context")),
                              &options);
}

int upgrade_handler(struct connection *connection)
{
    struct replay *replay = connection->replay;
    struct record *record = connection->handler;
    const json_t *told = json_object_get(json_object_get(replay->script, "tls"), "peer");
    if (connection->peer != NULL && !json_is_true(json_object_get(told, "hold"))) {
        peer_perform(connection->peer, PEER_HANDSHAKE);
    }
    record->outcome = RUNNING;
    const int rc = upgrade_as_told(connection);
    if (rc < 0) {
        emit_error(replay, json_sprintf("start_tls%s", record->mark), rill_task_error());
    }
    return rc;
}
