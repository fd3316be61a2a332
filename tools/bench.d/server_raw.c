/* SPDX-License-Identifier: MIT
 *
 * The yardstick of tools/bench: echo and counts of lines and messages on bare epoll, for speed
 * alone. Everything is measured against it, so each choice below says why it is the best one known.
 * It does what every server here does: whole lines only, a limit of 64 KiB a line, nothing lost
 * when the peer reads slowly, and no reading from a peer that does not read.
 *
 * - One thread, one epoll set, level-triggered, registered once per connection. A request costs one
 *   recv, one send and its share of an epoll_wait; epoll_ctl is called again only after EAGAIN on a
 *   send. Edge-triggered was tried beside it: 1.00 of this at 64 connections, 0.95 at 1,000, within
 *   the noise.
 * - One receive block for all connections: it stays in the cache, and an idle connection owns no
 *   buffer. A short receive means that the socket is empty: no second recv only to see EAGAIN. The
 *   block's size was tried with pipelined lines: 32 KiB 0.94, 64 KiB 0.97, 128 KiB 1.00, 256 KiB
 * 0.87.
 * - The unfinished line of the last receive is copied in front of the next one, never the other way
 *   round, so that lines are contiguous without moving a full block.
 * - Lines are found by memchr (AVX2 or better in glibc); an echo needs only the last line's end, by
 *   memrchr, because whole lines leave in one send.
 * - The end of a message, an empty line, is looked for from one carriage return to the next: memchr
 *   is what libc has; memmem takes four times as long on such text.
 * - recv and send, not read and write (tried: 0.89 to 0.93 of this): they skip the file layer's
 *   checks, and MSG_NOSIGNAL needs no signal handling.
 */
#include "server_raw.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    int fd;
    bool writing;     /* waits for EPOLLOUT; it is not read from meanwhile */
    char *held;       /* unsent whole lines, then the unfinished line; NULL when both are empty */
    size_t held_size; /* of both */
    size_t unsent;    /* of the first */
    uint64_t lines;
    uint64_t bytes;
};

struct server {
    int epoll;
    int listener;
    /* Takes in `size` bytes that begin at a line's start and tells what to keep. False: close. */
    bool (*received)(struct server *self, struct connection *connection, const char *data,
                     size_t size);
    bool (*ended)(struct connection *connection);
    /* The unfinished line goes right before the middle, the received block after it. */
    char block[LINE_LIMIT_BYTES + RECEIVE_BYTES];
};

static bool watch(const struct server *self, struct connection *connection, bool writing)
{
    struct epoll_event event = {.events = writing ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
    connection->writing = writing;
    return epoll_ctl(self->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

/* Keeps the last `size` bytes of what was received; the first `unsent` of them are whole lines. */
static bool hold(const struct server *self, struct connection *connection, const char *data,
                 size_t size, size_t unsent)
{
    if (size - unsent > LINE_LIMIT_BYTES) {
        return false;
    }
    if (size > 0) {
        connection->held = malloc(size);
        if (connection->held == NULL) {
            return false;
        }
        memcpy(connection->held, data, size);
    }
    connection->held_size = size;
    connection->unsent = unsent;
    return unsent == 0 || watch(self, connection, true);
}

static bool echo_received(struct server *self, struct connection *connection, const char *data,
                          size_t size)
{
    if (raw_has_line_too_long(data, size)) {
        return false;
    }
    const char *const last = memrchr(data, '\n', size);
    const size_t whole = last == NULL ? 0 : (size_t)(last - data) + 1;
    const ssize_t sent = whole == 0 ? 0 : raw_send(connection->fd, data, whole);
    if (sent < 0) {
        return false;
    }
    const size_t done = (size_t)sent;
    return done == size || hold(self, connection, data + done, size - done, whole - done);
}

/* What is left is an unfinished line; asyncio's readline hands it out at the end, so it goes back.
 */
static bool echo_ended(struct connection *connection)
{
    if (connection->held_size > 0) {
        (void)raw_send(connection->fd, connection->held, connection->held_size);
    }
    return false;
}

static bool bulk_received(struct server *self, struct connection *connection, const char *data,
                          size_t size)
{
    const ssize_t sent = raw_send(connection->fd, data, size);
    if (sent < 0) {
        return false;
    }
    const size_t rest = size - (size_t)sent;
    return rest == 0 || hold(self, connection, data + sent, rest, rest);
}

static bool bulk_ended(struct connection *connection)
{
    (void)connection;
    return false;
}

/* The first byte after the next empty line; NULL: there is none. */
static const char *end_of_message(const char *data, const char *end)
{
    static const char separator[] = {'\r', '\n', '\r', '\n'};
    while (end - data >= (ptrdiff_t)sizeof separator) {
        data = memchr(data, '\r', (size_t)(end - data) - sizeof separator + 1);
        if (data == NULL) {
            break;
        }
        if (memcmp(data, separator, sizeof separator) == 0) {
            return data + sizeof separator;
        }
        data++;
    }
    return NULL;
}

static bool messages_received(struct server *self, struct connection *connection, const char *data,
                              size_t size)
{
    const char *const end = data + size;
    const char *message = data;
    const char *next;
    while ((next = end_of_message(message, end)) != NULL) {
        connection->lines++;
        connection->bytes += (uint64_t)(next - message);
        message = next;
    }
    return message == end || hold(self, connection, message, (size_t)(end - message), 0);
}

/* Each line is delimited on its own, as a program that parses lines has to do it. */
static bool lines_received(struct server *self, struct connection *connection, const char *data,
                           size_t size)
{
    const char *const end = data + size;
    const char *line = data;
    uint64_t lines = connection->lines;
    uint64_t bytes = connection->bytes;
    for (;;) {
        const char *const newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL) {
            break;
        }
        if (newline - line > LINE_LIMIT_BYTES) {
            return false;
        }
        lines++;
        bytes += (uint64_t)(newline + 1 - line);
        line = newline + 1;
    }
    connection->lines = lines;
    connection->bytes = bytes;
    return line == end || hold(self, connection, line, (size_t)(end - line), 0);
}

/* An unfinished message is no message. The answer is a few bytes on a connection that has sent
 * nothing yet: it always fits. */
static bool messages_ended(struct connection *connection)
{
    char text[64];
    const int size =
        snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)connection->lines,
                 (unsigned long long)connection->bytes);
    (void)raw_send(connection->fd, text, (size_t)size);
    return false;
}

