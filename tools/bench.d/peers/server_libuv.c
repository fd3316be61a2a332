/* SPDX-License-Identifier: MIT
 *
 * tools/bench's server on libuv, with callbacks as its guide shows them: one receive block for the
 * loop, uv_try_write first, uv_write for what is left. Whole lines only, a limit of 64 KiB a line,
 * no reading from a peer that does not read.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

enum { LIMIT_BYTES = 64 * 1024, RECEIVE_BYTES = 64 * 1024 };

struct connection {
    uv_tcp_t tcp;
    char *held; /* what has no end yet */
    size_t held_size;
    bool writing; /* the kernel has not taken everything: it is not read from meanwhile */
    bool ending;  /* closed when it has */
    unsigned long long count;
    unsigned long long bytes;
};

struct pending {
    uv_write_t request;
    char data[];
};

/* Takes bytes in; how many of them it is done with, or -1: close. */
typedef ssize_t received_fn(struct connection *connection, const char *data, size_t size);
typedef void ended_fn(struct connection *connection);

struct work {
    const char *name;
    received_fn *received;
    ended_fn *ended;
};

/* What is held goes right before the middle, what is received after it. */
static char block[LIMIT_BYTES + RECEIVE_BYTES];
static const struct work *work;

static void on_closed(uv_handle_t *handle)
{
    struct connection *const connection = handle->data;
    free(connection->held);
    free(connection);
}

