/* SPDX-License-Identifier: MIT
 *
 * A loop on the simulated kernel, kept from run to run because making one costs more than a run,
 * and the checks that a run has left nothing behind in it.
 */
#ifndef FUZZ_RIG_H
#define FUZZ_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/observe.h>
#include <rill/rill.h>

#include "simulated/allocations.h"
#include "simulated/kernel.h"

struct rig {
    struct kernel kernel;
    struct rill_sys sys;
    struct allocations allocations;
    struct rill_loop *loop; /* of this run */
    struct rill_loop *kept;
    size_t blocks; /* held when the run began */
    size_t bytes;
    size_t reports; /* calls of the exception handler in this run */
    size_t logged;
    void (*print)(const void *story); /* what is being played, to stderr */
    const void *story;
    bool prints; /* RILL_FUZZ_PRINT is set: each story is told before it is played */
};

struct rig_plan {
    bool fresh; /* a loop of its own, whose end is part of the run */
    bool debug;
    unsigned fair_calls; /* of a fresh loop */
    size_t fail_first;   /* as allocations_plan */
    size_t fail_count;
};

/* Once. `warm_up` is run in a task on the kept loop, to make what a loop keeps for good (its spare
 * block, its heap of timers): then a run that leaves anything behind is seen. */
void rig_init(struct rig *rig, rill_task_fn *warm_up, void *arg);

/* A part of a warm-up: a heap with room for more timers than any run has. In a task. */
int rig_warm_timers(void);
/* The usual warm-up, by a connection on the simulated kernel; arg is the rig. */
int rig_warm_up(void *arg);

/* False: the loop could not be made, as planned. */
bool rig_begin(struct rig *rig, const struct rig_plan *plan);

/* Says what is being played from now on; NULL: nothing. */
void rig_story(struct rig *rig, void (*print)(const void *story), const void *story);
/* What is being played, for whoever reads about a broken invariant. */
void rig_print(const struct rig *rig);

/* Turns until there is nothing to do now. Aborts when that does not happen. */
void rig_settle(struct rig *rig);
/* The same, and time moves on to each deadline until no timer is left or `until` has come. */
void rig_settle_until(struct rig *rig, double until);

/* Runs fn(arg) as a task to its end, in turns. False: there was no task, or it did not end. */
bool rig_run(struct rig *rig, rill_task_fn *fn, void *arg);

/* Nothing is left on the loop: no task, timer, transport, watch or queued entry. */
void rig_check_idle(struct rig *rig);

/* Frees a fresh loop, whatever is left on it. */
void rig_free_loop(struct rig *rig);

/* Ends the run, also one that could not begin: rill holds what it held before. */
void rig_end(struct rig *rig);

#endif
