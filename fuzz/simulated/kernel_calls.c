/* SPDX-License-Identifier: MIT
 *
 * The simulated kernel's table of system calls.
 */
#include "simulated/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* -- faults ---------------------------------------------------------------------------------- */

static int fail(struct kernel *kernel, int os_errno)
{
    kernel->failed++;
    errno = os_errno;
    return -1;
}

/* True when the call fails, as planned. */
static bool fails(struct kernel *kernel, enum kernel_call call)
{
    const struct kernel_fault *fault = &kernel->fault;
    const size_t number = ++kernel->made[call];
    if (fault->first == 0 || fault->call != call || number < fault->first ||
        number - fault->first >= fault->count) {
        return false;
    }
    (void)fail(kernel, fault->os_errno);
    return true;
}

/* The socket that a call is about; NULL: it fails. */
static struct kernel_socket *begin(struct kernel *kernel, enum kernel_call call, int fd)
{
    struct kernel_socket *socket = kernel_socket_of(kernel, fd);
    if (socket == NULL) {
        (void)fail(kernel, EBADF);
        return NULL;
    }
    return fails(kernel, call) ? NULL : socket;
}

static long answer(struct kernel *kernel, long rc)
{
    return rc < 0 && rc != -EAGAIN ? fail(kernel, (int)-rc) : rc < 0 ? (errno = EAGAIN, -1) : rc;
}

/* -- life ------------------------------------------------------------------------------------ */

static int take_slot(struct kernel *kernel, const struct kernel_socket *as)
{
    for (int i = 0; i < KERNEL_SOCKETS; i++) {
        if (kernel->sockets[i].state == KERNEL_FREE) {
            kernel->sockets[i] = *as;
            return KERNEL_FIRST_FD + i;
        }
    }
    return fail(kernel, EMFILE);
}

static int call_socket(void *arg, int family, int type, int protocol)
{
    const struct kernel_socket made = {.state = KERNEL_NEW, .family = family, .type = type};
    (void)protocol;
    return fails(arg, KERNEL_SOCKET) ? -1 : take_slot(arg, &made);
}

/* The descriptor is gone whatever it answers. */
static int call_close(void *arg, int fd)
{
    struct kernel *kernel = arg;
    struct kernel_socket *socket = kernel_socket_of(kernel, fd);
    if (socket == NULL) {
        return fail(kernel, EBADF);
    }
    for (size_t i = 0; i < socket->pending_count; i++) {
        kernel_wire_let_go(socket->pending[i], true);
    }
    if (socket->wire != NULL) {
        kernel_wire_let_go(socket->wire, true);
    }
    *socket = (struct kernel_socket){.state = KERNEL_FREE};
    return fails(kernel, KERNEL_CLOSE) ? -1 : 0;
}

static void set_name(struct kernel_name *name, const struct sockaddr *address, unsigned length)
{
    name->length = length < sizeof name->storage ? length : sizeof name->storage;
    memcpy(&name->storage, address, name->length);
}

static int give_name(const struct kernel_name *name, int family, struct sockaddr *address,
                     unsigned *length)
{
    struct kernel_name none = {.length = sizeof(sa_family_t)};
    none.storage.ss_family = (sa_family_t)family;
    name = name->length > 0 ? name : &none;
    memcpy(address, &name->storage, *length < name->length ? *length : name->length);
    *length = name->length;
    return 0;
}

static int call_bind(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    struct kernel_socket *socket = begin(arg, KERNEL_BIND, fd);
    if (socket == NULL) {
        return -1;
    }
    set_name(&socket->own, address, length);
    return 0;
}

static int call_listen(void *arg, int fd, int backlog)
{
    struct kernel_socket *socket = begin(arg, KERNEL_LISTEN, fd);
    (void)backlog;
    if (socket == NULL) {
        return -1;
    }
    socket->state = KERNEL_LISTENING;
    return 0;
}

/* The oldest of those that wait. */
static int call_accept(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    struct kernel *kernel = arg;
    struct kernel_socket *listener = begin(kernel, KERNEL_ACCEPT, fd);
    if (listener == NULL) {
        return -1;
    }
    if (listener->pending_count == 0) {
        errno = EAGAIN;
        return -1;
    }
    struct kernel_wire *wire = listener->pending[0];
    const struct kernel_socket made = {.state = KERNEL_CONNECTED,
                                       .family = listener->family,
                                       .type = listener->type,
                                       .own = listener->own,
                                       .wire = wire};
    const int accepted = take_slot(kernel, &made);
    if (accepted >= 0) {
        listener->pending_count--;
        memmove(listener->pending, listener->pending + 1,
                listener->pending_count * sizeof listener->pending[0]);
        (void)give_name(&wire->peer, AF_INET, address, length);
    }
    return accepted;
}

