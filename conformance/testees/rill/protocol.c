/* SPDX-License-Identifier: MIT
 *
 * The scripted protocol. It is connection 1, always.
 */
#include "protocol.h"

#include <string.h>

#include "events.h"
#include "names.h"

enum { SPACE_SIZE = 65536 };

struct scripted {
    struct rill_protocol base;
    struct replay *replay;
    const char *fails; /* the call that raises; NULL: none */
    bool keep_open;
    bool made;
    char *space; /* of a buffered one */
};

static struct scripted *of(struct rill_protocol *protocol)
{
    return (struct scripted *)protocol;
}

static json_t *call_event(const char *call)
{
    return json_pack("{s:s, s:i, s:s}", "ev", "protocol", "conn", 1, "call", call);
}

static void tell_bytes(const struct scripted *self, const char *call, struct rill_bytes bytes)
{
    json_t *event = call_event(call);
    json_object_set_new(event, "bytes", json_of_bytes(bytes));
    emit(self->replay, event);
}

/* What a call answers: the script's error, or rc. */
static int answer(const struct scripted *self, const char *call, int rc)
{
    const bool fails = self->fails != NULL && strcmp(self->fails, call) == 0;
    return fails ? rill_task_fail(rill_error_new(RILL_EVALUE, "scripted")) : rc;
}

static void made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    (void)transport;
    of(protocol)->made = true;
}

static int received(struct rill_protocol *protocol, struct rill_bytes data)
{
    tell_bytes(of(protocol), "data_received", data);
    return answer(of(protocol), "data_received", 0);
}

static size_t get_space(struct rill_protocol *protocol, size_t hint, char **space)
{
    (void)hint;
    *space = of(protocol)->space;
    return SPACE_SIZE;
}

static int updated(struct rill_protocol *protocol, size_t count)
{
    const struct rill_bytes bytes = {of(protocol)->space, count};
    tell_bytes(of(protocol), "buffer_updated", bytes);
    return answer(of(protocol), "data_received", 0);
}

static int eof(struct rill_protocol *protocol)
{
    emit(of(protocol)->replay, call_event("eof_received"));
    return answer(of(protocol), "eof_received", of(protocol)->keep_open ? 1 : 0);
}

static void lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    json_t *event = call_event("connection_lost");
    if (error != NULL) {
        json_object_set_new(event, "class", json_string(class_of_code(error->code)));
    }
    emit(of(protocol)->replay, event);
}

static void paused(struct rill_protocol *protocol)
{
    emit(of(protocol)->replay, call_event("pause_writing"));
}

static void resumed(struct rill_protocol *protocol)
{
    emit(of(protocol)->replay, call_event("resume_writing"));
}

static const struct rill_protocol_ops plain_ops = {
    .connection_made = made,
    .data_received = received,
    .eof_received = eof,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
};

static const struct rill_protocol_ops buffered_ops = {
    .connection_made = made,
    .get_buffer = get_space,
    .buffer_updated = updated,
    .eof_received = eof,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
};

struct rill_protocol *protocol_new(void *arg)
{
    struct replay *replay = arg;
    const json_t *wanted = json_object_get(replay->script, "protocol");
    const bool buffered = json_is_true(json_object_get(wanted, "buffered"));
    struct scripted *self = arena_take(&replay->arena, sizeof *self);
    self->base.ops = buffered ? &buffered_ops : &plain_ops;
    self->replay = replay;
    self->fails = json_string_value(json_object_get(wanted, "fail"));
    self->keep_open = json_is_true(json_object_get(wanted, "keep_open"));
    self->space = buffered ? arena_take(&replay->arena, SPACE_SIZE) : NULL;
    return &self->base;
}

bool protocol_is_made(const struct rill_protocol *protocol)
{
    return ((const struct scripted *)protocol)->made;
}

bool protocol_can_fail(const char *call)
{
    return strcmp(call, "data_received") == 0 || strcmp(call, "eof_received") == 0;
}
