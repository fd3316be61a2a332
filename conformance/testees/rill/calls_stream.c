/* SPDX-License-Identifier: MIT
 *
 * The calls on a reader and on a writer.
 */
#include "calls.h"

#include <string.h>

#include "connection.h"
#include "events.h"
#include "names.h"
#include "texts.h"

static int give_bytes(int rc, struct rill_bytes bytes, struct value *value)
{
    if (rc < 0) {
        return rc;
    }
    value->has_bytes = true;
    value->bytes = bytes;
    return 0;
}

static int give_bool(bool answer, struct value *value)
{
    value->json = json_boolean(answer);
    return 0;
}

static int call_read(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_opt_int n = int_argument(call, "n");
    struct rill_reader *reader;
    struct rill_bytes bytes;
    int rc = reader_of(at, &reader);
    if (rc == 0) {
        rc = rill_reader_read(reader, n.given ? (ssize_t)n.value : -1, &bytes);
        rc = give_bytes(rc, bytes, value);
    }
    return rc;
}

static int call_readline(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    struct rill_bytes bytes;
    int rc = reader_of(at, &reader);
    (void)call;
    if (rc == 0) {
        rc = rill_reader_readline(reader, &bytes);
        rc = give_bytes(rc, bytes, value);
    }
    return rc;
}

static int call_readexactly(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    struct rill_bytes bytes;
    int rc = reader_of(at, &reader);
    if (rc == 0) {
        rc = rill_reader_readexactly(reader, (ssize_t)int_argument(call, "n").value, &bytes);
        rc = give_bytes(rc, bytes, value);
    }
    return rc;
}

static const struct rill_bytes *bytes_list(struct at *at, const json_t *list)
{
    const size_t count = json_array_size(list);
    struct rill_bytes *items = arena_take(&at->replay->arena, count * sizeof *items + 1);
    for (size_t i = 0; i < count; i++) {
        items[i] = bytes_of_json(&at->replay->arena, json_array_get(list, i));
    }
    return items;
}

static int call_readuntil(struct at *at, const json_t *call, struct value *value)
{
    const json_t *many = json_object_get(call, "separators");
    const json_t *one = json_object_get(call, "separator");
    struct rill_reader *reader;
    struct rill_bytes bytes;
    int rc = reader_of(at, &reader);
    if (rc < 0) {
        return rc;
    }
    if (many != NULL) {
        rc = rill_reader_readuntil_any(reader, bytes_list(at, many), json_array_size(many), &bytes);
    } else {
        const struct rill_bytes separator =
            one != NULL ? bytes_of_json(&at->replay->arena, one) : rill_bytes_of("\n");
        rc = rill_reader_readuntil(reader, separator, &bytes);
    }
    return give_bytes(rc, bytes, value);
}

static int call_iterate(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    struct value line = {.has_bytes = true};
    int rc = reader_of(at, &reader);
    if (rc < 0) {
        return rc;
    }
    while ((rc = rill_reader_next_line(reader, &line.bytes)) > 0) {
        call_tell(at, call, &line);
    }
    if (rc == 0) {
        value->json = json_string("end");
    }
    return rc;
}

static int call_at_eof(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    const int rc = reader_of(at, &reader);
    (void)call;
    return rc == 0 ? give_bool(rill_reader_at_eof(reader), value) : rc;
}

static int call_exception(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    const int rc = reader_of(at, &reader);
    (void)call;
    if (rc == 0 && rill_reader_exception(reader) != NULL) {
        value->json = json_string(class_of_code(rill_reader_exception(reader)->code));
    }
    return rc;
}

static int call_feed_data(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    int rc = reader_of(at, &reader);
    (void)value;
    if (rc == 0) {
        const struct rill_bytes bytes = bytes_argument(at, call, "bytes");
        rc = rill_reader_feed_data(reader, bytes.ptr, bytes.len);
    }
    return rc;
}

static int call_feed_eof(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    const int rc = reader_of(at, &reader);
    (void)call;
    (void)value;
    if (rc == 0) {
        rill_reader_feed_eof(reader);
    }
    return rc;
}

static int call_set_exception(struct at *at, const json_t *call, struct value *value)
{
    struct rill_reader *reader;
    const int rc = reader_of(at, &reader);
    (void)value;
    if (rc == 0) {
        const struct rill_error *error = error_of_call(call);
        rill_reader_set_exception(reader, error);
        rill_error_unref(error);
    }
    return rc;
}

static int give_error(struct at *at, int rc, const struct rill_error *error)
{
    return error != NULL ? call_fail(at, error) : rc;
}

static int call_write(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_bytes bytes = bytes_argument(at, call, "bytes");
    struct rill_transport *bare = bare_transport(at);
    const struct rill_error *error = NULL;
    struct rill_writer *writer;
    (void)value;
    if (bare != NULL) {
        const int rc = rill_transport_write(bare, bytes.ptr, bytes.len, &error);
        return give_error(at, rc, error);
    }
    const int rc = writer_of(at, &writer);
    return rc == 0 ? rill_writer_write(writer, bytes.ptr, bytes.len) : rc;
}

