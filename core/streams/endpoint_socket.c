/* SPDX-License-Identifier: MIT
 *
 * A socket as the endpoint of the selector transport.
 */
#include "loop/poller.h"
#include "net/net.h"
#include "sansio/memory.h"
#include "streams/selector.h"

#include <string.h>

struct socket_endpoint {
    struct rill__endpoint base;
    struct rill_loop *loop;
    struct rill__watch *watch;
    int fd;                  /* -1 once closed */
    struct rill_address own; /* as of creation: stay available after the end */
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
    return rill__receive(self->loop, self->fd, space, size, spare, spare_size);
}

static ssize_t socket_send(struct rill__endpoint *endpoint, const struct rill_bytes *parts,
                           size_t count)
{
    struct socket_endpoint *self = of(endpoint);
    return rill__send(self->loop, self->fd, parts, count);
}

static int socket_shutdown_write(struct rill__endpoint *endpoint)
{
    struct socket_endpoint *self = of(endpoint);
    return rill__shutdown_write(self->loop, self->fd);
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
    rill__watch_free(self->watch);
    self->watch = NULL;
    rill__descriptor_release(self->loop, self->fd);
    rill__close(self->loop, self->fd);
    self->fd = -1;
}

static void socket_get_extra_info(struct rill__endpoint *endpoint, const char *name,
                                  struct rill_extra_info *info)
{
    const struct socket_endpoint *self = of(endpoint);
    const bool peer = strcmp(name, "peername") == 0;

    if (peer || strcmp(name, "sockname") == 0) {
        info->address = peer ? self->peer : self->own;
        info->kind = info->address.family != 0 ? RILL_EXTRA_ADDRESS : RILL_EXTRA_NONE;
    } else if (strcmp(name, "socket") == 0) {
        info->kind = RILL_EXTRA_SOCKET;
        info->socket = self->fd;
    }
}

static void socket_destroy(struct rill__endpoint *endpoint)
{
    rill__free(of(endpoint));
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

int rill__socket_endpoint_new(struct rill_loop *loop, int fd, const struct rill_address *peer,
                              struct rill__endpoint **endpoint, const struct rill_error **error)
{
    *error = NULL;
    int rc = rill__descriptor_claim(loop, fd, error);
    if (rc < 0) {
        return rc;
    }
    struct socket_endpoint *self = rill__alloc_zeroed(sizeof *self);
    if (self != NULL) {
        self->watch = rill__watch_new(loop, fd);
    }
    if (self == NULL || self->watch == NULL) {
        rill__free(self);
        rill__descriptor_release(loop, fd);
        *error = rill_error_new(RILL_ENOMEM, "%s", "");
        return RILL_ENOMEM;
    }
    self->base.ops = &socket_ops;
    self->loop = loop;
    self->fd = fd;
    self->watch->owner = self;
    self->watch->on_readable.run = readable;
    self->watch->on_writable.run = writable;
    rill__own_address(loop, fd, &self->own);
    if (peer != NULL) {
        self->peer = *peer;
    } else {
        rill__peer_address(loop, fd, &self->peer);
    }
    rill__set_nodelay(loop, fd, &self->own);
    *endpoint = &self->base;
    return 0;
}

int rill__socket_transport_new(struct rill_loop *loop, int fd, const struct rill_address *peer,
                               struct rill_protocol *protocol, struct rill__selector **transport,
                               const struct rill_error **error)
{
    struct rill__endpoint *endpoint = NULL;
    int rc = rill__socket_endpoint_new(loop, fd, peer, &endpoint, error);
    if (rc < 0) {
        return rc;
    }
    rc = rill__selector_new(loop, endpoint, protocol, transport);
    if (rc < 0) {
        struct socket_endpoint *self = of(endpoint);
        rill__watch_free(self->watch);
        rill__descriptor_release(loop, fd);
        rill__free(self);
        *error = rill_error_new(rc, "%s", "");
    }
    return rc;
}
