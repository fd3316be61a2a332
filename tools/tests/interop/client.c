/* SPDX-License-Identifier: MIT
 *
 * A TLS client of rill's for foreign servers: connects, prints what the connection's TLS is, then
 * does what its command line says, and prints what comes of it:
 *
 *     say TEXT      sends TEXT as it is
 *     give N        sends N bytes of the pattern
 *     line          prints one line
 *     until TEXT    prints everything up to and including TEXT
 *     pattern N     reads N bytes and prints whether they are the pattern
 *     rest          reads to the end, prints how many bytes that were and how the stream ended
 *     close         closes and waits until that is done
 *
 * Without close at its end it lets go of the connection as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

enum { TEXT_SIZE = 512, CHUNK = 65536 };

struct job {
    struct settings settings;
    const char *host;
    const char *port;
    char **steps;
};

struct pair {
    struct rill_reader *reader;
    struct rill_writer *writer;
};

static int say(const struct pair *pair, const char *text)
{
    const int rc = rill_writer_write(pair->writer, text, strlen(text));
    return rc < 0 ? rc : rill_writer_drain(pair->writer);
}

static int give(const struct pair *pair, const char *number)
{
    const size_t size = (size_t)strtoul(number, NULL, 10);
    char *const data = malloc(size > 0 ? size : 1);

    if (data == NULL) {
        return RILL_ENOMEM;
    }
    for (size_t i = 0; i < size; i++) {
        data[i] = pattern_byte(i);
    }
    int rc = rill_writer_write(pair->writer, data, size);
    free(data);
    if (rc == 0) {
        rc = rill_writer_drain(pair->writer);
    }
    return rc;
}

static int line(const struct pair *pair)
{
    struct rill_bytes data;

    const int rc = rill_reader_readline(pair->reader, &data);
    if (rc == 0) {
        printf("%.*s", (int)data.len, data.ptr);
    }
    return rc;
}

static int until(const struct pair *pair, const char *text)
{
    struct rill_bytes data;

    const int rc = rill_reader_readuntil(pair->reader, rill_bytes_of(text), &data);
    if (rc == 0) {
        printf("%.*s", (int)data.len, data.ptr);
    }
    return rc;
}

static int pattern(const struct pair *pair, const char *number)
{
    const size_t size = (size_t)strtoul(number, NULL, 10);
    struct rill_bytes data;
    bool same = true;

    for (size_t taken = 0; taken < size; taken += data.len) {
        const size_t part = size - taken < CHUNK ? size - taken : CHUNK;
        const int rc = rill_reader_readexactly(pair->reader, (ssize_t)part, &data);
        if (rc < 0) {
            return rc;
        }
        for (size_t i = 0; i < data.len; i++) {
            same = same && data.ptr[i] == pattern_byte(taken + i);
        }
    }
    printf("pattern %zu %s\n", size, same ? "ok" : "wrong");
    return 0;
}

static int rest(const struct pair *pair)
{
    struct rill_bytes data;

    const int rc = rill_reader_read(pair->reader, -1, &data);
    if (rc == 0) {
        printf("rest %zu end %s\n", data.len, end_name(pair->writer));
    }
    return rc;
}

static int close_pair(const struct pair *pair)
{
    rill_writer_close(pair->writer);
    const int rc = rill_writer_wait_closed(pair->writer);
    if (rc == 0) {
        printf("closed end %s\n", end_name(pair->writer));
    }
    return rc;
}

/* Does the step and moves *steps behind it. */
static int take_step(const struct pair *pair, char ***steps)
{
    const char *const name = *(*steps)++;

    if (strcmp(name, "line") == 0) {
        return line(pair);
    }
    if (strcmp(name, "rest") == 0) {
        return rest(pair);
    }
    if (strcmp(name, "close") == 0) {
        return close_pair(pair);
    }
    const char *const value = *(*steps)++;
    if (value == NULL) {
        return rill_task_fail(rill_error_new(RILL_EVALUE, "%s of what?", name));
    }
    if (strcmp(name, "say") == 0) {
        return say(pair, value);
    }
    if (strcmp(name, "give") == 0) {
        return give(pair, value);
    }
    if (strcmp(name, "until") == 0) {
        return until(pair, value);
    }
    if (strcmp(name, "pattern") == 0) {
        return pattern(pair, value);
    }
    return rill_task_fail(rill_error_new(RILL_EVALUE, "%s?", name));
}

static int talk(const struct pair *pair, char **steps)
{
    char text[TEXT_SIZE];
    int rc = 0;

    describe(pair->writer, text, sizeof text);
    printf("made %s\n", text);
    fflush(stdout);
    while (rc == 0 && *steps != NULL) {
        rc = take_step(pair, &steps);
        fflush(stdout);
    }
    return rc;
}

static int run(void *arg)
{
    const struct job *job = arg;
    struct rill_ssl_context *context;
    struct pair pair;

    int rc = settings_context(&job->settings, false, &context);
    if (rc < 0) {
        return rc;
    }
    const struct rill_connection_options options = {
        .ssl = context,
        .server_hostname = job->settings.hostname,
    };
    rc = rill_open_connection(job->host, job->port, &options, &pair.reader, &pair.writer);
    rill_ssl_context_unref(context);
    if (rc < 0) {
        return rc;
    }
    rc = talk(&pair, job->steps);
    rill_writer_close(pair.writer);
    rill_writer_free(pair.writer);
    return rc;
}

int main(int argc, char **argv)
{
    struct job job = {0};
    int next = 1;

    if (!settings_parse(&job.settings, argv, &next) || next + 2 > argc) {
        fprintf(stderr, "usage: interop_client [--ca FILE] [...] HOST PORT [STEP ...]\n");
        return 2;
    }
    job.host = argv[next];
    job.port = argv[next + 1];
    job.steps = argv + next + 2;
    return rill_main(run, &job);
}
