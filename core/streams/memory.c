/* SPDX-License-Identifier: MIT
 *
 * A pipe in memory as the endpoint of the selector transport, and its peer. Readiness is
 * level-triggered like a socket's: while there is something to do, an entry is queued for the I/O
 * phase of each turn, read before write.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sansio/memory.h"
#include "streams/selector.h"

struct chunk {
    struct rill__link link;
    size_t size;
    size_t taken;
    char data[];
};

/* Shared by transport and peer; freed when both have let go. */
struct rill_memory_peer {
    struct rill__endpoint base;
    struct rill_loop *loop;
    struct rill__entry readable;
    struct rill__entry writable;
    struct rill__list chunks;     /* sent by the peer, not received yet */
    struct rill__buffer received; /* what the transport sent */
    struct rill_opt_int window;   /* bytes of `received` at most */
    bool reading;                 /* watched */
    bool writing;
    bool peer_eof;      /* the peer shut its write side */
    bool peer_closed;   /* sends answer EPIPE */
    bool reset_pending; /* the next call answers ECONNRESET, once */
    bool shut;          /* the transport shut its write side */
    enum rill_memory_end end;
    bool held_by_peer;
    bool held_by_transport;
};

static struct rill_memory_peer *of(struct rill__endpoint *endpoint)
{
    return rill__container(endpoint, struct rill_memory_peer, base);
}

/* Bytes that the peer takes now. */
static size_t room_of(const struct rill_memory_peer *self)
{
    const size_t waiting = rill__buffer_length(&self->received);
    if (!self->window.given) {
        return SIZE_MAX;
    }
    return self->window.value > 0 && (size_t)self->window.value > waiting
               ? (size_t)self->window.value - waiting
               : 0;
}

/* Whether an entry waits for the I/O phase of the next turn. */
static bool waits_for_io(const struct rill_loop *loop, const struct rill__entry *entry)
{
    const struct rill__link *link = rill__linked(&entry->link) ? rill__list_first(&loop->io) : NULL;
    while (link != NULL && link != &entry->link) {
        link = rill__list_after(&loop->io, link);
    }
    return link != NULL;
}

static void poke(struct rill_memory_peer *self)
{
    const bool input = !rill__list_empty(&self->chunks) || self->peer_eof || self->reset_pending;
    const bool output = room_of(self) > 0 || self->peer_closed || self->reset_pending;

    if (self->reading && input && !rill__linked(&self->readable.link)) {
        /* Read before write, also when there was room first. */
        const bool behind = waits_for_io(self->loop, &self->writable);
        if (behind) {
            rill__unready(&self->writable);
        }
        rill__ready_io(self->loop, &self->readable);
        if (behind) {
            rill__ready_io(self->loop, &self->writable);
        }
    }
    if (self->writing && output) {
        rill__ready_io(self->loop, &self->writable);
    }
}

static void run_readable(struct rill__entry *entry)
{
    struct rill_memory_peer *self = rill__container(entry, struct rill_memory_peer, readable);
    struct rill_transport *transport = rill_transport_ref(&self->base.transport->base);
    rill__selector_readable(self->base.transport);
    poke(self);
    rill_transport_unref(transport);
}

static void run_writable(struct rill__entry *entry)
{
    struct rill_memory_peer *self = rill__container(entry, struct rill_memory_peer, writable);
    struct rill_transport *transport = rill_transport_ref(&self->base.transport->base);
    rill__selector_writable(self->base.transport);
    poke(self);
    rill_transport_unref(transport);
}

static size_t copy_out(struct chunk *chunk, char *space, size_t size)
{
    const size_t left = chunk->size - chunk->taken;
    const size_t count = left < size ? left : size;
    if (count > 0) {
        memcpy(space, chunk->data + chunk->taken, count);
        chunk->taken += count;
    }
    return count;
}

static ssize_t memory_receive(struct rill__endpoint *endpoint, char *space, size_t size,
                              char *spare, size_t spare_size)
{
    struct rill_memory_peer *self = of(endpoint);
    struct rill__link *link = rill__list_first(&self->chunks);

    if (link == NULL && self->reset_pending) {
        self->reset_pending = false;
        return -ECONNRESET;
    }
    if (link == NULL) {
        return self->peer_eof ? 0 : -EAGAIN;
    }
    struct chunk *chunk = rill__container(link, struct chunk, link);
    size_t count = copy_out(chunk, space, size);
    count += copy_out(chunk, spare, spare_size);
    if (chunk->taken == chunk->size) {
        rill__list_remove(link);
        rill__free(chunk);
    }
    return (ssize_t)count;
}

static ssize_t memory_send(struct rill__endpoint *endpoint, const struct rill_bytes *parts,
                           size_t count)
{
    struct rill_memory_peer *self = of(endpoint);
    size_t room = room_of(self);
    size_t sent = 0;

    if (self->reset_pending) {
        self->reset_pending = false;
        return -ECONNRESET;
    }
    if (self->peer_closed || self->shut) {
        return -EPIPE;
    }
    for (size_t i = 0; i < count && room > 0; i++) {
        const size_t size = parts[i].len < room ? parts[i].len : room;
        if (size > 0 && rill__buffer_append(&self->received, parts[i].ptr, size) < 0) {
            break;
        }
        sent += size;
        room -= size;
    }
    return sent > 0 ? (ssize_t)sent : -EAGAIN;
}

static int memory_shutdown_write(struct rill__endpoint *endpoint)
{
    struct rill_memory_peer *self = of(endpoint);
    if (self->peer_closed) {
        return -ENOTCONN; /* */
    }
    self->shut = true;
    self->end = RILL_MEMORY_FIN;
    return 0;
}

