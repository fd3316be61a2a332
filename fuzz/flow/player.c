/* SPDX-License-Identifier: MIT
 *
 * Programs on rill's StreamWriter, through the public headers.
 */
#include "flow/player.h"

#include <stdlib.h>
#include <string.h>

#include "simulated/connection.h"

/* ---- noting ---- */

static void note_error(struct flow_player *player, enum flow_what what, size_t number,
                       const struct rill_error *error)
{
    struct flow_event *event = flow_note(player->seen, what, number, rill_error_name(error->code));
    (void)snprintf(event->text, sizeof event->text, "%s", error->text);
}

/* What a call on the writer answered. */
static void note_call(struct flow_player *player, size_t task, int rc)
{
    if (rc < 0) {
        note_error(player, SAW_ERROR, task, rill_writer_error(player->writer));
    }
}

static void note_stream(void *arg, enum rill_observed what, const struct rill_reader *reader,
                        const struct rill_writer *writer)
{
    struct flow_player *player = arg;
    (void)reader;
    (void)writer;
    if (what == RILL_OBSERVED_PAUSE_WRITING || what == RILL_OBSERVED_RESUME_WRITING) {
        const bool paused = what == RILL_OBSERVED_PAUSE_WRITING;
        (void)flow_note(player->seen, paused ? SAW_PAUSE : SAW_RESUME, 0, NULL);
    }
}

static void note_done(void *arg)
{
    const struct flow_lent *lent = arg;
    (void)flow_note(lent->player->seen, SAW_DONE, lent->number, NULL);
}

/* ---- writing: the endless text, so that the peer can tell what is next ---- */

/* What was dropped counts too: nothing behind it arrives. */
static void note_written(struct flow_player *player, size_t task, size_t size, int rc)
{
    player->written += rc == 0 ? size : 0;
    note_call(player, task, rc);
}

static void write_text(struct flow_player *player, size_t task, size_t size)
{
    const int rc = rill_writer_write(player->writer, text_at(player->written), size);
    note_written(player, task, size, rc);
}

static void writelines(struct flow_player *player, const struct flow_op *op)
{
    const struct rill_bytes parts[] = {{text_at(player->written), op->size},
                                       {text_at(player->written + op->size), op->more}};
    const int rc = rill_writer_writelines(player->writer, parts, 2);
    note_written(player, 0, op->size + op->more, rc);
}

static void lend(struct flow_player *player, size_t size)
{
    struct flow_lent *lent = &player->lent[player->pieces];
    *lent = (struct flow_lent){.player = player, .number = player->pieces + 1};
    const int rc =
        rill_writer_write_borrowed(player->writer, text_at(player->written), size, note_done, lent);
    player->pieces += rc == 0 ? 1 : 0;
    note_written(player, 0, size, rc);
}

/* ---- draining ---- */

static void do_first(struct flow_player *player, const struct flow_drain *drain)
{
    switch (drain->op->first) {
    case FIRST_WRITE:
        write_text(player, drain->number, drain->op->size);
        break;
    case FIRST_CLOSE:
        rill_writer_close(player->writer);
        break;
    case FIRST_ABORT:
        rill_transport_abort(rill_writer_transport(player->writer));
        break;
    case FIRST_WRITE_EOF:
        note_call(player, drain->number, rill_writer_write_eof(player->writer));
        break;
    default:
        break;
    }
}

static int run_drain(void *arg)
{
    struct flow_drain *drain = arg;
    struct flow_player *player = drain->player;

    do_first(player, drain);
    const int rc = rill_writer_drain(player->writer);
    drain->ended = true;
    if (rc == RILL_ECANCELLED) {
        note_error(player, SAW_ENDED, drain->number, rill_error_cancelled());
    } else if (rc < 0) {
        note_error(player, SAW_ENDED, drain->number, rill_writer_error(player->writer));
    } else {
        if (drain->op->more > 0) {
            write_text(player, drain->number, drain->op->more);
        }
        (void)flow_note(player->seen, SAW_ENDED, drain->number, NULL);
    }
    return 0;
}

static void start_drain(struct flow_player *player, const struct flow_op *op)
{
    struct flow_drain *drain = &player->drains[player->tasks++];
    const struct rill_task_options options = {.loop = player->rig->loop};

    *drain = (struct flow_drain){.player = player, .op = op, .number = player->tasks};
    if (rill_task_create(run_drain, drain, &options, &drain->task) < 0) {
        abort(); /* no allocation fails here */
    }
}

static void cancel(struct flow_player *player, size_t which)
{
    struct rill_writer_state state;
    rill_observe_writer(player->writer, &state);
    if (state.waiting_drains == 0) {
        return;
    }
    which %= state.waiting_drains;
    for (size_t i = 0; i < player->tasks; i++) {
        if (!player->drains[i].ended && which-- == 0) {
            rill_task_cancel(player->drains[i].task);
            return;
        }
    }
}

/* ---- operations ---- */

static void set_limits(struct flow_player *player, const struct flow_op *op)
{
    const struct rill_error *error = NULL;
    if (rill_transport_set_write_buffer_limits(
            rill_writer_transport(player->writer),
            (struct rill_opt_int){op->high.given, op->high.value},
            (struct rill_opt_int){op->low.given, op->low.value}, &error) < 0) {
        note_error(player, SAW_ERROR, 0, error);
    }
    rill_error_unref(error);
}

