/* SPDX-License-Identifier: MIT
 *
 * Options of the calls that connect and serve.
 */
#include "options.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "calls.h"
#include "connection.h"
#include "contexts.h"
#include "listeners.h"
#include "server.h"

enum { PORT_TEXT_SIZE = 24, KEY_SIZE = 32 };

static const struct constant {
    const char *name;
    int value;
} constants[] = {
    {"AF_UNSPEC", AF_UNSPEC},
    {"AF_INET", AF_INET},
    {"AF_INET6", AF_INET6},
    {"AF_UNIX", AF_UNIX},
    {"AI_PASSIVE", AI_PASSIVE},
    {"AI_CANONNAME", AI_CANONNAME},
    {"AI_NUMERICHOST", AI_NUMERICHOST},
    {"AI_NUMERICSERV", AI_NUMERICSERV},
    {"AI_V4MAPPED", AI_V4MAPPED},
    {"AI_ALL", AI_ALL},
    {"AI_ADDRCONFIG", AI_ADDRCONFIG},
};

static int constant_of_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof constants / sizeof constants[0]; i++) {
        if (strcmp(constants[i].name, name) == 0) {
            return constants[i].value;
        }
    }
    return 0;
}

static int flags_of(const json_t *names)
{
    int flags = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        flags |= constant_of_name(json_string_value(json_array_get(names, i)));
    }
    return flags;
}

static struct rill_opt_int flags_argument(const json_t *call)
{
    const json_t *names = json_object_get(call, "flags");
    return (struct rill_opt_int){json_is_array(names), flags_of(names)};
}

static struct rill_opt_int bool_argument(const json_t *call, const char *key)
{
    const json_t *value = json_object_get(call, key);
    if (json_is_integer(value)) {
        return int_argument(call, key);
    }
    return (struct rill_opt_int){json_is_boolean(value), json_is_true(value)};
}

static struct rill_opt_int sock_argument(struct replay *replay, const json_t *call)
{
    const char *kind = text_argument(call, "sock");
    if (kind == NULL) {
        return (struct rill_opt_int){false, 0};
    }
    if (strcmp(kind, "again") == 0) { /* the one of connection 1, which is not ours to close */
        const struct connection *first = connection_find(replay, 1);
        return (struct rill_opt_int)RILL_SET(first != NULL ? connection_descriptor(first) : -1);
    }
    return (struct rill_opt_int)RILL_SET(
        given_make(replay, kind, context_of(replay, json_object_get(call, "ssl")) != NULL));
}

static long long port_of_name(const struct replay *replay, const char *name)
{
    if (strcmp(name, "peer") == 0) {
        return listener_port(replay);
    }
    if (strcmp(name, "server") == 0) {
        const struct serving *serving = server_numbered(replay, 0);
        return serving != NULL ? serving->address.port : 0;
    }
    return replay->reserved_port;
}

const char *port_argument(struct replay *replay, const json_t *call, const char *key)
{
    char of_key[KEY_SIZE];
    const json_t *port = json_object_get(call, key);
    snprintf(of_key, sizeof of_key, "%s_of", key);
    const char *named = text_argument(call, of_key);
    if (named == NULL && !json_is_integer(port)) {
        return json_string_value(port);
    }
    const long long number =
        named != NULL ? port_of_name(replay, named) : (long long)json_integer_value(port);
    char *text = arena_take(&replay->arena, PORT_TEXT_SIZE);
    snprintf(text, PORT_TEXT_SIZE, "%lld", number);
    return text;
}

