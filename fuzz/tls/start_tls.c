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
#include "start_tls_script.h"
#include "target.h"

enum { TURNS_MAX = 50000, DEADLINES_MAX = 300, PATIENCE_S = 200 };

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

struct actor {
    struct run *run;
    unsigned number;
    struct rill_task *task; /* NULL: none */
    size_t at;              /* in the script */
};

struct run {
    const struct start_tls_script *script;
    struct near_end near;
    struct far_end far;
    struct actor actors[TASKS];
    struct rill_task *opener;
    bool carries;
    bool interfered; /* the world did what loses bytes */
};

/* -- the ends ---------------------------------------------------------------------------------- */

static _Noreturn void invariant_task_lost(unsigned number)
{
    rig_print(&rig);
    (void)fprintf(stderr, "task %u waits, and nothing will wake it\n", number);
    abort();
}

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

/* -- tasks ------------------------------------------------------------------------------------- */

static const struct step *next_step(struct actor *actor)
{
    const struct start_tls_script *const script = actor->run->script;
    while (actor->at < script->count) {
        const struct step *const step = &script->steps[actor->at++];
        if (step->actor == actor->number) {
            return step;
        }
    }
    return NULL;
}

static int run_step(void *arg)
{
    struct actor *const actor = arg;
    const struct step *const step = next_step(actor);

    if (step == NULL) {
        return 0;
    }
    if (step->kind == TASK_TIMEOUT) {
        const struct rill_opt_real seconds = {true, step->amount / 10.0};
        const int rc = rill_wait_for(run_step, actor, seconds);
        actor->run->near.failed = actor->run->near.failed || rc < 0;
        return rc;
    }
    if (step->kind == TASK_CANCELS) {
        struct rill_task *const other = actor->run->actors[1 - actor->number].task;
        if (other != NULL) {
            (void)rill_task_cancel(other);
        }
        return 0;
    }
    return near_end_perform(&actor->run->near, step->kind, step->amount, step->aux);
}

static int act(void *arg)
{
    struct actor *const actor = arg;
    const bool goes_on = (actor->run->script->flags & FLAG_GOES_ON) != 0;
    int rc = 0;

    while (actor->at < actor->run->script->count && (rc != RILL_ECANCELLED || goes_on)) {
        rc = run_step(actor);
    }
    return rc == RILL_ECANCELLED ? rc : 0;
}

static int open_and_start(void *arg)
{
    struct run *const run = arg;
    const int rc = near_end_open(&run->near);

    for (unsigned i = 0; i < TASKS && rc == 0; i++) {
        struct actor *const actor = &run->actors[i];
        *actor = (struct actor){.run = run, .number = i};
        (void)rill_task_create(act, actor, NULL, &actor->task);
    }
    return rc == RILL_ECANCELLED ? rc : 0;
}

static bool is_over(const struct run *run)
{
    bool over = run->opener == NULL || rill_task_done(run->opener);
    for (unsigned i = 0; i < TASKS; i++) {
        over = over && (run->actors[i].task == NULL || rill_task_done(run->actors[i].task));
    }
    return over;
}

static void check_over(const struct run *run)
{
    if (run->opener != NULL && !rill_task_done(run->opener)) {
        invariant_task_lost(TASKS);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        if (run->actors[i].task != NULL && !rill_task_done(run->actors[i].task)) {
            invariant_task_lost(i);
        }
    }
}

static void cancel(struct rill_task *task)
{
    if (task != NULL && !rill_task_done(task)) {
        (void)rill_task_cancel(task);
    }
}

static void cancel_all(struct run *run)
{
    cancel(run->opener);
    for (unsigned i = 0; i < TASKS; i++) {
        cancel(run->actors[i].task);
    }
}

static void free_tasks(struct run *run)
{
    rill_task_free(run->opener);
    run->opener = NULL;
    for (unsigned i = 0; i < TASKS; i++) {
        rill_task_free(run->actors[i].task);
        run->actors[i].task = NULL;
    }
}

/* -- the world --------------------------------------------------------------------------------- */

static bool carry(struct run *run)
{
    const size_t waiting = run->far.raw.length;
    far_end_send(&run->far, SIZE_MAX);
    return far_end_take(&run->far, SIZE_MAX) || run->far.raw.length != waiting;
}

static bool turn(struct run *run)
{
    const bool ran = rill_loop_step(rig.loop);
    judge_queue();
    return (run->carries && carry(run)) || ran;
}

/* A protocol's own buffer is filled once a turn, and is small. */
static size_t turns_to_rest(const struct run *run)
{
    return TURNS_MAX + run->far.said / MANNERS_SPACE_MIN;
}

static void settle(struct run *run)
{
    const size_t at_most = turns_to_rest(run);
    for (size_t i = 0; i < at_most; i++) {
        if (!turn(run)) {
            return;
        }
    }
    rig_print(&rig);
    invariant_no_quiet();
}

