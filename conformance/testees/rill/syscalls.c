/* SPDX-License-Identifier: MIT
 *
 * The system-call table of a case.
 */
#include "syscalls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "attempts.h"
#include "faults.h"
#include "lookups.h"

static const struct rill_sys *counted(struct replay *replay)
{
    replay->seams.activity++;
    return rill_sys_kernel();
}

/* Whether a fault makes this call fail; errno is set then. */
static bool fails(struct replay *replay, const char *call, int fd, size_t *most)
{
    const struct effect effect = fault_meet(replay, call, fd);
    replay->seams.activity++;
    if (most != NULL) {
        *most = effect.most;
    }
    if (effect.os_errno == 0) {
        return false;
    }
    errno = effect.os_errno;
    return true;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static ssize_t received(struct replay *replay, int fd, ssize_t size)
{
    if (size > 0 && fd < DESCRIPTORS_MAX) {
        replay->seams.received[fd] += (size_t)size;
    }
    return size;
}

/* The first parts of a vector, `most` bytes in all; *count becomes their number. */
static const struct iovec *shortened(struct replay *replay, const struct iovec *parts, int *count,
                                     size_t most)
{
    struct iovec *copy = arena_take(&replay->arena, (size_t)*count * sizeof *copy);
    int used = 0;
    for (; used < *count && most > 0; used++) {
        copy[used].iov_base = parts[used].iov_base;
        copy[used].iov_len = smaller(parts[used].iov_len, most);
        most -= copy[used].iov_len;
    }
    *count = used;
    return copy;
}

static ssize_t hooked_recv(void *arg, int fd, void *space, size_t size)
{
    const struct rill_sys *kernel = counted(arg);
    size_t most;
    if (fails(arg, "recv", fd, &most)) {
        return -1;
    }
    return received(arg, fd, kernel->recv(kernel->arg, fd, space, smaller(size, most)));
}

static ssize_t hooked_readv(void *arg, int fd, const struct iovec *parts, int count)
{
    const struct rill_sys *kernel = counted(arg);
    size_t most;
    if (fails(arg, "recv", fd, &most)) {
        return -1;
    }
    if (most < PTRDIFF_MAX) {
        parts = shortened(arg, parts, &count, most);
    }
    return received(arg, fd, kernel->readv(kernel->arg, fd, parts, count));
}

static ssize_t hooked_send(void *arg, int fd, const void *data, size_t size)
{
    const struct rill_sys *kernel = counted(arg);
    size_t most;
    if (fails(arg, "send", fd, &most)) {
        return -1;
    }
    return kernel->send(kernel->arg, fd, data, smaller(size, most));
}

static ssize_t hooked_sendmsg(void *arg, int fd, const struct iovec *parts, int count)
{
    const struct rill_sys *kernel = counted(arg);
    size_t most;
    if (fails(arg, "send", fd, &most)) {
        return -1;
    }
    if (most < PTRDIFF_MAX) {
        parts = shortened(arg, parts, &count, most);
    }
    return kernel->sendmsg(kernel->arg, fd, parts, count);
}

static int hooked_socket(void *arg, int family, int type, int protocol)
{
    const struct rill_sys *kernel = counted(arg);
    if (fails(arg, "socket", -1, NULL)) {
        return -1;
    }
    const int fd = kernel->socket(kernel->arg, family, type, protocol);
    syscalls_forget(arg, fd);
    return fd;
}

static int hooked_connect(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    const struct rill_sys *kernel = counted(arg);
    int result;
    if (fails(arg, "connect", fd, NULL)) {
        return -1;
    }
    if (attempt_connect(arg, fd, address, length, &result)) {
        return result;
    }
    return kernel->connect(kernel->arg, fd, address, length);
}

static int hooked_bind(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    const struct rill_sys *kernel = counted(arg);
    return fails(arg, "bind", fd, NULL) ? -1 : kernel->bind(kernel->arg, fd, address, length);
}

static int hooked_listen(void *arg, int fd, int backlog)
{
    const struct rill_sys *kernel = counted(arg);
    return fails(arg, "listen", fd, NULL) ? -1 : kernel->listen(kernel->arg, fd, backlog);
}

static int hooked_accept(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    const struct rill_sys *kernel = counted(arg);
    if (fails(arg, "accept", fd, NULL)) {
        return -1;
    }
    const int accepted = kernel->accept(kernel->arg, fd, address, length);
    syscalls_forget(arg, accepted);
    return accepted;
}

static int hooked_getsockopt(void *arg, int fd, int level, int name, void *value, unsigned *length)
{
    const struct rill_sys *kernel = counted(arg);
    int os_errno = 0;
    if (level != SOL_SOCKET || name != SO_ERROR || *length != sizeof os_errno) {
        return kernel->getsockopt(kernel->arg, fd, level, name, value, length);
    }
    if (fails(arg, "getsockopt-error", fd, NULL)) {
        os_errno = errno;
    } else if (!attempt_outcome(arg, fd, &os_errno)) {
        return kernel->getsockopt(kernel->arg, fd, level, name, value, length);
    }
    memcpy(value, &os_errno, sizeof os_errno);
    return 0;
}

static int hooked_shutdown_write(void *arg, int fd)
{
    const struct rill_sys *kernel = counted(arg);
    return fails(arg, "shutdown", fd, NULL) ? -1 : kernel->shutdown_write(kernel->arg, fd);
}

static int hooked_close(void *arg, int fd)
{
    const struct rill_sys *kernel = counted(arg);
    attempt_closed(arg, fd);
    syscalls_forget(arg, fd);
    return kernel->close(kernel->arg, fd);
}

/* On a helper thread: nothing is counted. */
static int hooked_getaddrinfo(void *arg, const char *host, const char *port,
                              const struct addrinfo *hints, struct addrinfo **list)
{
    return lookup_names(arg, host, port, hints, list);
}

static void hooked_freeaddrinfo(void *arg, struct addrinfo *list)
{
    (void)arg;
    lookup_free_list(list);
}

size_t syscalls_received(const struct replay *replay, int fd)
{
    return fd >= 0 && fd < DESCRIPTORS_MAX ? replay->seams.received[fd] : 0;
}

void syscalls_forget(struct replay *replay, int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS_MAX) {
        replay->seams.received[fd] = 0;
    }
}

void syscalls_init(struct replay *replay)
{
    struct rill_sys *sys = &replay->seams.sys;
    *sys = *rill_sys_kernel();
    sys->recv = hooked_recv;
    sys->readv = hooked_readv;
    sys->send = hooked_send;
    sys->sendmsg = hooked_sendmsg;
    sys->socket = hooked_socket;
    sys->connect = hooked_connect;
    sys->bind = hooked_bind;
    sys->listen = hooked_listen;
    sys->accept = hooked_accept;
    sys->getsockopt = hooked_getsockopt;
    sys->shutdown_write = hooked_shutdown_write;
    sys->close = hooked_close;
    sys->getaddrinfo = hooked_getaddrinfo;
    sys->freeaddrinfo = hooked_freeaddrinfo;
    sys->arg = replay;
}
