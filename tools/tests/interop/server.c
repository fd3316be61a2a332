/* SPDX-License-Identifier: MIT
 *
 * A TLS server of rill's for foreign clients. It answers lines, and HTTP's GET on the same port:
 *
 *     echo TEXT     TEXT
 *     about         what the connection's TLS is
 *     send N        N bytes of the pattern
 *     take N        reads N bytes, answers whether they were the pattern
 *     bye           closes
 *     GET /N        N bytes of the pattern, with Content-Length; keep-alive as HTTP/1.1 has it
 *
 * Prints `Serving on PORT`, and for each connection a line when it is made and one when it ended.
 * Ends by Ctrl-C.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "settings.h"

enum { TEXT_SIZE = 512, CHUNK = 16384 };

struct contexts {
    struct rill_ssl_context *first;
    struct rill_ssl_context *by_name; /* NULL: none */
    const char *name;
};

static int send_text(struct rill_writer *writer, const char *text)
{
    const int rc = rill_writer_write(writer, text, strlen(text));
    return rc < 0 ? rc : rill_writer_drain(writer);
}

static int send_pattern(struct rill_writer *writer, size_t size)
{
    char chunk[CHUNK];

    for (size_t sent = 0; sent < size;) {
        const size_t part = size - sent < CHUNK ? size - sent : CHUNK;
        for (size_t i = 0; i < part; i++) {
            chunk[i] = pattern_byte(sent + i);
        }
        int rc = rill_writer_write(writer, chunk, part);
        if (rc == 0) {
            rc = rill_writer_drain(writer);
        }
        if (rc < 0) {
            return rc;
        }
        sent += part;
    }
    return 0;
}

static int take_pattern(struct rill_reader *reader, struct rill_writer *writer, size_t size)
{
    struct rill_bytes data;
    bool same = true;

    for (size_t taken = 0; taken < size; taken += data.len) {
        const size_t part = size - taken < CHUNK ? size - taken : CHUNK;
        const int rc = rill_reader_readexactly(reader, (ssize_t)part, &data);
        if (rc < 0) {
            return rc;
        }
        for (size_t i = 0; i < data.len; i++) {
            same = same && data.ptr[i] == pattern_byte(taken + i);
        }
    }
    return send_text(writer, same ? "ok\n" : "wrong\n");
}

/* Everything up to the empty line is read; `Connection: close` is the one field that matters. */
static int answer_get(struct rill_reader *reader, struct rill_writer *writer, const char *request,
                      bool *more)
{
    const size_t size = (size_t)strtoul(request + strlen("GET /"), NULL, 10);
    struct rill_bytes line;
    char head[TEXT_SIZE];

    *more = strstr(request, "HTTP/1.1") != NULL;
    do {
        const int rc = rill_reader_readline(reader, &line);
        if (rc < 0) {
            return rc;
        }
        if (line.len >= 17 && strncasecmp(line.ptr, "connection: close", 17) == 0) {
            *more = false;
        }
    } while (line.len > 2);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n", size,
             *more ? "" : "Connection: close\r\n");
    const int rc = send_text(writer, head);
    return rc < 0 ? rc : send_pattern(writer, size);
}

static int answer(struct rill_reader *reader, struct rill_writer *writer, char *line, bool *more)
{
    char text[TEXT_SIZE + 2];

    if (strncmp(line, "GET /", 5) == 0) {
        return answer_get(reader, writer, line, more);
    }
    if (strncmp(line, "echo ", 5) == 0) {
        snprintf(text, sizeof text, "%s\n", line + 5);
        return send_text(writer, text);
    }
    if (strncmp(line, "send ", 5) == 0) {
        return send_pattern(writer, (size_t)strtoul(line + 5, NULL, 10));
    }
    if (strncmp(line, "take ", 5) == 0) {
        return take_pattern(reader, writer, (size_t)strtoul(line + 5, NULL, 10));
    }
    if (strcmp(line, "about") == 0) {
        describe(writer, text, TEXT_SIZE);
        strcat(text, "\n");
        return send_text(writer, text);
    }
    if (strcmp(line, "bye") == 0) {
        *more = false;
        return 0;
    }
    return send_text(writer, "?\n");
}

