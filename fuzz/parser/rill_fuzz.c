/* SPDX-License-Identifier: MIT
 *
 * A handler under a fuzzer: decodes the plan, plays it step by step, looks whether everything is
 * back when the handler has ended.
 */
#include "rill_fuzz.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/observe.h>
#include <rill/rill.h>

#define PLAN_FOLLOWS 0xFF
#define HURRY        0x80
#define TURNS_MAX    100000U
#define SHOWN_MAX    64U

enum step_kind {
    STEP_CHUNK,
    STEP_CHUNK_TOO, /* twice, so that an input drawn at random cuts more often than it ends */
    STEP_LARGE_CHUNK,
    STEP_SINGLE_BYTES,
    STEP_TIME,
    STEP_WINDOW,
    STEP_END,
    STEP_CANCEL,
    STEP_KINDS
};

enum end_kind { END_EOF, END_RESET, END_CLOSE, END_SILENCE, END_KINDS };

struct input {
    struct rill_bytes data;
    struct rill_bytes plan;
};

struct play {
    rill_client_connected_task *handler;
    void *arg;
    struct rill_connection_options connection;
    struct rill_loop *loop;
    struct rill_task *task;
    struct rill_memory_peer *peer; /* NULL until the connection is made */
    double now;                    /* seconds */
    size_t turns;
    struct rill_bytes left; /* of the data, not sent yet */
    bool ended;             /* the peer sends nothing more */
    bool silent;            /* nor does it end its side */
    bool traced;
};

struct outcome {
    int result;
    char *written; /* owned */
    size_t written_len;
};

/* -- what ends the process: each reason has a function of its own, so that finds sort themselves -
 */

static _Noreturn void rill_fuzz_never_ended(void)
{
    fputs("the handler waits, and nothing will come any more\n", stderr);
    abort();
}

static _Noreturn void rill_fuzz_spins(void)
{
    fprintf(stderr, "the loop made %u turns, and there is no end of it\n", TURNS_MAX);
    abort();
}

static _Noreturn void rill_fuzz_left_behind(const struct rill_loop_state *state)
{
    fprintf(stderr, "left behind: tasks=%zu timers=%zu connections=%zu watchers=%zu\n",
            state->tasks, state->timers, state->transports, state->watchers);
    abort();
}

static void print_outcome(const char *label, const struct outcome *outcome)
{
    fprintf(stderr, "%s: result=%d written=%zu bytes: ", label, outcome->result,
            outcome->written_len);
    fwrite(outcome->written, 1, outcome->written_len, stderr);
    fputc('\n', stderr);
}

static _Noreturn void rill_fuzz_cuts_matter(const struct outcome *cut, const struct outcome *whole)
{
    print_outcome("cut as planned", cut);
    print_outcome("in one chunk", whole);
    abort();
}

static bool same_outcome(const struct outcome *one, const struct outcome *other)
{
    return one->result == other->result && one->written_len == other->written_len &&
           (one->written_len == 0 || memcmp(one->written, other->written, one->written_len) == 0);
}

/* -- RILL_FUZZ_TRACE ------------------------------------------------------------------------- */

static void trace(const struct play *play, const char *what, double number)
{
    if (play->traced) {
        fprintf(stderr, "[%g s] %s %g\n", play->now, what, number);
    }
}

static void trace_bytes(const struct play *play, struct rill_bytes bytes)
{
    if (!play->traced) {
        return;
    }
    fprintf(stderr, "[%g s] peer sends %zu bytes: ", play->now, bytes.len);
    for (size_t i = 0; i < bytes.len && i < SHOWN_MAX; i++) {
        const unsigned char byte = (unsigned char)bytes.ptr[i];
        fprintf(stderr, byte >= 0x20 && byte < 0x7F && byte != '\\' ? "%c" : "\\x%02x", byte);
    }
    fputs(bytes.len > SHOWN_MAX ? " ...\n" : "\n", stderr);
}

/* -- the handler's task ---------------------------------------------------------------------- */

static int run_handler(void *arg)
{
    struct play *play = arg;
    struct rill_reader *reader;
    struct rill_writer *writer;
    int rc = rill_open_memory_connection(&play->connection, NULL, &reader, &writer, &play->peer);
    if (rc < 0) {
        return rc;
    }
    rc = play->handler(reader, writer, play->arg);
    rill_writer_close(writer); /* as a server does behind its handler */
    rill_writer_free(writer);
    return rc;
}

