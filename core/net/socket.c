/* SPDX-License-Identifier: MIT
 *
 * What streams do with a connected or listening descriptor.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>

#include "loop/loop.h"
#include "net/address.h"

#define PARTS_MAX 64 /* of one sendmsg; IOV_MAX is 1024, few writelines have more */

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

void rill__set_nodelay(struct rill_loop *loop, int fd, const struct rill_address *own)
{
    const int on = 1;
    if (own->family != AF_INET && own->family != AF_INET6) {
        return;
    }
    /* Fails on what is not TCP, and that is the kernel's answer. */
    (void)loop->sys->setsockopt(loop->sys->arg, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

typedef int address_fn(void *arg, int fd, struct sockaddr *address, unsigned *length);

static bool ask(struct rill_loop *loop, address_fn *call, int fd, struct rill_address *address)
{
    struct sockaddr_storage storage = {0};
    unsigned length = sizeof storage;
    struct sockaddr *kernel = (struct sockaddr *)&storage;

    memset(address, 0, sizeof *address);
    if (call(loop->sys->arg, fd, kernel, &length) < 0) {
        return false;
    }
    rill__address_from_kernel(kernel, length, address);
    return true;
}

bool rill__own_address(struct rill_loop *loop, int fd, struct rill_address *address)
{
    return ask(loop, loop->sys->getsockname, fd, address);
}

bool rill__peer_address(struct rill_loop *loop, int fd, struct rill_address *address)
{
    return ask(loop, loop->sys->getpeername, fd, address);
}

int rill__listen(struct rill_loop *loop, int fd, int backlog)
{
    return (int)result(loop->sys->listen(loop->sys->arg, fd, backlog));
}

int rill__accept(struct rill_loop *loop, int fd, struct rill_address *peer)
{
    struct sockaddr_storage storage = {0};
    unsigned length = sizeof storage;
    struct sockaddr *kernel = (struct sockaddr *)&storage;

    const int accepted = loop->sys->accept(loop->sys->arg, fd, kernel, &length);
    if (accepted < 0) {
        return -errno;
    }
    rill__address_from_kernel(kernel, length, peer);
    if (peer->family == AF_UNSPEC) { /* an unnamed unix client */
        peer->family = AF_UNIX;
    }
    return accepted;
}

ssize_t rill__receive(struct rill_loop *loop, int fd, char *space, size_t size, char *spare,
                      size_t spare_size)
{
    const struct rill_sys *sys = loop->sys;
    if (size == 0) { /* recv is measurably cheaper than readv */
        return result(sys->recv(sys->arg, fd, spare, spare_size));
    }
    const struct iovec parts[2] = {{space, size}, {spare, spare_size}};
    return result(sys->readv(sys->arg, fd, parts, spare_size > 0 ? 2 : 1));
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
