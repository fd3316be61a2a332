/* SPDX-License-Identifier: MIT
 *
 * Raw sockets beside the peers.
 */
#include "listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "early.h"
#include "events.h"
#include "place.h"

enum { ACCEPT_TIMEOUT_MS = 3000, RAW_BACKLOG = 5, PORT_TRIES = 50 };

struct listener {
    struct listener *next; /* in order of appearance */
    int fd;
    struct sockaddr_storage address;
    socklen_t length;
};

/* A socket of the option `sock`. It is the library's once a call has taken it over. */
struct given {
    struct given *next;
    int fd;
    ino_t inode;
    int other; /* the other end of a pair; -1: none */
};

/* -- addresses ----------------------------------------------------------------------------------
 */

static const struct sockaddr *generic(const struct sockaddr_storage *address)
{
    return (const struct sockaddr *)(const void *)address;
}

static socklen_t v4_address(int port, struct sockaddr_storage *address)
{
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    memset(address, 0, sizeof *address);
    memcpy(address, &v4, sizeof v4);
    return sizeof v4;
}

static socklen_t v6_address(int port, struct sockaddr_storage *address)
{
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons((uint16_t)port),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    memset(address, 0, sizeof *address);
    memcpy(address, &v6, sizeof v6);
    return sizeof v6;
}

socklen_t unix_address(struct rill_bytes path, struct sockaddr_storage *address)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    const size_t room = sizeof local.sun_path;
    const size_t size = path.len < room ? path.len : room;
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    const size_t terminator = size < room && size > 0 && path.ptr[0] != '\0' ? 1 : 0;
    memcpy(local.sun_path, path.ptr, size);
    memset(address, 0, sizeof *address);
    memcpy(address, &local, sizeof local);
    return (socklen_t)(head + size + terminator);
}

int port_of_socket(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    struct sockaddr_in v4; /* the port of an IPv6 address lies at the same place */
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6)) {
        return 0;
    }
    memcpy(&v4, &address, sizeof v4);
    return ntohs(v4.sin_port);
}

static int make_socket(int family, int type, int protocol)
{
    return socket(family, type | SOCK_CLOEXEC, protocol);
}