/* The memory is the caller's again as soon as write has returned. */
static int call_write_changed(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_bytes bytes = bytes_argument(at, call, "bytes");
    char *memory = arena_take(&at->replay->arena, bytes.len + 1);
    struct rill_writer *writer;
    (void)value;
    int rc = writer_of(at, &writer);
    if (rc == 0) {
        memcpy(memory, bytes.ptr, bytes.len);
        rc = rill_writer_write(writer, memory, bytes.len);
        memset(memory, '!', bytes.len);
    }
    return rc;
}

static int call_writelines(struct at *at, const json_t *call, struct value *value)
{
    const json_t *list = json_object_get(call, "list");
    const struct rill_bytes *parts = bytes_list(at, list);
    struct rill_transport *bare = bare_transport(at);
    const struct rill_error *error = NULL;
    struct rill_writer *writer;
    (void)value;
    if (bare != NULL) {
        const int rc = rill_transport_writelines(bare, parts, json_array_size(list), &error);
        return give_error(at, rc, error);
    }
    const int rc = writer_of(at, &writer);
    return rc == 0 ? rill_writer_writelines(writer, parts, json_array_size(list)) : rc;
}

static int call_drain(struct at *at, const json_t *call, struct value *value)
{
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    (void)call;
    (void)value;
    return rc == 0 ? rill_writer_drain(writer) : rc;
}

static int call_write_eof(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *bare = bare_transport(at);
    const struct rill_error *error = NULL;
    struct rill_writer *writer;
    (void)call;
    (void)value;
    if (bare != NULL) {
        const int rc = rill_transport_write_eof(bare, &error);
        return give_error(at, rc, error);
    }
    const int rc = writer_of(at, &writer);
    return rc == 0 ? rill_writer_write_eof(writer) : rc;
}

static int call_can_write_eof(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *bare = bare_transport(at);
    struct rill_writer *writer;
    (void)call;
    if (bare != NULL) {
        return give_bool(rill_transport_can_write_eof(bare), value);
    }
    const int rc = writer_of(at, &writer);
    return rc == 0 ? give_bool(rill_writer_can_write_eof(writer), value) : rc;
}

static int call_close(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *bare = bare_transport(at);
    struct rill_writer *writer;
    (void)call;
    (void)value;
    if (bare != NULL) {
        rill_transport_close(bare);
        return 0;
    }
    const int rc = writer_of(at, &writer);
    if (rc == 0) {
        rill_writer_close(writer);
    }
    return rc;
}

static int call_wait_closed(struct at *at, const json_t *call, struct value *value)
{
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    (void)call;
    (void)value;
    return rc == 0 ? rill_writer_wait_closed(writer) : rc;
}

static int call_is_closing(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *bare = bare_transport(at);
    struct rill_writer *writer;
    (void)call;
    if (bare != NULL) {
        return give_bool(rill_transport_is_closing(bare), value);
    }
    const int rc = writer_of(at, &writer);
    return rc == 0 ? give_bool(rill_writer_is_closing(writer), value) : rc;
}

static int call_get_extra_info(struct at *at, const json_t *call, struct value *value)
{
    const char *name = text_argument(call, "name");
    struct rill_transport *bare = bare_transport(at);
    struct rill_extra_info info;
    struct rill_writer *writer;
    bool known;
    if (bare != NULL) {
        known = rill_transport_get_extra_info(bare, name, &info);
    } else {
        const int rc = writer_of(at, &writer);
        if (rc < 0) {
            return rc;
        }
        known = rill_writer_get_extra_info(writer, name, &info);
    }
    if (known) {
        value->json = json_of_extra_info(at->replay, name, &info);
    }
    return 0;
}

static int call_drop(struct at *at, const json_t *call, struct value *value)
{
    struct connection *connection = connection_find(at->replay, at->number);
    (void)call;
    (void)value;
    if (connection == NULL) {
        return nothing_there(at);
    }
    connection_drop(connection);
    return 0;
}

const struct call stream_calls[] = {
    {"read", call_read, "n"},
    {"readline", call_readline, NULL},
    {"readexactly", call_readexactly, "n"},
    {"readuntil", call_readuntil, "separator separators"},
    {"iterate", call_iterate, NULL},
    {"at_eof", call_at_eof, NULL},
    {"exception", call_exception, NULL},
    {"feed_data", call_feed_data, "bytes"},
    {"feed_eof", call_feed_eof, NULL},
    {"set_exception", call_set_exception, "class text errno"},
    {"write", call_write, "bytes"},
    {"write_items", call_write, "bytes"},
    {"write_changed", call_write_changed, "bytes"},
    {"writelines", call_writelines, "list"},
    {"drain", call_drain, NULL},
    {"write_eof", call_write_eof, NULL},
    {"can_write_eof", call_can_write_eof, NULL},
    {"close", call_close, NULL},
    {"wait_closed", call_wait_closed, NULL},
    {"is_closing", call_is_closing, NULL},
    {"get_extra_info", call_get_extra_info, "name"},
    {"drop", call_drop, NULL},
    {NULL, NULL, NULL},
};
