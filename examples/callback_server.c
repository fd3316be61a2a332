/* SPDX-License-Identifier: MIT
 *
 * A small HTTP/1.1 server without a coroutine for its clients: a protocol whose functions the
 * transport calls, in memory of its own for each connection. GET answers with the path. Requests
 * may be pipelined; a client that does not read its answers is not read from; one that says nothing
 * for IDLE_S seconds is let go. Until Ctrl-C.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "serving.h"

enum { REQUEST_MAX_BYTES = 4096, USAGE = 2 };

#define IDLE_DEFAULT_S 30.0

struct connection {
    struct rill_protocol protocol; /* first: the transport hands a pointer to it back */
    struct rill_transport *transport;
    double idle_s;
    struct rill_handle *idle_timer;
    bool behind;    /* the client does not read its answers */
    bool answering; /* answer_requests is at work */
    size_t len;
    char request[REQUEST_MAX_BYTES];
};

static struct connection *of(struct rill_protocol *protocol)
{
    return (struct connection *)protocol;
}

/* -- idle clients ---------------------------------------------------------------------------- */

static void stop_timer(struct connection *self)
{
    if (self->idle_timer != NULL) {
        rill_handle_cancel(self->idle_timer);
        rill_handle_free(self->idle_timer);
        self->idle_timer = NULL;
    }
}

static void idle(void *arg)
{
    const struct connection *self = arg;

    rill_transport_abort(self->transport);
}

/* A timer that cannot be had leaves the connection without one. */
static void restart_timer(struct connection *self)
{
    stop_timer(self);
    rill_call_later(rill_running_loop(), self->idle_s, idle, self, &self->idle_timer);
}

/* -- requests and answers -------------------------------------------------------------------- */

static void answer(const struct connection *self, const char *status, struct rill_bytes body)
{
    char head[128];
    struct rill_bytes parts[] = {{head, 0}, body, rill_bytes_of("\n")};

    const int size = snprintf(
        head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
        status, body.len + 1);
    parts[0].len = (size_t)size;
    /* What cannot be sent is connection_lost's business. */
    rill_transport_writelines(self->transport, parts, sizeof parts / sizeof parts[0], NULL);
}

static void refuse(const struct connection *self, const char *status)
{
    answer(self, status, rill_bytes_of(status));
    rill_transport_close(self->transport); /* the answer is still sent */
}

/* `GET PATH HTTP/1.1`, then headers, which nobody looks at. */
static void handle_request(const struct connection *self, struct rill_bytes request)
{
    const char *const path = request.ptr + strlen("GET ");

    if (request.len < strlen("GET ") || memcmp(request.ptr, "GET ", strlen("GET ")) != 0) {
        refuse(self, "405 Method Not Allowed");
        return;
    }
    const size_t rest = request.len - strlen("GET ");
    const char *const end = memchr(path, ' ', rest);
    if (end == NULL || memchr(path, '\r', (size_t)(end - path)) != NULL) {
        refuse(self, "400 Bad Request");
        return;
    }
    answer(self, "200 OK", (struct rill_bytes){path, (size_t)(end - path)});
}

/* Answers every whole request that is there, keeps the rest at the front, and reads on unless the
 * client is behind. */
static void answer_requests(struct connection *self)
{
    const char *start = self->request;
    const char *const end = self->request + self->len;
    const char *blank;

    self->answering = true;
    while (!self->behind && !rill_transport_is_closing(self->transport) &&
           (blank = memmem(start, (size_t)(end - start), "\r\n\r\n", 4)) != NULL) {
        handle_request(self, (struct rill_bytes){start, (size_t)(blank - start)});
        start = blank + 4;
    }
    self->answering = false;
    self->len = (size_t)(end - start);
    memmove(self->request, start, self->len);
    if (self->behind || rill_transport_is_closing(self->transport)) {
        return;
    }
    if (self->len == sizeof self->request) {
        refuse(self, "431 Request Header Fields Too Large");
        return;
    }
    rill_transport_resume_reading(self->transport);
}

/* -- what the transport calls ---------------------------------------------------------------- */

static void connection_made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    struct connection *self = of(protocol);

    self->transport = transport; /* valid until connection_lost; no reference is needed */
    restart_timer(self);
}

/* The bytes go straight into the connection's own memory, without a copy. There is always room: a
 * full buffer was refused, and while the client is behind nothing is read. */
static size_t get_buffer(struct rill_protocol *protocol, size_t hint, char **space)
{
    struct connection *self = of(protocol);

    (void)hint;
    *space = self->request + self->len;
    return sizeof self->request - self->len;
}

static int buffer_updated(struct rill_protocol *protocol, size_t count)
{
    struct connection *self = of(protocol);

    self->len += count;
    restart_timer(self);
    answer_requests(self);
    return 0;
}

static void pause_writing(struct rill_protocol *protocol)
{
    struct connection *self = of(protocol);

    self->behind = true;
    rill_transport_pause_reading(self->transport);
}

/* Goes on with requests that came in one piece with those before the pause. A write may call this
 * before it returns: the loop in answer_requests then goes on by itself. */
static void resume_writing(struct rill_protocol *protocol)
{
    struct connection *self = of(protocol);

    self->behind = false;
    restart_timer(self);
    if (!self->answering) {
        answer_requests(self);
    }
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct connection *self = of(protocol);

    (void)error;
    stop_timer(self);
    free(self);
}

/* Without eof_received the transport closes at the client's end of file, behind the answers. */
static const struct rill_protocol_ops connection_ops = {
    .connection_made = connection_made,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .connection_lost = connection_lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
};

/* -- the server ------------------------------------------------------------------------------ */

struct program {
    struct endpoint endpoint;
    double idle_s;
};

static struct rill_protocol *make_connection(void *arg)
{
    const struct program *program = arg;
    struct connection *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->protocol.ops = &connection_ops;
    self->idle_s = program->idle_s;
    return &self->protocol;
}

/* The one task: create_server may have to look a name up, so it suspends. */
static int serve(void *arg)
{
    struct program *program = arg;
    struct rill_server *server;

    const int rc = rill_create_server(make_connection, program, program->endpoint.host,
                                      program->endpoint.port, NULL, &server);
    return rc < 0 ? rc : serving_until_interrupted(server);
}

static bool parse(int argc, char **argv, struct program *program)
{
    char *end;

    if (argc >= 3) {
        program->endpoint.host = argv[1];
        program->endpoint.port = argv[2];
    }
    if (argc == 4) {
        program->idle_s = strtod(argv[3], &end);
        return *end == '\0' && program->idle_s > 0;
    }
    return argc == 1 || argc == 3;
}

int main(int argc, char **argv)
{
    struct program program = {.endpoint = {"127.0.0.1", "8888"}, .idle_s = IDLE_DEFAULT_S};

    if (!parse(argc, argv, &program)) {
        fprintf(stderr, "usage: callback_server [HOST PORT [IDLE_SECONDS]]\n");
        return USAGE;
    }
    return rill_main(serve, &program);
}