static int bound_socket(int type, int protocol, const struct sockaddr_storage *address,
                        socklen_t length)
{
    const int fd = make_socket(address->ss_family, type, protocol);
    if (fd >= 0 && bind(fd, generic(address), length) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* -- listeners ----------------------------------------------------------------------------------
 */

/* A listener on an address; false when that is taken. */
static bool add_listener(struct replay *replay, const struct sockaddr_storage *address,
                         socklen_t length)
{
    struct listener **link = &replay->listeners;
    const int fd = bound_socket(SOCK_STREAM, 0, address, length);
    if (fd < 0) {
        return false;
    }
    if (listen(fd, RAW_BACKLOG) != 0) {
        close(fd);
        return false;
    }
    struct listener *listener = arena_take(&replay->arena, sizeof *listener);
    listener->fd = fd;
    listener->length = sizeof listener->address;
    getsockname(fd, (struct sockaddr *)&listener->address, &listener->length);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = listener;
    return true;
}

static void drop_last_listener(struct replay *replay)
{
    struct listener **link = &replay->listeners;
    while ((*link)->next != NULL) {
        link = &(*link)->next;
    }
    close((*link)->fd);
    *link = NULL;
}

void listener_open(struct replay *replay, bool with_v6)
{
    struct sockaddr_storage address;
    for (int i = 0; i < PORT_TRIES; i++) {
        if (!add_listener(replay, &address, v4_address(0, &address))) {
            return;
        }
        const int port = listener_port(replay);
        if (!with_v6 || add_listener(replay, &address, v6_address(port, &address))) {
            emit_port(replay, "peer1", port);
            return;
        }
        drop_last_listener(replay); /* its port is taken on the other family */
    }
}

void listener_open_unix(struct replay *replay, struct rill_bytes path)
{
    struct sockaddr_storage address;
    const socklen_t length = unix_address(path, &address);
    add_listener(replay, &address, length);
}

int listener_port(const struct replay *replay)
{
    for (const struct listener *listener = replay->listeners; listener != NULL;
         listener = listener->next) {
        if (listener->address.ss_family == AF_INET) {
            return port_of_socket(listener->fd);
        }
    }
    return 0;
}

bool listener_address(const struct replay *replay, int family, struct sockaddr_storage *address,
                      socklen_t *length)
{
    for (const struct listener *listener = replay->listeners; listener != NULL;
         listener = listener->next) {
        if (listener->address.ss_family == family) {
            *address = listener->address;
            *length = listener->length;
            return true;
        }
    }
    return false;
}

/* Whether two sockets are the two ends of one connection; Unix sockets have no names to tell. */
static bool belong_together(int accepted, int fd)
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_storage own = {0};
    socklen_t peer_length = sizeof peer;
    socklen_t own_length = sizeof own;
    getpeername(accepted, (struct sockaddr *)&peer, &peer_length);
    getsockname(fd, (struct sockaddr *)&own, &own_length);
    return own.ss_family == AF_UNIX ||
           (peer_length == own_length && memcmp(&peer, &own, own_length) == 0);
}

/* Accepts until it is the other end of fd; what comes before are attempts that lost. */
static int accept_from(const struct listener *listener, int fd)
{
    struct pollfd descriptor = {.fd = listener->fd, .events = POLLIN};
    while (poll(&descriptor, 1, ACCEPT_TIMEOUT_MS) > 0) {
        const int accepted = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (accepted >= 0 && belong_together(accepted, fd)) {
            return accepted;
        }
        if (accepted >= 0) {
            close(accepted);
        }
    }
    return -1;
}

int listener_accept_any(const struct replay *replay)
{
    for (const struct listener *listener = replay->listeners; listener != NULL;
         listener = listener->next) {
        struct pollfd descriptor = {.fd = listener->fd, .events = POLLIN};
        if (poll(&descriptor, 1, 0) > 0) {
            return accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        }
    }
    return -1;
}

ino_t inode_of_descriptor(int fd)
{
    struct stat status;
    return fd >= 0 && fstat(fd, &status) == 0 ? status.st_ino : 0;
}

static int other_end_of_pair(const struct replay *replay, int fd)
{
    const ino_t inode = inode_of_descriptor(fd);
    for (struct given *given = replay->given; given != NULL; given = given->next) {
        if (given->inode == inode && given->other >= 0) {
            const int other = given->other;
            given->other = -1;
            return other;
        }
    }
    return -1;
}

int listener_other_end(struct replay *replay, int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    const int other = other_end_of_pair(replay, fd);
    if (other >= 0 || getpeername(fd, (struct sockaddr *)&peer, &length) != 0) {
        return other;
    }
    for (const struct listener *listener = replay->listeners; listener != NULL;
         listener = listener->next) {
        if (listener->length == length && memcmp(&listener->address, &peer, length) == 0) {
            return accept_from(listener, fd);
        }
    }
    return -1;
}

void port_reserve(struct replay *replay)
{
    struct sockaddr_storage address;
    replay->reserved = bound_socket(SOCK_STREAM, 0, &address, v4_address(0, &address));
    replay->reserved_port = port_of_socket(replay->reserved);
    emit_port(replay, "closed", replay->reserved_port);
}

/* -- sockets for the option `sock` --------------------------------------------------------------
 */

static int bound_unix_socket(struct replay *replay)
{
    struct sockaddr_storage address;
    const struct rill_bytes path = place_path(replay, rill_bytes_of("{dir}/given"));
    const socklen_t length = unix_address(path, &address);
    return bound_socket(SOCK_STREAM, 0, &address, length);
}

static int connected_socket(const struct replay *replay, int protocol)
{
    struct sockaddr_storage address;
    socklen_t length;
    const int fd = make_socket(AF_INET, SOCK_STREAM, protocol);
    if (listener_address(replay, AF_INET, &address, &length)) {
        (void)connect(fd, generic(&address), length); /* the case shows it when that failed */
    }
    return fd;
}

static int bound_v4_socket(int type, int protocol)
{
    struct sockaddr_storage address;
    const socklen_t length = v4_address(0, &address);
    return bound_socket(type, protocol, &address, length);
}

static int plain_socket(struct replay *replay, const char *kind)
{
    if (strcmp(kind, "connected") == 0) {
        return connected_socket(replay, IPPROTO_TCP);
    }
    if (strcmp(kind, "proto0") == 0) {
        return connected_socket(replay, 0);
    }
    if (strcmp(kind, "bound") == 0) {
        return bound_v4_socket(SOCK_STREAM, IPPROTO_TCP);
    }
    if (strcmp(kind, "bound-proto0") == 0) {
        return bound_v4_socket(SOCK_STREAM, 0);
    }
    if (strcmp(kind, "datagram") == 0) {
        return bound_v4_socket(SOCK_DGRAM, 0);
    }
    if (strcmp(kind, "unix-bound") == 0) {
        return bound_unix_socket(replay);
    }
    if (strcmp(kind, "unix-unbound") == 0) {
        return make_socket(AF_UNIX, SOCK_STREAM, 0);
    }
    if (strcmp(kind, "unix-datagram") == 0) {
        return make_socket(AF_UNIX, SOCK_DGRAM, 0);
    }
    return make_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP); /* unconnected */
}

int given_make(struct replay *replay, const char *kind, bool speaks_tls)
{
    struct given *given = arena_take(&replay->arena, sizeof *given);
    int ends[2] = {-1, -1};
    if (strcmp(kind, "pair") != 0) {
        ends[0] = plain_socket(replay, kind);
    } else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        ends[0] = -1;
    }
    given->fd = ends[0];
    given->other = ends[1];
    given->inode = inode_of_descriptor(ends[0]);
    given->next = replay->given;
    replay->given = given;
    if (given->other >= 0 && speaks_tls) {
        given->other = -1;
        early_add(replay, ends[1], given->inode);
    }
    return given->fd;
}

bool given_is_open(const struct replay *replay)
{
    const struct given *newest = replay->given;
    return newest != NULL && newest->inode != 0 && inode_of_descriptor(newest->fd) == newest->inode;
}

void listeners_cleanup(struct replay *replay)
{
    for (const struct listener *listener = replay->listeners; listener != NULL;
         listener = listener->next) {
        close(listener->fd);
    }
    for (; replay->given != NULL; replay->given = replay->given->next) {
        if (given_is_open(replay)) {
            close(replay->given->fd);
        }
        if (replay->given->other >= 0) {
            close(replay->given->other);
        }
    }
    if (replay->reserved >= 0) {
        close(replay->reserved);
    }
    replay->listeners = NULL;
    replay->reserved = -1;
}
