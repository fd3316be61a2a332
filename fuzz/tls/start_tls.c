/* SPDX-License-Identifier: MIT
 *
 * Target `start_tls`: programs of two tasks on one connection in memory whose other end is OpenSSL:
 * in clear, over TLS from the beginning, made TLS at any time, TLS in TLS; with a peer that is
 * silent, sends garbage, or ends anywhere, with cancellation, timeouts in virtual time, and
 * allocations that fail.
 *
 * What must hold: every task ends; calls answer as documented; nothing leaves in clear behind
 * start_tls; what is read is what was written, and all of it when nobody interfered; an end is
 * clean only behind a close_notify; a protocol is told in order; and nothing is left.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "by_hand.h"
#include "judge.h"
#include "start_tls_run.h"
#include "target.h"

enum { PATIENCE_S = 200 };

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

/* -- the ends ---------------------------------------------------------------------------------- */

static _Noreturn void invariant_handshake_stalled(void)
{
    rig_print(&rig);
    (void)fprintf(stderr, "a handshake that nobody disturbed waited for its timeout\n");
    abort();
}

static _Noreturn void invariant_handshake_not_shared(unsigned depth)
{
    rig_print(&rig);
    (void)fprintf(stderr, "layer %u is made on rill's side, not on the other\n", depth);
    abort();
}

/* -- the end of a run -------------------------------------------------------------------------- */

/* What could be carried has been. */
static bool shakes_hands(const struct run *run)
{
    const bool opens = run->opener != NULL && !rill_task_done(run->opener);
    return opens || run->near.upgrading;
}

/* The peer is there again, has said everything, and listens. */
static void make_peace(struct run *run)
{
    const struct rill_opt_int no_limit = {false, 0};

    run->carries = true;
    run_settle(run); /* it may not even be connected */
    far_end_set_window(&run->far, no_limit);
    run_settle(run);
    run->near.stalled = run->near.stalled || shakes_hands(run);
    far_end_say_goodbye(&run->far);
    run_settle(run);
    (void)far_end_end(&run->far, FAR_FIN);
}

static struct rill_transport *transport_of(const struct run *run)
{
    return run->near.writer != NULL ? rill_writer_transport(run->near.writer) : run->near.transport;
}

static void end_tasks(struct run *run)
{
    run_settle_until(run, rig.kernel.now + PATIENCE_S);
    for (int i = 0; i < OPS_MAX && !run_is_over(run); i++) {
        if ((run->script->flags & FLAG_CANCELS) != 0) {
            run_cancel_all(run);
        } else if (transport_of(run) != NULL) {
            rill_transport_resume_reading(transport_of(run));
            rill_transport_close(transport_of(run));
            run->near.closed = true;
        }
        run_settle_until(run, rig.kernel.now + PATIENCE_S);
    }
    run_check_over(run);
}

static int finish(void *arg)
{
    return near_end_finish(arg);
}

/* A server follows no renegotiation, and a client of OpenSSL's ends then. */
static bool was_refused(const struct peer *peer)
{
    return peer->failed && peer->renegotiates && SSL_is_server(peer->ssl) == 0;
}

/* A layer of the far end's that a renegotiation has ended carries nothing of those above it. */
static bool has_dropped_out(const struct run *run)
{
    bool dropped = false;
    for (unsigned i = 0; i < run->far.depth; i++) {
        const struct peer *const peer = &run->far.layers[i].peer;
        dropped = dropped || peer->stuck || was_refused(peer);
    }
    return dropped;
}

/* Nobody did what may lose something, and nothing has failed. */
static bool is_whole(const struct run *run)
{
    const bool whole = run->near.opened && !run->near.failed && !run->near.cancelled &&
                       !run->near.met_early && !run->near.closed && !run->near.garbled &&
                       !run->interfered && !run->far.raw.tampered && !run->far.failed &&
                       rig.allocations.failed == 0;
    return whole && !has_dropped_out(run);
}

/* Then each layer of TLS that rill took for made is one on the other side. */
static void judge_handshakes(const struct run *run)
{
    for (unsigned i = 0; i < run->far.depth; i++) {
        const struct peer *const peer = &run->far.layers[i].peer;
        if (!peer->handshaken || peer->failed) {
            invariant_handshake_not_shared(i);
        }
    }
}

