/* SPDX-License-Identifier: MIT
 *
 * What the two halves of the target connect know of each other.
 */
#ifndef FUZZ_CONNECT_H
#define FUZZ_CONNECT_H

#include "simulated/actor.h"

enum connect_flag {
    CONNECT_CANCELS = 1,
    CONNECT_GOES_ON = 2,
    CONNECT_DEBUG = 4,
    CONNECT_DROPS = 0xe0, /* all of them: it costs more than the rest of a run */
};

enum connect_world_op {
    CONNECT_RUN_JOBS = WORLD_KERNEL_KINDS,
    CONNECT_DECIDE,  /* a connect in progress succeeds, or fails */
    CONNECT_OUTCOME, /* what the connects to come do */
    CONNECT_WORLD_KINDS
};
extern const char *const connect_world_names[];

struct connect_run {
    struct stage stage; /* first: what plays a stage plays a run */
    struct script script;
    uint8_t flags;
    uint8_t lookup;
    uint8_t families;
    struct rig_plan plan;
    struct kernel_fault fault;
    struct connection connections[SCRIPT_TASKS];
};

int connect_errno(uint8_t which);

/* Starts the tasks and carries out the world's operations. */
void connect_play(struct connect_run *run);

/* A task opens its connection, if it has none. */
int connect_special(struct actor *actor, const struct op *op);

#endif
