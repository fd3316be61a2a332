/* SPDX-License-Identifier: MIT
 *
 * Carrying, cutting, and the clock.
 */
#include "wire.h"

#include <math.h>

#include <openssl/err.h>

#include <rill/observe.h>

#include "material.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many of `ready` bytes pass now in that direction, of which `passed` have. */
static size_t allowance(const struct wire *wire, enum direction direction, size_t passed,
                        size_t ready)
{
    const struct cut *const cut = &wire->cut;

    if (!cut->given || (wire->reached && cut->ending == END_DRIP && cut->direction != direction)) {
        return ready;
    }
    if (!wire->reached) {
        return cut->direction == direction ? least(ready, cut->at - passed) : ready;
    }
    if (cut->ending == END_DRIP) {
        return least(ready, 1);
    }
    /* The peer says nothing after any cut; it listens after one in its own bytes. */
    return direction == FROM_RILL && cut->direction == FROM_PEER ? ready : 0;
}

struct rill_opt_int wire_window(const struct wire *wire)
{
    struct rill_opt_int window = {.given = false};
    if (wire->cut.given && wire->cut.direction == FROM_RILL) {
        window = (struct rill_opt_int)RILL_SET((long long)wire->cut.at);
    }
    return window;
}

static bool take(struct wire *wire)
{
    const struct rill_bytes all = rill_memory_peer_received(wire->pipe);
    const size_t count = allowance(wire, FROM_RILL, wire->taken, all.len - wire->taken);

    if (count > 0) {
        peer_feed(wire->peer, all.ptr + wire->taken, count);
        wire->taken += count;
    }
    return count > 0;
}

static bool give(struct wire *wire)
{
    const char *data;
    const size_t size = peer_output(wire->peer, &data);
    const size_t count = allowance(wire, FROM_PEER, wire->sent, size - wire->sent);

    if (count > 0 && rill_memory_peer_send(wire->pipe, data + wire->sent, count) == 0) {
        wire->sent += count;
    }
    return count > 0;
}

static void end_line(struct wire *wire)
{
    wire->reached = true;
    if (wire->cut.ending == END_RST) {
        rill_memory_peer_reset(wire->pipe);
    } else if (wire->cut.ending == END_FIN && wire->cut.direction == FROM_PEER) {
        rill_memory_peer_shutdown_write(wire->pipe);
    } else if (wire->cut.ending == END_FIN) {
        rill_memory_peer_discard(wire->pipe, rill_memory_peer_received(wire->pipe).len);
        wire->taken = 0; /* the view begins anew; nothing more is taken */
        rill_memory_peer_close(wire->pipe);
    }
}

static bool cut_now(struct wire *wire)
{
    const size_t passed = wire->cut.direction == FROM_PEER ? wire->sent : wire->taken;
    if (!wire->cut.given || wire->reached || passed < wire->cut.at) {
        return false;
    }
    end_line(wire);
    return true;
}

/* The window of a line that drips in rill's direction opens by one byte each time. */
static void open_window(struct wire *wire)
{
    if (wire->reached && wire->cut.direction == FROM_RILL && wire->cut.ending == END_DRIP) {
        const struct rill_opt_int window = RILL_SET((long long)wire->taken + 1);
        rill_memory_peer_set_window(wire->pipe, window);
    }
}

/* The peer's own FIN, behind everything that it said. */
static bool finish(struct wire *wire)
{
    const char *data;
    const bool over = wire->peer->state == PEER_DONE || wire->peer->state == PEER_FAILED;
    if (wire->peer_ended || !over || wire->sent < peer_output(wire->peer, &data) ||
        (wire->reached && wire->cut.ending != END_DRIP)) {
        return false;
    }
    wire->peer_ended = true;
    rill_memory_peer_shutdown_write(wire->pipe);
    return true;
}

static bool rill_has_work(const struct wire *wire)
{
    struct rill_loop_state state;
    rill_observe_loop(wire->loop, &state);
    return state.ready > 0;
}

static bool move(struct wire *wire)
{
    wire->errors_left = wire->errors_left || ERR_peek_error() != 0;
    if (wire->pipe == NULL) {
        return false;
    }
    random_use(RANDOM_OF_PEER);
    bool moved = take(wire);
    peer_step(wire->peer);
    moved = give(wire) || moved;
    moved = cut_now(wire) || moved;
    moved = finish(wire) || moved;
    open_window(wire);
    random_use(RANDOM_OF_RILL);
    return moved || rill_has_work(wire);
}

int wire_idle(struct wire *wire, double until)
{
    if (move(wire)) {
        return 0;
    }
    if (isinf(until)) {
        wire->hang = true;
        wire->on_hang(wire->arg);
        return 0;
    }
    wire->now = until > wire->now ? until : wire->now;
    return 0;
}

void wire_drain(struct wire *wire)
{
    while (wire->pipe != NULL && move(wire)) {
    }
}
