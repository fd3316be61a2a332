/* SPDX-License-Identifier: MIT
 *
 * Tasks that go through a script, and their ends.
 */
#include "simulated/actor.h"

#include <stdlib.h>

/* -- what must not be ------------------------------------------------------------------------ */

static _Noreturn void invariant_task_lost(const struct stage *stage, const struct actor *actor)
{
    rig_print(stage->rig);
    (void)fprintf(stderr, "task %u waits at its operation %zu, and nothing will wake it\n",
                  actor->number, actor->done);
    abort();
}

static _Noreturn void invariant_cancel_wakes(const struct stage *stage, const struct actor *actor)
{
    rig_print(stage->rig);
    (void)fprintf(stderr, "task %u was cancelled and waits on at its operation %zu\n",
                  actor->number, actor->done);
    abort();
}

/* -- a task ---------------------------------------------------------------------------------- */

static const struct op *next_op(const struct actor *actor, size_t *at)
{
    const struct script *script = actor->stage->script;
    while (*at < script->count) {
        const struct op *op = &script->ops[(*at)++];
        if (op->actor == actor->number) {
            return op;
        }
    }
    return NULL;
}

struct step {
    struct actor *actor;
    size_t at;
};

static int run_step(void *arg);

static int under_timeout(struct step *step, const struct op *op)
{
    struct rill_timeout scope;
    rill_timeout_enter(&scope, script_seconds(op->amount));
    if ((op->aux & 1u) != 0) {
        (void)rill_timeout_reschedule(&scope, rill_loop_time(rill_running_loop()));
    }
    return rill_timeout_exit(&scope, run_step(step));
}

/* One operation, with those that stand around it. */
static int run_step(void *arg)
{
    struct step *step = arg;
    const struct op *op = next_op(step->actor, &step->at);
    const struct rill_opt_real timeout_s = {true, op != NULL ? script_seconds(op->amount) : 0};
    if (op == NULL) {
        return 0;
    }
    if (op->kind == OP_TIMEOUT) {
        return under_timeout(step, op);
    }
    if (op->kind == OP_WAIT_FOR) {
        return rill_wait_for(run_step, step, timeout_s);
    }
    return perform(step->actor, op);
}

int actor_run(void *arg)
{
    struct actor *actor = arg;
    struct step step = {.actor = actor};
    int rc = 0;

    while (step.at < actor->stage->script->count &&
           (rc == 0 || (rc == RILL_ECANCELLED && actor->stage->goes_on))) {
        const size_t before = step.at;
        rc = run_step(&step);
        rc = rc == RILL_ECANCELLED || rc <= RILL_EUSER ? rc : 0; /* the others were judged */
        actor->done += step.at - before;
    }
    return rc;
}

/* -- all tasks ------------------------------------------------------------------------------- */

void stage_start(struct stage *stage)
{
    const struct rill_task_options options = {.loop = stage->rig->loop};
    for (unsigned i = 0; i < SCRIPT_TASKS; i++) {
        struct actor *actor = &stage->actors[i];
        *actor = (struct actor){.stage = stage, .number = i};
        if (i >= stage->first && script_has(stage->script, i)) {
            (void)rill_task_create(actor_run, actor, &options, &actor->task);
        }
    }
}

static void check_connections(const struct stage *stage, bool busy)
{
    for (size_t i = 0; i < stage->connection_count; i++) {
        connection_check(&stage->connections[i]);
        if (!busy) {
            connection_check_waits(&stage->connections[i]);
        }
    }
}

void stage_turn(struct stage *stage)
{
    const bool busy = rill_loop_step(stage->rig->loop);
    check_connections(stage, busy);
}

void stage_settle(struct stage *stage)
{
    rig_settle(stage->rig);
    check_connections(stage, false);
}

static bool has_ended(const struct actor *actor)
{
    return actor->task == NULL || rill_task_done(actor->task);
}

bool stage_is_over(const struct stage *stage)
{
    for (unsigned i = 0; i < SCRIPT_TASKS; i++) {
        if (!has_ended(&stage->actors[i])) {
            return false;
        }
    }
    return true;
}

void stage_check_over(const struct stage *stage)
{
    for (unsigned i = 0; i < SCRIPT_TASKS; i++) {
        if (!has_ended(&stage->actors[i])) {
            invariant_task_lost(stage, &stage->actors[i]);
        }
    }
}

/* One that waits for another hands its cancellation on: it may need one more for each of those. */
void stage_cancel(struct stage *stage)
{
    const size_t most = stage->script->count * SCRIPT_TASKS + 1;
    for (size_t round = 0; round < most && !stage_is_over(stage); round++) {
        for (unsigned i = 0; i < SCRIPT_TASKS; i++) {
            if (!has_ended(&stage->actors[i])) {
                (void)rill_task_cancel(stage->actors[i].task);
            }
        }
        rig_settle(stage->rig);
    }
    for (unsigned i = 0; i < SCRIPT_TASKS; i++) {
        if (!has_ended(&stage->actors[i])) {
            invariant_cancel_wakes(stage, &stage->actors[i]);
        }
    }
}

void stage_cleanup(struct stage *stage)
{
    for (unsigned i = 0; i < SCRIPT_TASKS; i++) {
        rill_task_free(stage->actors[i].task);
        stage->actors[i].task = NULL;
    }
}
