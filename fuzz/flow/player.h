/* SPDX-License-Identifier: MIT
 *
 * rill's writer playing programs: a pair over a transport in memory, its tasks on the simulated
 * loop.
 */
#ifndef FUZZ_FLOW_PLAYER_H
#define FUZZ_FLOW_PLAYER_H

#include "flow/program.h"
#include "simulated/rig.h"

struct flow_player;

struct flow_drain {
    struct flow_player *player;
    const struct flow_op *op;
    struct rill_task *task;
    size_t number;
    bool ended;
};

struct flow_lent {
    struct flow_player *player;
    size_t number;
};

struct flow_player {
    struct rig *rig;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;
    struct flow_limit window; /* at the beginning */
    struct flow_seen *seen;
    size_t written; /* counted by what was accepted */
    size_t arrived; /* bytes that the peer has checked */
    size_t discarded;
    size_t tasks;
    size_t pieces;
    struct flow_drain drains[FLOW_OPS_MAX];
    struct flow_lent lent[FLOW_OPS_MAX];
};

/* Once: what outlives the programs. */
void flow_rig_init(struct rig *rig);

/* Runs in a task of its own; the player must not move until it has ended. */
bool flow_player_begin(struct flow_player *player, struct rig *rig, struct flow_limit window);
/* The operation must stay where it is until the player has ended. */
void flow_player_step(struct flow_player *player, const struct flow_op *op, struct flow_seen *seen);
/* abort() and what follows of it; then everything is freed. */
void flow_player_end(struct flow_player *player, struct flow_seen *seen);

#endif
