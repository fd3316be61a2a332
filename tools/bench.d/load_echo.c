/* SPDX-License-Identifier: MIT
 *
 * The echo load: a closed loop on each connection. Each line carries its connection's number and a
 * running number, so that an answer that is late, doubled or another connection's is seen.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

struct client {
    int fd;
    unsigned number;
    size_t answered; /* bytes of the current line that have come back */
    uint64_t sequence;
    char line[LOAD_LINE_BYTES];
};

struct echo {
    const struct load_options *options;
    int epoll;
    struct client *clients;
    uint64_t asked;
    uint64_t answered;
    bool leaving;
};

static void put_hex(char *text, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, value >>= 4) {
        text[i] = digits[value & 15];
    }
}

static void ask(struct echo *self, struct client *client)
{
    put_hex(client->line + 9, ++client->sequence);
    client->answered = 0;
    self->asked++;
    /* A closed loop never has more than one line in the socket's buffer: it always fits. */
    if (send(client->fd, client->line, LOAD_LINE_BYTES, MSG_NOSIGNAL) != LOAD_LINE_BYTES) {
        load_die("connection %u: cannot send: %s", client->number, strerror(errno));
    }
}

/* True when the answer is complete. */
static bool take_answer(struct client *client)
{
    char answer[LOAD_LINE_BYTES + 1]; /* one more, to see that there is nothing more */
    const ssize_t got = recv(client->fd, answer, sizeof answer - client->answered, 0);
    if (got < 0 && errno == EAGAIN) {
        return false;
    }
    if (got <= 0) {
        load_die("connection %u: the server closed it", client->number);
    }
    const size_t size = (size_t)got;
    if (size > LOAD_LINE_BYTES - client->answered ||
        memcmp(answer, client->line + client->answered, size) != 0) {
        load_die("connection %u: wrong answer to line %llu", client->number,
                 (unsigned long long)client->sequence);
    }
    client->answered += size;
    return client->answered == LOAD_LINE_BYTES;
}

static void connect_all(struct echo *self)
{
    const unsigned count = self->options->connections;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->clients = load_allocate(count, sizeof *self->clients);
    for (unsigned i = 0; i < count; i++) {
        struct client *const client = &self->clients[i];
        client->number = i;
        memset(client->line, 'x', sizeof client->line);
        snprintf(client->line, sizeof client->line, "%08x", i);
        client->line[8] = ' ';
        client->line[LOAD_LINE_BYTES - 1] = '\n';
        client->fd = load_connect(self->options, self->epoll, EPOLLIN, client);
    }
}

static bool wants_more(const struct echo *self)
{
    if (self->leaving) {
        return false;
    }
    return self->options->requests == 0 || self->asked < self->options->requests;
}

/* One turn: takes the answers that are there and sends the next lines. */
static void turn(struct echo *self)
{
    struct epoll_event events[EVENTS_MAX];
    const int count = load_wait(self->options, self->epoll, events, EVENTS_MAX);
    for (int i = 0; i < count; i++) {
        struct client *const client = events[i].data.ptr;
        if (take_answer(client)) {
            self->answered++;
            if (wants_more(self)) {
                ask(self, client);
            }
        }
    }
}

static void run_until(struct echo *self, double deadline_s)
{
    while (load_now_s() < deadline_s) {
        turn(self);
    }
}

/* Takes the answers that are under way, half-closes, and waits for the server's end: a server sees
 * clients that leave in good order, and one that forgets a connection is noticed. */
static void leave(struct echo *self)
{
    self->leaving = true;
    while (self->answered < self->asked) {
        turn(self);
    }
    for (unsigned i = 0; i < self->options->connections; i++) {
        shutdown(self->clients[i].fd, SHUT_WR);
    }
    for (unsigned i = 0; i < self->options->connections; i++) {
        struct pollfd wait = {.fd = self->clients[i].fd, .events = POLLIN};
        char rest;
        if (poll(&wait, 1, self->options->silence_ms) != 1 || recv(wait.fd, &rest, 1, 0) != 0) {
            load_die("connection %u: the server did not end it after the last line", i);
        }
        close(wait.fd);
    }
    free(self->clients);
    close(self->epoll);
}

void load_echo(const struct load_options *options, struct load_result *result)
{
    struct echo self = {.options = options};
    connect_all(&self);
    if (options->requests > 0) {
        load_take_sample(options, &result->begin);
    }
    for (unsigned i = 0; i < options->connections && wants_more(&self); i++) {
        ask(&self, &self.clients[i]);
    }
    if (options->requests > 0) {
        while (self.answered < options->requests) {
            turn(&self);
        }
    } else {
        run_until(&self, load_now_s() + options->warmup_s);
        load_take_sample(options, &result->begin);
        result->operations = self.answered;
        run_until(&self, result->begin.wall_s + options->seconds);
    }
    load_take_sample(options, &result->end);
    result->operations = self.answered - result->operations;
    leave(&self);
}
