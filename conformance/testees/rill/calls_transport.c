/* SPDX-License-Identifier: MIT
 *
 * The calls on a connection's transport and its socket.
 */
#include "calls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "events.h"

static int call_abort(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    (void)value;
    if (rc == 0) {
        rill_transport_abort(transport);
    }
    return rc;
}

/* What cannot pause tells no pause. */
static int call_pause_reading(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    int rc = transport_of(at, &transport);
    (void)call;
    (void)value;
    if (rc == 0 && !json_is_true(json_object_get(at->replay->script, "no_pause"))) {
        emit_flow(at->replay, at->number, "pause_reading");
    }
    if (rc == 0) {
        rc = rill_transport_pause_reading(transport);
    }
    return rc;
}

static int call_resume_reading(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    (void)value;
    if (rc == 0) {
        emit_flow(at->replay, at->number, "resume_reading");
        rill_transport_resume_reading(transport);
    }
    return rc;
}

static int call_is_reading(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    if (rc == 0) {
        value->json = json_boolean(rill_transport_is_reading(transport));
    }
    return rc;
}

static int call_get_size(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    if (rc == 0) {
        value->json = json_integer((json_int_t)rill_transport_get_write_buffer_size(transport));
    }
    return rc;
}

static int call_set_limits(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_error *error = NULL;
    struct rill_transport *transport;
    int rc = transport_of(at, &transport);
    (void)value;
    if (rc == 0) {
        rc = rill_transport_set_write_buffer_limits(transport, int_argument(call, "high"),
                                                    int_argument(call, "low"), &error);
    }
    return error != NULL ? call_fail(at, error) : rc;
}

static int call_get_limits(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    size_t low;
    size_t high;
    const int rc = transport_of(at, &transport);
    (void)call;
    if (rc == 0) {
        rill_transport_get_write_buffer_limits(transport, &low, &high);
        value->json = json_pack("[I, I]", (json_int_t)low, (json_int_t)high);
    }
    return rc;
}

static const struct option {
    const char *name;
    int level;
    int option;
} options[] = {
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY},  {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE},
    {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY}, {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR},
    {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT},
};

int socket_option(struct at *at, int fd, const char *name, bool *set)
{
    int number = 0;
    socklen_t length = sizeof number;
    const struct option *option = options;
    while (strcmp(option->name, name) != 0) { /* the script's keys were checked */
        option++;
    }
    if (getsockopt(fd, option->level, option->option, &number, &length) != 0) {
        return call_fail(at, rill_error_from_errno(errno));
    }
    *set = number != 0;
    return 0;
}

bool socket_option_known(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The descriptor of the connection that is meant. */
static int descriptor_of(struct at *at, int *fd)
{
    const struct connection *connection = connection_find(at->replay, at->number);
    if (connection == NULL) {
        return nothing_there(at);
    }
    *fd = connection_descriptor(connection);
    return 0;
}

static int call_getsockopt(struct at *at, const json_t *call, struct value *value)
{
    bool set = false;
    int fd = -1;
    int rc = descriptor_of(at, &fd);
    if (rc == 0) {
        rc = socket_option(at, fd, text_argument(call, "name"), &set);
    }
    if (rc == 0) {
        value->json = json_boolean(set);
    }
    return rc;
}

static void nothing_to_read(void *arg)
{
    (void)arg;
}

static int call_add_reader(struct at *at, const json_t *call, struct value *value)
{
    int fd = -1;
    int rc = descriptor_of(at, &fd);
    (void)call;
    (void)value;
    if (rc == 0) {
        rc = rill_add_reader(at->replay->loop, fd, nothing_to_read, NULL);
    }
    if (rc == 0) {
        rill_remove_reader(at->replay->loop, fd);
    }
    return rc;
}

const struct call transport_calls[] = {
    {"abort", call_abort, NULL},
    {"pause_reading", call_pause_reading, NULL},
    {"resume_reading", call_resume_reading, NULL},
    {"is_reading", call_is_reading, NULL},
    {"get_write_buffer_size", call_get_size, NULL},
    {"set_write_buffer_limits", call_set_limits, "high low"},
    {"get_write_buffer_limits", call_get_limits, NULL},
    {"getsockopt", call_getsockopt, "name"},
    {"add_reader", call_add_reader, NULL},
    {NULL, NULL, NULL},
};
