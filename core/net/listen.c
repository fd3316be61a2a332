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

static void set_flag(struct rill_loop *loop, int fd, int level, int name)
{
    const int on = 1;
    (void)loop->sys->setsockopt(loop->sys->arg, fd, level, name, &on, sizeof on);
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

int rill__bind(struct rill_loop *loop, const struct rill__endpoint_address *address,
               const struct rill__bind_options *options, bool *skip,
               const struct rill_error **error)
{
    const struct rill_sys *sys = loop->sys;

    *skip = false;
    *error = NULL;
    const int fd = sys->socket(sys->arg, address->family, address->type, address->protocol);
    if (fd < 0) { /* the family may not exist here */
        *skip = true;
        return RILL_EOS;
    }
    if (options->reuse_address) {
        set_flag(loop, fd, SOL_SOCKET, SO_REUSEADDR);
    }
    if (options->reuse_port) {
        set_flag(loop, fd, SOL_SOCKET, SO_REUSEPORT);
    }
    if (address->family == AF_INET6) {
        set_flag(loop, fd, IPPROTO_IPV6, IPV6_V6ONLY); /* */
    }
    if (address->port < 0 || address->port > 65535) { /* */
        *error = rill_error_new(RILL_EOVERFLOW, "bind(): port must be 0-65535.");
    } else if (sys->bind(sys->arg, fd, (const struct sockaddr *)(const void *)&address->storage,
                         address->length) < 0) {
        *skip = errno == EADDRNOTAVAIL; /* */
        *error = rill__bind_error(errno, address);
    } else if (sys->set_nonblocking(sys->arg, fd) < 0) {
        *error = rill_error_from_errno(errno);
    }
    if (*error != NULL) {
        rill__close(loop, fd);
        return (*error)->code;
    }
    return fd;
}
