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

static void exchange_line(struct load_stream *stream, const struct load_options *options)
{
    struct load_line line;
    struct pollfd wait = {.fd = stream->fd, .events = POLLIN};
    load_line_init(&line, stream->number);
    load_line_ask(&line, stream);
    do {
        if (poll(&wait, 1, options->silence_ms) != 1) {
            load_die("connection %u: the server has not answered for %d ms", stream->number,
                     options->silence_ms);
        }
    } while (!load_line_answered(&line, stream));
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

static void leave(struct load_stream *streams, unsigned count, const struct load_options *options)
{
    for (unsigned i = 0; i < count; i++) {
        shutdown(streams[i].fd, SHUT_WR);
    }
    for (unsigned i = 0; i < count; i++) { /* what comes before the end is close_notify */
        char rest[256];
        struct pollfd wait = {.fd = streams[i].fd, .events = POLLIN};
        do {
            if (poll(&wait, 1, options->silence_ms) != 1) {
                load_die("connection %u: the server did not end it after the last line", i);
            }
        } while (recv(wait.fd, rest, sizeof rest, 0) > 0);
        close(wait.fd);
    }
}

void load_idle(const struct load_options *options, struct load_result *result)
{
    const unsigned count =
        options->requests > 0 ? (unsigned)options->requests : options->connections;
    struct load_stream *const streams = load_allocate(count, sizeof *streams);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    load_take_sample(options, &result->begin);
    load_take_memory(options, &result->begin);
    for (unsigned i = 0; i < count; i++) {
        streams[i].number = i;
        load_stream_open(&streams[i], options, epoll, NULL);
        load_stream_handshake_wait(&streams[i], options);
        exchange_line(&streams[i], options);
        load_stream_drop_session(&streams[i]);
    }
    wait_until_idle(options);
    load_take_sample(options, &result->end);
    load_take_memory(options, &result->end);
    result->operations = count;
    leave(streams, count, options);
    free(streams);
    close(epoll);
}
