/* SPDX-License-Identifier: MIT
 *
 * stream: programs of up to four tasks on two connections in memory and a reader made by hand, with
 * a peer, cancellations, time and allocations that fail. The input is
 *
 *     flags      bit 0: cancel the tasks at the end; bit 1: a cancelled task goes on; bit 2: debug
 *                mode; bits 5 to 7 all set: a loop of its own, and with bit 3 it is freed with
 *                everything on it, with bit 4 it is a fair one
 *     number     of the first allocation that fails; 0: none
 *     count      of those that fail, less one
 *     limits     of the two readers: four bits each
 *     windows    of the two peers: four bits each
 *     script     script.h
 *
 * What must hold: every task ends when its peers have ended, or when it is cancelled; no byte is
 * lost, doubled or changed; buffers are bounded; calls answer what their headers say; and in the
 * end nothing is left, on the loop and of memory.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/mutator.h"
#include "simulated/stream.h"
#include "target.h"

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

const size_t mutator_head = 5;

static const size_t limits[16] = {65536, 1, 2, 3, 4, 5, 7, 8, 10, 16, 20, 32, 64, 100, 1000, 4096};
static const int windows[16] = {-1, 0,  1,  2,   3,    5,    8,     10,
                                16, 20, 64, 100, 1000, 4096, 65536, 100000};

struct settings {
    uint8_t flags;
    struct rig_plan plan;
    uint8_t limits;
    uint8_t windows;
};

static struct settings decode_settings(struct input *input)
{
    struct settings settings = {.flags = input_byte(input)};
    settings.plan.fresh = (settings.flags & STREAM_OWN_LOOP) == STREAM_OWN_LOOP;
    if (!settings.plan.fresh) {
        settings.flags &= STREAM_CANCELS | STREAM_GOES_ON | STREAM_DEBUG;
    }
    settings.plan.debug = (settings.flags & STREAM_DEBUG) != 0;
    settings.plan.fair_calls = (settings.flags & STREAM_FAIR) != 0 ? 1 : 0;
    settings.plan.fail_first = input_byte(input);
    settings.plan.fail_count = input_byte(input) + 1u;
    settings.limits = input_byte(input);
    settings.windows = input_byte(input);
    return settings;
}

static void print_script(const void *story)
{
    script_print(story, stream_world_names, stderr);
}

/* -- the beginning --------------------------------------------------------------------------- */

struct setup {
    struct stream *stream;
    const struct settings *settings;
};

static void open_one(struct stream *stream, unsigned i, const struct settings *settings)
{
    struct connection *on = &stream->connections[i];
    const size_t limit = limits[settings->limits >> (4 * i) & 15u];
    const int window = windows[settings->windows >> (4 * i) & 15u];
    const struct rill_connection_options options = {.limit = {true, (long long)limit}};
    const struct rill_memory_options memory = {.window = {window >= 0, window}};
    struct rill_memory_peer *peer;

    *on = (struct connection){.rig = &rig, .limit = limit, .window = memory.window};
    if (rill_open_memory_connection(&options, &memory, &on->reader, &on->writer, &peer) == 0) {
        on->peer_ops = &memory_peer_ops;
        on->peer = peer;
    }
}

static void make_reader(struct connection *by_hand)
{
    const struct rill_opt_int limit = {true, 10};
    *by_hand = (struct connection){.rig = &rig, .limit = (size_t)limit.value};
    (void)rill_reader_new(limit, &by_hand->reader);
}

/* Only what the script names: opening is half of a short run. */
static int open_all(void *arg)
{
    const struct setup *setup = arg;
    struct stream *stream = setup->stream;
    bool named[STREAM_CONNECTIONS] = {false};

    for (size_t i = 0; i < stream->stage.script->count; i++) {
        named[stream->stage.script->ops[i].connection] = true;
    }
    for (unsigned i = 0; i < STREAM_BY_HAND; i++) {
        if (named[i]) {
            open_one(stream, i, setup->settings);
        }
    }
    if (named[STREAM_BY_HAND]) {
        make_reader(&stream->connections[STREAM_BY_HAND]);
    }
    return 0;
}

