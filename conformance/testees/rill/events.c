/* SPDX-License-Identifier: MIT
 *
 * The events of a case.
 */
#include "events.h"

#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "names.h"
#include "tasks.h"

/* Text is the library's or the kernel's; should it be no UTF-8, its bytes are shown instead. */
static json_t *json_of_text(const char *text, size_t size)
{
    const struct rill_bytes bytes = {text, size};
    json_t *string = json_stringn(text, size);
    return string != NULL ? string : json_of_bytes(bytes);
}

static json_t *json_of_string(const char *text)
{
    return json_of_text(text, strlen(text));
}

void emit(const struct replay *replay, json_t *event)
{
    if (replay->muted) {
        json_decref(event);
        return;
    }
    json_object_set_new(event, "step", json_integer(replay->step));
    wire_send(replay->wire, event, false);
}

void emit_step(struct replay *replay)
{
    replay->step++;
    json_t *event = json_pack("{s:s, s:i}", "ev", "step", "step", replay->step);
    wire_send(replay->wire, event, true);
}

static json_t *number_or_null(long long number)
{
    return number >= 0 ? json_integer(number) : json_null();
}

/* SSLError and its subclasses: their errno is a number of OpenSSL's, which nobody compares. */
static bool is_of_tls(const struct rill_error *error)
{
    return error->code == RILL_ESSL || error->code == RILL_ESSLCERT || error->code == RILL_ESSLEOF;
}

void add_error(json_t *event, const struct rill_error *error)
{
    json_object_set_new(event, "class", json_string(class_of_code(error->code)));
    json_object_set_new(event, "text", json_of_string(error->text));
    if (error->code == RILL_EINCOMPLETE) {
        json_object_set_new(event, "partial", json_of_bytes(error->partial));
        json_object_set_new(event, "expected", number_or_null(error->expected));
    }
    if (error->code == RILL_ELIMIT) {
        json_object_set_new(event, "consumed", json_integer((json_int_t)error->consumed));
    }
    if (error->library != NULL) {
        json_object_set_new(event, "library", json_of_string(error->library));
    }
    if (error->reason != NULL) {
        json_object_set_new(event, "reason", json_of_string(error->reason));
    }
    if (error->verify_code != 0) {
        json_object_set_new(event, "verify_code", json_integer(error->verify_code));
        json_object_set_new(event, "verify_message", json_of_string(error->verify_message));
    }
    if (error->os_errno != 0 && !is_of_tls(error)) {
        char name[ERRNO_NAME_SIZE];
        json_object_set_new(event, "errno", json_string(name_of_errno(error, name)));
    }
}

