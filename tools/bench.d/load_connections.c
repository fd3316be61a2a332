/* SPDX-License-Identifier: MIT
 *
 * The connections load: connect, over TLS a full handshake, one line and its echo, an end in good
 * order, and again. The line proves that the server has finished the handshake too.
 */
#include "load_stream.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 64 };

struct client {
    struct load_stream stream;
    struct load_line line;
    enum { SHAKING, ASKING, ENDING, AWAY } state;
};

struct connections {
    const struct load_options *options;
    int epoll;
    struct client *clients;
    uint64_t begun;
    uint64_t answered;
    unsigned open;
    bool leaving;
};

static void shake_or_ask(struct client *client)
{
    if (load_stream_handshake(&client->stream)) {
        load_line_ask(&client->line, &client->stream);
        client->state = ASKING;
    }
}

/* The next connection in this place, unless there have been enough. */
static void begin(struct connections *self, struct client *client)
{
    if (self->leaving || (self->options->requests > 0 && self->begun >= self->options->requests)) {
        client->state = AWAY;
        self->open--;
        return;
    }
    self->begun++;
    load_stream_open(&client->stream, self->options, self->epoll, client);
    client->state = SHAKING;
    shake_or_ask(client); /* the first flight, or the line */
}

static void step(struct connections *self, struct client *client)
{
    if (client->state == SHAKING) {
        shake_or_ask(client);
    } else if (client->state == ASKING) {
        if (load_line_answered(&client->line, &client->stream)) {
            self->answered++;
            load_stream_finish(&client->stream);
            client->state = ENDING;
        }
    } else if (load_stream_ended(&client->stream)) {
        begin(self, client);
    }
}

static void turn(struct connections *self)
{
    struct epoll_event events[EVENTS_MAX];
    const int count = load_wait(self->options, self->epoll, events, EVENTS_MAX);
    for (int i = 0; i < count; i++) {
        step(self, events[i].data.ptr);
    }
}

static void run_until(struct connections *self, double deadline_s)
{
    while (load_now_s() < deadline_s) {
        turn(self);
    }
}

static void start(struct connections *self)
{
    const unsigned count = self->options->connections;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->clients = load_allocate(count, sizeof *self->clients);
    self->open = count;
    for (unsigned i = 0; i < count; i++) {
        self->clients[i].stream.number = i;
        load_line_init(&self->clients[i].line, i);
        begin(self, &self->clients[i]);
    }
}

static void finish(struct connections *self)
{
    self->leaving = true;
    while (self->open > 0) {
        turn(self);
    }
    free(self->clients);
    close(self->epoll);
}

void load_connections(const struct load_options *options, struct load_result *result)
{
    struct connections self = {.options = options};
    if (options->requests > 0) {
        load_take_sample(options, &result->begin);
        start(&self);
        while (self.open > 0) {
            turn(&self);
        }
    } else {
        start(&self);
        run_until(&self, load_now_s() + options->warmup_s);
        load_take_sample(options, &result->begin);
        result->operations = self.answered;
        run_until(&self, result->begin.wall_s + options->seconds);
    }
    load_take_sample(options, &result->end);
    result->operations = self.answered - result->operations;
    finish(&self);
}
