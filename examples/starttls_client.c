/* SPDX-License-Identifier: MIT
 *
 * Speaks SMTP with a server that must offer STARTTLS, and asks it about a name over TLS. Refuses to
 * go on without TLS, whoever it is that keeps the server from offering it, and refuses a server
 * that says more in clear than it should. Twin: python/starttls_client.py.
 */
#include <stdio.h>
#include <string.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"

#define PATIENCE_S 30.0 /* for the whole talk */

enum { REPLY_MAX_LINES = 64 };

struct job {
    const char *cafile;
    struct endpoint endpoint;
};

struct talk {
    struct rill_reader *reader;
    struct rill_writer *writer;
};

/* A reply: lines that begin with a three-digit code, `-` behind it on all but the last. 0 when its
 * code begins with `2`; *starttls tells whether one of the lines was STARTTLS. */
static int read_reply(const struct talk *talk, bool *starttls)
{
    static const char keyword[] = "STARTTLS";
    struct rill_bytes line;

    *starttls = false;
    for (int lines = 0; lines < REPLY_MAX_LINES; lines++) {
        const int rc = rill_reader_readuntil(talk->reader, rill_bytes_of("\r\n"), &line);
        if (rc < 0) {
            return rc;
        }
        line.len -= strlen("\r\n");
        printf("S: %s\n", repr_bytes(line).text);
        if (line.len < strlen("250") || line.ptr[0] != '2') {
            return rill_task_fail(rill_error_new(RILL_ERUNTIME, "the server refuses"));
        }
        const size_t said = line.len > 4 ? line.len - 4 : 0;
        *starttls |= said == strlen(keyword) && memcmp(line.ptr + 4, keyword, said) == 0;
        if (line.len < 4 || line.ptr[3] != '-') {
            return 0;
        }
    }
    return rill_task_fail(rill_error_new(RILL_ERUNTIME, "the server's reply has no end"));
}

static int say(const struct talk *talk, const char *line, bool *starttls)
{
    const struct rill_bytes parts[] = {rill_bytes_of(line), rill_bytes_of("\r\n")};

    printf("C: %s\n", line);
    int rc = rill_writer_writelines(talk->writer, parts, 2);
    if (rc < 0) {
        return rc;
    }
    rc = rill_writer_drain(talk->writer);
    return rc < 0 ? rc : read_reply(talk, starttls);
}

/* Up to the point where the stream is safe. Everything heard before it is forgotten: anybody could
 * have said it. */
static int go_over_to_tls(const struct talk *talk, struct rill_ssl_context *context,
                          const char *host)
{
    const struct rill_start_tls_options options = {.server_hostname = host};
    struct rill_ssl_cipher cipher = {0};
    bool starttls;
    bool ignored;

    int rc = read_reply(talk, &ignored);
    if (rc < 0) {
        return rc;
    }
    rc = say(talk, "EHLO localhost", &starttls);
    if (rc < 0) {
        return rc;
    }
    if (!starttls) {
        return rill_task_fail(rill_error_new(RILL_ERUNTIME, "the server does not offer STARTTLS"));
    }
    rc = say(talk, "STARTTLS", &ignored);
    if (rc < 0) {
        return rc;
    }
    rc = rill_writer_start_tls(talk->writer, context, &options);
    if (rc < 0) {
        return rc;
    }
    rill_writer_get_cipher(talk->writer, &cipher);
    printf("Over %s\n", cipher.protocol);
    return 0;
}

static int talk_over_tls(const struct talk *talk)
{
    static const char *const lines[] = {"EHLO localhost", "VRFY ann", "QUIT"};
    bool ignored;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const int rc = say(talk, lines[i], &ignored);
        if (rc < 0) {
            return rc;
        }
    }
    rill_writer_close(talk->writer);
    return rill_writer_wait_closed(talk->writer);
}

static int make_context(const char *cafile, struct rill_ssl_context **context)
{
    const struct rill_bytes no_cadata = {0};
    const struct rill_error *error;

    int rc = rill_ssl_context_new_client(context, &error);
    if (rc < 0) {
        return rill_task_fail(error);
    }
    rc = rill_ssl_context_load_verify_locations(*context, cafile, NULL, no_cadata, &error);
    if (rc < 0) {
        rill_ssl_context_unref(*context);
        return rill_task_fail(error);
    }
    return 0;
}

static int run(void *arg)
{
    const struct job *job = arg;
    struct rill_ssl_context *context;
    struct rill_timeout patience;
    struct talk talk;

    int rc = make_context(job->cafile, &context);
    if (rc < 0) {
        return rc;
    }
    rill_timeout_enter(&patience, PATIENCE_S);
    rc = rill_open_connection(job->endpoint.host, job->endpoint.port, NULL, &talk.reader,
                              &talk.writer);
    if (rc == 0) {
        rc = go_over_to_tls(&talk, context, job->endpoint.host);
        if (rc == 0) {
            rc = talk_over_tls(&talk);
        }
        rill_writer_close(talk.writer);
        rill_writer_free(talk.writer);
    }
    rill_ssl_context_unref(context);
    return rill_timeout_exit(&patience, rc);
}

int main(int argc, char **argv)
{
    struct job job;

    if (!endpoint_parse(argc - 1, argv + 1, "starttls_client CAFILE", &job.endpoint)) {
        return ENDPOINT_USAGE;
    }
    job.cafile = argv[1];
    return rill_main(run, &job);
}