static struct rill_opt_int window_of(struct flow_limit window)
{
    return (struct rill_opt_int){window.given, window.value};
}

static void discard(struct flow_player *player, size_t size)
{
    const size_t there = rill_memory_peer_received(player->peer).len;
    player->discarded += size < there ? size : there;
    rill_memory_peer_discard(player->peer, size);
}

static void play_on_writer(struct flow_player *player, const struct flow_op *op)
{
    switch (op->kind) {
    case FLOW_WRITE:
        write_text(player, 0, op->size);
        break;
    case FLOW_WRITELINES:
        writelines(player, op);
        break;
    case FLOW_LEND:
        lend(player, op->size);
        break;
    case FLOW_DRAIN:
        start_drain(player, op);
        break;
    case FLOW_CANCEL:
        cancel(player, op->size);
        break;
    case FLOW_LIMITS:
        set_limits(player, op);
        break;
    case FLOW_WRITE_EOF:
        note_call(player, 0, rill_writer_write_eof(player->writer));
        break;
    case FLOW_CLOSE:
        rill_writer_close(player->writer);
        break;
    default:
        rill_transport_abort(rill_writer_transport(player->writer));
        break;
    }
}

static void play(struct flow_player *player, const struct flow_op *op)
{
    switch (op->kind) {
    case FLOW_WINDOW:
        rill_memory_peer_set_window(player->peer, window_of(op->window));
        break;
    case FLOW_DISCARD:
        discard(player, op->size);
        break;
    case FLOW_PEER_SHUTDOWN:
        rill_memory_peer_shutdown_write(player->peer);
        break;
    case FLOW_PEER_CLOSE:
        rill_memory_peer_close(player->peer);
        break;
    case FLOW_PEER_RESET:
        rill_memory_peer_reset(player->peer);
        break;
    default:
        play_on_writer(player, op);
        break;
    }
}

/* ---- what is seen ---- */

static _Noreturn void invariant_bytes_in_order(const struct flow_player *player)
{
    rig_print(player->rig);
    (void)fprintf(stderr, "the peer received other bytes than were written, behind %zu\n",
                  player->arrived);
    abort();
}

static void check_received(struct flow_player *player)
{
    const struct rill_bytes received = rill_memory_peer_received(player->peer);
    const size_t known = player->arrived - player->discarded;
    if (received.len < known ||
        (received.len > 0 && memcmp(received.ptr, text_at(player->discarded), received.len) != 0)) {
        invariant_bytes_in_order(player);
    }
    player->arrived = player->discarded + received.len;
}

static void see(struct flow_player *player, struct flow_seen *seen)
{
    struct rill_transport *transport = rill_writer_transport(player->writer);
    struct rill_writer_state state;

    rill_observe_writer(player->writer, &state);
    rill_transport_get_write_buffer_limits(transport, &seen->low, &seen->high);
    seen->buffered = rill_transport_get_write_buffer_size(transport);
    seen->waiting = state.waiting_drains;
    seen->paused = state.paused;
    seen->closing = rill_writer_is_closing(player->writer);
    seen->received = rill_memory_peer_received(player->peer).len;
    seen->ended = rill_memory_peer_end(player->peer) != RILL_MEMORY_OPEN;
}

void flow_player_step(struct flow_player *player, const struct flow_op *op, struct flow_seen *seen)
{
    seen->count = 0;
    player->seen = seen;
    play(player, op);
    rig_settle(player->rig);
    check_received(player);
    see(player, seen);
}

/* ---- beginning and end ---- */

/* Makes the loop's spare block, which stays: one connection that received something. */
static int warm_up(void *arg)
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;
    struct rill_bytes data;

    (void)arg;
    if (rill_open_memory_connection(NULL, NULL, &reader, &writer, &peer) < 0) {
        return 0;
    }
    (void)rill_memory_peer_send(peer, "x", 1);
    (void)rill_reader_read(reader, 1, &data);
    rill_transport_abort(rill_writer_transport(writer));
    rill_writer_free(writer);
    rill_memory_peer_free(peer);
    return 0;
}

void flow_rig_init(struct rig *rig)
{
    text_init();
    rig_init(rig, warm_up, NULL);
}

static int open_pair(void *arg)
{
    struct flow_player *player = arg;
    const struct rill_memory_options memory = {.window = window_of(player->window)};
    return rill_open_memory_connection(NULL, &memory, &player->reader, &player->writer,
                                       &player->peer);
}

bool flow_player_begin(struct flow_player *player, struct rig *rig, struct flow_limit window)
{
    player->rig = rig;
    player->window = window;
    player->writer = NULL;
    player->written = player->arrived = player->discarded = 0;
    player->tasks = player->pieces = 0;
    if (!rig_run(rig, open_pair, player) || player->writer == NULL) {
        return false;
    }
    rig_settle(rig);
    rill_observe_streams(rig->loop, note_stream, player);
    return true;
}

void flow_player_end(struct flow_player *player, struct flow_seen *seen)
{
    flow_player_step(player, &(struct flow_op){.kind = FLOW_ABORT}, seen);
    rill_observe_streams(player->rig->loop, NULL, NULL);
    for (size_t i = 0; i < player->tasks; i++) {
        rill_task_free(player->drains[i].task);
    }
    rill_writer_free(player->writer);
    rill_memory_peer_free(player->peer);
    rig_settle(player->rig);
    rig_check_idle(player->rig);
}
