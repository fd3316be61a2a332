/* SPDX-License-Identifier: MIT
 *
 * The idle load: connections that have each echoed a line and then stay silent; what they hold of
 * the server's memory is the figure. The client's own sessions are dropped, so that the machine
 * need not hold both sides.
 */
#include "load_stream.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    AT_ONCE = 16, /* under way at a time, so that the server need not wait for this program */
};

struct client {
    struct load_stream stream;
    struct load_line line;
    enum { SHAKING, ASKING, RESTING } state;
};

struct idle {
    const struct load_options *options;
    int epoll;
    struct client *clients;
    unsigned count;
    unsigned begun;
    unsigned resting;
};

static void begin(struct idle *self)
{
    struct client *const client = &self->clients[self->begun];
    client->stream.number = self->begun++;
    load_line_init(&client->line, client->stream.number);
    load_stream_open(&client->stream, self->options, self->epoll, client);
    client->state = SHAKING;
}

/* Goes on as far as it can without waiting. */
static void step(struct idle *self, struct client *client)
{
    if (client->state == RESTING) {
        load_die("connection %u: the server did not leave it in peace", client->stream.number);
    }
    if (client->state == SHAKING && load_stream_handshake(&client->stream)) {
        load_line_ask(&client->line, &client->stream);
        client->state = ASKING;
    } else if (client->state == ASKING && load_line_answered(&client->line, &client->stream)) {
        load_stream_drop_session(&client->stream);
        client->state = RESTING;
        self->resting++;
    }
}

static void connect_all(struct idle *self)
{
    struct epoll_event events[EVENTS_MAX];
    while (self->resting < self->count) {
        while (self->begun < self->count && self->begun - self->resting < AT_ONCE) {
            begin(self);
            step(self, &self->clients[self->begun - 1]); /* the first flight */
        }
        const int count = load_wait(self->options, self->epoll, events, EVENTS_MAX);
        for (int i = 0; i < count; i++) {
            step(self, events[i].data.ptr);
        }
    }
}

/* The last answer is here before the server has done its last turn: it is idle when its clock has
 * stood still for a while. */
static void wait_until_idle(const struct load_options *options)
{
    struct load_sample before;
    struct load_sample now;
    load_take_sample(options, &now);
    const double deadline_s = now.wall_s + 1e-3 * options->silence_ms;
    do {
        before = now;
        poll(NULL, 0, 50);
        load_take_sample(options, &now);
        if (now.wall_s > deadline_s) {
            load_die("the server does not come to rest");
        }
    } while (now.server_cpu_s > before.server_cpu_s);
}

static void leave(const struct idle *self)
{
    for (unsigned i = 0; i < self->count; i++) {
        shutdown(self->clients[i].stream.fd, SHUT_WR);
    }
    for (unsigned i = 0; i < self->count; i++) { /* what comes before the end is close_notify */
        char rest[256];
        struct pollfd wait = {.fd = self->clients[i].stream.fd, .events = POLLIN};
        do {
            if (poll(&wait, 1, self->options->silence_ms) != 1) {
                load_die("connection %u: the server did not end it after the last line", i);
            }
        } while (recv(wait.fd, rest, sizeof rest, 0) > 0);
        close(wait.fd);
    }
}

void load_idle(const struct load_options *options, struct load_result *result)
{
    struct idle self = {.options = options};
    self.count = options->requests > 0 ? (unsigned)options->requests : options->connections;
    self.clients = load_allocate(self.count, sizeof *self.clients);
    self.epoll = epoll_create1(EPOLL_CLOEXEC);
    load_take_sample(options, &result->begin);
    load_take_memory(options, &result->begin);
    connect_all(&self);
    wait_until_idle(options);
    load_take_sample(options, &result->end);
    load_take_memory(options, &result->end);
    result->operations = self.count;
    leave(&self);
    free(self.clients);
    close(self.epoll);
}
