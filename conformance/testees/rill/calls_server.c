/* SPDX-License-Identifier: MIT
 *
 * The calls on a server.
 */
#include "calls.h"

#include "server.h"

/* The server that the call means. */
static int serving_of(struct at *at, const json_t *call, const struct serving **serving)
{
    *serving = server_numbered(at->replay, (int)int_argument(call, "server").value);
    return *serving != NULL && (*serving)->server != NULL ? 0 : nothing_there(at);
}

static int call_drop(struct at *at, const json_t *call, struct value *value)
{
    struct serving *serving = server_numbered(at->replay, (int)int_argument(call, "server").value);
    (void)value;
    if (serving == NULL) {
        return nothing_there(at);
    }
    server_drop(serving);
    return 0;
}

static int with_server(struct at *at, const json_t *call, int (*act)(struct rill_server *server))
{
    const struct serving *serving;
    const int rc = serving_of(at, call, &serving);
    return rc == 0 ? act(serving->server) : rc;
}

static int act_with_server(struct at *at, const json_t *call,
                           void (*act)(struct rill_server *server))
{
    const struct serving *serving;
    const int rc = serving_of(at, call, &serving);
    if (rc == 0) {
        act(serving->server);
    }
    return rc;
}

static int call_close(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return act_with_server(at, call, rill_server_close);
}

static int call_wait_closed(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return with_server(at, call, rill_server_wait_closed);
}

static int call_start_serving(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return with_server(at, call, rill_server_start_serving);
}

static int call_serve_forever(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return with_server(at, call, rill_server_serve_forever);
}

static int call_close_clients(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return act_with_server(at, call, rill_server_close_clients);
}

static int call_abort_clients(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return act_with_server(at, call, rill_server_abort_clients);
}

static int call_is_serving(struct at *at, const json_t *call, struct value *value)
{
    const struct serving *serving;
    const int rc = serving_of(at, call, &serving);
    if (rc == 0) {
        value->json = json_boolean(rill_server_is_serving(serving->server));
    }
    return rc;
}

static int call_sockets(struct at *at, const json_t *call, struct value *value)
{
    const struct serving *serving;
    const int rc = serving_of(at, call, &serving);
    if (rc == 0) {
        value->json = json_integer((json_int_t)rill_server_socket_count(serving->server));
    }
    return rc;
}

static int call_names(struct at *at, const json_t *call, struct value *value)
{
    const struct serving *serving;
    size_t count;
    const int rc = serving_of(at, call, &serving);
    if (rc < 0) {
        return rc;
    }
    const struct server_name *names = server_names(serving, &count);
    value->json = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(value->json, json_string(names[i].text));
    }
    return 0;
}

static int call_getsockopt(struct at *at, const json_t *call, struct value *value)
{
    const struct serving *serving;
    size_t count;
    int rc = serving_of(at, call, &serving);
    if (rc < 0) {
        return rc;
    }
    const struct server_name *names = server_names(serving, &count);
    json_t *list = json_array();
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool set = false;
        const int fd = rill_server_socket(serving->server, names[i].index);
        rc = socket_option(at, fd, text_argument(call, "name"), &set);
        json_array_append_new(list, json_boolean(set));
    }
    if (rc < 0) {
        json_decref(list);
        return rc;
    }
    value->json = list;
    return 0;
}

const struct call server_calls[] = {
    {"server_close", call_close, "server"},
    {"server_wait_closed", call_wait_closed, "server"},
    {"server_is_serving", call_is_serving, "server"},
    {"server_start_serving", call_start_serving, "server"},
    {"server_serve_forever", call_serve_forever, "server"},
    {"server_close_clients", call_close_clients, "server"},
    {"server_abort_clients", call_abort_clients, "server"},
    {"server_sockets", call_sockets, "server"},
    {"server_drop", call_drop, "server"},
    {"server_names", call_names, "server"},
    {"server_getsockopt", call_getsockopt, "server name"},
    {NULL, NULL, NULL},
};