/* -- the loop and its time ------------------------------------------------------------------- */

static double tell_time(void *arg)
{
    const struct play *play = arg;
    return play->now;
}

/* What the loop has to say is said by trace or by the handler's own assertions. */
static void swallow_log(void *arg, enum rill_log_level level, const char *text,
                        const struct rill_error *exception)
{
    const struct play *play = arg;
    if (play->traced) {
        fprintf(stderr, "[%g s] log %d: %s%s%s\n", play->now, (int)level, text,
                exception != NULL ? ": " : "", exception != NULL ? exception->text : "");
    }
}

/* Turns until nothing more can be done at this moment. */
static void settle(struct play *play)
{
    while (rill_loop_step(play->loop)) {
        if (++play->turns > TURNS_MAX) {
            rill_fuzz_spins();
        }
    }
}

static double next_timer(const struct play *play)
{
    struct rill_loop_state state;
    rill_observe_loop(play->loop, &state);
    return state.timers > 0 ? state.next_timer : INFINITY;
}

/* Time moves from timer to timer, and what is due at each runs before it moves on. */
static void pass_time(struct play *play, double until)
{
    for (double next = next_timer(play); next <= until; next = next_timer(play)) {
        play->now = fmax(play->now, next);
        settle(play);
    }
    play->now = isinf(until) ? play->now : until;
}

/* As pass_time, for as long as the handler needs; a timer that it has left behind is not awaited.
 */
static void wait_for_handler(struct play *play)
{
    settle(play);
    for (double next = next_timer(play); !rill_task_done(play->task) && !isinf(next);
         next = next_timer(play)) {
        play->now = fmax(play->now, next);
        settle(play);
    }
}

/* -- the steps ------------------------------------------------------------------------------- */

static void send_chunk(struct play *play, size_t count)
{
    const struct rill_bytes chunk = {play->left.ptr,
                                     count < play->left.len ? count : play->left.len};
    if (play->ended || chunk.len == 0) {
        return;
    }
    trace_bytes(play, chunk);
    (void)rill_memory_peer_send(play->peer, chunk.ptr, chunk.len);
    play->left.ptr += chunk.len;
    play->left.len -= chunk.len;
}

static void send_single_bytes(struct play *play, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        send_chunk(play, 1);
        settle(play);
    }
}

static void end_peer(struct play *play, enum end_kind kind)
{
    static const char *const names[] = {"peer ends its side", "peer resets", "peer closes",
                                        "peer falls silent"};
    if (play->ended) {
        return;
    }
    play->ended = true;
    trace(play, names[kind], kind);
    switch (kind) {
    case END_RESET:
        rill_memory_peer_reset(play->peer);
        break;
    case END_CLOSE:
        rill_memory_peer_close(play->peer);
        break;
    case END_SILENCE:
        play->silent = true;
        break;
    default:
        rill_memory_peer_shutdown_write(play->peer);
        break;
    }
}

static void set_reading(struct play *play, bool reads)
{
    trace(play, "peer reads:", reads);
    rill_memory_peer_set_window(play->peer, (struct rill_opt_int){!reads, 0});
}

static void cancel_handler(struct play *play)
{
    trace(play, "cancel:", rill_task_cancel(play->task));
}

static void take_step(struct play *play, unsigned char byte)
{
    const unsigned n = byte >> 3U & 15U;
    switch ((enum step_kind)(byte % STEP_KINDS)) {
    case STEP_LARGE_CHUNK:
        send_chunk(play, 16U * (n + 1U));
        break;
    case STEP_SINGLE_BYTES:
        send_single_bytes(play, n + 1U);
        break;
    case STEP_TIME:
        trace(play, "seconds pass:", ldexp(1.0, (int)n - 4));
        pass_time(play, play->now + ldexp(1.0, (int)n - 4));
        break;
    case STEP_WINDOW:
        set_reading(play, n % 2 == 1);
        break;
    case STEP_END:
        end_peer(play, (enum end_kind)(n % END_KINDS));
        break;
    case STEP_CANCEL:
        cancel_handler(play);
        break;
    default:
        send_chunk(play, n + 1U);
        break;
    }
    if ((byte & HURRY) == 0) {
        settle(play);
    }
}

