/* SPDX-License-Identifier: MIT
 *
 * The tasks of a run: each goes through its operations of the script, on connections that they
 * share or, in a server's handler, on its own.
 */
#ifndef FUZZ_ACTOR_H
#define FUZZ_ACTOR_H

#include "simulated/connection.h"
#include "simulated/script.h"

struct actor {
    struct stage *stage;
    unsigned number;        /* whose operations */
    struct connection *own; /* NULL: each operation names one */
    struct rill_task *task; /* NULL: none, or not held */
    size_t done;            /* operations that it has ended */
};

struct stage {
    struct rig *rig;
    const struct script *script;
    struct connection *connections;
    size_t connection_count;
    struct actor actors[SCRIPT_TASKS];
    unsigned first; /* of the actors that are tasks of their own */
    int (*special)(struct actor *actor, const struct op *op); /* OP_SPECIAL, judged by itself */
    bool goes_on; /* a cancelled task goes on with its next operation */
    bool drops;   /* handles of tasks are let go while they run: none may be awaited */
};

/* A task function on a struct actor. */
int actor_run(void *arg);

/* Starts the tasks that have something to do. A task for which there is no memory has ended. */
void stage_start(struct stage *stage);
/* True when every task has ended. */
bool stage_is_over(const struct stage *stage);
/* Cancels tasks until each has ended: a cancelled task goes one operation further at least. */
void stage_cancel(struct stage *stage);
/* No task is left that nothing will wake. */
void stage_check_over(const struct stage *stage);
void stage_cleanup(struct stage *stage);

/* One turn of the loop, and what must hold behind it. */
void stage_turn(struct stage *stage);
/* Turns until the loop has nothing to do. */
void stage_settle(struct stage *stage);

/* Carries out one operation of a task, not a scope; its result was judged. */
int perform(struct actor *actor, const struct op *op);
/* What OP_READUNTIL and OP_READUNTIL_ANY search for: how many. */
size_t perform_separators(const struct op *op, const struct rill_bytes **first);

#endif
