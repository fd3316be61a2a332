/* SPDX-License-Identifier: MIT
 *
 * What a task may wait for when the loop has nothing to do: nothing that is there already. The end
 * of a stream wakes everybody, so that at the end of a run a wake-up that data should have caused
 * is not missed any more; between two moves of the world it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/actor.h"

static const char *what_is(const struct op *op)
{
    return op->kind == OP_DRAIN ? "drain" : op->kind == OP_WAIT_CLOSED ? "wait_closed" : "a read";
}

static _Noreturn void invariant_wake_arrives(const struct connection *self, const struct op *op)
{
    struct rill_reader_state state;
    rill_observe_reader(self->reader, &state);
    rig_print(self->rig);
    (void)fprintf(
        stderr,
        "the loop is idle, and task %u waits in %s (%u) for what is there: %zu bytes%s%s%s\n",
        (unsigned)op->actor, what_is(op), (unsigned)op->kind, state.buffered,
        state.eof ? ", the end" : "", state.paused ? ", paused" : "",
        rill_reader_exception(self->reader) != NULL ? ", an exception" : "");
    abort();
}

static _Noreturn void invariant_input_moves(const struct connection *self, size_t unread)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "the loop is idle and its transport reads, but %zu bytes are unread\n",
                  unread);
    (void)self;
    abort();
}

static _Noreturn void invariant_output_moves(const struct connection *self, size_t queued)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "the loop is idle and the peer has room, but %zu bytes are queued\n",
                  queued);
    (void)self;
    abort();
}

/* -- reads ----------------------------------------------------------------------------------- */

static bool contains(struct rill_bytes text, struct rill_bytes part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

/* None of the separators is there, and one of them may still come within the limit. */
static bool may_find(struct rill_bytes text, size_t limit, const struct rill_bytes *separators,
                     size_t count)
{
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        longest = separators[i].len > longest ? separators[i].len : longest;
        if (contains(text, separators[i])) {
            return false;
        }
    }
    return text.len + 1 <= limit + longest;
}

static bool may_read_on(const struct connection *self, const struct asked *asked)
{
    static const struct rill_bytes newline = {"\n", 1};
    const struct rill_bytes text = rill_reader_leftover(self->reader);
    /* Another call took bytes meanwhile: this one goes on searching where it was. */
    const bool disturbed = asked->reads_ended != self->reads_ended;
    const struct rill_bytes *separators;
    size_t count;

    switch ((enum task_op)asked->op->kind) {
    case OP_READEXACTLY:
        return text.len < script_size(asked->op->amount);
    case OP_READUNTIL:
    case OP_READUNTIL_ANY:
        count = perform_separators(asked->op, &separators);
        return disturbed || may_find(text, self->limit, separators, count);
    case OP_READLINE:
    case OP_NEXT_LINE:
    case OP_SKIP_LINE:
        return disturbed || may_find(text, self->limit, &newline, 1);
    default: /* these test the exception whenever they wait; the others only when they begin
              */
        return text.len == 0 && rill_reader_exception(self->reader) == NULL;
    }
}

/* -- all that waits -------------------------------------------------------------------------- */

static bool may_wait(const struct connection *self, const struct asked *asked)
{
    struct rill_reader_state reader;
    struct rill_writer_state writer;
    struct rill_loop_state loop;

    if (asked->op->kind == OP_DRAIN) {
        rill_observe_writer(self->writer, &writer);
        return writer.paused;
    }
    if (asked->op->kind == OP_WAIT_CLOSED) {
        rill_observe_loop(self->rig->loop, &loop);
        return loop.transports > 0;
    }
    rill_observe_reader(self->reader, &reader);
    return !reader.eof && !reader.paused && may_read_on(self, asked);
}

static void check_input(const struct connection *self, struct rill_transport *transport)
{
    const size_t unread = self->peer_ops->unread(self->peer);
    if (unread > 0 && rill_transport_is_reading(transport)) {
        invariant_input_moves(self, unread);
    }
}

static void check_output(const struct connection *self, struct rill_transport *transport)
{
    const size_t queued = rill_transport_get_write_buffer_size(transport);
    const size_t received = self->peer_ops->received(self->peer).len;
    const bool room = !self->window.given || received < (size_t)self->window.value;
    if (queued > 0 && (room || self->peer_ended)) {
        invariant_output_moves(self, queued);
    }
}

void connection_check_waits(const struct connection *self)
{
    for (size_t i = 0; i < SCRIPT_TASKS; i++) {
        if (self->asked[i].op != NULL && !may_wait(self, &self->asked[i])) {
            invariant_wake_arrives(self, self->asked[i].op);
        }
    }
    if (self->writer != NULL && self->peer != NULL && self->rig->allocations.failed == 0) {
        check_input(self, rill_writer_transport(self->writer));
        check_output(self, rill_writer_transport(self->writer));
    }
}
