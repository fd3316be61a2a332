/* SPDX-License-Identifier: MIT
 *
 * The sans-io reader playing scripts, as core/streams/reader.c uses it.
 */
#include "reader/player.h"

#include <stdlib.h>
#include <string.h>

#include "sansio/memory.h"

/* ---- the port ---- */

static int note_pause(void *arg)
{
    struct player *player = arg;
    observation_flow(player->watched, 'P');
    return player->can_pause ? 0 : RILL_ENOTIMPLEMENTED;
}

static void note_resume(void *arg)
{
    struct player *player = arg;
    observation_flow(player->watched, 'R');
}

static void note_wake(void *arg, struct rill__read *read)
{
    struct player *player = arg;
    rill_assert(read == player->reader.waiter && !player->woken);
    player->woken = true;
}

static const struct rill__reader_port port = {
    .pause_reading = note_pause,
    .resume_reading = note_resume,
    .wake = note_wake,
};

void player_begin(struct player *player, const struct script *script)
{
    *player = (struct player){.can_pause = script->transport == SCRIPT_PAUSES};
    rill__reader_init(&player->reader, script->limit, &port, player);
    player->reader.has_transport = script->transport != SCRIPT_NO_TRANSPORT;
}

/* ---- calls ---- */

static void see_end(struct player *player, const struct player_call *call, int rc,
                    struct observation *seen)
{
    const struct rill_error *error = call->read.error;

    seen->call = call->number;
    if (rc == 0) {
        seen->outcome.bytes = (struct script_bytes){call->read.result.ptr, call->read.result.len};
        return;
    }
    rill_error_unref(player->ended);
    player->ended = error;
    seen->outcome.error = rill_error_name(error->code);
    seen->outcome.text = error->text;
    if (error->code == RILL_EINCOMPLETE) {
        seen->outcome.bytes = (struct script_bytes){error->partial.ptr, error->partial.len};
        seen->outcome.expected = (long)error->expected;
    }
    seen->outcome.consumed = error->code == RILL_ELIMIT ? error->consumed : 0;
}

/* A call has got as far as it gets: `rc` is what its begin or step answered. */
static void arrive(struct player *player, struct player_call *call, int rc,
                   struct observation *seen)
{
    call->waits = rc == RILL__READ_WAIT;
    if (call->waits) {
        rill__buffer_shrink(&player->reader.buffer, 0);
    } else {
        see_end(player, call, rc, seen);
    }
}

static struct player_call *waiting_call(struct player *player)
{
    for (size_t i = 0; i < 2; i++) {
        if (player->calls[i].waits) {
            return &player->calls[i];
        }
    }
    return NULL;
}

/* Everything that can happen without new input happens. */
static void settle(struct player *player, struct observation *seen)
{
    while (player->woken) {
        struct player_call *call = waiting_call(player);
        player->woken = false;
        arrive(player, call, rill__read_step(&player->reader, &call->read), seen);
    }
}

static void set_inputs(struct player_call *call, const struct script_op *op)
{
    struct rill__read *read = &call->read;
    static const enum rill__read_kind kinds[SCRIPT_KINDS] = {
        [SCRIPT_READ] = RILL__READ_SOME,
        [SCRIPT_READEXACTLY] = RILL__READ_EXACTLY,
        [SCRIPT_READLINE] = RILL__READ_LINE,
        [SCRIPT_READUNTIL] = RILL__READ_UNTIL,
        [SCRIPT_READUNTIL_TUPLE] = RILL__READ_UNTIL,
    };

    read->kind = kinds[op->kind];
    read->n = op->n;
    for (size_t i = 0; i < op->separator_count; i++) {
        call->separators[i] = (struct rill_bytes){op->separators[i].ptr, op->separators[i].len};
    }
    read->separators = call->separators;
    read->separator_count = op->separator_count;
}

/* rill_reader_readline's short way; every other line takes the long one, which must answer the
 * same. */
static bool line_is_there(struct player *player, struct player_call *call,
                          const struct script_op *op)
{
    return op->kind == SCRIPT_READLINE && player->steps % 2 == 0 &&
           rill__read_line_now(&player->reader, &call->read.result);
}