/* -- one play -------------------------------------------------------------------------------- */

/* Behind the plan: the rest, the end, and all the time that the handler takes. A peer that says
 * nothing waits for the handler's own deadline, and then somebody loses patience. */
static void finish(struct play *play)
{
    send_chunk(play, play->left.len);
    end_peer(play, END_EOF);
    set_reading(play, true);
    wait_for_handler(play);
    if (play->silent && !rill_task_done(play->task)) {
        cancel_handler(play);
        wait_for_handler(play);
    }
    if (!rill_task_done(play->task)) {
        rill_fuzz_never_ended();
    }
}

static void check_nothing_is_left(const struct play *play)
{
    struct rill_loop_state state;
    rill_observe_loop(play->loop, &state);
    if (state.tasks > 0 || state.timers > 0 || state.transports > 0 || state.watchers > 0) {
        rill_fuzz_left_behind(&state);
    }
}

static void keep_outcome(struct play *play, struct outcome *outcome)
{
    const struct rill_bytes written = rill_memory_peer_received(play->peer);
    outcome->result = rill_task_result(play->task);
    outcome->written = malloc(written.len + 1);
    outcome->written_len = outcome->written != NULL ? written.len : 0;
    if (outcome->written_len > 0) {
        memcpy(outcome->written, written.ptr, written.len);
    }
}

static void play_connection(struct play *play, struct rill_bytes plan, struct outcome *outcome)
{
    settle(play); /* the connection is made, and the handler waits for its first bytes */
    if (play->peer == NULL) {
        outcome->result = rill_task_result(play->task);
        return;
    }
    for (size_t i = 0; i < plan.len; i++) {
        take_step(play, (unsigned char)plan.ptr[i]);
    }
    finish(play);
    keep_outcome(play, outcome);
    rill_memory_peer_close(play->peer);
    settle(play);
    check_nothing_is_left(play);
    rill_memory_peer_free(play->peer);
}

static void play_input(struct play play, struct input input, struct outcome *outcome)
{
    const struct rill_clock clock = {.now = tell_time, .arg = &play};
    const struct rill_loop_options options = {
        .clock = &clock, .log = swallow_log, .log_arg = &play};
    struct rill_task_options task = {.name = "handler"};

    play.left = input.data;
    outcome->result = rill_loop_new(&options, &play.loop);
    if (outcome->result < 0) {
        return;
    }
    task.loop = play.loop;
    outcome->result = rill_task_create(run_handler, &play, &task, &play.task);
    if (outcome->result == 0) {
        play_connection(&play, input.plan, outcome);
        rill_task_free(play.task);
    }
    rill_loop_free(play.loop);
}

/* -- the input ------------------------------------------------------------------------------- */

static struct input read_input(const char *data, size_t size)
{
    size_t plan = size;
    while (plan > 0 && (unsigned char)data[plan - 1] != PLAN_FOLLOWS) {
        plan--;
    }
    if (plan == 0) {
        return (struct input){.data = {data, size}};
    }
    return (struct input){.data = {data, plan - 1}, .plan = {data + plan, size - plan}};
}

/* Nothing but chunks: then the network alone decides how it comes. */
static bool only_cuts(struct rill_bytes plan)
{
    for (size_t i = 0; i < plan.len; i++) {
        if ((unsigned char)plan.ptr[i] % STEP_KINDS > STEP_SINGLE_BYTES) {
            return false;
        }
    }
    return plan.len > 0;
}

int rill_fuzz_run(const void *data, size_t size, rill_client_connected_task *handler, void *arg,
                  const struct rill_fuzz_options *options)
{
    const struct play play = {.handler = handler,
                              .arg = arg,
                              .connection.limit =
                                  options != NULL ? options->limit : (struct rill_opt_int){0},
                              .traced = getenv("RILL_FUZZ_TRACE") != NULL};
    const struct input input = read_input(data, size);
    struct outcome cut = {0};
    struct outcome whole = {0};

    play_input(play, input, &cut);
    if (options != NULL && options->compare_whole && only_cuts(input.plan)) {
        play_input(play, (struct input){.data = input.data}, &whole);
        if (!same_outcome(&cut, &whole)) {
            rill_fuzz_cuts_matter(&cut, &whole);
        }
    }
    free(cut.written);
    free(whole.written);
    return cut.result;
}
