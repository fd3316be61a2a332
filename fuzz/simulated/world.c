/* SPDX-License-Identifier: MIT
 *
 * What every target's world can do: the moves of a peer, time, and the order of moves and turns.
 */
#include "simulated/world.h"

#include <math.h>
#include <stdint.h>

void world_move_peer(struct connection *on, const struct op *op)
{
    const struct rill_opt_int window = {op->aux != 0, (long long)script_size(op->amount)};
    switch ((enum world_op)op->kind) {
    case WORLD_SEND:
        connection_send(on, script_size(op->amount));
        break;
    case WORLD_SHUTDOWN:
        on->peer_shut = true;
        on->peer_ops->shutdown_write(on->peer);
        break;
    case WORLD_CLOSE:
    case WORLD_RESET:
        on->peer_shut = true;
        on->peer_ended = true;
        (op->kind == WORLD_CLOSE ? on->peer_ops->close : on->peer_ops->reset)(on->peer);
        break;
    case WORLD_WINDOW:
        connection_set_window(on, window);
        break;
    default:
        connection_discard(on, script_size(op->amount));
        break;
    }
}

void world_advance(struct rig *rig, const struct op *op)
{
    struct rill_loop_state state;
    rill_observe_loop(rig->loop, &state);
    if (op->amount != 0) {
        rig->kernel.now += script_seconds(op->amount);
    } else if (isfinite(state.next_timer) && state.next_timer > rig->kernel.now) {
        rig->kernel.now = state.next_timer;
    }
}

bool world_move_kernel(struct kernel *kernel, const struct op *op)
{
    if (op->kind == WORLD_SHORT_TRANSFERS) {
        kernel->transfer_most = 1u + op->amount;
    } else if (op->kind == WORLD_LONG_TRANSFERS) {
        kernel->transfer_most = SIZE_MAX;
    } else {
        return false;
    }
    return true;
}

bool world_move_stage(struct stage *stage, const struct op *op)
{
    struct rill_task *task = stage->actors[op->amount % SCRIPT_TASKS].task;
    struct connection *on = &stage->connections[op->connection];

    if (op->kind >= WORLD_COMMON_KINDS) {
        return false;
    }
    if (op->kind == WORLD_CANCEL && task != NULL) {
        (void)rill_task_cancel(task);
    } else if (op->kind == WORLD_ADVANCE) {
        world_advance(stage->rig, op);
    } else if (op->kind >= WORLD_SEND && op->kind <= WORLD_DISCARD && on->peer != NULL) {
        world_move_peer(on, op);
    }
    return true;
}

void world_turn_stage(void *run)
{
    stage_turn(run);
}

void world_play(const struct script *script, const struct world_ops *ops, void *run)
{
    enum { MOST_TURNS = 8 };

    ops->turn(run);
    for (size_t i = 0; i < script->count; i++) {
        const struct op *op = &script->ops[i];
        size_t turns = op->aux % 2u; /* of a move: it may be the same turn as the next one's */
        if (op->actor != SCRIPT_WORLD) {
            continue;
        }
        if (op->kind == WORLD_TURN) {
            turns = op->amount % MOST_TURNS + 1;
        } else {
            ops->move(run, op);
        }
        for (size_t done = 0; done < turns; done++) {
            ops->turn(run);
        }
    }
}
