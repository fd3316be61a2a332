/* SPDX-License-Identifier: MIT
 *
 * Peers that are there before their connection.
 */
#include "early.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listeners.h"
#include "peer_tls.h"

struct early {
    struct early *next;
    int number; /* 0: it has its connection */
    int fd;
    ino_t inode;
};

struct early_call *early_begin(struct replay *replay, bool has_peer)
{
    struct early_call **link = &replay->early_calls;
    struct early_call *call = arena_take(&replay->arena, sizeof *call);
    call->has_peer = has_peer;
    replay->connecting += has_peer ? 0 : 1;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = call;
    return call;
}

void early_end(struct replay *replay, struct early_call *call)
{
    struct early_call **link = &replay->early_calls;
    while (*link != call) {
        link = &(*link)->next;
    }
    *link = call->next;
    replay->connecting -= call->has_peer ? 0 : 1;
}

static int next_number(const struct replay *replay)
{
    int highest = 0;
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        highest = connection->number > highest ? connection->number : highest;
    }
    for (int number = highest + 1; number < PEERS_MAX; number++) {
        highest = replay->peers[number] != NULL ? number : highest;
    }
    return highest + 1;
}

/* From now on the peer's moving tells whether the loop has settled. */
static void call_has_peer(struct replay *replay)
{
    struct early_call *call = replay->early_calls;
    while (call != NULL && call->has_peer) {
        call = call->next;
    }
    if (call != NULL) {
        call->has_peer = true;
        replay->connecting--;
    }
}

void early_add(struct replay *replay, int fd, ino_t inode)
{
    const struct peer_tls_start start = {.server_side = true};
    const int number = next_number(replay);
    if (number >= PEERS_MAX) {
        close(fd);
        return;
    }
    struct early *early = arena_take(&replay->arena, sizeof *early);
    early->number = number;
    early->fd = fd;
    early->inode = inode;
    early->next = replay->early;
    replay->early = early;
    replay->peers[number] = peer_tls_new(peer_socket_new(replay, fd), &start);
    call_has_peer(replay);
}

bool early_accept(struct replay *replay)
{
    bool accepted = false;
    int fd;
    while (replay->early_calls != NULL && (fd = listener_accept_any(replay)) >= 0) {
        early_add(replay, fd, 0);
        accepted = true;
    }
    return accepted;
}

static bool same_address(int fd, int (*name)(int fd, struct sockaddr *address, socklen_t *length),
                         int other,
                         int (*other_name)(int fd, struct sockaddr *address, socklen_t *length))
{
    struct sockaddr_storage addresses[2] = {0};
    socklen_t lengths[2] = {sizeof addresses[0], sizeof addresses[1]};
    return name(fd, (struct sockaddr *)&addresses[0], &lengths[0]) == 0 &&
           other_name(other, (struct sockaddr *)&addresses[1], &lengths[1]) == 0 &&
           lengths[0] == lengths[1] && memcmp(&addresses[0], &addresses[1], lengths[0]) == 0;
}

static bool is_other_end(const struct early *early, int fd)
{
    struct stat status;
    if (early->inode != 0) {
        return fstat(fd, &status) == 0 && status.st_ino == early->inode;
    }
    return same_address(early->fd, getpeername, fd, getsockname) &&
           same_address(early->fd, getsockname, fd, getpeername);
}

int early_claim(struct replay *replay, int fd)
{
    /* The eldest first: Unix sockets all have the same names. */
    struct early *found = NULL;
    for (struct early *early = replay->early; early != NULL; early = early->next) {
        if (early->number != 0 && is_other_end(early, fd)) {
            found = early;
        }
    }
    const int number = found != NULL ? found->number : 0;
    if (found != NULL) {
        found->number = 0;
    }
    return number;
}
