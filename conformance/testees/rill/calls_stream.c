/* SPDX-License-Identifier: MIT
 *
 * The calls on a reader and on a writer.
 */
#include "calls.h"

#include "events.h"
#include "names.h"
#include "tasks.h"

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
        const struct rill_bytes bytes =
            bytes_of_json(&at->replay->arena, json_object_get(call, "bytes"));
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

static int call_write(struct at *at, const json_t *call, struct value *value)
{
    struct rill_writer *writer;
    int rc = writer_of(at, &writer);
    (void)value;
    if (rc == 0) {
        const struct rill_bytes bytes =
            bytes_of_json(&at->replay->arena, json_object_get(call, "bytes"));
        rc = rill_writer_write(writer, bytes.ptr, bytes.len);
    }
    return rc;
}

static int call_writelines(struct at *at, const json_t *call, struct value *value)
{
    const json_t *list = json_object_get(call, "list");
    struct rill_writer *writer;
    int rc = writer_of(at, &writer);
    (void)value;
    if (rc == 0) {
        rc = rill_writer_writelines(writer, bytes_list(at, list), json_array_size(list));
    }
    return rc;
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
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    (void)call;
    (void)value;
    return rc == 0 ? rill_writer_write_eof(writer) : rc;
}

static int call_can_write_eof(struct at *at, const json_t *call, struct value *value)
{
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    (void)call;
    return rc == 0 ? give_bool(rill_writer_can_write_eof(writer), value) : rc;
}

static int call_close(struct at *at, const json_t *call, struct value *value)
{
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    (void)call;
    (void)value;
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
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    (void)call;
    return rc == 0 ? give_bool(rill_writer_is_closing(writer), value) : rc;
}

enum { ADDRESS_TEXT_SIZE = 160 };

/* Python's str: a path stands for itself, an Internet address is a tuple. */
static json_t *json_of_address(const struct rill_address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    if (address->path_len > 0 || address->host[0] == '\0') {
        const struct rill_bytes path = {address->path, address->path_len};
        return json_of_bytes(path);
    }
    rill_address_repr(address, text, sizeof text);
    return json_string(text);
}

static int call_get_extra_info(struct at *at, const json_t *call, struct value *value)
{
    struct rill_extra_info info;
    struct rill_writer *writer;
    const int rc = writer_of(at, &writer);
    if (rc == 0 && rill_writer_get_extra_info(writer, text_argument(call, "name"), &info)) {
        value->json = info.kind == RILL_EXTRA_ADDRESS ? json_of_address(&info.address)
                                                      : json_sprintf("<socket %d>", info.socket);
    }
    return rc;
}

const struct call stream_calls[] = {
    {"read", call_read},
    {"readline", call_readline},
    {"readexactly", call_readexactly},
    {"readuntil", call_readuntil},
    {"iterate", call_iterate},
    {"at_eof", call_at_eof},
    {"exception", call_exception},
    {"feed_data", call_feed_data},
    {"feed_eof", call_feed_eof},
    {"set_exception", call_set_exception},
    {"write", call_write},
    {"writelines", call_writelines},
    {"drain", call_drain},
    {"write_eof", call_write_eof},
    {"can_write_eof", call_can_write_eof},
    {"close", call_close},
    {"wait_closed", call_wait_closed},
    {"is_closing", call_is_closing},
    {"get_extra_info", call_get_extra_info},
    {NULL, NULL},
};
