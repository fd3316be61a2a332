/* SPDX-License-Identifier: MIT
 *
 * The peer of the backend mem, over the library's memory transport. The library's
 * peer is the perfect stream socket of PROTOCOL.md, section 7; nothing is under way there, ever.
 */
#include "peer.h"

struct memory_peer {
    struct peer peer;
    struct rill_memory_peer *memory; /* NULL: the set-up failed */
    bool gone;                       /* closed or reset by the script */
};

static struct memory_peer *of(struct peer *peer)
{
    return (struct memory_peer *)peer;
}

static void memory_send(struct peer *peer, struct rill_bytes bytes)
{
    const struct memory_peer *self = of(peer);
    if (!self->gone) {
        rill_memory_peer_send(self->memory, bytes.ptr, bytes.len);
    }
}

static void memory_shutdown(struct peer *peer)
{
    if (of(peer)->memory != NULL) {
        rill_memory_peer_shutdown_write(of(peer)->memory);
    }
}

static void memory_reset(struct peer *peer)
{
    struct memory_peer *self = of(peer);
    self->gone = true;
    if (self->memory != NULL) {
        rill_memory_peer_reset(self->memory);
    }
}

static void memory_close(struct peer *peer)
{
    struct memory_peer *self = of(peer);
    if (!self->gone) {
        self->gone = true;
        rill_memory_peer_close(self->memory);
    }
}

static void memory_window(struct peer *peer, const json_t *size)
{
    const struct rill_opt_int window = {json_is_integer(size), json_integer_value(size)};
    if (of(peer)->memory != NULL) {
        rill_memory_peer_set_window(of(peer)->memory, window);
    }
}

static void memory_take(struct peer *peer, struct arena_buffer *into, size_t most)
{
    const struct memory_peer *self = of(peer);
    if (self->gone) {
        return; /* who closed reads nothing more */
    }
    const struct rill_bytes all = rill_memory_peer_received(self->memory);
    const size_t size = all.len < most - into->size ? all.len : most - into->size;
    arena_append(&peer->replay->arena, into, all.ptr, size);
    rill_memory_peer_discard(self->memory, size);
}

static const char *memory_end(struct peer *peer)
{
    static const char *const names[] = {
        [RILL_MEMORY_OPEN] = "open", [RILL_MEMORY_FIN] = "fin", [RILL_MEMORY_RST] = "rst"};
    const struct memory_peer *self = of(peer);
    if (self->gone) {
        return "closed";
    }
    return names[rill_memory_peer_end(self->memory)];
}

static bool never(struct peer *peer)
{
    (void)peer;
    return false;
}

static bool always(struct peer *peer)
{
    (void)peer;
    return true;
}

static void memory_dispose(struct peer *peer)
{
    rill_memory_peer_free(of(peer)->memory);
    of(peer)->memory = NULL;
}

static const struct peer_ops memory_ops = {
    .acts = {[PEER_SHUTDOWN] = memory_shutdown,
             [PEER_EOF] = memory_shutdown,
             [PEER_CLOSE] = memory_close,
             [PEER_CUT] = memory_close,
             [PEER_RESET] = memory_reset},
    .send = memory_send,
    .raw = memory_send,
    .window = memory_window,
    .take = memory_take,
    .end = memory_end,
    .arriving = never,
    .quiet = always,
    .turned_away = never,
    .dispose = memory_dispose,
};

void peer_memory_lost(struct peer *peer)
{
    of(peer)->memory = NULL;
    of(peer)->gone = true;
}

struct peer *peer_memory_new(struct replay *replay, struct rill_memory_peer *memory)
{
    struct memory_peer *self = arena_take(&replay->arena, sizeof *self);
    self->peer.ops = &memory_ops;
    self->peer.replay = replay;
    self->memory = memory;
    return &self->peer;
}
