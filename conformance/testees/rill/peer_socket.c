/* SPDX-License-Identifier: MIT
 *
 * The raw socket peer of the backends pair, tcp and unix. What it says about bytes under way is the
 * kernel barrier of PROTOCOL.md, section 4.
 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "syscalls.h"

enum { TAKE_SIZE = 16384 };

struct socket_peer {
    struct peer peer;
    int fd;
    struct rill_bytes outgoing; /* what the kernel did not take yet */
    size_t sent;
    bool ended;      /* shut down or closed by the script */
    const char *saw; /* how it ended */
    bool open;       /* saw is still "open" */
};

static struct socket_peer *of(struct peer *peer)
{
    return (struct socket_peer *)peer;
}

static void saw(struct socket_peer *self, const char *what)
{
    self->saw = what;
    self->open = false;
}

/* Sends what is left; true when the kernel took something. */
static bool pump(struct socket_peer *self)
{
    const size_t before = self->sent;
    while (self->outgoing.len > 0 && self->fd >= 0) {
        const ssize_t count =
            send(self->fd, self->outgoing.ptr, self->outgoing.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) {
            self->outgoing.len = errno == EAGAIN ? self->outgoing.len : 0;
            break;
        }
        self->sent += (size_t)count;
        self->outgoing.ptr += count;
        self->outgoing.len -= (size_t)count;
    }
    return self->sent != before;
}

/* The bytes live in the case's arena, so what is left may point into them; a second send before
 * the first has left is joined to it. */
static void socket_send(struct peer *peer, struct rill_bytes bytes)
{
    struct socket_peer *self = of(peer);
    if (self->outgoing.len > 0) {
        char *joined = arena_take(&peer->replay->arena, self->outgoing.len + bytes.len);
        memcpy(joined, self->outgoing.ptr, self->outgoing.len);
        memcpy(joined + self->outgoing.len, bytes.ptr, bytes.len);
        bytes = (struct rill_bytes){joined, self->outgoing.len + bytes.len};
    }
    self->outgoing = bytes;
    pump(self);
}

static void socket_shutdown(struct peer *peer)
{
    struct socket_peer *self = of(peer);
    if (self->fd >= 0 && shutdown(self->fd, SHUT_WR) == 0) {
        self->ended = true;
    }
}

static void socket_close(struct peer *peer)
{
    struct socket_peer *self = of(peer);
    saw(self, "closed");
    self->ended = true;
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
}

static void socket_reset(struct peer *peer)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    struct socket_peer *self = of(peer);
    if (self->fd >= 0) {
        setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    socket_close(peer);
}

static void socket_window(struct peer *peer, const json_t *size)
{
    (void)peer; /* the kernel decides here; cases that need exact sizes run on mem only */
    (void)size;
}

static void socket_take(struct peer *peer, struct arena_buffer *into, size_t most)
{
    struct socket_peer *self = of(peer);
    char chunk[TAKE_SIZE];
    while (self->open && into->size < most) {
        const size_t room = most - into->size < TAKE_SIZE ? most - into->size : TAKE_SIZE;
        const ssize_t count = recv(self->fd, chunk, room, MSG_DONTWAIT);
        if (count < 0 && errno == ECONNRESET) {
            saw(self, "rst");
        }
        if (count < 0) {
            return;
        }
        if (count == 0) {
            saw(self, "fin");
        }
        arena_append(&peer->replay->arena, into, chunk, (size_t)count);
    }
}

static const char *socket_end(struct peer *peer)
{
    return of(peer)->saw;
}

/* The app's end; -1: closed, or nobody's yet. */
static int app_descriptor(const struct peer *peer)
{
    return peer->connection != NULL ? connection_descriptor(peer->connection) : -1;
}

static bool socket_arriving(struct peer *peer)
{
    const int on = 1;
    int queued = 0;
    const struct socket_peer *self = of(peer);
    if (!self->open || peer->connection == NULL) {
        return false;
    }
    /* An acknowledgement that is delayed would keep TIOCOUTQ from telling that all has come. */
    setsockopt(self->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    const int app = app_descriptor(peer);
    return app < 0 || (ioctl(app, TIOCOUTQ, &queued) == 0 && queued > 0);
}

static int poll_flags(int fd)
{
    struct pollfd descriptor = {.fd = fd, .events = POLLRDHUP};
    return poll(&descriptor, 1, 0) > 0 ? descriptor.revents : 0;
}

/* Where nobody counts what the app receives: the kernel's other end has everything. Between Unix
 * sockets there is no way. */
static bool acknowledged(const struct socket_peer *self)
{
    int domain = AF_UNIX;
    int queued = 0;
    socklen_t size = sizeof domain;
    return self->fd < 0 || getsockopt(self->fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
           domain == AF_UNIX || ioctl(self->fd, TIOCOUTQ, &queued) != 0 || queued == 0 ||
           (poll_flags(self->fd) & (POLLERR | POLLHUP)) != 0;
}

static bool socket_quiet(struct peer *peer)
{
    struct socket_peer *self = of(peer);
    int queued = 0;
    if (self->outgoing.len > 0 && pump(self)) {
        return false;
    }
    if (peer->connection == NULL) {
        return acknowledged(self);
    }
    const int app = app_descriptor(peer);
    if (app < 0) {
        return true;
    }
    const int flags = poll_flags(app);
    if ((flags & (POLLERR | POLLHUP)) != 0) {
        return true;
    }
    if (self->ended && (flags & POLLRDHUP) == 0) {
        return false;
    }
    return ioctl(app, FIONREAD, &queued) != 0 ||
           syscalls_received(peer->replay, app) + (size_t)queued >= self->sent;
}

static bool socket_turned_away(struct peer *peer)
{
    const struct socket_peer *self = of(peer);
    return self->fd < 0 || poll_flags(self->fd) != 0;
}

static void socket_dispose(struct peer *peer)
{
    struct socket_peer *self = of(peer);
    if (self->fd >= 0) {
        close(self->fd);
        self->fd = -1;
    }
}

static const struct peer_ops socket_ops = {
    .acts = {[PEER_SHUTDOWN] = socket_shutdown,
             [PEER_EOF] = socket_shutdown,
             [PEER_CLOSE] = socket_close,
             [PEER_CUT] = socket_close,
             [PEER_RESET] = socket_reset},
    .send = socket_send,
    .raw = socket_send,
    .window = socket_window,
    .take = socket_take,
    .end = socket_end,
    .arriving = socket_arriving,
    .quiet = socket_quiet,
    .turned_away = socket_turned_away,
    .dispose = socket_dispose,
};

struct peer *peer_socket_new(struct replay *replay, int fd)
{
    const int on = 1;
    struct socket_peer *self = arena_take(&replay->arena, sizeof *self);
    self->peer.ops = &socket_ops;
    self->peer.replay = replay;
    self->fd = fd;
    self->saw = "open";
    self->open = true;
    /* With Nagle's algorithm a second send would wait for the delayed ACK of the first: 40 ms of
     * a real clock. A socket that is no TCP socket refuses, and needs nothing. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return &self->peer;
}
