/* SPDX-License-Identifier: MIT
 *
 * The system-call seam: one struct of function pointers for every system call that rill itself
 * makes on sockets and for stacks. A test passes its own table in rill_loop_options to make any
 * call fail at any occurrence. libev makes its own calls (epoll) below the poller.
 */
#ifndef RILL_SYS_H
#define RILL_SYS_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr;
struct iovec;
struct addrinfo;
struct stat;

/* Each member behaves as the call of its name: -1 and errno on failure. `arg` is the table's own.
 */
struct rill_sys {
    int (*socket)(void *arg, int family, int type, int protocol);
    int (*connect)(void *arg, int fd, const struct sockaddr *address, unsigned length);
    int (*bind)(void *arg, int fd, const struct sockaddr *address, unsigned length);
    int (*listen)(void *arg, int fd, int backlog);
    int (*accept)(void *arg, int fd, struct sockaddr *address,
                  unsigned *length); /* non-blocking, close-on-exec */
    int (*getsockname)(void *arg, int fd, struct sockaddr *address, unsigned *length);
    int (*getpeername)(void *arg, int fd, struct sockaddr *address, unsigned *length);
    int (*getsockopt)(void *arg, int fd, int level, int name, void *value, unsigned *length);
    int (*setsockopt)(void *arg, int fd, int level, int name, const void *value, unsigned length);
    int (*set_nonblocking)(void *arg, int fd);
    ssize_t (*recv)(void *arg, int fd, void *space, size_t size);
    ssize_t (*readv)(void *arg, int fd, const struct iovec *parts, int count);
    ssize_t (*send)(void *arg, int fd, const void *data, size_t size);           /* MSG_NOSIGNAL */
    ssize_t (*sendmsg)(void *arg, int fd, const struct iovec *parts, int count); /* MSG_NOSIGNAL */
    int (*shutdown_write)(void *arg, int fd);
    int (*close)(void *arg, int fd); /* never retried */
    int (*getaddrinfo)(void *arg, const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list); /* on a helper thread; returns its EAI code */
    void (*freeaddrinfo)(void *arg, struct addrinfo *list);
    int (*stat)(void *arg, const char *path, struct stat *status); /* of Unix sockets' files */
    int (*unlink)(void *arg, const char *path);
    int (*map)(void *arg, size_t length,
               void **address); /* the five of coroutine stacks: 0 or -errno; NULL: coro's own */
    int (*unmap)(void *arg, void *address, size_t length);
    int (*guard_install)(void *arg, void *address, size_t length);
    int (*guard_protect)(void *arg, void *address, size_t length);
    int (*release)(void *arg, void *address, size_t length);
    void *arg;
};

/* The kernel's own calls. Copy it, replace members, set arg. Lives for ever. */
const struct rill_sys *rill_sys_kernel(void);

#ifdef __cplusplus
}
#endif

#endif
