/* SPDX-License-Identifier: MIT
 *
 * Python's repr of a socket, for messages.
 */
#include <sys/socket.h>

#include "loop/loop.h"
#include "net/address.h"

static int ask(struct rill_loop *loop, int fd, int name)
{
    int value = 0;
    unsigned length = sizeof value;
    (void)loop->sys->getsockopt(loop->sys->arg, fd, SOL_SOCKET, name, &value, &length);
    return value;
}

/* str(address): a path without quotes; nothing for one that is false in Python. */
static void add_address(struct rill__text *text, const char *name,
                        const struct rill_address *address)
{
    if (address->family == AF_UNIX && address->path_len == 0) {
        return;
    }
    rill__text_add(text, ", %s=", name);
    if (address->family == AF_UNIX && address->path[0] != '\0') {
        rill__text_add(text, "%s", address->path);
    } else {
        rill__address_add_repr(text, address);
    }
}

void rill__socket_add_repr(struct rill__text *text, struct rill_loop *loop, const char *name,
                           int fd)
{
    struct rill_address address;
    struct rill__name peer;

    rill__text_add(text, "<%s fd=%d, family=%d, type=%d, proto=%d", name, fd,
                   ask(loop, fd, SO_DOMAIN), ask(loop, fd, SO_TYPE), ask(loop, fd, SO_PROTOCOL));
    if (rill__own_address(loop, fd, &address)) {
        add_address(text, "laddr", &address);
    }
    if (rill__peer_name(loop, fd, &peer)) {
        rill__address_from_kernel(&peer.storage, peer.length, &address);
        add_address(text, "raddr", &address);
    }
    rill__text_add(text, ">");
}

const struct rill_error *rill__wrong_socket(struct rill_loop *loop, const char *kind, int fd)
{
    struct rill__text text = {0};

    rill__socket_add_repr(&text, loop, "socket.socket", fd);
    const struct rill_error *error =
        rill_error_new(RILL_EVALUE, "A %s was expected, got %s", kind, rill__text_of(&text));
    rill__text_cleanup(&text);
    return error;
}