static bool lines_ended(struct connection *connection)
{
    connection->lines += connection->held_size > 0;
    connection->bytes += connection->held_size;
    return messages_ended(connection);
}

/* False: close the connection. */
static bool on_readable(struct server *self, struct connection *connection)
{
    char *const middle = self->block + LINE_LIMIT_BYTES;
    for (int i = 0; i < RECEIVES_MAX; i++) {
        const ssize_t received = recv(connection->fd, middle, RECEIVE_BYTES, 0);
        if (received < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (received == 0) {
            return self->ended(connection);
        }
        const size_t held = connection->held_size;
        if (held > 0) {
            memcpy(middle - held, connection->held, held);
            free(connection->held);
            connection->held = NULL;
            connection->held_size = 0;
        }
        if (!self->received(self, connection, middle - held, held + (size_t)received)) {
            return false;
        }
        if (received < RECEIVE_BYTES || connection->writing) {
            return true;
        }
    }
    return true;
}

static bool on_writable(struct server *self, struct connection *connection)
{
    const ssize_t sent = raw_send(connection->fd, connection->held, connection->unsent);
    if (sent < 0) {
        return false;
    }
    connection->unsent -= (size_t)sent;
    connection->held_size -= (size_t)sent;
    memmove(connection->held, connection->held + sent, connection->held_size);
    return connection->unsent > 0 || watch(self, connection, false);
}

static void drop(struct connection *connection)
{
    close(connection->fd); /* the last descriptor of the socket: epoll forgets it by itself */
    free(connection->held);
    free(connection);
}

static void accept_all(struct server *self)
{
    int fd;
    while ((fd = raw_accept(self->listener)) >= 0) {
        struct connection *const connection = calloc(1, sizeof *connection);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (connection == NULL || epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            free(connection);
            close(fd);
            continue;
        }
        connection->fd = fd;
    }
}

static void serve(struct server *self)
{
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        const int count = epoll_wait(self->epoll, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR) {
            raw_die("epoll_wait");
        }
        for (int i = 0; i < count; i++) {
            struct connection *const connection = events[i].data.ptr;
            if (connection == NULL) {
                accept_all(self);
            } else if (!(connection->writing ? on_writable : on_readable)(self, connection)) {
                drop(connection);
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct server *const server = calloc(1, sizeof *server);
    if (server == NULL) {
        raw_die("calloc");
    }
    const char *const work = argc == 2 || argc == 4 ? argv[1] : "";
    const bool tls = argc == 4;
    if (tls && (strcmp(work, "echo") == 0 || strcmp(work, "bulk") == 0)) {
        raw_serve_tls(strcmp(work, "echo") == 0, argv[2], argv[3]);
    } else if (!tls && strcmp(work, "echo") == 0) {
        server->received = echo_received;
        server->ended = echo_ended;
    } else if (!tls && strcmp(work, "bulk") == 0) {
        server->received = bulk_received;
        server->ended = bulk_ended;
    } else if (!tls && strcmp(work, "lines") == 0) {
        server->received = lines_received;
        server->ended = lines_ended;
    } else if (!tls && strcmp(work, "messages") == 0) {
        server->received = messages_received;
        server->ended = messages_ended;
    } else {
        fprintf(stderr, "usage: %s echo|lines|messages|bulk, or echo|bulk CERTIFICATE KEY\n",
                argv[0]);
        return 2;
    }
    raw_listen(&server->listener, &server->epoll);
    serve(server);
}