/* A connect that is interrupted goes on by itself. */
static bool goes_on(int os_errno)
{
    return os_errno == EINTR || os_errno == EAGAIN || os_errno == EINPROGRESS;
}

static int call_connect(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    struct kernel *kernel = arg;
    struct kernel_socket *socket = kernel_socket_of(kernel, fd);
    int os_errno = kernel->outcome == KERNEL_LATER ? EINPROGRESS : 0;
    if (socket == NULL) {
        return fail(kernel, EBADF);
    }
    if (kernel->outcome == KERNEL_REFUSED_AT_ONCE) {
        os_errno = kernel->outcome_errno;
    }
    if (fails(kernel, KERNEL_CONNECT)) {
        os_errno = errno;
    }
    if (os_errno != 0 && !goes_on(os_errno)) {
        return fail(kernel, os_errno);
    }
    socket->wire = kernel_wire_new();
    socket->wire->held_by_socket = true;
    set_name(&socket->wire->peer, address, length);
    socket->state = os_errno == 0 ? KERNEL_CONNECTED : KERNEL_CONNECTING;
    errno = os_errno;
    return os_errno == 0 ? 0 : -1;
}

/* -- names and options ----------------------------------------------------------------------- */

static int call_getsockname(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    const struct kernel_socket *socket = begin(arg, KERNEL_GETSOCKNAME, fd);
    return socket == NULL ? -1 : give_name(&socket->own, socket->family, address, length);
}

static int call_getpeername(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    const struct kernel_socket *socket = begin(arg, KERNEL_GETPEERNAME, fd);
    if (socket == NULL) {
        return -1;
    }
    if (socket->wire == NULL) {
        return fail(arg, ENOTCONN);
    }
    return give_name(&socket->wire->peer, socket->family, address, length);
}

/* SO_ERROR is also when a connect in progress ends. */
static int call_getsockopt(void *arg, int fd, int level, int name, void *value, unsigned *length)
{
    struct kernel_socket *socket = begin(arg, KERNEL_GETSOCKOPT, fd);
    int result = 0;
    (void)level;
    if (socket == NULL) {
        return -1;
    }
    if (name == SO_TYPE) {
        result = socket->type;
    } else if (name == SO_DOMAIN) {
        result = socket->family;
    } else if (name == SO_ERROR) {
        result = socket->os_errno;
        socket->state = socket->decided && result == 0 ? KERNEL_CONNECTED : socket->state;
        socket->decided = false;
    }
    memcpy(value, &result, *length < sizeof result ? *length : sizeof result);
    return 0;
}

static int call_setsockopt(void *arg, int fd, int level, int name, const void *value,
                           unsigned length)
{
    (void)level;
    (void)name;
    (void)value;
    (void)length;
    return begin(arg, KERNEL_SETSOCKOPT, fd) == NULL ? -1 : 0;
}

static int call_set_nonblocking(void *arg, int fd)
{
    return begin(arg, KERNEL_SET_NONBLOCKING, fd) == NULL ? -1 : 0;
}

/* -- bytes ----------------------------------------------------------------------------------- */

static size_t most_of(const struct kernel *kernel, size_t size)
{
    return size < kernel->transfer_most ? size : kernel->transfer_most;
}

static ssize_t call_readv(void *arg, int fd, const struct iovec *parts, int count)
{
    struct kernel *kernel = arg;
    struct kernel_socket *socket = begin(kernel, KERNEL_RECEIVE, fd);
    long received = 0;

    if (socket == NULL) {
        return -1;
    }
    if (socket->wire == NULL) {
        return fail(kernel, ENOTCONN);
    }
    for (int i = 0; i < count && (i == 0 || socket->wire->in.used > 0); i++) {
        const size_t most = most_of(kernel, parts[i].iov_len);
        const long rc = kernel_wire_receive(socket->wire, parts[i].iov_base, most);
        if (rc < 0) {
            return answer(kernel, rc);
        }
        received += rc;
        if ((size_t)rc < parts[i].iov_len) {
            break;
        }
    }
    return received;
}

static ssize_t call_recv(void *arg, int fd, void *space, size_t size)
{
    const struct iovec part = {space, size};
    return call_readv(arg, fd, &part, 1);
}