/* -- what only this target has: the reader made by hand is fed ------------------------------- */

static _Noreturn void mismatch_feed(int rc)
{
    rig_print(&rig);
    (void)fprintf(stderr, "feed_data answered %s\n", rill_error_name(rc));
    abort();
}

static int feed(struct actor *actor, const struct op *op)
{
    struct connection *on = &actor->stage->connections[STREAM_BY_HAND];
    const size_t size = script_size(op->amount);
    if (on->reader == NULL || on->sent + size > TEXT_SIZE) {
        return 0;
    }
    const int rc = rill_reader_feed_data(on->reader, text_at(on->sent), size);
    if (rc < 0 && rc != RILL_EASSERTION && rig.allocations.failed == 0) {
        mismatch_feed(rc);
    }
    on->sent += rc == 0 ? size : 0;
    return 0;
}

/* -- the end --------------------------------------------------------------------------------- */

static void end_peacefully(struct stream *stream)
{
    stage_settle(&stream->stage);
    for (unsigned i = 0; i < STREAM_CONNECTIONS; i++) {
        connection_let_go(&stream->connections[i]);
    }
    rig_settle_until(&rig, INFINITY);
    stage_check_over(&stream->stage);
}

/* The transports need turns to hear of it. */
static void free_connections(struct stream *stream)
{
    for (unsigned i = 0; i < STREAM_CONNECTIONS; i++) {
        connection_let_go(&stream->connections[i]);
    }
    for (unsigned i = 0; i < STREAM_CONNECTIONS; i++) {
        connection_free_pair(&stream->connections[i]);
    }
    rig_settle_until(&rig, INFINITY);
    for (unsigned i = 0; i < STREAM_CONNECTIONS; i++) {
        connection_check_end(&stream->connections[i]);
        connection_free(&stream->connections[i]);
    }
}

/* The loop goes with everything that is on it; pairs and peers are still the caller's. */
static void drop_everything(struct stream *stream)
{
    rig_free_loop(&rig);
    for (unsigned i = 0; i < STREAM_CONNECTIONS; i++) {
        connection_free(&stream->connections[i]);
    }
}

static void end_run(struct stream *stream, uint8_t flags)
{
    if ((flags & STREAM_DROPS) != 0) {
        stage_cleanup(&stream->stage);
        drop_everything(stream);
        return;
    }
    if ((flags & STREAM_CANCELS) != 0) {
        stage_cancel(&stream->stage);
    } else {
        end_peacefully(stream);
    }
    stage_cleanup(&stream->stage);
    free_connections(stream);
    rig_check_idle(&rig);
}

static void play(struct input *input)
{
    const struct settings settings = decode_settings(input);
    struct script script;
    struct stream stream = {.stage = {.rig = &rig, .script = &script, .special = feed}};
    struct setup setup = {&stream, &settings};

    script_decode(&script, input, STREAM_CONNECTIONS, STREAM_WORLD_KINDS);
    stream.stage.connections = stream.connections;
    stream.stage.connection_count = STREAM_CONNECTIONS;
    stream.stage.drops = (settings.flags & STREAM_DROPS) != 0;
    /* A task that swallows cancellations is thrown away with the loop, and its calls never end. */
    stream.stage.goes_on = (settings.flags & (STREAM_GOES_ON | STREAM_DROPS)) == STREAM_GOES_ON;
    rig_story(&rig, print_script, &script);
    if (rig_begin(&rig, &settings.plan)) {
        (void)rig_run(&rig, open_all, &setup);
        stage_start(&stream.stage);
        stream_world(&stream);
        allocations_heal(&rig.allocations);
        end_run(&stream, settings.flags);
    }
    rig_end(&rig);
    rig_story(&rig, NULL, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    text_init();
    rig_init(&rig, rig_warm_up, &rig);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    play(&input);
    return 0;
}
