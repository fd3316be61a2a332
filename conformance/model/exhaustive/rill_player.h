/* SPDX-License-Identifier: MIT
 *
 * rill's reader playing scripts, through the public headers: a reader made by hand, a transport
 * that notes pauses, a task for each call. Everything here runs in a task.
 */
#ifndef RILL_PLAYER_H
#define RILL_PLAYER_H

#include <rill/observe.h>
#include <rill/rill.h>

#include "../model.h"

struct rill_player;

struct rill_player_call {
    struct rill_player *player;
    const struct script_op *op;
    struct rill_task *task;
    bool ended;
    bool seen;
    int rc;
    struct rill_bytes data;
    const struct rill_error *error;
};

struct rill_player {
    struct rill_transport transport; /* first: its methods get the player by it */
    bool can_pause;
    struct rill_loop *loop;
    struct rill_reader *reader;
    const struct rill_error *exception;
    struct observation *watched; /* where pauses are noted */
    size_t calls;
    struct rill_player_call call[SCRIPT_OPS_MAX];
};

/* 0 or rill's error code. The player must not move until it is ended. */
int rill_player_begin(struct rill_player *player, const struct script *script);
void rill_player_step(struct rill_player *player, const struct script_op *op,
                      struct observation *seen);
void rill_player_end(struct rill_player *player);

#endif
