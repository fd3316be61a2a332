/* SPDX-License-Identifier: MIT
 *
 * What every target's world can do: the moves of a peer, and time.
 */
#include "simulated/world.h"

#include <math.h>

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
        on->peer_ops->set_window(on->peer, window);
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
