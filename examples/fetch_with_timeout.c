/* SPDX-License-Identifier: MIT
 *
 * Fetches several http URLs at the same time and says for each its status line and how long the
 * body is. Every URL gets up to ATTEMPTS attempts of at most SECONDS each; between two of them the
 * wait doubles. Ctrl-C cancels what is still running.
 */
#include <stdio.h>
#include <stdlib.h>

#include <rill/rill.h>

#include "url.h"

enum { CHUNK_BYTES = 64 * 1024, STATUS_MAX_BYTES = 100, USAGE = 2 };

#define FIRST_PAUSE_S 0.1

struct fetch {
    const char *text;
    struct url url;
    int attempts;
    double timeout_s;
    char status[STATUS_MAX_BYTES + 1]; /* the answer's first line */
    size_t body_bytes;
};

/* -- one attempt ----------------------------------------------------------------------------- */

static int send_request(struct rill_writer *writer, const struct url *url)
{
    const struct rill_bytes request[] = {
        rill_bytes_of("GET "),
        url->path.len > 0 ? url->path : rill_bytes_of("/"),
        rill_bytes_of(" HTTP/1.0\r\nHost: "),
        rill_bytes_of(url->hostname),
        rill_bytes_of("\r\n\r\n"),
    };

    const int rc = rill_writer_writelines(writer, request, sizeof request / sizeof request[0]);
    return rc < 0 ? rc : rill_writer_drain(writer);
}

static int read_head(struct rill_reader *reader, struct fetch *fetch)
{
    struct rill_bytes line;

    int rc = rill_reader_readuntil(reader, rill_bytes_of("\r\n"), &line);
    if (rc < 0) {
        return rc;
    }
    snprintf(fetch->status, sizeof fetch->status, "%.*s", (int)line.len - 2, line.ptr);
    do {
        rc = rill_reader_readuntil(reader, rill_bytes_of("\r\n"), &line);
    } while (rc >= 0 && line.len > 2);
    return rc;
}

/* HTTP/1.0: the end of the connection is the end of the body. */
static int read_body(struct rill_reader *reader, struct fetch *fetch)
{
    struct rill_bytes data;
    int rc;

    fetch->body_bytes = 0;
    while ((rc = rill_reader_read(reader, CHUNK_BYTES, &data)) >= 0 && data.len > 0) {
        fetch->body_bytes += data.len;
    }
    return rc;
}

static int fetch_once(struct fetch *fetch)
{
    const char *port = fetch->url.port[0] != '\0' ? fetch->url.port : "80";
    struct rill_reader *reader;
    struct rill_writer *writer;

    int rc = rill_open_connection(fetch->url.hostname, port, NULL, &reader, &writer);
    if (rc < 0) {
        return rc;
    }
    rc = send_request(writer, &fetch->url);
    if (rc >= 0) {
        rc = read_head(reader, fetch);
    }
    if (rc >= 0) {
        rc = read_body(reader, fetch);
    }
    rill_writer_close(writer);
    rill_writer_free(writer);
    return rc;
}

/* -- attempts -------------------------------------------------------------------------------- */

static void print_failure(const struct fetch *fetch, int attempt, int rc)
{
    const char *text = rill_task_error()->text;

    printf("%s: attempt %d of %d: %s%s%s\n", fetch->text, attempt, fetch->attempts,
           rill_error_name(rc), text[0] != '\0' ? ": " : "", text);
    fflush(stdout);
}

/* A task for each URL. A cancelled task ends at once: only the scope's own expiry is
 * RILL_ETIMEOUT. */
static int fetch(void *arg)
{
    struct fetch *fetch = arg;
    double pause_s = FIRST_PAUSE_S;
    struct rill_timeout timeout;
    int rc;

    for (int attempt = 1;; attempt++) {
        rill_timeout_enter(&timeout, fetch->timeout_s);
        rc = rill_timeout_exit(&timeout, fetch_once(fetch));
        if (rc >= 0) {
            printf("%s: %s, %zu bytes\n", fetch->text, fetch->status, fetch->body_bytes);
            return 0;
        }
        if (rc == RILL_ECANCELLED) {
            return rc;
        }
        print_failure(fetch, attempt, rc);
        if (attempt == fetch->attempts) {
            return rc;
        }
        rc = rill_sleep(pause_s);
        if (rc < 0) {
            return rc;
        }
        pause_s *= 2;
    }
}

/* -- all of them ----------------------------------------------------------------------------- */

struct program {
    size_t count;
    struct fetch *fetches;
    struct rill_task **tasks;
    int *results;
};

static int start_all(const struct program *program)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct rill_task_options options = {.name = program->fetches[i].text};
        const int rc = rill_task_create(fetch, &program->fetches[i], &options, &program->tasks[i]);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* The exit status: 0 when every URL was fetched, 1 when one was not. Ctrl-C cancels the gather, and
 * that cancels every fetch. */
static int fetch_all(void *arg)
{
    const struct program *program = arg;
    int status = EXIT_SUCCESS;

    int rc = start_all(program);
    if (rc >= 0) {
        rc = rill_gather(program->tasks, program->count, true, program->results);
    }
    for (size_t i = 0; i < program->count; i++) {
        status = program->results[i] < 0 ? EXIT_FAILURE : status;
        rill_task_free(program->tasks[i]);
    }
    return rc < 0 ? rc : status;
}

static bool parse(int argc, char **argv, struct program *program)
{
    char *end = NULL;

    if (argc < 4) {
        return false;
    }
    const double timeout_s = strtod(argv[1], &end);
    if (*end != '\0' || !(timeout_s > 0)) {
        return false;
    }
    const long attempts = strtol(argv[2], &end, 10);
    if (*end != '\0' || attempts < 1 || attempts > 1000) {
        return false;
    }
    for (size_t i = 0; i < program->count; i++) {
        struct fetch *fetch = &program->fetches[i];
        fetch->text = argv[3 + i];
        fetch->attempts = (int)attempts;
        fetch->timeout_s = timeout_s;
        if (!url_split(fetch->text, &fetch->url) || fetch->url.https) { /* no TLS yet */
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct program program = {.count = argc > 3 ? (size_t)argc - 3 : 0};
    int status = EXIT_FAILURE;

    program.fetches = calloc(program.count + 1, sizeof program.fetches[0]);
    program.tasks = calloc(program.count + 1, sizeof program.tasks[0]);
    program.results = calloc(program.count + 1, sizeof program.results[0]);
    if (program.fetches == NULL || program.tasks == NULL || program.results == NULL) {
        perror("fetch_with_timeout");
    } else if (!parse(argc, argv, &program)) {
        fprintf(stderr,
                "usage: fetch_with_timeout SECONDS ATTEMPTS http://HOST[:PORT][/PATH]...\n");
        status = USAGE;
    } else {
        status = rill_main(fetch_all, &program);
    }
    free(program.results);
    free(program.tasks);
    free(program.fetches);
    return status;
}
