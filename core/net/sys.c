/* SPDX-License-Identifier: MIT
 *
 * The kernel's own calls behind struct rill_sys.
 */
#include <rill/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int kernel_socket(void *arg, int family, int type, int protocol)
{
    (void)arg;
    return socket(family, type | SOCK_CLOEXEC, protocol);
}

static int kernel_connect(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    (void)arg;
    return connect(fd, address, length);
}

static int kernel_bind(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    (void)arg;
    return bind(fd, address, length);
}

static int kernel_listen(void *arg, int fd, int backlog)
{
    (void)arg;
    return listen(fd, backlog);
}

static int kernel_accept(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    (void)arg;
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int kernel_getsockname(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    (void)arg;
    return getsockname(fd, address, length);
}

static int kernel_getpeername(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    (void)arg;
    return getpeername(fd, address, length);
}

static int kernel_getsockopt(void *arg, int fd, int level, int name, void *value, unsigned *length)
{
    (void)arg;
    return getsockopt(fd, level, name, value, length);
}

static int kernel_setsockopt(void *arg, int fd, int level, int name, const void *value,
                             unsigned length)
{
    (void)arg;
    return setsockopt(fd, level, name, value, length);
}

static int kernel_set_nonblocking(void *arg, int fd)
{
    (void)arg;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) != 0) {
        return flags < 0 ? -1 : 0;
    }
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static ssize_t kernel_recv(void *arg, int fd, void *space, size_t size)
{
    (void)arg;
    return recv(fd, space, size, 0);
}

static ssize_t kernel_readv(void *arg, int fd, const struct iovec *parts, int count)
{
    (void)arg;
    return readv(fd, parts, count);
}

static ssize_t kernel_send(void *arg, int fd, const void *data, size_t size)
{
    (void)arg;
    return send(fd, data, size, MSG_NOSIGNAL);
}

static ssize_t kernel_sendmsg(void *arg, int fd, const struct iovec *parts, int count)
{
    (void)arg;
    /* The kernel does not write through msg_iov, the type only lacks the const. */
    union {
        const struct iovec *in;
        struct iovec *out;
    } vector = {.in = parts};
    const struct msghdr message = {.msg_iov = vector.out, .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int kernel_shutdown_write(void *arg, int fd)
{
    (void)arg;
    return shutdown(fd, SHUT_WR);
}

static int kernel_close(void *arg, int fd)
{
    (void)arg;
    return close(fd);
}

static int kernel_getaddrinfo(void *arg, const char *host, const char *port,
                              const struct addrinfo *hints, struct addrinfo **list)
{
    (void)arg;
    return getaddrinfo(host, port, hints, list);
}

static void kernel_freeaddrinfo(void *arg, struct addrinfo *list)
{
    (void)arg;
    freeaddrinfo(list);
}

static int kernel_stat(void *arg, const char *path, struct stat *status)
{
    (void)arg;
    return stat(path, status);
}

static int kernel_unlink(void *arg, const char *path)
{
    (void)arg;
    return unlink(path);
}

const struct rill_sys *rill_sys_kernel(void)
{
    static const struct rill_sys kernel = {
        .socket = kernel_socket,
        .connect = kernel_connect,
        .bind = kernel_bind,
        .listen = kernel_listen,
        .accept = kernel_accept,
        .getsockname = kernel_getsockname,
        .getpeername = kernel_getpeername,
        .getsockopt = kernel_getsockopt,
        .setsockopt = kernel_setsockopt,
        .set_nonblocking = kernel_set_nonblocking,
        .recv = kernel_recv,
        .readv = kernel_readv,
        .send = kernel_send,
        .sendmsg = kernel_sendmsg,
        .shutdown_write = kernel_shutdown_write,
        .close = kernel_close,
        .getaddrinfo = kernel_getaddrinfo,
        .freeaddrinfo = kernel_freeaddrinfo,
        .stat = kernel_stat,
        .unlink = kernel_unlink,
    };
    return &kernel;
}