/* An ExceptionGroup's errors, each as its own object. */
static json_t *json_of_group(const struct rill_error *group)
{
    json_t *list = json_array();
    for (size_t i = 0; i < group->list_count; i++) {
        json_t *item = json_object();
        add_error(item, group->list[i]);
        if (group->list[i]->code == RILL_EGROUP) {
            json_object_set_new(item, "group", json_of_group(group->list[i]));
        }
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *error_event(json_t *id, const struct rill_error *error)
{
    json_t *event = json_pack("{s:s, s:o}", "ev", "error", "id", id);
    add_error(event, error);
    if (error->code == RILL_EGROUP) {
        json_object_set_new(event, "group", json_of_group(error));
    }
    return event;
}

void emit_error(const struct replay *replay, json_t *id, const struct rill_error *error)
{
    emit(replay, error_event(id, error));
}

/* An error that was told, with the id of the event. */
struct told {
    struct told *next; /* the first told first */
    const struct rill_error *error;
    const char *id;
};

/* The id under which this very object was told first; `none`. */
static const char *told_before(const struct replay *replay, const struct rill_error *error)
{
    for (const struct told *told = replay->told; told != NULL; told = told->next) {
        if (told->error == error) {
            return told->id;
        }
    }
    return "none";
}

static void remember_told(struct replay *replay, const struct rill_error *error, const char *id)
{
    struct told **link = &replay->told;
    struct told *told = arena_take(&replay->arena, sizeof *told);
    struct arena_buffer copy = {0};
    arena_append(&replay->arena, &copy, id, strlen(id) + 1);
    told->error = rill_error_ref(error);
    told->id = copy.memory;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = told;
}

void errors_told_cleanup(struct replay *replay)
{
    for (; replay->told != NULL; replay->told = replay->told->next) {
        rill_error_unref(replay->told->error);
    }
}

void emit_call_error(struct replay *replay, const json_t *call, const char *mark,
                     const struct rill_error *error)
{
    json_t *id = json_sprintf("%s%s", json_string_value(json_object_get(call, "id")), mark);
    json_t *event = error_event(id, error);
    if (json_is_true(json_object_get(call, "chain")) && error->cause != NULL) {
        json_object_set_new(event, "cause", json_string(class_of_code(error->cause->code)));
    }
    if (json_is_true(json_object_get(call, "same"))) {
        json_object_set_new(event, "same_as", json_string(told_before(replay, error)));
    }
    remember_told(replay, error, json_string_value(id));
    emit(replay, event);
}

void emit_port(const struct replay *replay, const char *name, int port)
{
    emit(replay, json_pack("{s:s, s:s, s:i}", "ev", "port", "name", name, "port", port));
}

void emit_flow(const struct replay *replay, int connection, const char *call)
{
    emit(replay, json_pack("{s:s, s:i, s:s}", "ev", "flow", "conn", connection, "call", call));
}

void emit_mark(const struct replay *replay, const char *text)
{
    emit(replay, json_pack("{s:s, s:s}", "ev", "mark", "text", text));
}

static void emit_task(const struct replay *replay, struct record *record)
{
    const enum outcome outcome = record_outcome(record);
    if (record->told || (outcome != CANCELLED && outcome != RAISED)) {
        return;
    }
    record->told = true;
    emit(replay, json_pack("{s:s, s:s, s:s}", "ev", "task", "id", record->name, "how",
                           outcome == CANCELLED ? "cancelled" : "raised"));
}

static void add_reader_state(json_t *event, const struct rill_reader *reader)
{
    struct rill_reader_state state;
    rill_observe_reader(reader, &state);
    json_object_set_new(event, "buffer", json_integer((json_int_t)state.buffered));
    json_object_set_new(event, "paused", json_boolean(state.paused));
    json_object_set_new(event, "at_eof", json_boolean(rill_reader_at_eof(reader)));
}

static void add_transport_state(json_t *event, struct rill_transport *transport)
{
    const size_t queued = rill_transport_get_write_buffer_size(transport);
    json_object_set_new(event, "closing", json_boolean(rill_transport_is_closing(transport)));
    json_object_set_new(event, "write", json_integer((json_int_t)queued));
}

static void add_writer_state(json_t *event, const struct rill_writer *writer)
{
    struct rill_writer_state state;
    rill_observe_writer(writer, &state);
    json_object_set_new(event, "drains", json_integer((json_int_t)state.waiting_drains));
}

static void emit_state(const struct replay *replay, const struct connection *connection)
{
    json_t *event = json_pack("{s:s, s:i}", "ev", "state", "conn", connection->number);
    if (connection->reader != NULL && connection_is_usable(connection)) {
        add_reader_state(event, connection->reader);
    }
    if (connection_transport(connection) != NULL) {
        add_transport_state(event, connection_transport(connection));
    }
    if (connection->writer != NULL) {
        add_writer_state(event, connection->writer);
    }
    emit(replay, event);
}

void emit_states(struct replay *replay)
{
    for (struct record *record = replay->records; record != NULL; record = record->next) {
        emit_task(replay, record);
    }
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if (connection->reader != NULL || connection_transport(connection) != NULL) {
            emit_state(replay, connection);
        }
    }
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    emit(replay, json_pack("{s:s, s:I}", "ev", "schedule", "turns", (json_int_t)state.turns));
}

static void add_key(json_t *keys, bool present, const char *key)
{
    if (present) {
        json_array_append_new(keys, json_string(key));
    }
}

void on_report(void *arg, struct rill_loop *loop, const struct rill_exception_context *context)
{
    const struct replay *replay = arg;
    (void)loop;
    json_t *keys = json_array(); /* sorted by name */
    add_key(keys, context->exception != NULL, "exception");
    add_key(keys, context->has_future, "future");
    add_key(keys, context->has_handle, "handle");
    add_key(keys, context->protocol != NULL, "protocol");
    add_key(keys, context->has_socket, "socket");
    add_key(keys, context->task != NULL && !context->has_future, "task");
    add_key(keys, context->transport != NULL, "transport");
    json_t *event = json_pack("{s:s, s:o, s:o}", "ev", "report", "message",
                              json_of_string(context->message), "keys", keys);
    if (context->exception != NULL) {
        json_object_set_new(event, "class", json_string(class_of_code(context->exception->code)));
    }
    emit(replay, event);
}

bool reports_by_default(const struct replay *replay)
{
    const char *reports = json_string_value(json_object_get(replay->script, "reports"));
    return reports != NULL && strcmp(reports, "default") == 0;
}

static const char *level_name(enum rill_log_level level)
{
    return level >= RILL_LOG_ERROR ? "ERROR" : "WARNING";
}

void on_log(void *arg, enum rill_log_level level, const char *text,
            const struct rill_error *exception)
{
    (void)exception; /* CPython's record has a traceback there, which is never compared */
    const struct replay *replay = arg;
    if (level < RILL_LOG_WARNING) {
        return;
    }
    const bool whole = reports_by_default(replay);
    json_t *event = json_pack("{s:s, s:s, s:o}", "ev", "log", "level", level_name(level), "text",
                              json_of_text(text, strlen(text)));
    if (whole) {
        json_object_set_new(event, "whole", json_true());
    }
    emit(replay, event);
}

void on_flow(void *arg, enum rill_observed what, const struct rill_reader *reader,
             const struct rill_writer *writer)
{
    static const char *const names[] = {
        [RILL_OBSERVED_PAUSE_READING] = "pause_reading",
        [RILL_OBSERVED_RESUME_READING] = "resume_reading",
        [RILL_OBSERVED_PAUSE_WRITING] = "pause_writing",
        [RILL_OBSERVED_RESUME_WRITING] = "resume_writing",
    };
    const struct replay *replay = arg;
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if ((reader != NULL && connection->reader == reader) ||
            (writer != NULL && connection->writer == writer)) {
            if (!connection->upgrading) {
                emit_flow(replay, connection->number, names[what]);
            }
            return;
        }
    }
}
