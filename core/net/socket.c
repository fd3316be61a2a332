/* SPDX-License-Identifier: MIT
 *
 * What streams do with a connected or listening descriptor.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

#include "loop/loop.h"
#include "net/address.h"

#define PARTS_MAX 64 /* of one sendmsg; IOV_MAX is 1024, few writelines have more */

/* R-404 allows four times as much. What was received should still be in the second-level cache when
 * it is read: pipelined lines and messages take a tenth less than with 256 KiB. */
#define RECEIVE_MAX ((size_t)65536)

static long result(long rc)
{
    return rc < 0 ? -errno : rc;
}

bool rill__is_stream_socket(struct rill_loop *loop, int fd)
{
    int type = 0;
    unsigned length = sizeof type;
    const int rc = loop->sys->getsockopt(loop->sys->arg, fd, SOL_SOCKET, SO_TYPE, &type, &length);
    return rc == 0 && type == SOCK_STREAM;
}

int rill__set_nonblocking(struct rill_loop *loop, int fd)
{
    return (int)result(loop->sys->set_nonblocking(loop->sys->arg, fd));
}

static struct sockaddr *kernel_of(struct rill__name *name)
{
    return (struct sockaddr *)(void *)&name->storage;
}

bool rill__name_is_ip(const struct rill__name *name)
{
    const struct sockaddr *kernel = (const struct sockaddr *)(const void *)&name->storage;
    return name->length >= sizeof kernel->sa_family &&
           (kernel->sa_family == AF_INET || kernel->sa_family == AF_INET6);
}

bool rill__set_nodelay(struct rill_loop *loop, int fd, const struct rill__name *name)
{
    const int on = 1;
    /* Fails on what is not TCP, and that is the kernel's answer. */
    return rill__name_is_ip(name) &&
           loop->sys->setsockopt(loop->sys->arg, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

typedef int name_fn(void *arg, int fd, struct sockaddr *address, unsigned *length);

static bool ask(struct rill_loop *loop, name_fn *call, int fd, struct rill__name *name)
{
    name->length = sizeof name->storage;
    if (call(loop->sys->arg, fd, kernel_of(name), &name->length) < 0) {
        name->length = 0;
    }
    return name->length > 0;
}

bool rill__own_name(struct rill_loop *loop, int fd, struct rill__name *name)
{
    return ask(loop, loop->sys->getsockname, fd, name);
}

bool rill__peer_name(struct rill_loop *loop, int fd, struct rill__name *name)
{
    return ask(loop, loop->sys->getpeername, fd, name);
}

bool rill__own_address(struct rill_loop *loop, int fd, struct rill_address *address)
{
    struct rill__name name;
    rill__own_name(loop, fd, &name);
    rill__address_from_kernel(&name.storage, name.length, address);
    return name.length > 0;
}

int rill__listen(struct rill_loop *loop, int fd, int backlog)
{
    return (int)result(loop->sys->listen(loop->sys->arg, fd, backlog));
}

int rill__accept(struct rill_loop *loop, int fd, struct rill__name *peer)
{
    peer->length = sizeof peer->storage;
    const int accepted = loop->sys->accept(loop->sys->arg, fd, kernel_of(peer), &peer->length);
    if (accepted >= 0 && peer->length < sizeof(sa_family_t)) { /* an unnamed unix client */
        kernel_of(peer)->sa_family = AF_UNIX;
        peer->length = sizeof(sa_family_t);
    }
    return accepted < 0 ? -errno : accepted;
}

ssize_t rill__receive(struct rill_loop *loop, int fd, char *space, size_t size, char *spare,
                      size_t spare_size)
{
    const struct rill_sys *sys = loop->sys;

    size = size < RECEIVE_MAX ? size : RECEIVE_MAX;
    spare_size = spare_size < RECEIVE_MAX - size ? spare_size : RECEIVE_MAX - size;
    if (size == 0 || spare_size == 0) { /* recv is measurably cheaper than readv */
        return result(
            sys->recv(sys->arg, fd, size > 0 ? space : spare, size > 0 ? size : spare_size));
    }
    const struct iovec parts[2] = {{space, size}, {spare, spare_size}};
    return result(sys->readv(sys->arg, fd, parts, 2));
}

ssize_t rill__send(struct rill_loop *loop, int fd, const struct rill_bytes *parts, size_t count)
{
    struct iovec vector[PARTS_MAX];

    if (count == 1) {
        return result(loop->sys->send(loop->sys->arg, fd, parts[0].ptr, parts[0].len));
    }
    count = count < PARTS_MAX ? count : PARTS_MAX;
    for (size_t i = 0; i < count; i++) {
        union {
            const char *in;
            void *out;
        } base = {.in = parts[i].ptr};
        vector[i] = (struct iovec){base.out, parts[i].len};
    }
    return result(loop->sys->sendmsg(loop->sys->arg, fd, vector, (int)count));
}

int rill__shutdown_write(struct rill_loop *loop, int fd)
{
    return (int)result(loop->sys->shutdown_write(loop->sys->arg, fd));
}

void rill__close(struct rill_loop *loop, int fd)
{
    (void)loop->sys->close(loop->sys->arg, fd); /* the number is gone whatever it answers */
}
