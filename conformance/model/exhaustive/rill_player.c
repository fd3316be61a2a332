/* SPDX-License-Identifier: MIT
 *
 * rill's reader playing scripts.
 */
#include "rill_player.h"

#include <string.h>

static int note_pause(struct rill_transport *transport)
{
    struct rill_player *player = (struct rill_player *)transport;
    observation_flow(player->watched, 'P');
    return player->can_pause ? 0 : RILL_ENOTIMPLEMENTED;
}

static void note_resume(struct rill_transport *transport)
{
    struct rill_player *player = (struct rill_player *)transport;
    observation_flow(player->watched, 'R');
}

static void leave_alone(struct rill_transport *transport)
{
    (void)transport; /* its memory is the player's */
}

static const struct rill_transport_ops transport_ops = {
    .pause_reading = note_pause,
    .resume_reading = note_resume,
    .destroy = leave_alone,
};

/* Everything that can happen without new input happens. */
static void settle(struct rill_loop *loop)
{
    struct rill_loop_state state;
    for (rill_observe_loop(loop, &state); state.ready > 0; rill_observe_loop(loop, &state)) {
        rill_sleep(0);
    }
}

int rill_player_begin(struct rill_player *player, const struct script *script)
{
    player->loop = rill_running_loop();
    player->transport =
        (struct rill_transport){.ops = &transport_ops, .loop = player->loop, .references = 1};
    player->can_pause = script->transport == SCRIPT_PAUSES;
    player->calls = 0;
    player->exception = NULL;
    player->watched = NULL;
    const struct rill_opt_int limit = RILL_SET((long long)script->limit);
    int rc = rill_reader_new(limit, &player->reader);
    if (rc == 0 && script->transport != SCRIPT_NO_TRANSPORT) {
        rc = rill_reader_set_transport(player->reader, &player->transport);
    }
    return rc;
}

/* ---- calls ---- */

static int read_until(struct rill_reader *reader, const struct script_op *op,
                      struct rill_bytes *data)
{
    struct rill_bytes separators[SCRIPT_SEPARATORS_MAX];
    for (size_t i = 0; i < op->separator_count; i++) {
        separators[i] = (struct rill_bytes){op->separators[i].ptr, op->separators[i].len};
    }
    if (op->kind == SCRIPT_READUNTIL) {
        return rill_reader_readuntil(reader, separators[0], data);
    }
    return rill_reader_readuntil_any(reader, separators, op->separator_count, data);
}

static int make_call(struct rill_reader *reader, const struct script_op *op,
                     struct rill_bytes *data)
{
    switch (op->kind) {
    case SCRIPT_READ:
        return rill_reader_read(reader, op->n, data);
    case SCRIPT_READEXACTLY:
        return rill_reader_readexactly(reader, op->n, data);
    case SCRIPT_READLINE:
        return rill_reader_readline(reader, data);
    default:
        return read_until(reader, op, data);
    }
}

static int run_call(void *arg)
{
    struct rill_player_call *call = arg;
    call->rc = make_call(call->player->reader, call->op, &call->data);
    if (call->rc < 0) {
        call->error = call->rc == RILL_ECANCELLED ? rill_error_cancelled()
                                                  : rill_error_ref(rill_task_error());
    }
    call->ended = true;
    return 0; /* nobody asks the task: the outcome stands in the call */
}

static void start_call(struct rill_player *player, const struct script_op *op)
{
    struct rill_player_call *call = &player->call[player->calls++];
    *call = (struct rill_player_call){.player = player, .op = op};
    const int rc = rill_task_create(run_call, call, NULL, &call->task);
    if (rc < 0) { /* shows as a difference */
        call->rc = rc;
        call->error = rill_error_new(rc, "no task");
        call->ended = true;
    }
}

static void cancel_calls(struct rill_player *player)
{
    for (size_t i = 0; i < player->calls; i++) {
        if (!player->call[i].ended) {
            rill_task_cancel(player->call[i].task);
        }
    }
}

/* ---- what is seen ---- */

static struct script_bytes view(struct rill_bytes bytes)
{
    return (struct script_bytes){bytes.ptr, bytes.len};
}

static void see_outcome(const struct rill_player_call *call, struct model_outcome *outcome)
{
    const struct rill_error *error = call->error;
    if (error == NULL) {
        outcome->bytes = view(call->data);
        return;
    }
    outcome->error = rill_error_name(error->code);
    outcome->text = error->text;
    if (error->code == RILL_EINCOMPLETE) {
        outcome->bytes = view(error->partial);
        outcome->expected = (long)error->expected;
    }
    outcome->consumed = error->code == RILL_ELIMIT ? error->consumed : 0;
}

static void see_calls(struct rill_player *player, struct observation *seen)
{
    for (size_t i = 0; i < player->calls; i++) {
        struct rill_player_call *call = &player->call[i];
        if (call->ended && !call->seen) {
            call->seen = true;
            seen->call = i + 1;
            see_outcome(call, &seen->outcome);
        }
    }
}

static void see_reader(const struct rill_player *player, struct observation *seen)
{
    struct rill_reader_state state;
    rill_observe_reader(player->reader, &state);
    seen->buffered = view(rill_reader_leftover(player->reader));
    seen->eof = state.eof;
    seen->at_eof = rill_reader_at_eof(player->reader);
    seen->paused = state.paused;
    seen->waiting = state.waiting;
    seen->exception = rill_reader_exception(player->reader) != NULL;
}

/* ---- events ---- */

static void feed(struct rill_player *player, const struct script_op *op, struct observation *seen)
{
    if (rill_reader_feed_data(player->reader, op->bytes.ptr, op->bytes.len) < 0) {
        seen->refused = rill_reader_error(player->reader)->text;
    }
}

static void set_exception(struct rill_player *player)
{
    rill_error_unref(player->exception);
    player->exception = rill_error_new(RILL_ECONNRESET, SCRIPT_EXCEPTION_TEXT);
    rill_reader_set_exception(player->reader, player->exception);
}

static void clear_exception(struct rill_player *player)
{
    struct rill_reader_state state;
    rill_observe_reader(player->reader, &state);
    if (!state.waiting) {
        rill_reader_set_exception(player->reader, NULL);
    }
}

static void play(struct rill_player *player, const struct script_op *op, struct observation *seen)
{
    switch (op->kind) {
    case SCRIPT_FEED:
        feed(player, op, seen);
        break;
    case SCRIPT_EOF:
        rill_reader_feed_eof(player->reader);
        break;
    case SCRIPT_SET_EXCEPTION:
        set_exception(player);
        break;
    case SCRIPT_CLEAR_EXCEPTION:
        clear_exception(player);
        break;
    case SCRIPT_CANCEL:
        cancel_calls(player);
        break;
    default:
        start_call(player, op);
        break;
    }
}

void rill_player_step(struct rill_player *player, const struct script_op *op,
                      struct observation *seen)
{
    observation_begin(seen);
    player->watched = seen;
    play(player, op, seen);
    settle(player->loop);
    see_calls(player, seen);
    see_reader(player, seen);
}

void rill_player_end(struct rill_player *player)
{
    struct observation ignored;
    observation_begin(&ignored);
    player->watched = &ignored;
    cancel_calls(player);
    settle(player->loop);
    for (size_t i = 0; i < player->calls; i++) {
        rill_error_unref(player->call[i].error);
        rill_task_free(player->call[i].task);
    }
    rill_error_unref(player->exception);
    rill_reader_free(player->reader);
}
