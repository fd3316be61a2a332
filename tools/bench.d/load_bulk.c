/* SPDX-License-Identifier: MIT
 *
 * The bulk load: as many bytes as the server echoes, some 256 KiB under way on each connection; all
 * of them are compared. An operation is 64 KiB that came back.
 */
#include "load_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    UNIT_BYTES = 64 * 1024,
    UNDER_WAY_BYTES = 256 * 1024,
    PATTERN_BYTES = 65521, /* a prime: no two places of a record or a block look alike */
    BLOCK_BYTES = PATTERN_BYTES + UNIT_BYTES,
};

struct client {
    struct load_stream stream;
    uint64_t sent; /* bytes */
    uint64_t received;
};

struct bulk {
    const struct load_options *options;
    int epoll;
    struct client *clients;
    uint64_t received;
    uint64_t quota; /* bytes of each connection; 0: until the deadline */
    bool leaving;
    char block[BLOCK_BYTES]; /* the pattern, and as much again of it as one send or receive takes */
};

static void fill_block(char *block)
{
    uint32_t state = 1;
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        state = state * 1664525 + 1013904223;
        block[i] = i < PATTERN_BYTES ? (char)(state >> 24) : block[i - PATTERN_BYTES];
    }
}

/* Never waits for room: what is under way comes back, and with it the next turn. */
static void fill(struct bulk *self, struct client *client)
{
    size_t sent = 1;
    while (sent > 0 && !self->leaving && client->sent - client->received < UNDER_WAY_BYTES) {
        const uint64_t rest = self->quota == 0 ? UNIT_BYTES : self->quota - client->sent;
        const size_t size = rest < UNIT_BYTES ? (size_t)rest : UNIT_BYTES;
        if (size == 0) {
            return;
        }
        sent = load_stream_send_some(&client->stream, self->block + client->sent % PATTERN_BYTES,
                                     size);
        client->sent += sent;
    }
}

static void drain(struct bulk *self, struct client *client)
{
    char data[UNIT_BYTES];
    size_t got = 1;
    while (got > 0 && client->received < client->sent) {
        got = load_stream_receive(&client->stream, data, sizeof data);
        if (got > client->sent - client->received ||
            memcmp(data, self->block + client->received % PATTERN_BYTES, got) != 0) {
            load_die("connection %u: wrong answer after %llu bytes", client->stream.number,
                     (unsigned long long)client->received);
        }
        client->received += got;
        self->received += got;
    }
}

static void turn(struct bulk *self)
{
    struct epoll_event events[EVENTS_MAX];
    const int count = load_wait(self->options, self->epoll, events, EVENTS_MAX);
    for (int i = 0; i < count; i++) {
        struct client *const client = events[i].data.ptr;
        drain(self, client);
        fill(self, client);
    }
}

static void run_until(struct bulk *self, double deadline_s)
{
    while (load_now_s() < deadline_s) {
        turn(self);
    }
}

static bool under_way(const struct bulk *self)
{
    for (unsigned i = 0; i < self->options->connections; i++) {
        if (self->clients[i].received < self->clients[i].sent) {
            return true;
        }
    }
    return false;
}

static void start(struct bulk *self)
{
    const unsigned count = self->options->connections;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->clients = load_allocate(count, sizeof *self->clients);
    for (unsigned i = 0; i < count; i++) {
        struct client *const client = &self->clients[i];
        client->stream.number = i;
        load_stream_open(&client->stream, self->options, self->epoll, client);
        load_stream_handshake_wait(&client->stream, self->options);
    }
}

static void leave(struct bulk *self)
{
    self->leaving = true;
    while (under_way(self)) {
        turn(self);
    }
    for (unsigned i = 0; i < self->options->connections; i++) {
        load_stream_finish(&self->clients[i].stream);
        load_stream_end_wait(&self->clients[i].stream, self->options);
    }
    free(self->clients);
    close(self->epoll);
}

void load_bulk(const struct load_options *options, struct load_result *result)
{
    struct bulk *const self = load_allocate(1, sizeof *self);
    self->options = options;
    self->quota = options->requests * UNIT_BYTES / options->connections;
    fill_block(self->block);
    start(self);
    if (options->requests > 0) {
        load_take_sample(options, &result->begin);
    }
    for (unsigned i = 0; i < options->connections; i++) {
        fill(self, &self->clients[i]);
    }
    if (options->requests > 0) {
        while (under_way(self)) {
            turn(self);
        }
    } else {
        run_until(self, load_now_s() + options->warmup_s);
        load_take_sample(options, &result->begin);
        result->operations = self->received / UNIT_BYTES;
        run_until(self, result->begin.wall_s + options->seconds);
    }
    load_take_sample(options, &result->end);
    result->operations = self->received / UNIT_BYTES - result->operations;
    leave(self);
    free(self);
}