static void start_call(struct player *player, const struct script_op *op, struct observation *seen)
{
    struct player_call *call = &player->calls[player->calls[0].waits ? 1 : 0];

    call->number = ++player->started;
    if (line_is_there(player, call, op)) {
        arrive(player, call, 0, seen);
        return;
    }
    set_inputs(call, op);
    arrive(player, call, rill__read_begin(&player->reader, &call->read), seen);
}

static void cancel(struct player *player, struct observation *seen)
{
    struct player_call *call = waiting_call(player);
    if (call == NULL) {
        return;
    }
    rill__read_cancel_requested(&call->read);
    rill__read_cancelled(&player->reader, &call->read);
    call->waits = false;
    seen->call = call->number;
    seen->outcome.error = rill_error_name(RILL_ECANCELLED);
    seen->outcome.text = "";
}

/* ---- events ---- */

/* In place, as a transport receives. */
static void receive(struct player *player, struct script_bytes bytes)
{
    char *space;
    size_t size;
    rill_assert(rill__buffer_space(&player->reader.buffer, bytes.len, &space, &size) == 0);
    rill_assert(size >= bytes.len && size > 0);
    if (bytes.len > 0) {
        memcpy(space, bytes.ptr, bytes.len);
    }
    rill__reader_filled(&player->reader, bytes.len);
}

static void feed(struct player *player, struct script_bytes bytes, struct observation *seen)
{
    const struct rill__buffer *buffer = &player->reader.buffer;
    const struct rill_error *error = NULL;

    if (player->steps % 2 == 0 && !player->reader.eof) {
        receive(player, bytes);
    } else if (rill__reader_feed_data(&player->reader, bytes.ptr, bytes.len, &error) < 0) {
        rill_error_unref(player->ended);
        player->ended = error;
        seen->refused = error->text;
    }
    const size_t kept = rill__buffer_held_length(buffer) + rill__buffer_length(buffer);
    player->most_kept = kept > player->most_kept ? kept : player->most_kept;
}

static void set_exception(struct player *player)
{
    rill_error_unref(player->exception);
    player->exception = rill_error_new(RILL_ECONNRESET, SCRIPT_EXCEPTION_TEXT);
    rill__reader_set_exception(&player->reader, player->exception);
}

static void play(struct player *player, const struct script_op *op, struct observation *seen)
{
    switch (op->kind) {
    case SCRIPT_FEED:
        feed(player, op->bytes, seen);
        break;
    case SCRIPT_EOF:
        rill__reader_feed_eof(&player->reader);
        break;
    case SCRIPT_SET_EXCEPTION:
        set_exception(player);
        break;
    case SCRIPT_CLEAR_EXCEPTION:
        if (player->reader.waiter == NULL) {
            rill__reader_set_exception(&player->reader, NULL);
        }
        break;
    case SCRIPT_CANCEL:
        cancel(player, seen);
        break;
    default:
        start_call(player, op, seen);
        break;
    }
}

static void see_reader(const struct player *player, struct observation *seen)
{
    const struct rill__reader *reader = &player->reader;
    seen->buffered =
        (struct script_bytes){rill__buffer_data(&reader->buffer), rill__reader_buffered(reader)};
    seen->eof = reader->eof;
    seen->at_eof = rill__reader_at_eof(reader);
    seen->paused = reader->paused;
    seen->waiting = reader->waiter != NULL;
    seen->exception = reader->exception != NULL;
}

void player_step(struct player *player, const struct script_op *op, struct observation *seen)
{
    observation_begin(seen);
    player->watched = seen;
    player->steps++;
    play(player, op, seen);
    settle(player, seen);
    see_reader(player, seen);
}

void player_end(struct player *player)
{
    struct observation ignored;
    observation_begin(&ignored);
    player->watched = &ignored;
    cancel(player, &ignored);
    rill_error_unref(player->ended);
    rill_error_unref(player->exception);
    rill__reader_cleanup(&player->reader);
}
