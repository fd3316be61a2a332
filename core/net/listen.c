/* SPDX-License-Identifier: MIT
 *
 * Listening sockets (6.2).
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "loop/loop.h"
#include "net/address.h"

static int set_flag(struct rill_loop *loop, int fd, int level, int name)
{
    const int on = 1;
    return loop->sys->setsockopt(loop->sys->arg, fd, level, name, &on, sizeof on);
}

const struct rill_error *rill__bind_error(int os_errno,
                                          const struct rill__endpoint_address *address)
{
    char where[192];
    char what[256];

    rill__endpoint_text(address, where, sizeof where);
    snprintf(what, sizeof what, "[Errno %d] %s", os_errno, strerror(os_errno));
    for (char *c = what; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return rill_error_from_errno_text(os_errno, "error while attempting to bind on address %s: %s",
                                      where, what);
}

/* create_server's setsockopts, in its order; NULL or the error. */
static const struct rill_error *set_options(struct rill_loop *loop, int fd, int family,
                                            const struct rill__bind_options *options)
{
    if (options->reuse_address && set_flag(loop, fd, SOL_SOCKET, SO_REUSEADDR) < 0) {
        return rill_error_from_errno(errno);
    }
    if (options->reuse_port && set_flag(loop, fd, SOL_SOCKET, SO_REUSEPORT) < 0) { /* */
        return rill_error_new(RILL_EVALUE, "reuse_port not supported by socket module, "
                                           "SO_REUSEPORT defined but not implemented.");
    }
    if (options->keep_alive && set_flag(loop, fd, SOL_SOCKET, SO_KEEPALIVE) < 0) { /* */
        return rill_error_from_errno(errno);
    }
    if (family == AF_INET6 && set_flag(loop, fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0) { /* */
        return rill_error_from_errno(errno);
    }
    return NULL;
}

/* In debug mode create_server says which addresses it skips. */
static void log_no_socket(struct rill_loop *loop, const struct rill__endpoint_address *address,
                          int os_errno)
{
    if (loop->debug) {
        const char *family = address->family == AF_INET6 ? "AF_INET6" : "AF_INET";
        rill__log(loop, RILL_LOG_WARNING,
                  "create_server() failed to create socket.socket(<AddressFamily.%s: %d>, "
                  "<SocketKind.SOCK_STREAM: %d>, %d)\n%s",
                  family, address->family, address->type, address->protocol, strerror(os_errno));
    }
}

static const struct rill_error *bind_socket(struct rill_loop *loop, int fd,
                                            const struct rill__endpoint_address *address,
                                            bool *skip)
{
    const struct rill_sys *sys = loop->sys;

    if (address->port < 0 || address->port > 65535) { /* */
        return rill_error_new(RILL_EOVERFLOW, "bind(): port must be 0-65535.");
    }
    if (sys->bind(sys->arg, fd, (const struct sockaddr *)(const void *)&address->storage,
                  address->length) == 0) {
        const int rc = rill__set_nonblocking(loop, fd);
        return rc < 0 ? rill_error_from_errno(-rc) : NULL;
    }
    *skip = errno == EADDRNOTAVAIL; /* */
    return rill__bind_error(errno, address);
}

int rill__bind(struct rill_loop *loop, const struct rill__endpoint_address *address,
               const struct rill__bind_options *options, bool *skip,
               const struct rill_error **error)
{
    const struct rill_sys *sys = loop->sys;

    *skip = false;
    *error = NULL;
    const int fd = sys->socket(sys->arg, address->family, address->type, address->protocol);
    if (fd < 0) { /* the family may not exist here */
        log_no_socket(loop, address, errno);
        *skip = true;
        return RILL_EOS;
    }
    *error = set_options(loop, fd, address->family, options);
    if (*error == NULL) {
        *error = bind_socket(loop, fd, address, skip);
    }
    if (*error == NULL) {
        return fd;
    }
    if (*skip && loop->debug) {
        rill__log(loop, RILL_LOG_WARNING, "%s", (*error)->text);
    }
    rill__close(loop, fd);
    return (*error)->code;
}

const struct rill_error *rill__none_bound(const struct rill__address_list *list)
{
    struct rill__text text = {0};
    char address[192];

    for (size_t i = 0; i < list->count; i++) {
        rill__endpoint_text(&list->items[i], address, sizeof address);
        rill__text_add(&text, "%s%s", i > 0 ? ", " : "", address);
    }
    const struct rill_error *error = rill_error_from_errno_text(
        0, "could not bind on any address out of [%s]", rill__text_of(&text));
    rill__text_cleanup(&text);
    return error;
}
