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

#define NAME_LENGTH_MAX ((size_t)110) /* of a path */

struct socket_endpoint {
    struct rill__selector transport;
    struct rill__endpoint base;
    struct rill_task *home;    /* whose room this is in; NULL: the heap */
    struct rill__watch *watch; /* behind this struct */
    int fd;                    /* -1 once closed */
    unsigned char peer_size;   /* bytes of `names`, as the kernel writes them */
    unsigned char own_size;    /* bytes behind the peer's; 0: not asked for yet */
    unsigned char own_room;
    char *names; /* behind the watch */
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

/* R-231 says at creation. An accepted socket's own name is asked for when somebody wants to know it
 * or could later: it stays the same until the close, and most are never asked. */
static void learn_own_name(struct socket_endpoint *self)
{
    struct rill__name own;

    if (self->own_size == 0 && self->fd >= 0 &&
        rill__own_name(self->transport.base.loop, self->fd, &own) && own.length <= self->own_room) {
        memcpy(self->names + self->peer_size, own.storage.bytes, own.length);
        self->own_size = (unsigned char)own.length;
    }
}

static void socket_close(struct rill__endpoint *endpoint)
{
    struct socket_endpoint *self = of(endpoint);
    if (self->transport.base.references > 1) { /* not the loop's alone: names stay */
        learn_own_name(self);
    }
    rill__watch_cleanup(self->watch);
    rill__descriptor_release(self->transport.base.loop, self->fd);
    rill__close(self->transport.base.loop, self->fd);
    self->fd = -1;
}

static void socket_get_extra_info(struct rill__endpoint *endpoint, const char *name,
                                  struct rill_extra_info *info)
{
    struct socket_endpoint *self = of(endpoint);

    if (strcmp(name, "peername") == 0) {
        rill__address_from_kernel(self->names, self->peer_size, &info->address);
    } else if (strcmp(name, "sockname") == 0) {
        learn_own_name(self);
        rill__address_from_kernel(self->names + self->peer_size, self->own_size, &info->address);
    } else if (strcmp(name, "socket") == 0) {
        info->kind = RILL_EXTRA_SOCKET;
        info->socket = self->fd;
        return;
    }
    info->kind = info->address.family != 0 ? RILL_EXTRA_ADDRESS : RILL_EXTRA_NONE;
}

static void socket_destroy(struct rill__endpoint *endpoint)
{
    struct socket_endpoint *self = of(endpoint);
    rill__selector_cleanup(&self->transport);
    rill__room_free(self->home, self);
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

static struct socket_endpoint *allocate(const struct rill_loop *loop, struct rill_task *home,
                                        const struct rill__name *peer, const struct rill__name *own)
{
    const size_t watch_at = aligned(sizeof(struct socket_endpoint));
    const size_t names_at = watch_at + aligned(rill__watch_size(loop));
    const size_t room = rill__name_is_ip(peer) ? peer->length : NAME_LENGTH_MAX;
    char *memory = rill__room_alloc(&home, names_at + peer->length + room);
    if (memory == NULL) {
        return NULL;
    }
    struct socket_endpoint *self = (struct socket_endpoint *)(void *)memory;
    self->home = home;
    self->watch = (struct rill__watch *)(void *)(memory + watch_at);
    self->names = memory + names_at;
    self->peer_size = (unsigned char)peer->length;
    self->own_room = (unsigned char)room;
    self->own_size = (unsigned char)(own->length <= room ? own->length : 0);
    memcpy(self->names, peer->storage.bytes, peer->length);
    memcpy(self->names + peer->length, own->storage.bytes, self->own_size);
    return self;
}

int rill__socket_transport_new(struct rill_loop *loop, int fd, const struct rill__name *accepted,
                               struct rill_task *home, struct rill_protocol *protocol,
                               struct rill__selector **transport, const struct rill_error **error)
{
    struct rill__name own = {.length = 0};
    struct rill__name peer;

    *error = NULL;
    const int rc = rill__descriptor_claim(loop, fd, error);
    if (rc < 0) {
        return rc;
    }
    if (accepted == NULL) {
        rill__own_name(loop, fd, &own);
        rill__peer_name(loop, fd, &peer);
        rill__set_nodelay(loop, fd, &own);
    }
    struct socket_endpoint *self = allocate(loop, home, accepted != NULL ? accepted : &peer, &own);
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
    rill__selector_init(&self->transport, loop, &self->base, protocol);
    *transport = &self->transport;
    return 0;
}
