/* SPDX-License-Identifier: MIT
 *
 * The loop of a run, its turns, and what must be back at its end.
 */
#include "simulated/rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "loop/poller.h"

enum { TURNS_MAX = 20000, DEADLINES_MAX = 2000 };

void rig_print(const struct rig *rig)
{
    if (rig->print != NULL) {
        rig->print(rig->story);
    }
}

void rig_story(struct rig *rig, void (*print)(const void *story), const void *story)
{
    rig->print = print;
    rig->story = story;
    if (rig->prints) {
        rig_print(rig);
    }
}

/* AddressSanitizer asks for this before main. Short runs that free as much as they take would touch
 * new pages all the time until its quarantine of 256 MB is full; what they free is used within the
 * run if at all. Who allocated a block is not written down: a find is played again, with
 * RILL_FUZZ_PRINT=1 ASAN_OPTIONS=malloc_context_size=30. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1:malloc_context_size=1:allocator_release_to_os_interval_ms=-1";
}

/* -- what must not be ------------------------------------------------------------------------ */

static _Noreturn void invariant_loop_settles(const struct rig *rig,
                                             const struct rill_loop_state *state)
{
    rig_print(rig);
    (void)fprintf(stderr, "the loop is still busy after %d turns: %zu ready, %zu tasks\n",
                  TURNS_MAX, state->ready, state->tasks);
    abort();
}

static _Noreturn void invariant_timers_end(const struct rig *rig,
                                           const struct rill_loop_state *state)
{
    rig_print(rig);
    (void)fprintf(stderr, "there is always one more timer: %zu, next at %g\n", state->timers,
                  state->next_timer);
    abort();
}

static _Noreturn void invariant_loop_is_idle(const struct rig *rig,
                                             const struct rill_loop_state *state)
{
    rig_print(rig);
    (void)fprintf(stderr,
                  "left on the loop: %zu ready, %zu timers, %zu watchers, %zu tasks, %zu "
                  "transports, %zu jobs\n",
                  state->ready, state->timers, state->watchers, state->tasks, state->transports,
                  state->jobs);
    abort();
}

static _Noreturn void invariant_memory_is_back(const struct rig *rig)
{
    rig_print(rig);
    (void)fprintf(stderr, "memory: %zu blocks of %zu bytes before the run, %zu of %zu behind it\n",
                  rig->blocks, rig->bytes, rig->allocations.blocks, rig->allocations.bytes);
    abort();
}

static _Noreturn void invariant_descriptors_closed(const struct rig *rig)
{
    rig_print(rig);
    (void)fprintf(stderr, "%zu descriptors are left open\n", kernel_open_sockets(&rig->kernel));
    abort();
}

static _Noreturn void cannot_begin(const char *what)
{
    (void)fprintf(stderr, "the target cannot begin: %s\n", what);
    abort();
}

/* -- the loop -------------------------------------------------------------------------------- */

static void count_log(void *arg, enum rill_log_level level, const char *text,
                      const struct rill_error *exception)
{
    struct rig *rig = arg;
    (void)level;
    (void)text;
    (void)exception;
    rig->logged++;
}

static void count_report(void *arg, struct rill_loop *loop,
                         const struct rill_exception_context *context)
{
    struct rig *rig = arg;
    (void)loop;
    (void)context;
    rig->reports++;
}

static struct rill_loop *make_loop(struct rig *rig, unsigned fair_calls)
{
    const struct rill_clock clock = kernel_clock(&rig->kernel);
    const struct rill_loop_options options = {.clock = &clock,
                                              .sys = &rig->sys,
                                              .log = count_log,
                                              .log_arg = rig,
                                              .fair_calls = fair_calls};
    struct rill_loop *loop;

    if (rill_loop_new(&options, &loop) < 0) {
        return NULL;
    }
    rill_loop_set_exception_handler(loop, count_report, rig);
    return loop;
}

