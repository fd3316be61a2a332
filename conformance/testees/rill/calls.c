/* SPDX-License-Identifier: MIT
 *
 * The table of calls, and what they have in common.
 */
#include "calls.h"

#include <stddef.h>
#include <string.h>

#include "connection.h"
#include "events.h"
#include "names.h"

static const struct call *find_in(const struct call *table, const char *name)
{
    for (const struct call *call = table; call->name != NULL; call++) {
        if (strcmp(call->name, name) == 0) {
            return call;
        }
    }
    return NULL;
}

const struct call *call_find(const char *name)
{
    const struct call *const tables[] = {stream_calls, transport_calls, network_calls, server_calls,
                                         task_calls,   scope_calls,     timer_calls,   tls_calls};
    const struct call *found = NULL;
    for (size_t i = 0; found == NULL && name != NULL && i < sizeof tables / sizeof tables[0]; i++) {
        found = find_in(tables[i], name);
    }
    return found;
}

int call_perform(struct at *at, const json_t *call, struct value *value)
{
    *value = (struct value){0};
    return call_find(text_argument(call, "call"))->fn(at, call, value);
}

json_t *call_id(const struct at *at, const json_t *call)
{
    return json_sprintf("%s%s", text_argument(call, "id"), at->mark);
}

void call_tell(const struct at *at, const json_t *call, struct value *value)
{
    const bool none = !value->has_bytes && value->json == NULL;
    if (none && json_is_true(json_object_get(call, "quiet"))) {
        return;
    }
    json_t *event = json_pack("{s:s, s:o}", "ev", "result", "id", call_id(at, call));
    if (value->has_bytes) {
        json_object_set_new(event, "bytes", json_of_bytes(value->bytes));
    } else if (json_is_array(value->json)) {
        json_object_set_new(event, "list", value->json);
    } else if (value->json != NULL) {
        json_object_set_new(event, "value", value->json);
    }
    emit(at->replay, event);
}

int call_fail(struct at *at, const struct rill_error *error)
{
    if (at->record != NULL) {
        return rill_task_fail(error);
    }
    const int code = error->code;
    rill_error_unref(at->error);
    at->error = error;
    return code;
}

const struct rill_error *error_of_call(const json_t *call)
{
    const char *class_name = text_argument(call, "class");
    const char *errno_name = text_argument(call, "errno");
    const char *text = text_argument(call, "text");
    if (class_name == NULL) {
        return NULL;
    }
    if (errno_name != NULL) {
        return rill_error_from_errno(errno_of_name(errno_name));
    }
    const char *quote = strcmp(class_name, "KeyError") == 0 ? "'" : ""; /* Python's str of one */
    return rill_error_new(code_of_class(class_name), "%s%s%s", quote, text != NULL ? text : "",
                          quote);
}

/* asyncio has None there, and Python's own text about it is no concern of the library. */
int nothing_there(struct at *at)
{
    return call_fail(at, rill_error_new(code_of_class("AttributeError"), "%s", ""));
}

int reader_of(struct at *at, struct rill_reader **reader)
{
    const struct connection *connection = connection_find(at->replay, at->number);
    *reader = connection != NULL && connection_is_usable(connection) ? connection->reader : NULL;
    return *reader != NULL ? 0 : nothing_there(at);
}

int writer_of(struct at *at, struct rill_writer **writer)
{
    const struct connection *connection = connection_find(at->replay, at->number);
    *writer = connection != NULL && connection_is_usable(connection) ? connection->writer : NULL;
    return *writer != NULL ? 0 : nothing_there(at);
}

int transport_of(struct at *at, struct rill_transport **transport)
{
    const struct connection *connection = connection_find(at->replay, at->number);
    *transport = connection != NULL ? connection_transport(connection) : NULL;
    return *transport != NULL ? 0 : nothing_there(at);
}

struct rill_transport *bare_transport(const struct at *at)
{
    const struct connection *connection = connection_find(at->replay, at->number);
    const bool bare =
        connection != NULL && connection->reader == NULL && connection->writer == NULL;
    return bare ? connection->bare : NULL;
}

const char *text_argument(const json_t *call, const char *key)
{
    return json_string_value(json_object_get(call, key));
}

struct rill_opt_int int_argument(const json_t *call, const char *key)
{
    const json_t *value = json_object_get(call, key);
    return (struct rill_opt_int){json_is_integer(value), json_integer_value(value)};
}

struct rill_opt_real real_argument(const json_t *call, const char *key)
{
    const json_t *value = json_object_get(call, key);
    return (struct rill_opt_real){json_is_number(value), json_number_value(value)};
}

struct rill_opt_real seconds_argument(const json_t *call)
{
    return real_argument(call, "seconds");
}

struct rill_bytes bytes_argument(struct at *at, const json_t *call, const char *key)
{
    return bytes_of_json(&at->replay->arena, json_object_get(call, key));
}
