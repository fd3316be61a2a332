/* SPDX-License-Identifier: MIT
 *
 * Sockets, as the rest of core sees them: descriptors and rill_address, never a sockaddr. All calls
 * go through the loop's system-call table. Results are >= 0, or -errno.
 */
#ifndef RILL__NET_H
#define RILL__NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <rill/error.h>
#include <rill/transport.h>

#include "net/text.h"

struct rill_loop;

/* A resolved address to connect or bind to: getaddrinfo's answer, or a literal's. */
struct rill__endpoint_address {
    int family;
    int type;
    int protocol;
    long port;        /* of a literal: not checked yet */
    char literal[48]; /* as the caller wrote it, for messages; "" when getaddrinfo answered */
    unsigned length;
    union {
        char bytes[128]; /* a sockaddr_storage */
        long long align;
    } storage;
};

/* The name of a socket's one end, as the kernel writes it. */
struct rill__name {
    unsigned length; /* 0: none */
    union {
        char bytes[128]; /* a sockaddr_storage */
        long long align;
    } storage;
};
bool rill__name_is_ip(const struct rill__name *name); /* v4 or v6 */
/* `from`: the bytes of a name, at any address; length 0: all of *to is 0. */
void rill__address_from_kernel(const void *from, size_t length, struct rill_address *to);

struct rill__address_list {
    struct rill__endpoint_address *items;
    size_t count;
};
void rill__address_list_cleanup(struct rill__address_list *list);

/* loop._ensure_resolved(): suspends unless host is a literal. 0, or a code that rill__fail got:
 * gaierror R-543, R-544's OSError when empty_text is given and nothing was found. Cancelled: the
 * helper thread's answer is dropped. */
int rill__resolve(struct rill_loop *loop, const char *host, const char *port, int family,
                  int protocol, int flags, struct rill__address_list *list);

/* The addresses of several names in one list, each once, in the order of names and answers
 * (start_server's hosts: ). A host may be NULL. All names are looked up at once;
 * suspends. Errors as rill__resolve, and R-634's OSError. */
struct rill__names {
    const char *const *hosts;
    size_t count;
    const char *port;
    int family;
    int flags;
};
int rill__resolve_names(struct rill_loop *loop, const struct rill__names *names,
                        struct rill__address_list *list);

/* Text of an address for messages: Python's repr of the tuple. */
void rill__endpoint_text(const struct rill__endpoint_address *address, char *text, size_t size);

/* Errors in the order in which they came; each a reference. */
struct rill__errors {
    const struct rill_error **items;
    size_t count;
};
int rill__errors_add(struct rill__errors *errors,
                     const struct rill_error *error); /* takes it; 0 or RILL_ENOMEM */
void rill__errors_cleanup(struct rill__errors *errors);

/* loop._connect_sock(): socket, non-blocking, bind to a local address (NULL: none), connect.
 * Suspends. Returns the descriptor; or a negative code: OSErrors were added to errors, anything
 * else (RILL_ECANCELLED, which closes the socket, RILL_EOVERFLOW, RILL_ENOMEM) is
 * in *error, the caller's reference. */
int rill__connect(struct rill_loop *loop, const struct rill__endpoint_address *address,
                  const struct rill__address_list *locals, struct rill__errors *errors,
                  const struct rill_error **error);

/* loop.sock_connect() alone, on a non-blocking socket that stays the caller's: 0 or a code with
 * *error. Suspends. */
int rill__connect_socket(struct rill_loop *loop, int fd,
                         const struct rill__endpoint_address *address,
                         const struct rill_error **error);

/* Resolves and connects as options say: the descriptor, or a code that rill__fail got. Suspends. */
int rill__dial(struct rill_loop *loop, const char *host, const char *port,
               const struct rill_connection_options *options);

/* `error while attempting to bind on address ...: [errno 98] address already in use` (R-554, R-632,
 * as 3.13). */
const struct rill_error *rill__bind_error(int os_errno,
                                          const struct rill__endpoint_address *address);

/* A bound, non-listening server socket with V6ONLY. Returns the descriptor or a negative
 * code with *error; *skip is set when the address is to be skipped. */
struct rill__bind_options {
    bool reuse_address;
    bool reuse_port;
    bool keep_alive;
};
int rill__bind(struct rill_loop *loop, const struct rill__endpoint_address *address,
               const struct rill__bind_options *options, bool *skip,
               const struct rill_error **error);

/* `could not bind on any address out of [...]`. */
const struct rill_error *rill__none_bound(const struct rill__address_list *list);

int rill__listen(struct rill_loop *loop, int fd, int backlog);

/* -- Unix sockets (section 7) -- */

/* A descriptor connected to a path or abstract name, or a negative code with *error. Suspends. */
int rill__unix_connect(struct rill_loop *loop, struct rill_bytes path,
                       const struct rill_error **error);

/* A bound, non-listening socket; a socket file at the path is removed first. */
int rill__unix_bind(struct rill_loop *loop, struct rill_bytes path,
                    const struct rill_error **error);

/* The file of a listening socket, as it was when the server was made. */
struct rill__unix_file {
    struct rill_address address;
    unsigned long long inode;
    bool exists;
};
/* 0, or a code with *error: an unbound socket, a file that cannot be looked at. */
int rill__unix_file_of(struct rill_loop *loop, int fd, struct rill__unix_file *file,
                       const struct rill_error **error);
/* Removes the file if it is still the same one; what goes wrong is logged. */
void rill__unix_file_remove(struct rill_loop *loop, const struct rill__unix_file *file);

bool rill__is_unix_stream(struct rill_loop *loop, int fd); /* */

/* A non-blocking accepted descriptor with its peer's name, or -errno. */
int rill__accept(struct rill_loop *loop, int fd, struct rill__name *peer);

/* repr(socket) of 3.11+, with the class that is named: `<socket.socket fd=6, family=2, ...>`. */
void rill__socket_add_repr(struct rill__text *text, struct rill_loop *loop, const char *name,
                           int fd);

/* `KIND was expected, got <socket.socket ...>`. */
const struct rill_error *rill__wrong_socket(struct rill_loop *loop, const char *kind, int fd);

/* Whether fd is a stream socket, and makes it non-blocking. */
bool rill__is_stream_socket(struct rill_loop *loop, int fd);
int rill__set_nonblocking(struct rill_loop *loop, int fd);

/* TCP_NODELAY where the kernel says the socket is TCP over v4 or v6; true when it is
 * on. `name`: of either end. */
bool rill__set_nodelay(struct rill_loop *loop, int fd, const struct rill__name *name);

/* False and an empty name, or a zeroed address, when there is none. */
bool rill__own_name(struct rill_loop *loop, int fd, struct rill__name *name);
bool rill__peer_name(struct rill_loop *loop, int fd, struct rill__name *name);
bool rill__own_address(struct rill_loop *loop, int fd, struct rill_address *address);

/* One receive into two spaces, one send of several parts. */
ssize_t rill__receive(struct rill_loop *loop, int fd, char *space, size_t size, char *spare,
                      size_t spare_size);
ssize_t rill__send(struct rill_loop *loop, int fd, const struct rill_bytes *parts, size_t count);
int rill__shutdown_write(struct rill_loop *loop, int fd);
void rill__close(struct rill_loop *loop, int fd);

/* Passive and any-address hints as numbers, for callers without the socket headers. */
int rill__flag_passive(void);

#endif