struct rill_connection_options options_of_connection(struct replay *replay, const json_t *call)
{
    return (struct rill_connection_options){
        .limit = int_argument(call, "limit"),
        .family = constant_of_name(text_argument(call, "family")),
        .proto = (int)int_argument(call, "proto").value,
        .flags = (int)flags_argument(call).value,
        .sock = sock_argument(replay, call),
        .local_host = text_argument(call, "local_host"),
        .local_port = port_argument(replay, call, "local_port"),
        .happy_eyeballs_delay = real_argument(call, "happy_eyeballs_delay"),
        .interleave = int_argument(call, "interleave"),
        .all_errors = bool_argument(call, "all_errors"),
        .ssl = context_of(replay, json_object_get(call, "ssl")),
        .server_hostname = text_argument(call, "server_hostname"),
        .ssl_handshake_timeout = real_argument(call, "ssl_handshake_timeout"),
        .ssl_shutdown_timeout = real_argument(call, "ssl_shutdown_timeout"),
        .insecure_skip_hostname = json_is_true(json_object_get(call, "insecure_skip_hostname")),
    };
}

struct rill_unix_connection_options options_of_unix_connection(struct replay *replay,
                                                               const json_t *call)
{
    return (struct rill_unix_connection_options){
        .limit = int_argument(call, "limit"),
        .sock = sock_argument(replay, call),
        .ssl = context_of(replay, json_object_get(call, "ssl")),
        .server_hostname = text_argument(call, "server_hostname"),
        .ssl_handshake_timeout = real_argument(call, "ssl_handshake_timeout"),
        .ssl_shutdown_timeout = real_argument(call, "ssl_shutdown_timeout"),
        .insecure_skip_hostname = json_is_true(json_object_get(call, "insecure_skip_hostname")),
    };
}

/* A list of strings and nulls. */
static const char *const *hosts_argument(struct replay *replay, const json_t *call)
{
    const json_t *list = json_object_get(call, "hosts");
    const size_t count = json_array_size(list);
    const char **hosts = arena_take(&replay->arena, (count + 1) * sizeof *hosts);
    for (size_t i = 0; i < count; i++) {
        hosts[i] = json_string_value(json_array_get(list, i));
    }
    return hosts;
}

struct rill_server_options options_of_server(struct replay *replay, const json_t *call)
{
    const json_t *hosts = json_object_get(call, "hosts");
    return (struct rill_server_options){
        .limit = int_argument(call, "limit"),
        .family = constant_of_name(text_argument(call, "family")),
        .flags = flags_argument(call),
        .sock = sock_argument(replay, call),
        .backlog = int_argument(call, "backlog"),
        .reuse_address = bool_argument(call, "reuse_address"),
        .reuse_port = bool_argument(call, "reuse_port"),
        .start_serving = bool_argument(call, "start_serving"),
        .keep_alive = bool_argument(call, "keep_alive"),
        .hosts = hosts_argument(replay, call),
        .host_count = {json_is_array(hosts), (long long)json_array_size(hosts)},
        .ssl = context_of(replay, json_object_get(call, "ssl")),
        .ssl_handshake_timeout = real_argument(call, "ssl_handshake_timeout"),
        .ssl_shutdown_timeout = real_argument(call, "ssl_shutdown_timeout"),
    };
}

struct rill_unix_server_options options_of_unix_server(struct replay *replay, const json_t *call)
{
    return (struct rill_unix_server_options){
        .limit = int_argument(call, "limit"),
        .sock = sock_argument(replay, call),
        .backlog = int_argument(call, "backlog"),
        .start_serving = bool_argument(call, "start_serving"),
        .cleanup_socket = bool_argument(call, "cleanup_socket"),
        .ssl = context_of(replay, json_object_get(call, "ssl")),
        .ssl_handshake_timeout = real_argument(call, "ssl_handshake_timeout"),
        .ssl_shutdown_timeout = real_argument(call, "ssl_shutdown_timeout"),
    };
}

struct rill_start_tls_options options_of_start_tls(const json_t *call)
{
    return (struct rill_start_tls_options){
        .server_hostname = text_argument(call, "server_hostname"),
        .ssl_handshake_timeout = real_argument(call, "ssl_handshake_timeout"),
        .ssl_shutdown_timeout = real_argument(call, "ssl_shutdown_timeout"),
        .insecure_skip_hostname = json_is_true(json_object_get(call, "insecure_skip_hostname")),
    };
}
