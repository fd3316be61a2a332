/* SPDX-License-Identifier: MIT
 *
 * One program on rill's writer and on the model, side by side.
 */
#ifndef FUZZ_FLOW_DUEL_H
#define FUZZ_FLOW_DUEL_H

#include "flow/model.h"
#include "flow/player.h"

struct flow_duel {
    size_t count; /* of operations, so far */
    struct flow_op ops[FLOW_OPS_MAX];
    struct flow_model model;
    struct flow_player player;
    struct flow_seen of_model;
    struct flow_seen of_rill;
};

void flow_duel_play(struct flow_duel *duel, struct rig *rig, const uint8_t *data, size_t size);

/* What was played last, on rill alone: for measuring what the model costs. */
void flow_duel_play_alone(struct flow_duel *duel, struct rig *rig);

#endif
