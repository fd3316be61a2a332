/* SPDX-License-Identifier: MIT
 *
 * open_connection, start_server, and the calls on the server.
 */
#include "calls.h"

#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "names.h"
#include "peer.h"
#include "seams.h"
#include "server.h"

enum { PORT_TEXT_SIZE = 24 };

static bool connects_to_peer(const json_t *call)
{
    const char *named = text_argument(call, "port_of");
    return named != NULL && strcmp(named, "peer") == 0;
}

/* The port as text, for rill takes text; NULL: not given. */
static const char *port_argument(struct at *at, const json_t *call)
{
    const struct replay *replay = at->replay;
    const json_t *port = json_object_get(call, "port");
    const char *named = text_argument(call, "port_of");
    long long number = json_integer_value(port);
    if (named == NULL && !json_is_integer(port)) {
        return json_string_value(port);
    }
    if (named != NULL) {
        number = connects_to_peer(call) ? replay->listener_port : replay->reserved_port;
    }
    char *text = arena_take(&at->replay->arena, PORT_TEXT_SIZE);
    snprintf(text, PORT_TEXT_SIZE, "%lld", number);
    return text;
}

static void join_accepted(struct replay *replay, struct connection *connection)
{
    const int accepted = listener_accept(replay);
    if (accepted >= 0 && connection->number < PEERS_MAX) {
        replay->peers[connection->number] = peer_socket_new(replay, accepted);
        connection_join(connection, replay->peers[connection->number]);
    }
}

static int call_open_connection(struct at *at, const json_t *call, struct value *value)
{
    struct replay *replay = at->replay;
    const struct rill_connection_options options = {.limit = int_argument(call, "limit")};
    struct rill_reader *reader;
    struct rill_writer *writer;
    int fd = -1;
    (void)value;

    replay->connecting++;
    const int rc = rill_open_connection(text_argument(call, "host"), port_argument(at, call),
                                        &options, &reader, &writer);
    replay->connecting--;
    if (rc < 0) {
        return rc;
    }
    struct connection *connection = connection_new(replay, 0, reader, writer, true);
    if (rill_writer_get_socket(writer, &fd)) {
        seams_forget(replay, fd);
    }
    if (connects_to_peer(call)) {
        join_accepted(replay, connection);
    }
    return 0;
}

static int call_start_server(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return server_start(at->replay, call, text_argument(call, "host"), port_argument(at, call));
}

/* The case's server, or what Python's None would give. */
static int server_of(struct at *at, struct rill_server **server)
{
    *server = at->replay->server;
    return *server != NULL
               ? 0
               : call_fail(at, rill_error_new(code_of_class("AttributeError"), "%s", ""));
}

static int with_server(struct at *at, int (*act)(struct rill_server *server))
{
    struct rill_server *server;
    const int rc = server_of(at, &server);
    return rc == 0 ? act(server) : rc;
}

static int act_with_server(struct at *at, void (*act)(struct rill_server *server))
{
    struct rill_server *server;
    const int rc = server_of(at, &server);
    if (rc == 0) {
        act(server);
    }
    return rc;
}

static int call_server_close(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    (void)value;
    return act_with_server(at, rill_server_close);
}

static int call_server_wait_closed(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    (void)value;
    return with_server(at, rill_server_wait_closed);
}

static int call_server_start_serving(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    (void)value;
    return with_server(at, rill_server_start_serving);
}

static int call_server_serve_forever(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    (void)value;
    return with_server(at, rill_server_serve_forever);
}

static int call_server_close_clients(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    (void)value;
    return act_with_server(at, rill_server_close_clients);
}

static int call_server_abort_clients(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    (void)value;
    return act_with_server(at, rill_server_abort_clients);
}

static int call_server_is_serving(struct at *at, const json_t *call, struct value *value)
{
    struct rill_server *server;
    const int rc = server_of(at, &server);
    (void)call;
    if (rc == 0) {
        value->json = json_boolean(rill_server_is_serving(server));
    }
    return rc;
}

static int call_server_sockets(struct at *at, const json_t *call, struct value *value)
{
    struct rill_server *server;
    const int rc = server_of(at, &server);
    (void)call;
    if (rc == 0) {
        value->json = json_integer((json_int_t)rill_server_socket_count(server));
    }
    return rc;
}

const struct call network_calls[] = {
    {"open_connection", call_open_connection},
    {"start_server", call_start_server},
    {"server_close", call_server_close},
    {"server_wait_closed", call_server_wait_closed},
    {"server_is_serving", call_server_is_serving},
    {"server_start_serving", call_server_start_serving},
    {"server_serve_forever", call_server_serve_forever},
    {"server_close_clients", call_server_close_clients},
    {"server_abort_clients", call_server_abort_clients},
    {"server_sockets", call_server_sockets},
    {NULL, NULL},
};
