/* SPDX-License-Identifier: MIT
 *
 * The world of a run: it makes its moves between the loop's turns. What every target's world can do
 * is here, what only one can do is its own.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "simulated/actor.h"

struct world_ops {
    void (*move)(void *run, const struct op *op);
    void (*turn)(void *run);
};

/* A turn, then the script's moves, each with the turns that it says. */
void world_play(const struct script *script, const struct world_ops *ops, void *run);
/* The turn of a run that begins with its stage. */
void world_turn_stage(void *run);

/* WORLD_SEND to WORLD_ADVANCE, on the stage's connections and tasks. False: none of these. */
bool world_move_stage(struct stage *stage, const struct op *op);

/* WORLD_SEND to WORLD_DISCARD: a move of the connection's peer, which there is. */
void world_move_peer(struct connection *on, const struct op *op);
/* WORLD_ADVANCE: so many hundredths of a second; 0: to the next deadline. */
void world_advance(struct rig *rig, const struct op *op);
/* WORLD_SHORT_TRANSFERS and WORLD_LONG_TRANSFERS. False: neither. */
bool world_move_kernel(struct kernel *kernel, const struct op *op);

#endif
