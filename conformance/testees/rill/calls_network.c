/* SPDX-License-Identifier: MIT
 *
 * The calls that connect and serve, and what can be asked about their sockets and files.
 */
#include "calls.h"

#include <string.h>

#include "connection.h"
#include "contexts.h"
#include "early.h"
#include "listeners.h"
#include "options.h"
#include "place.h"
#include "server.h"

/* Its peer is there already when the call had ssl. */
static void connection_opened(struct replay *replay, struct rill_reader *reader,
                              struct rill_writer *writer)
{
    int fd = -1;
    const int number = rill_writer_get_socket(writer, &fd) ? early_claim(replay, fd) : 0;
    struct connection *connection = connection_new(replay, number, reader, writer, true);
    if (number != 0) {
        connection_join(connection, replay->peers[number]);
    } else {
        connection_find_peer(connection);
    }
}

/* A call that connects begins: the loop has not settled before its end, or with ssl before it has
 * its peer, whose moving tells from then on. */
static struct early_call *connecting_begins(struct replay *replay, const json_t *call)
{
    const char *sock = text_argument(call, "sock");
    if (context_of(replay, json_object_get(call, "ssl")) != NULL) {
        return early_begin(replay, sock != NULL && strcmp(sock, "pair") == 0);
    }
    replay->connecting++;
    return NULL;
}

static void connecting_ends(struct replay *replay, struct early_call *early)
{
    if (early != NULL) {
        early_end(replay, early);
    } else {
        replay->connecting--;
    }
}

static int call_open_connection(struct at *at, const json_t *call, struct value *value)
{
    struct replay *replay = at->replay;
    const struct rill_connection_options options = options_of_connection(replay, call);
    struct rill_reader *reader;
    struct rill_writer *writer;
    (void)value;
    struct early_call *early = connecting_begins(replay, call);
    const int rc =
        rill_open_connection(text_argument(call, "host"), port_argument(replay, call, "port"),
                             &options, &reader, &writer);
    connecting_ends(replay, early);
    if (rc == 0) {
        connection_opened(replay, reader, writer);
    }
    return rc;
}

static int call_open_unix_connection(struct at *at, const json_t *call, struct value *value)
{
    struct replay *replay = at->replay;
    const struct rill_bytes path = path_argument(replay, call, "path");
    const struct rill_unix_connection_options options = options_of_unix_connection(replay, call);
    struct rill_reader *reader;
    struct rill_writer *writer;
    (void)value;
    struct early_call *early = connecting_begins(replay, call);
    const int rc = rill_open_unix_connection(path, &options, &reader, &writer);
    connecting_ends(replay, early);
    if (rc == 0) {
        connection_opened(replay, reader, writer);
    }
    return rc;
}

static int call_start_server(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return server_start(at->replay, call, text_argument(call, "host"),
                        port_argument(at->replay, call, "port"));
}

static int call_start_unix_server(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return server_start_unix(at->replay, call, path_argument(at->replay, call, "path"));
}

/* It finds its loop itself, as one that a program makes does. */
static int call_new_reader(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    const int rc = rill_reader_new(int_argument(call, "limit"), &reader);
    (void)value;
    if (rc == 0) {
        connection_new(at->replay, 0, reader, NULL, true);
    }
    return rc;
}

static int call_set_transport(struct at *at, const json_t *call, struct value *value)
{
    const int number = (int)int_argument(call, "of").value;
    const struct connection *connection = connection_find(at->replay, number);
    struct rill_reader *reader;
    const int rc = reader_of(at, &reader);
    (void)value;
    if (rc < 0) {
        return rc;
    }
    return connection != NULL ? rill_reader_set_transport(reader, connection_transport(connection))
                              : nothing_there(at);
}

static int call_sock_is_open(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    value->json = json_boolean(given_is_open(at->replay));
    return 0;
}

static int call_file_kind(struct at *at, const json_t *call, struct value *value)
{
    value->json = json_string(place_kind(path_argument(at->replay, call, "path")));
    return 0;
}

const struct call network_calls[] = {
    {"open_connection", call_open_connection, "host port port_of " OPTION_KEYS},
    {"open_unix_connection", call_open_unix_connection, "path bytes_path " OPTION_KEYS},
    {"start_server", call_start_server, "host hosts port port_of no_callback " OPTION_KEYS},
    {"start_unix_server", call_start_unix_server, "path bytes_path no_callback " OPTION_KEYS},
    {"new_reader", call_new_reader, "limit"},
    {"set_transport", call_set_transport, "of"},
    {"sock_is_open", call_sock_is_open, NULL},
    {"file_kind", call_file_kind, "path"},
    {NULL, NULL, NULL},
};