/* The next line without its end, as a string; false at the end of the stream. */
static int next_line(struct rill_reader *reader, char *text, bool *there)
{
    struct rill_bytes line;

    const int rc = rill_reader_readline(reader, &line);
    *there = rc == 0 && line.len > 0;
    if (!*there) {
        return rc;
    }
    size_t length = line.len < TEXT_SIZE ? line.len : TEXT_SIZE - 1;
    memcpy(text, line.ptr, length);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) {
        length--;
    }
    text[length] = '\0';
    return 0;
}

static void print_end(const struct rill_writer *writer, int rc)
{
    printf("end %s%s%s\n", end_name(writer), rc < 0 ? " " : "",
           rc < 0 ? rill_task_error()->text : "");
    fflush(stdout);
}

static int handle(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    char text[TEXT_SIZE];
    bool more = true;
    int rc = 0;

    (void)arg;
    describe(writer, text, sizeof text);
    printf("made %s\n", text);
    while (rc == 0 && more) {
        rc = next_line(reader, text, &more);
        if (rc == 0 && more) {
            rc = answer(reader, writer, text, &more);
        }
    }
    rill_writer_close(writer);
    if (rc == 0) {
        rc = rill_writer_wait_closed(writer);
    }
    if (rc != RILL_ECANCELLED) {
        print_end(writer, rc);
    }
    return rc == RILL_ECANCELLED ? rc : 0;
}

static int choose(const struct rill_ssl_object *object, const char *server_name,
                  struct rill_ssl_context **use, void *arg)
{
    const struct contexts *contexts = arg;

    (void)object;
    printf("name %s\n", server_name != NULL ? server_name : "-");
    if (server_name != NULL && strcmp(server_name, contexts->name) == 0) {
        *use = contexts->by_name;
    }
    return 0;
}

static int make_contexts(const struct settings *settings, struct contexts *contexts)
{
    struct settings other = *settings;

    int rc = settings_context(settings, true, &contexts->first);
    if (rc < 0 || settings->sni_name == NULL) {
        return rc;
    }
    other.chain = settings->sni_chain;
    rc = settings_context(&other, true, &contexts->by_name);
    if (rc < 0) {
        return rc;
    }
    contexts->name = settings->sni_name;
    const struct rill_error *error;
    rc = rill_ssl_context_set_sni_callback(contexts->first, choose, contexts, &error);
    return rc < 0 ? rill_task_fail(error) : 0;
}

static int serve(void *arg)
{
    struct contexts contexts = {0};
    struct rill_address address = {0};
    struct rill_server *server;

    int rc = make_contexts(arg, &contexts);
    if (rc == 0) {
        const struct rill_server_options options = {.ssl = contexts.first};
        rc = rill_start_server(handle, NULL, "127.0.0.1", "0", &options, &server);
    }
    if (rc == 0) {
        rill_server_sockname(server, 0, &address);
        printf("Serving on %d\n", address.port);
        fflush(stdout);
        rc = rill_sleep(1e9);
        rill_server_close(server);
        rill_server_abort_clients(server);
        rill_server_wait_closed(server);
        rill_server_free(server);
    }
    rill_ssl_context_unref(contexts.by_name);
    rill_ssl_context_unref(contexts.first);
    return rc;
}

int main(int argc, char **argv)
{
    struct settings settings = {0};
    int next = 1;

    if (argc < 2 || !settings_parse(&settings, argv, &next) || argv[next] != NULL) {
        fprintf(stderr, "usage: interop_server [--ca FILE] --chain FILE [...]\n");
        return 2;
    }
    return rill_main(serve, &settings);
}
