/* SPDX-License-Identifier: MIT
 *
 * The echo load: a closed loop on each connection.
 */
#include "load_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

struct client {
    struct load_stream stream;
    struct load_line line;
};

struct echo {
    const struct load_options *options;
    int epoll;
    struct client *clients;
    uint64_t asked;
    uint64_t answered;
    bool leaving;
};

static void ask(struct echo *self, struct client *client)
{
    self->asked++;
    load_line_ask(&client->line, &client->stream);
}

static void connect_all(struct echo *self)
{
    const unsigned count = self->options->connections;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->clients = load_allocate(count, sizeof *self->clients);
    for (unsigned i = 0; i < count; i++) {
        struct client *const client = &self->clients[i];
        client->stream.number = i;
        load_line_init(&client->line, i);
        load_stream_open(&client->stream, self->options, self->epoll, client);
        load_stream_handshake_wait(&client->stream, self->options);
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
        if (load_line_answered(&client->line, &client->stream)) {
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

/* Takes the answers that are under way, ends its own side, and waits for the server's end: a server
 * sees clients that leave in good order, and one that forgets a connection is noticed. */
static void leave(struct echo *self)
{
    self->leaving = true;
    while (self->answered < self->asked) {
        turn(self);
    }
    for (unsigned i = 0; i < self->options->connections; i++) {
        load_stream_finish(&self->clients[i].stream);
    }
    for (unsigned i = 0; i < self->options->connections; i++) {
        load_stream_end_wait(&self->clients[i].stream, self->options);
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
