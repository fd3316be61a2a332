/* SPDX-License-Identifier: MIT
 *
 * What every target's world can do.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "simulated/connection.h"
#include "simulated/script.h"

/* WORLD_SEND to WORLD_DISCARD: a move of the connection's peer, which there is. */
void world_move_peer(struct connection *on, const struct op *op);

/* WORLD_ADVANCE: so many hundredths of a second; 0: to the next deadline. */
void world_advance(struct rig *rig, const struct op *op);

#endif