static void drop(struct connection *connection)
{
    if (!uv_is_closing((const uv_handle_t *)&connection->tcp)) {
        uv_close((uv_handle_t *)&connection->tcp, on_closed);
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(block + LIMIT_BYTES, RECEIVE_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void on_written(uv_write_t *request, int status)
{
    struct connection *const connection = request->handle->data;
    free(request->data);
    connection->writing = false;
    if (status < 0 || connection->ending) {
        drop(connection);
    } else if (uv_read_start((uv_stream_t *)&connection->tcp, on_allocate, on_read) != 0) {
        drop(connection);
    }
}

static bool write_later(struct connection *connection, const char *data, size_t size)
{
    struct pending *const pending = malloc(sizeof *pending + size);
    if (pending == NULL) {
        return false;
    }
    memcpy(pending->data, data, size);
    pending->request.data = pending;
    const uv_buf_t rest = uv_buf_init(pending->data, (unsigned)size);
    if (uv_write(&pending->request, (uv_stream_t *)&connection->tcp, &rest, 1, on_written) != 0) {
        free(pending);
        return false;
    }
    connection->writing = true;
    uv_read_stop((uv_stream_t *)&connection->tcp);
    return true;
}

static bool write_all(struct connection *connection, const char *data, size_t size)
{
    if (size == 0) {
        return true;
    }
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data, (unsigned)size);
    const int sent = uv_try_write((uv_stream_t *)&connection->tcp, &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        return false;
    }
    const size_t done = sent < 0 ? 0 : (size_t)sent;
    return done == size || write_later(connection, data + done, size - done);
}

/* -- the works ------------------------------------------------------------------------------- */

static bool has_line_too_long(const char *data, size_t size)
{
    while (size > LIMIT_BYTES) {
        const char *const newline = memchr(data, '\n', LIMIT_BYTES + 1);
        if (newline == NULL) {
            return true;
        }
        size -= (size_t)(newline + 1 - data);
        data = newline + 1;
    }
    return false;
}

static ssize_t echo_received(struct connection *connection, const char *data, size_t size)
{
    const char *const last = memrchr(data, '\n', size);
    const size_t whole = last == NULL ? 0 : (size_t)(last - data) + 1;
    if (has_line_too_long(data, size) || !write_all(connection, data, whole)) {
        return -1;
    }
    return (ssize_t)whole;
}

static void echo_ended(struct connection *connection)
{
    (void)write_all(connection, connection->held, connection->held_size);
}

static ssize_t bulk_received(struct connection *connection, const char *data, size_t size)
{
    return write_all(connection, data, size) ? (ssize_t)size : -1;
}

static void bulk_ended(struct connection *connection)
{
    (void)connection;
}

static ssize_t lines_received(struct connection *connection, const char *data, size_t size)
{
    const char *line = data;
    const char *const end = data + size;
    const char *newline;
    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (newline - line > LIMIT_BYTES) {
            return -1;
        }
        connection->count++;
        connection->bytes += (unsigned long long)(newline + 1 - line);
        line = newline + 1;
    }
    return line - data;
}

static ssize_t messages_received(struct connection *connection, const char *data, size_t size)
{
    const char *message = data;
    const char *const end = data + size;
    const char *found;
    while ((found = memmem(message, (size_t)(end - message), "\r\n\r\n", 4)) != NULL) {
        connection->count++;
        connection->bytes += (unsigned long long)(found + 4 - message);
        message = found + 4;
    }
    return message - data;
}

static void messages_ended(struct connection *connection)
{
    char text[64];
    const int size =
        snprintf(text, sizeof text, "%llu %llu\n", connection->count, connection->bytes);
    (void)write_all(connection, text, (size_t)size);
}

static void lines_ended(struct connection *connection)
{
    connection->count += connection->held_size > 0;
    connection->bytes += connection->held_size;
    messages_ended(connection);
}

/* -- the server ------------------------------------------------------------------------------ */

static void on_end(struct connection *connection)
{
    work->ended(connection);
    connection->ending = true;
    if (!connection->writing) {
        drop(connection);
    }
}

/* Keeps the end of what was received. */
static bool hold(struct connection *connection, const char *data, size_t size)
{
    connection->held = size == 0 ? NULL : malloc(size);
    connection->held_size = size;
    if (connection->held != NULL) {
        memcpy(connection->held, data, size);
    }
    return size <= LIMIT_BYTES && (size == 0 || connection->held != NULL);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct connection *const connection = stream->data;
    if (count == UV_EOF) {
        on_end(connection);
        return;
    }
    if (count < 0) {
        drop(connection);
        return;
    }
    const char *const data = buffer->base - connection->held_size;
    const size_t size = connection->held_size + (size_t)count;
    if (connection->held != NULL) {
        memcpy(buffer->base - connection->held_size, connection->held, connection->held_size);
        free(connection->held);
        connection->held = NULL;
        connection->held_size = 0;
    }
    const ssize_t done = work->received(connection, data, size);
    if (done < 0 || !hold(connection, data + done, size - (size_t)done)) {
        drop(connection);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct connection *const connection = calloc(1, sizeof *connection);
    if (status < 0 || connection == NULL || uv_tcp_init(listener->loop, &connection->tcp) != 0) {
        free(connection);
        return;
    }
    connection->tcp.data = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 ||
        uv_tcp_nodelay(&connection->tcp, 1) != 0 ||
        uv_read_start((uv_stream_t *)&connection->tcp, on_allocate, on_read) != 0) {
        drop(connection);
    }
}

static const struct work works[] = {{"echo", echo_received, echo_ended},
                                    {"lines", lines_received, lines_ended},
                                    {"messages", messages_received, messages_ended},
                                    {"bulk", bulk_received, bulk_ended}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(argv[1], works[i].name) == 0) {
            work = &works[i];
        }
    }
    if (work == NULL) {
        fprintf(stderr, "usage: %s echo|lines|messages|bulk\n", argv[0]);
        return 2;
    }
    uv_loop_t *const loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in address;
    int length = sizeof address;
    if (uv_tcp_init(loop, &listener) != 0 || uv_ip4_addr("127.0.0.1", 0, &address) != 0 ||
        uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length) != 0) {
        fprintf(stderr, "cannot listen\n");
        return 1;
    }
    printf("listening port=%d pid=%ld\n", ntohs(address.sin_port), (long)getpid());
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
