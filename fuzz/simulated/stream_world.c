/* SPDX-License-Identifier: MIT
 *
 * The world of the target stream: the peers, the time, and whoever cancels tasks from outside.
 */
#include <stdint.h>

#include "simulated/stream.h"
#include "simulated/world.h"

const char *const stream_world_names[STREAM_WORLD_KINDS] = {
    [STREAM_FEED_EOF] = "feed eof",
    [STREAM_SET_EXCEPTION] = "set exception",
    [STREAM_SET_TRANSPORT] = "set transport",
};

/* What a program does to a reader that it made by hand, or to any other. */
static void move_reader(struct stream *stream, struct connection *on, const struct op *op)
{
    struct connection *other = &stream->connections[0];
    const struct rill_error *error = rill_error_from_errno(op->amount % 2u != 0 ? 104 : 32);

    if (op->kind == STREAM_FEED_EOF && on->writer == NULL) {
        rill_reader_feed_eof(on->reader);
    } else if (op->kind == STREAM_SET_EXCEPTION) {
        /* Who takes the loss of a connection back waits for ever, as in asyncio. */
        const bool clears = op->aux == 0 && on->writer == NULL;
        rill_reader_set_exception(on->reader, clears ? NULL : error);
    } else if (op->kind == STREAM_SET_TRANSPORT && on->writer == NULL && other->writer != NULL) {
        other->unbounded = true; /* two readers pause and resume it */
        (void)rill_reader_set_transport(on->reader, rill_writer_transport(other->writer));
    }
    rill_error_unref(error);
}

static void move(void *run, const struct op *op)
{
    struct stream *stream = run;
    struct connection *on = &stream->connections[op->connection];

    if (!world_move_stage(&stream->stage, op) && on->reader != NULL) {
        move_reader(stream, on, op);
    }
}

void stream_world(struct stream *stream)
{
    static const struct world_ops ops = {move, world_turn_stage};
    world_play(stream->stage.script, &ops, stream);
}
