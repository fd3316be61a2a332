/* SPDX-License-Identifier: MIT
 *
 * Wires: the bytes of a connection both ways, and the far end's moves.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/connection.h"

/* -- pipes ----------------------------------------------------------------------------------- */

static void pipe_append(struct kernel_pipe *pipe, const char *data, size_t size)
{
    if (pipe->used + size > pipe->size) {
        pipe->size = 2 * (pipe->used + size);
        pipe->data = realloc(pipe->data, pipe->size);
        if (pipe->data == NULL) {
            (void)fprintf(stderr, "the simulated kernel is out of memory\n");
            abort();
        }
    }
    if (size > 0) {
        memcpy(pipe->data + pipe->used, data, size);
        pipe->used += size;
    }
}

static size_t pipe_take(struct kernel_pipe *pipe, char *space, size_t size)
{
    const size_t count = size < pipe->used ? size : pipe->used;
    if (count > 0 && space != NULL) {
        memcpy(space, pipe->data, count);
    }
    if (count > 0) {
        pipe->used -= count;
        memmove(pipe->data, pipe->data + count, pipe->used);
    }
    return count;
}

/* -- the socket's end ------------------------------------------------------------------------ */

struct kernel_wire *kernel_wire_new(void)
{
    struct kernel_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL) {
        (void)fprintf(stderr, "the simulated kernel is out of memory\n");
        abort();
    }
    return wire;
}

long kernel_wire_receive(struct kernel_wire *wire, char *space, size_t size)
{
    if (wire->in.used > 0) {
        return (long)pipe_take(&wire->in, space, size);
    }
    if (wire->reset) {
        wire->reset = false;
        return -ECONNRESET;
    }
    return wire->in_ended ? 0 : -EAGAIN;
}

static size_t room_of(const struct kernel_wire *wire)
{
    const size_t window = wire->window.given ? (size_t)wire->window.value : SIZE_MAX;
    return window > wire->out.used ? window - wire->out.used : 0;
}

long kernel_wire_send(struct kernel_wire *wire, const char *data, size_t size)
{
    const size_t room = room_of(wire);
    if (wire->reset) {
        wire->reset = false;
        return -ECONNRESET;
    }
    if (wire->peer_closed || wire->out_ended) {
        return -EPIPE;
    }
    if (room == 0) {
        return -EAGAIN;
    }
    size = size < room ? size : room;
    pipe_append(&wire->out, data, size);
    return (long)size;
}

bool kernel_wire_readable(const struct kernel_wire *wire)
{
    return wire->in.used > 0 || wire->in_ended || wire->reset;
}

bool kernel_wire_writable(const struct kernel_wire *wire)
{
    return room_of(wire) > 0 || wire->peer_closed || wire->reset;
}

void kernel_wire_let_go(struct kernel_wire *wire, bool by_socket)
{
    if (by_socket) {
        wire->held_by_socket = false;
        wire->out_ended = true;
    } else {
        wire->held_by_peer = false;
        wire->peer_closed = true;
    }
    if (!wire->held_by_socket && !wire->held_by_peer) {
        free(wire->in.data);
        free(wire->out.data);
        free(wire);
    }
}

/* -- the far end ----------------------------------------------------------------------------- */

static int peer_send(void *peer, const void *data, size_t size)
{
    struct kernel_wire *wire = peer;
    pipe_append(&wire->in, data, size);
    return 0;
}

static void peer_shutdown_write(void *peer)
{
    struct kernel_wire *wire = peer;
    wire->in_ended = true;
}

static void peer_reset(void *peer)
{
    struct kernel_wire *wire = peer;
    wire->in_ended = true;
    wire->peer_closed = true;
    wire->reset = true;
}

static void peer_close(void *peer)
{
    struct kernel_wire *wire = peer;
    wire->in_ended = true;
    wire->peer_closed = true;
    wire->reset = wire->out.used > 0; /* bytes that nobody will read */
}

static void peer_set_window(void *peer, struct rill_opt_int window)
{
    struct kernel_wire *wire = peer;
    wire->window = window;
}

static struct rill_bytes peer_received(const void *peer)
{
    const struct kernel_wire *wire = peer;
    return (struct rill_bytes){wire->out.data, wire->out.used};
}

static void peer_discard(void *peer, size_t count)
{
    struct kernel_wire *wire = peer;
    (void)pipe_take(&wire->out, NULL, count);
}

static size_t peer_unread(const void *peer)
{
    const struct kernel_wire *wire = peer;
    return wire->in.used;
}

static void peer_free(void *peer)
{
    kernel_wire_let_go(peer, false);
}

const struct peer_ops kernel_peer_ops = {
    .send = peer_send,
    .shutdown_write = peer_shutdown_write,
    .close = peer_close,
    .reset = peer_reset,
    .set_window = peer_set_window,
    .received = peer_received,
    .discard = peer_discard,
    .unread = peer_unread,
    .free = peer_free,
    .merges = true,
};