void rig_init(struct rig *rig, rill_task_fn *warm_up, void *arg)
{
    allocations_install(&rig->allocations);
    rig->prints = getenv("RILL_FUZZ_PRINT") != NULL;
    kernel_init(&rig->kernel);
    rig->sys = kernel_sys(&rig->kernel);
    rig->kept = make_loop(rig, 0);
    rig->loop = rig->kept;
    if (rig->kept == NULL || !rig_run(rig, warm_up, arg)) {
        cannot_begin("the loop does not work");
    }
    rig_settle(rig);
    rill__spares_cleanup(&rig->kept->blocks);
}

bool rig_begin(struct rig *rig, const struct rig_plan *plan)
{
    kernel_init(&rig->kernel);
    rig->reports = 0;
    rig->logged = 0;
    rig->blocks = rig->allocations.blocks;
    rig->bytes = rig->allocations.bytes;
    allocations_next_input(&rig->allocations);
    allocations_plan(&rig->allocations, plan->fail_first, plan->fail_count);
    rig->loop = plan->fresh ? make_loop(rig, plan->fair_calls) : rig->kept;
    if (rig->loop == NULL) {
        return false;
    }
    rill_loop_set_debug(rig->loop, plan->debug);
    return true;
}

void rig_settle(struct rig *rig)
{
    struct rill_loop_state state;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        if (!rill_loop_step(rig->loop)) {
            return;
        }
    }
    rill_observe_loop(rig->loop, &state);
    invariant_loop_settles(rig, &state);
}

void rig_settle_until(struct rig *rig, double until)
{
    struct rill_loop_state state;
    for (int deadline = 0; deadline < DEADLINES_MAX; deadline++) {
        rig_settle(rig);
        rill_observe_loop(rig->loop, &state);
        if (state.timers == 0 || state.next_timer > until) {
            if (isfinite(until) && until > rig->kernel.now) {
                rig->kernel.now = until;
            }
            return;
        }
        rig->kernel.now = state.next_timer > rig->kernel.now ? state.next_timer : rig->kernel.now;
    }
    invariant_timers_end(rig, &state);
}

bool rig_run(struct rig *rig, rill_task_fn *fn, void *arg)
{
    const struct rill_task_options options = {.loop = rig->loop};
    struct rill_task *task;
    bool done = false;

    if (rill_task_create(fn, arg, &options, &task) < 0) {
        return false;
    }
    for (int turn = 0; turn < TURNS_MAX && !done; turn++) {
        (void)rill_loop_step(rig->loop);
        done = rill_task_done(task);
    }
    rill_task_free(task);
    return done;
}

void rig_check_idle(struct rig *rig)
{
    struct rill_loop_state state;
    rill_observe_loop(rig->loop, &state);
    if (state.ready + state.timers + state.watchers + state.tasks + state.transports + state.jobs >
        0) {
        invariant_loop_is_idle(rig, &state);
    }
}

static void fail_with_constant(void *arg)
{
    (void)arg;
    (void)rill_task_fail(rill_error_cancelled());
}

/* The kept loop remembers the last failure outside a task: a constant takes its place. */
static void forget_last_error(struct rig *rig)
{
    if (rill_call_soon(rig->loop, fail_with_constant, NULL, NULL) == 0) {
        rig_settle(rig);
    }
}

void rig_free_loop(struct rig *rig)
{
    if (rig->loop != rig->kept) {
        rill_loop_free(rig->loop);
        rig->loop = NULL;
    }
}

void rig_end(struct rig *rig)
{
    allocations_plan(&rig->allocations, 0, 0);
    rig_free_loop(rig);
    if (rig->loop != NULL && rig->allocations.blocks != rig->blocks) {
        forget_last_error(rig);
    }
    /* What the kept loop has at hand for its next readers is not lost; it begins without. */
    rill__spares_cleanup(&rig->kept->blocks);
    rig->loop = NULL;
    if (kernel_open_sockets(&rig->kernel) > 0) {
        invariant_descriptors_closed(rig);
    }
    if (rig->allocations.blocks != rig->blocks || rig->allocations.bytes != rig->bytes) {
        invariant_memory_is_back(rig);
    }
}
