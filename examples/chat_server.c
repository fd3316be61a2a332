/* SPDX-License-Identifier: MIT
 *
 * A chat by lines: the first line that a client sends is its name, every further one goes to all
 * others as `NAME: line`. Until Ctrl-C.
 *
 * A client that does not read makes nobody wait and costs no more than QUEUE_BYTES. What the others
 * say goes into its write buffer as long as it fits there; later lines it misses, and is told how
 * many as soon as it has caught up. Nor is it read from while it is behind: its own drain waits.
 */
#include <stdio.h>
#include <string.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "serving.h"

enum {
    LINE_MAX_BYTES = 4096,
    NAME_MAX_BYTES = 32,
    QUEUE_BYTES = 128 * 1024,    /* for each client */
    BEHIND_BYTES = 64 * 1024,    /* a client with so much unread is not read from ... */
    CAUGHT_UP_BYTES = 16 * 1024, /* ... until it is down to this */
};

struct room {
    struct client *clients;
};

struct client {
    struct client *next;
    struct rill_writer *writer;
    size_t missed; /* lines that did not fit */
    size_t name_len;
    char name[NAME_MAX_BYTES];
};

static struct rill_bytes name_of(const struct client *client)
{
    const struct rill_bytes name = {client->name, client->name_len};
    return name;
}

static bool has_room(const struct client *client, size_t size)
{
    struct rill_transport *transport = rill_writer_transport(client->writer);

    return rill_transport_get_write_buffer_size(transport) + size <= QUEUE_BYTES;
}

/* Never waits. A failing connection is found by the client's own task. */
static void tell(struct client *client, const struct rill_bytes *parts, size_t count)
{
    char notice[64];
    size_t size = sizeof notice;

    for (size_t i = 0; i < count; i++) {
        size += parts[i].len;
    }
    if (!has_room(client, size)) {
        client->missed++;
        return;
    }
    if (client->missed > 0) {
        snprintf(notice, sizeof notice, "* you missed %zu lines\n", client->missed);
        rill_writer_write(client->writer, notice, strlen(notice));
        client->missed = 0;
    }
    rill_writer_writelines(client->writer, parts, count);
}

static void tell_others(const struct room *room, const struct client *speaker,
                        const struct rill_bytes *parts, size_t count)
{
    for (struct client *client = room->clients; client != NULL; client = client->next) {
        if (client != speaker) {
            tell(client, parts, count);
        }
    }
}

static void announce(const struct room *room, const struct client *client, const char *what)
{
    const struct rill_bytes parts[] = {
        rill_bytes_of("* "),
        name_of(client),
        rill_bytes_of(what),
    };

    tell_others(room, client, parts, sizeof parts / sizeof parts[0]);
}

static void leave(struct room *room, const struct client *client)
{
    struct client **link = &room->clients;

    while (*link != client) {
        link = &(*link)->next;
    }
    *link = client->next;
    announce(room, client, " left\n");
}

static struct rill_bytes without_line_end(struct rill_bytes line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r')) {
        line.len--;
    }
    return line;
}

/* 1 when the client has a name, 0 when it left before, negative on an error. */
static int ask_name(struct rill_reader *reader, struct client *client)
{
    struct rill_bytes line;

    int rc = rill_writer_write(client->writer, "* your name?\n", strlen("* your name?\n"));
    if (rc < 0) {
        return rc;
    }
    rc = rill_reader_next_line(reader, &line);
    if (rc <= 0) {
        return rc;
    }
    const struct rill_bytes name = without_line_end(line);
    if (name.len == 0 || name.len > sizeof client->name) {
        return rill_task_fail(
            rill_error_new(RILL_EVALUE, "a name has 1 to %zu bytes", sizeof client->name));
    }
    memcpy(client->name, name.ptr, name.len);
    client->name_len = name.len;
    return 1;
}

/* Until the client leaves (0) or fails. */
static int talk(struct room *room, struct client *client, struct rill_reader *reader)
{
    struct rill_bytes line;
    int rc;

    while ((rc = rill_reader_next_line(reader, &line)) > 0) {
        const struct rill_bytes parts[] = {
            name_of(client),
            rill_bytes_of(": "),
            without_line_end(line),
            rill_bytes_of("\n"),
        };

        tell_others(room, client, parts, sizeof parts / sizeof parts[0]);
        rc = rill_writer_drain(client->writer);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

/* What a client did wrong it is told; that its connection broke is no news of the server. */
static int explain(struct rill_writer *writer, int rc)
{
    if (rc == RILL_EVALUE) {
        const char *text = rill_task_error()->text;
        const struct rill_bytes parts[] = {
            rill_bytes_of("* "),
            rill_bytes_of(text),
            rill_bytes_of("\n"),
        };
        return rill_writer_writelines(writer, parts, sizeof parts / sizeof parts[0]);
    }
    return rc == RILL_ECONNRESET || rc == RILL_EPIPE || rc == RILL_ETIMEOUT ? 0 : rc;
}

/* A task for each client, which stands in the room as long as the task's stack does. */
static int handle_client(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    const struct rill_opt_int high = RILL_SET(BEHIND_BYTES);
    const struct rill_opt_int low = RILL_SET(CAUGHT_UP_BYTES);
    struct room *room = arg;
    struct client client = {.writer = writer};

    rill_transport_set_write_buffer_limits(rill_writer_transport(writer), high, low, NULL);
    int rc = ask_name(reader, &client);
    if (rc > 0) {
        client.next = room->clients;
        room->clients = &client;
        announce(room, &client, " joined\n");
        rc = talk(room, &client, reader);
        leave(room, &client);
    }
    rc = explain(writer, rc);
    rill_writer_close(writer);
    return rc;
}

struct program {
    struct endpoint endpoint;
    struct room room;
};

static int serve(void *arg)
{
    const struct rill_server_options options = {.limit = RILL_SET(LINE_MAX_BYTES)};
    struct program *program = arg;
    struct rill_server *server;

    const int rc = rill_start_server(handle_client, &program->room, program->endpoint.host,
                                     program->endpoint.port, &options, &server);
    return rc < 0 ? rc : serving_until_interrupted(server);
}

int main(int argc, char **argv)
{
    struct program program = {0};

    if (!endpoint_parse(argc, argv, "chat_server", &program.endpoint)) {
        return ENDPOINT_USAGE;
    }
    return rill_main(serve, &program);
}
