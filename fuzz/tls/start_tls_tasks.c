/* SPDX-License-Identifier: MIT
 *
 * The tasks: each plays its part of the script.
 */
#include <stdio.h>
#include <stdlib.h>

#include "start_tls_run.h"

static _Noreturn void invariant_task_lost(const struct run *run, unsigned number)
{
    rig_print(run->near.rig);
    (void)fprintf(stderr, "task %u waits, and nothing will wake it\n", number);
    abort();
}

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

int run_open_and_start(void *arg)
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

bool run_is_over(const struct run *run)
{
    bool over = run->opener == NULL || rill_task_done(run->opener);
    for (unsigned i = 0; i < TASKS; i++) {
        over = over && (run->actors[i].task == NULL || rill_task_done(run->actors[i].task));
    }
    return over;
}

void run_check_over(const struct run *run)
{
    if (run->opener != NULL && !rill_task_done(run->opener)) {
        invariant_task_lost(run, TASKS);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        if (run->actors[i].task != NULL && !rill_task_done(run->actors[i].task)) {
            invariant_task_lost(run, i);
        }
    }
}

static void cancel(struct rill_task *task)
{
    if (task != NULL && !rill_task_done(task)) {
        (void)rill_task_cancel(task);
    }
}

void run_cancel_all(struct run *run)
{
    cancel(run->opener);
    for (unsigned i = 0; i < TASKS; i++) {
        cancel(run->actors[i].task);
    }
}

void run_cancel_one(struct run *run, unsigned who)
{
    cancel(who < TASKS ? run->actors[who].task : run->opener);
}

void run_free_tasks(struct run *run)
{
    rill_task_free(run->opener);
    run->opener = NULL;
    for (unsigned i = 0; i < TASKS; i++) {
        rill_task_free(run->actors[i].task);
        run->actors[i].task = NULL;
    }
}