static void memory_watch_reading(struct rill__endpoint *endpoint, bool on)
{
    struct rill_memory_peer *self = of(endpoint);
    self->reading = on;
    if (!on) {
        rill__unready(&self->readable);
    }
    poke(self);
}

static void memory_watch_writing(struct rill__endpoint *endpoint, bool on)
{
    struct rill_memory_peer *self = of(endpoint);
    self->writing = on;
    if (!on) {
        rill__unready(&self->writable);
    }
    poke(self);
}

static void memory_close(struct rill__endpoint *endpoint)
{
    struct rill_memory_peer *self = of(endpoint);
    self->reading = false;
    self->writing = false;
    rill__unready(&self->readable);
    rill__unready(&self->writable);
    self->end = rill__list_empty(&self->chunks) ? RILL_MEMORY_FIN : RILL_MEMORY_RST; /* */
}

static void memory_get_extra_info(struct rill__endpoint *endpoint, const char *name,
                                  struct rill_extra_info *info)
{
    (void)endpoint;
    (void)name;
    (void)info;
}

static void free_if_unheld(struct rill_memory_peer *self)
{
    struct rill__link *link;
    if (self->held_by_peer || self->held_by_transport) {
        return;
    }
    while ((link = rill__list_first(&self->chunks)) != NULL) {
        rill__list_remove(link);
        rill__free(rill__container(link, struct chunk, link));
    }
    rill__buffer_cleanup(&self->received);
    rill__free(self);
}

static void memory_destroy(struct rill__endpoint *endpoint)
{
    struct rill_memory_peer *self = of(endpoint);
    rill__selector_cleanup(endpoint->transport);
    rill__free(endpoint->transport);
    self->held_by_transport = false;
    free_if_unheld(self);
}

static const struct rill__endpoint_ops memory_ops = {
    .receive = memory_receive,
    .send = memory_send,
    .shutdown_write = memory_shutdown_write,
    .watch_reading = memory_watch_reading,
    .watch_writing = memory_watch_writing,
    .close = memory_close,
    .get_extra_info = memory_get_extra_info,
    .destroy = memory_destroy,
};

int rill_memory_transport_new(struct rill_loop *loop, struct rill_protocol *protocol,
                              const struct rill_memory_options *options,
                              struct rill_transport **transport, struct rill_memory_peer **peer)
{
    struct rill__selector *selector = rill__alloc_zeroed(sizeof *selector);
    struct rill_memory_peer *self = rill__alloc_zeroed(sizeof *self);

    *transport = NULL;
    *peer = NULL;
    if (self == NULL || selector == NULL) {
        rill__free(selector);
        rill__free(self);
        return RILL_ENOMEM;
    }
    self->base.ops = &memory_ops;
    self->loop = loop;
    self->readable.run = run_readable;
    self->writable.run = run_writable;
    rill__list_init(&self->chunks);
    rill__buffer_init(&self->received);
    if (options != NULL) {
        self->window = options->window;
    }
    rill__selector_init(selector, loop, &self->base, protocol);
    self->held_by_transport = true;
    self->held_by_peer = true;
    *transport = &selector->base;
    *peer = self;
    return 0;
}

void rill_memory_peer_free(struct rill_memory_peer *peer)
{
    if (peer != NULL) {
        peer->held_by_peer = false;
        free_if_unheld(peer);
    }
}

int rill_memory_peer_send(struct rill_memory_peer *peer, const void *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct chunk *chunk = rill__alloc(sizeof *chunk + size);
    if (chunk == NULL) {
        return RILL_ENOMEM;
    }
    *chunk = (struct chunk){.size = size};
    memcpy(chunk->data, data, size);
    rill__list_append(&peer->chunks, &chunk->link);
    poke(peer);
    return 0;
}

void rill_memory_peer_shutdown_write(struct rill_memory_peer *peer)
{
    peer->peer_eof = true;
    poke(peer);
}

void rill_memory_peer_reset(struct rill_memory_peer *peer)
{
    peer->peer_eof = true;
    peer->peer_closed = true;
    peer->reset_pending = true;
    poke(peer);
}

void rill_memory_peer_close(struct rill_memory_peer *peer)
{
    if (rill__buffer_length(&peer->received) > 0) {
        rill_memory_peer_reset(peer);
        return;
    }
    peer->peer_eof = true;
    peer->peer_closed = true;
    poke(peer);
}

void rill_memory_peer_set_window(struct rill_memory_peer *peer, struct rill_opt_int window)
{
    peer->window = window;
    poke(peer);
}

struct rill_bytes rill_memory_peer_received(const struct rill_memory_peer *peer)
{
    const struct rill_bytes all = {rill__buffer_data(&peer->received),
                                   rill__buffer_length(&peer->received)};
    return all;
}

void rill_memory_peer_discard(struct rill_memory_peer *peer, size_t count)
{
    const size_t length = rill__buffer_length(&peer->received);
    rill__buffer_discard(&peer->received, count < length ? count : length);
    poke(peer);
}

enum rill_memory_end rill_memory_peer_end(const struct rill_memory_peer *peer)
{
    return peer->end;
}

size_t rill_memory_peer_unread(const struct rill_memory_peer *peer)
{
    size_t size = 0;
    for (struct rill__link *link = rill__list_first(&peer->chunks); link != NULL;
         link = rill__list_after(&peer->chunks, link)) {
        const struct chunk *chunk = rill__container(link, struct chunk, link);
        size += chunk->size - chunk->taken;
    }
    return size;
}
