/* SPDX-License-Identifier: MIT
 *
 * tools/bench's server on rill's streams, as an application would write it: the public calls, each
 * connection a task, no tuning, over TLS when it is given a certificate, with another limit when
 * one follows the work. The twin of server_asyncio.py, line for line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rill/rill.h>

static int echo(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)arg;
    struct rill_bytes line;
    for (;;) {
        int rc = rill_reader_readline(reader, &line);
        if (rc < 0) {
            return rc;
        }
        if (line.len == 0) {
            break;
        }
        rc = rill_writer_write(writer, line.ptr, line.len);
        if (rc < 0) {
            return rc;
        }
        rc = rill_writer_drain(writer);
        if (rc < 0) {
            return rc;
        }
    }
    rill_writer_close(writer);
    return 0;
}

static int answer(struct rill_writer *writer, unsigned long long count, unsigned long long size)
{
    char text[64];
    const int length = snprintf(text, sizeof text, "%llu %llu\n", count, size);
    int rc = rill_writer_write(writer, text, (size_t)length);
    if (rc == 0) {
        rc = rill_writer_drain(writer);
    }
    rill_writer_close(writer);
    return rc;
}

static int lines(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)arg;
    unsigned long long count = 0;
    unsigned long long size = 0;
    struct rill_bytes line;
    for (;;) {
        const int rc = rill_reader_readline(reader, &line);
        if (rc < 0) {
            return rc;
        }
        if (line.len == 0) {
            break;
        }
        count++;
        size += line.len;
    }
    return answer(writer, count, size);
}

static int messages(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)arg;
    const struct rill_bytes empty_line = {"\r\n\r\n", 4};
    unsigned long long count = 0;
    unsigned long long size = 0;
    struct rill_bytes message;
    for (;;) {
        const int rc = rill_reader_readuntil(reader, empty_line, &message);
        if (rc == RILL_EINCOMPLETE) {
            break;
        }
        if (rc < 0) {
            return rc;
        }
        count++;
        size += message.len;
    }
    return answer(writer, count, size);
}

static int bulk(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)arg;
    struct rill_bytes data;
    for (;;) {
        int rc = rill_reader_read(reader, 65536, &data);
        if (rc < 0) {
            return rc;
        }
        if (data.len == 0) {
            break;
        }
        rc = rill_writer_write(writer, data.ptr, data.len);
        if (rc < 0) {
            return rc;
        }
        rc = rill_writer_drain(writer);
        if (rc < 0) {
            return rc;
        }
    }
    rill_writer_close(writer);
    return 0;
}

struct work {
    const char *name;
    rill_client_connected_task *handler;
    struct rill_ssl_context *ssl; /* NULL: plain */
    struct rill_opt_int limit;    /* of a line */
};

static int serve(void *arg)
{
    const struct work *const work = arg;
    const struct rill_server_options options = {
        .backlog = RILL_SET(1024), .ssl = work->ssl, .limit = work->limit};
    struct rill_server *server;
    struct rill_address address;
    int rc = rill_start_server(work->handler, NULL, "127.0.0.1", "0", &options, &server);
    if (rc < 0) {
        return rc;
    }
    if (rill_server_sockname(server, 0, &address)) {
        printf("listening port=%d pid=%ld\n", address.port, (long)getpid());
        fflush(stdout);
    }
    rc = rill_server_serve_forever(server);
    rill_server_free(server);
    return rc;
}

/* Exits when there is none to be had. */
static struct rill_ssl_context *load_context(const char *certificate, const char *key)
{
    struct rill_ssl_context *context;
    const struct rill_error *error;
    int rc = rill_ssl_context_new_server(&context, &error);
    if (rc == 0) {
        rc = rill_ssl_context_load_cert_chain(context, certificate, key, NULL, &error);
    }
    if (rc < 0) {
        fprintf(stderr, "TLS: %s\n", error->text);
        exit(EXIT_FAILURE);
    }
    return context;
}

int main(int argc, char **argv)
{
    struct work works[] = {{.name = "echo", .handler = echo},
                           {.name = "lines", .handler = lines},
                           {.name = "messages", .handler = messages},
                           {.name = "bulk", .handler = bulk}};
    char *const limit = argc > 1 ? strchr(argv[1], '=') : NULL;
    if (limit != NULL) {
        *limit = '\0'; /* ends the work's name */
    }
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if ((argc == 2 || argc == 4) && strcmp(argv[1], works[i].name) == 0) {
            if (limit != NULL) {
                works[i].limit = (struct rill_opt_int)RILL_SET(atoi(limit + 1));
            }
            works[i].ssl = argc == 4 ? load_context(argv[2], argv[3]) : NULL;
            const int rc = rill_main(serve, &works[i]);
            rill_ssl_context_unref(works[i].ssl);
            return rc;
        }
    }
    fprintf(stderr, "usage: %s echo|lines|messages|bulk[=LIMIT] [CERTIFICATE KEY]\n", argv[0]);
    return 2;
}
