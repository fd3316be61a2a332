/* SPDX-License-Identifier: MIT
 *
 * The staggered race: a task for each attempt, each making the next one, as staggered.py does.
 */
#include "net/race.h"

#include "loop/tasks.h"
#include "sansio/memory.h"

struct race;

/* One attempt's task. Before it begins it waits for the failure of the one before, or the delay. */
struct runner {
    struct race *race;
    struct rill_task *task;
    struct runner *previous;
    struct rill__wait *waiter; /* of the next runner, for this one's failure */
    bool started;
    bool failed;
};

/* Held by the caller of rill__race and by each runner that begins, or still may. */
struct race {
    struct rill__race_plan plan;
    size_t references;
    size_t started; /* attempts */
    size_t made;    /* runners */
    int winner;
    bool abandoned; /* the caller is gone */
    struct runner runners[];
};

static void race_release(struct race *race)
{
    if (--race->references > 0) {
        return;
    }
    if (race->winner >= 0 && race->abandoned) {
        race->plan.discard(race->plan.arg, race->winner);
    }
    for (size_t i = 0; i < race->made; i++) {
        rill_task_free(race->runners[i].task);
    }
    race->plan.release(race->plan.arg);
    rill__free(race);
}

static int await_failure(struct runner *previous)
{
    struct rill__wait wait;

    if (previous->failed) {
        return 0;
    }
    rill__wait_init(&wait, rill_current_task());
    previous->waiter = &wait;
    const int rc = rill__wait(&wait, NULL);
    previous->waiter = NULL;
    return rc;
}

/* The failure of the attempt just before, or the delay since it started, whichever is first
 * . 0 or RILL_ECANCELLED. */
static int await_turn(struct runner *runner)
{
    const struct rill_opt_real delay = runner->race->plan.delay;
    struct rill_timeout scope;

    if (runner->previous == NULL) {
        return 0;
    }
    if (!delay.given) {
        return await_failure(runner->previous);
    }
    if (delay.value <= 0) {
        return rill__yield(rill_current_task());
    }
    rill_timeout_enter(&scope, delay.value);
    const int rc = rill_timeout_exit(&scope, await_failure(runner->previous));
    return rc == RILL_ETIMEOUT ? 0 : rc;
}

static int make_runner(struct race *race, struct runner *previous);

static void fail(struct runner *runner)
{
    runner->failed = true;
    if (runner->waiter != NULL) {
        rill__wait_complete(runner->waiter, 0);
    }
}

static void win(struct runner *runner, int result)
{
    struct race *race = runner->race;
    race->winner = result;
    for (size_t i = 0; i < race->made; i++) { /* not itself: it would end cancelled */
        if (&race->runners[i] != runner) {
            rill_task_cancel(race->runners[i].task);
        }
    }
}

static int run(struct runner *runner)
{
    struct race *race = runner->race;
    int rc = await_turn(runner);

    if (rc < 0 || race->started == race->plan.count) {
        return rc;
    }
    const size_t index = race->started++;
    rc = make_runner(race, runner);
    if (rc < 0) {
        return rc;
    }
    rc = race->plan.attempt(race->plan.arg, index);
    if (rc >= 0 && race->winner >= 0) { /* never two winners */
        race->plan.discard(race->plan.arg, rc);
        return 0;
    }
    if (rc >= 0) {
        win(runner, rc);
        return 0;
    }
    fail(runner);
    return rc == RILL_ECANCELLED ? rc : 0;
}

/* It lets go of the race itself and not by a done callback, which a loop that is freed may never
 * run. */
static int runner_main(void *arg)
{
    struct runner *runner = arg;
    runner->started = true;
    const int rc = run(runner);
    race_release(runner->race);
    return rc;
}

static int make_runner(struct race *race, struct runner *previous)
{
    struct runner *runner = &race->runners[race->made];

    *runner = (struct runner){.race = race, .previous = previous};
    const int rc = rill_task_create(runner_main, runner, NULL, &runner->task);
    if (rc == 0) {
        race->made++;
        race->references++;
    }
    return rc;
}

/* Once, when the caller leaves. A runner that has not begun never will. */
static void cancel_all(struct race *race)
{
    for (size_t i = 0; i < race->made; i++) {
        rill_task_cancel(race->runners[i].task);
        race->references -= race->runners[i].started ? 0 : 1;
    }
}

/* Waits for a growing list of tasks to all finish. */
static int await_all(struct race *race)
{
    const struct rill_opt_real never = {0};
    size_t done = 0;
    int rc = 0;

    struct rill_task **tasks = rill__alloc((race->plan.count + 1) * sizeof tasks[0]);
    if (tasks == NULL) {
        return rill__fail_no_memory();
    }
    while (rc == 0 && done != race->made) {
        const size_t count = race->made;
        for (size_t i = 0; i < count; i++) {
            tasks[i] = race->runners[i].task;
        }
        rc = rill_wait(tasks, count, RILL_ALL_COMPLETED, never);
        done = count;
    }
    rill__free(tasks);
    return rc;
}

int rill__race(const struct rill__race_plan *plan, int *winner)
{
    struct race *race =
        rill__alloc_zeroed(sizeof *race + (plan->count + 1) * sizeof race->runners[0]);

    *winner = -1;
    if (race == NULL) {
        return rill__fail_no_memory();
    }
    race->plan = *plan;
    race->references = 1;
    race->winner = -1;
    plan->hold(plan->arg);
    int rc = make_runner(race, NULL);
    if (rc == 0) {
        rc = await_all(race);
    }
    cancel_all(race);
    if (rc == 0) {
        *winner = race->winner;
    } else {
        race->abandoned = true;
    }
    race_release(race);
    return rc;
}
