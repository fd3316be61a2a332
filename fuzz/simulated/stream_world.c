/* SPDX-License-Identifier: MIT
 *
 * The world of the target stream: the peers, the time, and whoever cancels tasks from outside.
 */
#include <stdint.h>

#include "simulated/stream.h"
#include "simulated/world.h"

const char *const stream_world_names[WORLD_OP_KINDS] = {
    [WORLD_TURN] = "turn",
    [WORLD_SEND] = "send",
    [WORLD_SHUTDOWN] = "shutdown",
    [WORLD_CLOSE] = "close",
    [WORLD_RESET] = "reset",
    [WORLD_WINDOW] = "window",
    [WORLD_DISCARD] = "discard",
    [WORLD_CANCEL] = "cancel",
    [WORLD_ADVANCE] = "advance",
    [WORLD_FEED_EOF] = "feed eof",
    [WORLD_SET_EXCEPTION] = "set exception",
    [WORLD_SET_TRANSPORT] = "set transport",
};

/* One turn, and what must hold behind it. */
static void turn(struct stream *stream)
{
    (void)rill_loop_step(stream->stage.rig->loop);
    for (unsigned i = 0; i < STREAM_CONNECTIONS; i++) {
        connection_check(&stream->connections[i]);
    }
}

/* What a program does to a reader that it made by hand, or to any other. */
static void move_reader(struct stream *stream, struct connection *on, const struct op *op)
{
    struct connection *other = &stream->connections[0];
    const struct rill_error *error = rill_error_from_errno(op->amount % 2u != 0 ? 104 : 32);

    if (op->kind == WORLD_FEED_EOF && on->writer == NULL) {
        rill_reader_feed_eof(on->reader);
    } else if (op->kind == WORLD_SET_EXCEPTION) {
        /* Who takes the loss of a connection back waits for ever, as in asyncio. */
        const bool clears = op->aux == 0 && on->writer == NULL;
        rill_reader_set_exception(on->reader, clears ? NULL : error);
    } else if (op->kind == WORLD_SET_TRANSPORT && on->writer == NULL && other->writer != NULL) {
        other->unbounded = true; /* two readers pause and resume it */
        (void)rill_reader_set_transport(on->reader, rill_writer_transport(other->writer));
    }
    rill_error_unref(error);
}

static void move(struct stream *stream, const struct op *op)
{
    struct connection *on = &stream->connections[op->connection];
    struct rill_task *task = stream->stage.actors[op->amount % SCRIPT_TASKS].task;

    if (op->kind == WORLD_CANCEL && task != NULL) {
        (void)rill_task_cancel(task);
    } else if (op->kind == WORLD_ADVANCE) {
        world_advance(stream->stage.rig, op);
    } else if (op->kind >= WORLD_SEND && op->kind <= WORLD_DISCARD && on->peer != NULL) {
        world_move_peer(on, op);
    } else if (op->kind >= WORLD_FEED_EOF && on->reader != NULL) {
        move_reader(stream, on, op);
    }
}

void stream_world(struct stream *stream)
{
    enum { MOST_TURNS = 8 };
    const struct script *script = stream->stage.script;

    turn(stream);
    for (size_t i = 0; i < script->count; i++) {
        const struct op *op = &script->ops[i];
        size_t turns = op->aux % 2u; /* of a move: it may be the same turn as the next one's */
        if (op->actor != SCRIPT_WORLD) {
            continue;
        }
        if (op->kind == WORLD_TURN) {
            turns = op->amount % MOST_TURNS + 1;
        } else {
            move(stream, op);
        }
        for (size_t done = 0; done < turns; done++) {
            turn(stream);
        }
    }
}
