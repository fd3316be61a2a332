/* SPDX-License-Identifier: MIT
 *
 * The loads that only send: pipelined lines, 64 bytes unless asked for others, or messages of 1 KiB
 * that end with an empty line, on each connection, then half a close, then the server's answer
 * `COUNT BYTES`, which must be what was sent.
 */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    BLOCK_BYTES = 256 * 1024,
    MESSAGE_BYTES = 1024,
    HEADER_BYTES = 40, /* about what a line of HTTP headers has */
};

struct client {
    int fd;
    uint64_t sent; /* bytes */
    char answer[64];
    size_t answer_size;
};

struct lines {
    const struct load_options *options;
    size_t unit; /* bytes of one line or message */
    int epoll;
    unsigned open;
    double deadline_s;
    uint64_t quota; /* bytes of each connection; 0: until the deadline */
    uint64_t sent;
    struct client *clients;
    size_t block_size; /* a whole number of units */
    char *block;       /* sent again and again */
};

static void fill_with_text(struct lines *self)
{
    for (size_t i = 0; i < self->block_size; i++) {
        self->block[i] = (char)('a' + i % 23);
    }
}

static void fill_with_lines(struct lines *self)
{
    fill_with_text(self);
    for (size_t end = self->unit; end <= self->block_size; end += self->unit) {
        self->block[end - 1] = '\n';
    }
}

/* Lines of header-like text; only a message's end has two CRLF in a row. */
static void fill_with_messages(struct lines *self)
{
    char *const block = self->block;
    fill_with_text(self);
    for (size_t start = 0; start < self->block_size; start += MESSAGE_BYTES) {
        for (size_t line = HEADER_BYTES; line < MESSAGE_BYTES - HEADER_BYTES;
             line += HEADER_BYTES) {
            memcpy(block + start + line - 2, "\r\n", 2);
        }
        memcpy(block + start + MESSAGE_BYTES - 4, "\r\n\r\n", 4);
    }
}

static void send_block(struct lines *self, struct client *client, size_t size)
{
    const size_t offset = client->sent % self->block_size;
    const size_t room = self->block_size - offset;
    const ssize_t sent =
        send(client->fd, self->block + offset, size < room ? size : room, MSG_NOSIGNAL);
    if (sent > 0) {
        client->sent += (uint64_t)sent;
    } else if (errno != EAGAIN) {
        load_die("cannot send lines: %s", strerror(errno));
    }
}

static void finish(const struct lines *self, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (shutdown(client->fd, SHUT_WR) != 0 ||
        epoll_ctl(self->epoll, EPOLL_CTL_MOD, client->fd, &event) != 0) {
        load_die("cannot end a connection: %s", strerror(errno));
    }
}

static void on_writable(struct lines *self, struct client *client)
{
    const size_t unfinished = (size_t)(client->sent % self->unit);
    if (self->quota > 0) {
        if (client->sent < self->quota) {
            send_block(self, client, (size_t)(self->quota - client->sent));
        } else {
            finish(self, client);
        }
    } else if (load_now_s() < self->deadline_s) {
        send_block(self, client, self->block_size);
    } else if (unfinished > 0) {
        send_block(self, client, self->unit - unfinished);
    } else {
        finish(self, client);
    }
}

static void check_answer(struct lines *self, struct client *client)
{
    char want[sizeof client->answer];
    snprintf(want, sizeof want, "%llu %llu\n", (unsigned long long)(client->sent / self->unit),
             (unsigned long long)client->sent);
    client->answer[client->answer_size] = '\0';
    if (strcmp(client->answer, want) != 0) {
        load_die("the server counted '%s', sent were '%s'", client->answer, want);
    }
    self->sent += client->sent;
    self->open--;
    close(client->fd);
}

static void on_readable(struct lines *self, struct client *client)
{
    const size_t room = sizeof client->answer - 1 - client->answer_size;
    const ssize_t got = recv(client->fd, client->answer + client->answer_size, room, 0);
    if (got > 0) {
        client->answer_size += (size_t)got;
    } else if (got == 0) {
        check_answer(self, client);
    } else if (errno != EAGAIN) {
        load_die("cannot read the server's count: %s", strerror(errno));
    }
}

static void connect_all(struct lines *self)
{
    const unsigned count = self->options->connections;
    memset(self->clients, 0, count * sizeof *self->clients);
    for (unsigned i = 0; i < count; i++) {
        self->clients[i].fd = load_connect(self->options, self->epoll, EPOLLOUT, &self->clients[i]);
    }
    self->open = count;
}

/* All connections from their first byte to the server's last count; returns the number of units. */
static uint64_t run(struct lines *self, double seconds)
{
    struct epoll_event events[EVENTS_MAX];
    self->sent = 0;
    self->deadline_s = load_now_s() + seconds;
    while (self->open > 0) {
        const int count = load_wait(self->options, self->epoll, events, EVENTS_MAX);
        for (int i = 0; i < count; i++) {
            struct client *const client = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) != 0) {
                on_writable(self, client);
            } else {
                on_readable(self, client);
            }
        }
    }
    return self->sent / self->unit;
}

static void load_units(const struct load_options *options, struct load_result *result, size_t unit,
                       void (*fill)(struct lines *self))
{
    struct lines *const self = load_allocate(1, sizeof *self);
    self->options = options;
    self->unit = unit;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->clients = load_allocate(options->connections, sizeof *self->clients);
    self->block_size = unit > BLOCK_BYTES ? unit : BLOCK_BYTES / unit * unit;
    self->block = load_allocate(1, self->block_size);
    fill(self);
    if (options->requests > 0) {
        self->quota = options->requests / options->connections * unit;
    } else if (options->warmup_s > 0) {
        connect_all(self);
        (void)run(self, options->warmup_s);
    }
    connect_all(self);
    load_take_sample(options, &result->begin);
    result->operations = run(self, options->seconds);
    load_take_sample(options, &result->end);
    close(self->epoll);
    free(self->clients);
    free(self->block);
    free(self);
}

void load_lines(const struct load_options *options, struct load_result *result)
{
    load_units(options, result, options->line_bytes, fill_with_lines);
}

void load_messages(const struct load_options *options, struct load_result *result)
{
    load_units(options, result, MESSAGE_BYTES, fill_with_messages);
}