/* Time moves when nothing else does. */
static void settle_until(struct run *run, double until)
{
    struct rill_loop_state state;

    for (int i = 0; i < DEADLINES_MAX; i++) {
        settle(run);
        rill_observe_loop(rig.loop, &state);
        if (state.timers == 0 || state.next_timer > until) {
            rig.kernel.now = isfinite(until) && until > rig.kernel.now ? until : rig.kernel.now;
            return;
        }
        rig.kernel.now = state.next_timer > rig.kernel.now ? state.next_timer : rig.kernel.now;
    }
    rig_print(&rig);
    invariant_no_quiet();
}

static void end_line(struct run *run, enum world_op op)
{
    const enum far_ending how = op == WORLD_FIN     ? FAR_FIN
                                : op == WORLD_RESET ? FAR_RESET
                                                    : FAR_CLOSE;
    if (far_end_end(&run->far, how)) {
        run->interfered = true;
    }
}

static void set_window(struct run *run, const struct step *step)
{
    const struct rill_opt_int window = {step->aux != 0, 64LL * step->amount};
    far_end_set_window(&run->far, window);
}

static void cancel_one(struct run *run, unsigned who)
{
    cancel(who < TASKS ? run->actors[who].task : run->opener);
}

static void tamper(struct run *run, const struct step *step)
{
    run->near.doubtful = run->near.doubtful || !run->near.secure;
    if (step->kind == WORLD_FLIP) {
        wire_flip(&run->far.raw, step->amount, (unsigned char)step->aux);
    } else {
        wire_insert(&run->far.raw, step->aux, step->bytes);
    }
}

static void speak(struct run *run, const struct step *step)
{
    struct far_end *const far = &run->far;
    static const unsigned char types[] = {21, 22, 23, 20, 24, 0};
    const size_t size = (size_t)step->amount << (step->aux % 4 == 3 ? 8 : 0);

    switch ((enum world_op)step->kind) {
    case WORLD_SAY:
        far_end_say(far, size);
        break;
    case WORLD_GOODBYE:
        far_end_say_goodbye(far);
        break;
    case WORLD_UPDATE_KEY:
        far_end_update_key(far, (step->amount & 1) != 0);
        break;
    case WORLD_RENEGOTIATE:
        near_end_meet_early(&run->near); /* in clear there is nothing else to negotiate */
        far_end_renegotiate(far);
        break;
    default:
        far_end_forge(far, types[step->aux % sizeof types], step->bytes);
        break;
    }
}

static void move_world(struct run *run, const struct step *step)
{
    switch ((enum world_op)step->kind) {
    case WORLD_TURN:
        for (unsigned i = 0; i < step->amount % 16; i++) {
            (void)turn(run);
        }
        break;
    case WORLD_SEND:
        far_end_send(&run->far, step->amount);
        break;
    case WORLD_TAKE:
        (void)far_end_take(&run->far, step->amount);
        break;
    case WORLD_FIN:
    case WORLD_RESET:
    case WORLD_CLOSE:
        end_line(run, step->kind);
        break;
    case WORLD_FLIP:
    case WORLD_INSERT:
        tamper(run, step);
        break;
    case WORLD_WINDOW:
        set_window(run, step);
        break;
    case WORLD_ADVANCE:
        settle_until(run, rig.kernel.now + step->amount);
        break;
    case WORLD_CANCEL:
        cancel_one(run, step->amount % (TASKS + 1));
        break;
    default:
        speak(run, step);
        break;
    }
    (void)turn(run);
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
    settle(run); /* it may not even be connected */
    far_end_set_window(&run->far, no_limit);
    settle(run);
    run->near.stalled = run->near.stalled || shakes_hands(run);
    far_end_say_goodbye(&run->far);
    settle(run);
    (void)far_end_end(&run->far, FAR_FIN);
}

static struct rill_transport *transport_of(const struct run *run)
{
    return run->near.writer != NULL ? rill_writer_transport(run->near.writer) : run->near.transport;
}

static void end_tasks(struct run *run)
{
    settle_until(run, rig.kernel.now + PATIENCE_S);
    for (int i = 0; i < OPS_MAX && !is_over(run); i++) {
        if ((run->script->flags & FLAG_CANCELS) != 0) {
            cancel_all(run);
        } else if (transport_of(run) != NULL) {
            rill_transport_resume_reading(transport_of(run));
            rill_transport_close(transport_of(run));
            run->near.closed = true;
        }
        settle_until(run, rig.kernel.now + PATIENCE_S);
    }
    check_over(run);
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
    free_tasks(run);
    if (rill_task_create(finish, &run->near, &options, &run->opener) == 0) {
        settle_until(run, rig.kernel.now + PATIENCE_S);
        check_over(run);
    }
    judge_whole(run);
    free_tasks(run);
    near_end_cleanup(&run->near);
    settle_until(run, INFINITY);
    rig_check_idle(&rig);
}

/* The loop goes with everything that is on it; the pair and the pipe are still the caller's. */
static void drop_everything(struct run *run)
{
    allocations_heal(&rig.allocations);
    free_tasks(run);
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
    (void)rill_task_create(open_and_start, &run, &options, &run.opener);
    for (size_t i = 0; i < script->count; i++) {
        if (script->steps[i].actor == TASKS) {
            move_world(&run, &script->steps[i]);
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
