/* SPDX-License-Identifier: MIT
 *
 * The world: what it carries, says and does to the line, and when its time moves.
 */
#include <math.h>

#include "judge.h"
#include "start_tls_run.h"

enum { TURNS_MAX = 50000, DEADLINES_MAX = 300 };

static bool carry(struct run *run)
{
    const size_t waiting = run->far.raw.length;
    far_end_send(&run->far, SIZE_MAX);
    return far_end_take(&run->far, SIZE_MAX) || run->far.raw.length != waiting;
}

static bool turn(struct run *run)
{
    const bool ran = rill_loop_step(run->near.rig->loop);
    judge_queue();
    return (run->carries && carry(run)) || ran;
}

/* A protocol's own buffer is filled once a turn, and is small. */
static size_t turns_to_rest(const struct run *run)
{
    return TURNS_MAX + run->far.said / MANNERS_SPACE_MIN;
}

void run_settle(struct run *run)
{
    const size_t at_most = turns_to_rest(run);
    for (size_t i = 0; i < at_most; i++) {
        if (!turn(run)) {
            return;
        }
    }
    rig_print(run->near.rig);
    invariant_no_quiet();
}

/* Time moves when nothing else does. */
void run_settle_until(struct run *run, double until)
{
    struct rill_loop_state state;

    for (int i = 0; i < DEADLINES_MAX; i++) {
        run_settle(run);
        rill_observe_loop(run->near.rig->loop, &state);
        if (state.timers == 0 || state.next_timer > until) {
            run->near.rig->kernel.now = isfinite(until) && until > run->near.rig->kernel.now
                                            ? until
                                            : run->near.rig->kernel.now;
            return;
        }
        run->near.rig->kernel.now = state.next_timer > run->near.rig->kernel.now
                                        ? state.next_timer
                                        : run->near.rig->kernel.now;
    }
    rig_print(run->near.rig);
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

void run_move_world(struct run *run, const struct step *step)
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
        run_settle_until(run, run->near.rig->kernel.now + step->amount);
        break;
    case WORLD_CANCEL:
        run_cancel_one(run, step->amount % (TASKS + 1));
        break;
    default:
        speak(run, step);
        break;
    }
    (void)turn(run);
}