static ssize_t call_sendmsg(void *arg, int fd, const struct iovec *parts, int count)
{
    struct kernel *kernel = arg;
    struct kernel_socket *socket = begin(kernel, KERNEL_SEND, fd);
    long sent = 0;

    if (socket == NULL) {
        return -1;
    }
    if (socket->wire == NULL) {
        return fail(kernel, ENOTCONN);
    }
    for (int i = 0; i < count; i++) {
        const size_t most = most_of(kernel, parts[i].iov_len);
        const long rc = kernel_wire_send(socket->wire, parts[i].iov_base, most);
        if (rc < 0 && sent == 0) {
            return answer(kernel, rc);
        }
        sent += rc > 0 ? rc : 0;
        if (rc < 0 || (size_t)rc < parts[i].iov_len) {
            break;
        }
    }
    return sent;
}

static ssize_t call_send(void *arg, int fd, const void *data, size_t size)
{
    /* What is sent is not written to; the type only lacks the const. */
    union {
        const void *in;
        void *out;
    } base = {.in = data};
    const struct iovec part = {base.out, size};
    return call_sendmsg(arg, fd, &part, 1);
}

static int call_shutdown_write(void *arg, int fd)
{
    struct kernel *kernel = arg;
    struct kernel_socket *socket = begin(kernel, KERNEL_SHUTDOWN, fd);
    if (socket == NULL) {
        return -1;
    }
    if (socket->wire == NULL || socket->wire->peer_closed) {
        return fail(kernel, ENOTCONN);
    }
    socket->wire->out_ended = true;
    return 0;
}

/* -- names of hosts, files ------------------------------------------------------------------- */

static struct addrinfo *one_answer(int port, bool v6, unsigned char last)
{
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_storage));
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (info == NULL) {
        abort();
    }
    in4.sin_addr.s_addr = htonl(0x7f000000u + last);
    in6.sin6_addr.s6_addr[15] = last;
    info->ai_family = v6 ? AF_INET6 : AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_protocol = IPPROTO_TCP;
    info->ai_addr = (struct sockaddr *)(void *)(info + 1);
    info->ai_addrlen = v6 ? sizeof in6 : sizeof in4;
    if (v6) {
        memcpy(info->ai_addr, &in6, sizeof in6);
    } else {
        memcpy(info->ai_addr, &in4, sizeof in4);
    }
    return info;
}

static int call_getaddrinfo(void *arg, const char *host, const char *port,
                            const struct addrinfo *hints, struct addrinfo **list)
{
    struct kernel *kernel = arg;
    struct addrinfo **end = list;
    (void)host;
    *list = NULL;
    if (kernel->lookup_status != 0) {
        kernel->failed++;
        errno = EIO;
        return kernel->lookup_status;
    }
    for (size_t i = 0; i < kernel->answers; i++) {
        const bool v6 = (kernel->families >> i & 1u) != 0;
        if (hints->ai_family == AF_UNSPEC || hints->ai_family == (v6 ? AF_INET6 : AF_INET)) {
            *end = one_answer(port != NULL ? atoi(port) : 0, v6, (unsigned char)(i + 1));
            end = &(*end)->ai_next;
        }
    }
    return 0;
}

static void call_freeaddrinfo(void *arg, struct addrinfo *list)
{
    (void)arg;
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static int call_stat(void *arg, const char *path, struct stat *status)
{
    struct kernel *kernel = arg;
    (void)path;
    if (fails(kernel, KERNEL_STAT)) {
        return -1;
    }
    if (kernel->no_socket_file) {
        errno = ENOENT;
        return -1;
    }
    memset(status, 0, sizeof *status);
    status->st_mode = S_IFSOCK;
    status->st_ino = 1;
    return 0;
}

static int call_unlink(void *arg, const char *path)
{
    (void)path;
    return fails(arg, KERNEL_UNLINK) ? -1 : 0;
}

struct rill_sys kernel_sys(struct kernel *kernel)
{
    struct rill_sys sys = {
        .socket = call_socket,
        .connect = call_connect,
        .bind = call_bind,
        .listen = call_listen,
        .accept = call_accept,
        .getsockname = call_getsockname,
        .getpeername = call_getpeername,
        .getsockopt = call_getsockopt,
        .setsockopt = call_setsockopt,
        .set_nonblocking = call_set_nonblocking,
        .recv = call_recv,
        .readv = call_readv,
        .send = call_send,
        .sendmsg = call_sendmsg,
        .shutdown_write = call_shutdown_write,
        .close = call_close,
        .getaddrinfo = call_getaddrinfo,
        .freeaddrinfo = call_freeaddrinfo,
        .stat = call_stat,
        .unlink = call_unlink,
        .arg = kernel,
    };
    kernel_add_stacks(&sys);
    return sys;
}