/* Time moves when nothing else does: over a line that carries by itself a handshake needs none. */
static void judge_time(const struct run *run)
{
    const struct near_end *const near = &run->near;
    const bool carried = (run->script->flags & FLAG_BY_WORLD) == 0;

    if (near->stalled && carried && !run->interfered && !run->far.raw.tampered &&
        !run->far.failed && !near->cancelled && !near->closed && !near->garbled && !near->paused &&
        near->swallowed == 0 && !has_dropped_out(run) && !near->by_hand.manners.pauses &&
        rig.allocations.failed == 0) {
        invariant_handshake_stalled();
    }
}

static void judge_whole(const struct run *run)
{
    const struct rill_writer *const writer = run->near.writer;
    const enum rill_tls_end end = writer != NULL ? rill_writer_tls_end(writer) : RILL_TLS_NONE;

    if (end == RILL_TLS_CLEAN && !run->far.goodbye) {
        invariant_end_without_close_notify();
    }
    judge_time(run);
    if (!is_whole(run)) {
        return;
    }
    judge_handshakes(run);
    if (writer == NULL) {
        return;
    }
    if (run->near.heard != run->far.said) {
        invariant_bytes_lost("the peer's", run->near.heard, run->far.said);
    }
    if (run->far.heard != run->near.said) {
        invariant_bytes_lost("rill's", run->far.heard, run->near.said);
    }
    if (far_end_topmost_ended(&run->far) && end != RILL_TLS_CLEAN) {
        invariant_end_not_told();
    }
}

static void end_run(struct run *run)
{
    const struct rill_task_options options = {.loop = rig.loop};

    allocations_heal(&rig.allocations);
    make_peace(run);
    end_tasks(run);
    run_free_tasks(run);
    if (rill_task_create(finish, &run->near, &options, &run->opener) == 0) {
        run_settle_until(run, rig.kernel.now + PATIENCE_S);
        run_check_over(run);
    }
    judge_whole(run);
    run_free_tasks(run);
    near_end_cleanup(&run->near);
    run_settle_until(run, INFINITY);
    rig_check_idle(&rig);
}

/* The loop goes with everything that is on it; the pair and the pipe are still the caller's. */
static void drop_everything(struct run *run)
{
    allocations_heal(&rig.allocations);
    run_free_tasks(run);
    rig_free_loop(&rig);
    near_end_cleanup(&run->near);
}

static void play(const struct start_tls_script *script)
{
    const struct rill_task_options options = {.loop = rig.loop};
    struct run run = {.script = script, .carries = (script->flags & FLAG_BY_WORLD) == 0};

    far_end_init(&run.far, material_get(), &script->peer);
    run.far.narrow = script->window.given;
    run.near = (struct near_end){.rig = &rig,
                                 .material = material_get(),
                                 .far = &run.far,
                                 .kind = script->kind,
                                 .context = script->context,
                                 .limit = script->limit,
                                 .window = script->window,
                                 .by_hand.manners = script->manners};
    (void)rill_task_create(run_open_and_start, &run, &options, &run.opener);
    for (size_t i = 0; i < script->count; i++) {
        if (script->steps[i].actor == TASKS) {
            run_move_world(&run, &script->steps[i]);
        }
    }
    if (script->plan.fresh) {
        drop_everything(&run);
    } else {
        end_run(&run);
    }
    by_hand_check(&run.near.by_hand);
    far_end_cleanup(&run.far);
}

/* -- the engine's calls ------------------------------------------------------------------------ */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    repeatable_install();
    judge_watch(&rig.allocations);
    rig_init(&rig, rig_warm_up, &rig);
    (void)material_get();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program = {data, size};
    struct start_tls_script script;

    start_tls_decode(&script, &program);
    repeatable_restart();
    rig_story(&rig, start_tls_print, &script);
    if (rig_begin(&rig, &script.plan)) {
        play(&script);
    }
    judge_queue();
    rig_end(&rig);
    rig_story(&rig, NULL, NULL);
    return 0;
}
