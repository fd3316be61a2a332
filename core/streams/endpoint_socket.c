/* SPDX-License-Identifier: MIT
 *
 * A socket as the endpoint of the selector transport. Transport, endpoint and watch are one
 * allocation: what a request touches lies together, the addresses behind it.
 */
#include "loop/poller.h"
#include "net/net.h"
#include "sansio/memory.h"
#include "streams/selector.h"

#include <stddef.h>
#include <string.h>

struct socket_endpoint {
    struct rill__selector transport;
    struct rill__endpoint base;
    struct rill__watch *watch;   /* behind this struct */
    int fd;                      /* -1 once closed */
    struct addresses *addresses; /* behind the watch */
};

/* As of creation: they stay available after the end. */
struct addresses {
    struct rill_address own;
    struct rill_address peer;
};

static struct socket_endpoint *of(struct rill__endpoint *endpoint)
{
    return rill__container(endpoint, struct socket_endpoint, base);
}

static void readable(struct rill__entry *entry)
{
    const struct rill__watch *watch = rill__container(entry, struct rill__watch, on_readable);
    const struct socket_endpoint *self = watch->owner;
    rill__selector_readable(self->base.transport);
}

static void writable(struct rill__entry *entry)
{
    const struct rill__watch *watch = rill__container(entry, struct rill__watch, on_writable);
    const struct socket_endpoint *self = watch->owner;
    rill__selector_writable(self->base.transport);
}

static ssize_t socket_receive(struct rill__endpoint *endpoint, char *space, size_t size,
                              char *spare, size_t spare_size)
{
    struct socket_endpoint *self = of(endpoint);
    return rill__receive(self->transport.base.loop, self->fd, space, size, spare, spare_size);
}

static ssize_t socket_send(struct rill__endpoint *endpoint, const struct rill_bytes *parts,
                           size_t count)
{
    struct socket_endpoint *self = of(endpoint);
    return rill__send(self->transport.base.loop, self->fd, parts, count);
}

static int socket_shutdown_write(struct rill__endpoint *endpoint)
{
    struct socket_endpoint *self = of(endpoint);
    return rill__shutdown_write(self->transport.base.loop, self->fd);
}

static void socket_watch_reading(struct rill__endpoint *endpoint, bool on)
{
    rill__watch_reading(of(endpoint)->watch, on);
}

static void socket_watch_writing(struct rill__endpoint *endpoint, bool on)
{
    rill__watch_writing(of(endpoint)->watch, on);
}

static void socket_close(struct rill__endpoint *endpoint)
{
    struct socket_endpoint *self = of(endpoint);
    rill__watch_cleanup(self->watch);
    rill__descriptor_release(self->transport.base.loop, self->fd);
    rill__close(self->transport.base.loop, self->fd);
    self->fd = -1;
}

static void socket_get_extra_info(struct rill__endpoint *endpoint, const char *name,
                                  struct rill_extra_info *info)
{
    const struct socket_endpoint *self = of(endpoint);
    const bool peer = strcmp(name, "peername") == 0;

    if (peer || strcmp(name, "sockname") == 0) {
        info->address = peer ? self->addresses->peer : self->addresses->own;
        info->kind = info->address.family != 0 ? RILL_EXTRA_ADDRESS : RILL_EXTRA_NONE;
    } else if (strcmp(name, "socket") == 0) {
        info->kind = RILL_EXTRA_SOCKET;
        info->socket = self->fd;
    }
}

static void socket_destroy(struct rill__endpoint *endpoint)
{
    struct socket_endpoint *self = of(endpoint);
    rill__selector_cleanup(&self->transport);
    rill__free(self);
}

static const struct rill__endpoint_ops socket_ops = {
    .receive = socket_receive,
    .send = socket_send,
    .shutdown_write = socket_shutdown_write,
    .watch_reading = socket_watch_reading,
    .watch_writing = socket_watch_writing,
    .close = socket_close,
    .get_extra_info = socket_get_extra_info,
    .destroy = socket_destroy,
};

static size_t aligned(size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    return (size + unit - 1) / unit * unit;
}

static struct socket_endpoint *allocate(const struct rill_loop *loop)
{
    const size_t watch_at = aligned(sizeof(struct socket_endpoint));
    const size_t addresses_at = watch_at + aligned(rill__watch_size(loop));
    char *memory = rill__alloc_zeroed(addresses_at + sizeof(struct addresses));
    if (memory == NULL) {
        return NULL;
    }
    struct socket_endpoint *self = (struct socket_endpoint *)(void *)memory;
    self->watch = (struct rill__watch *)(void *)(memory + watch_at);
    self->addresses = (struct addresses *)(void *)(memory + addresses_at);
    return self;
}

int rill__socket_transport_new(struct rill_loop *loop, int fd, const struct rill_address *peer,
                               struct rill_protocol *protocol, struct rill__selector **transport,
                               const struct rill_error **error)
{
    *error = NULL;
    const int rc = rill__descriptor_claim(loop, fd, error);
    if (rc < 0) {
        return rc;
    }
    struct socket_endpoint *self = allocate(loop);
    if (self == NULL) {
        rill__descriptor_release(loop, fd);
        *error = rill_error_no_memory();
        return RILL_ENOMEM;
    }
    self->base.ops = &socket_ops;
    self->fd = fd;
    rill__watch_init(self->watch, loop, fd);
    self->watch->owner = self;
    self->watch->on_readable.run = readable;
    self->watch->on_writable.run = writable;
    rill__own_address(loop, fd, &self->addresses->own);
    if (peer != NULL) {
        self->addresses->peer = *peer;
    } else {
        rill__peer_address(loop, fd, &self->addresses->peer);
    }
    rill__set_nodelay(loop, fd, &self->addresses->own);
    rill__selector_init(&self->transport, loop, &self->base, protocol);
    *transport = &self->transport;
    return 0;
}
