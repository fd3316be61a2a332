/* SPDX-License-Identifier: MIT
 *
 * A small mail server that knows EHLO, STARTTLS, NOOP, VRFY and QUIT: a connection begins in clear
 * and goes on over TLS (RFC 3207). Bytes that came in clear behind STARTTLS are refused: somebody
 * on the way could have put them there, to be taken for the client's own words over TLS. Ends by
 * Ctrl-C. Twin: python/starttls_server.py.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"
#include "serving.h"

#define IDLE_S 60.0 /* a client that says nothing for so long is let go */

enum { LINE_MAX = 512 }; /* RFC 5321, 4.5.3.1.4 */

struct job {
    const char *certfile;
    const char *keyfile;
    struct endpoint endpoint;
    struct rill_ssl_context *context;
};

struct session {
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_ssl_context *context;
    bool over_tls;
    bool over;
};

/* One line to the client, and to stdout. */
__attribute__((format(printf, 2, 3))) static int reply(struct session *session, const char *format,
                                                       ...)
{
    char line[LINE_MAX + 2];
    va_list arguments;

    va_start(arguments, format);
    const int formatted = vsnprintf(line, LINE_MAX + 1, format, arguments);
    va_end(arguments);
    const size_t length = formatted < LINE_MAX ? (size_t)formatted : LINE_MAX;
    printf("S: %.*s\n", (int)length, line);
    memcpy(line + length, "\r\n", 2);
    const int rc = rill_writer_write(session->writer, line, length + 2);
    return rc < 0 ? rc : rill_writer_drain(session->writer);
}

/* The client's next line without its end; empty at the end of the stream. It may have NUL bytes. */
static int read_line(struct session *session, struct rill_bytes *line)
{
    struct rill_timeout idle;

    rill_timeout_enter(&idle, IDLE_S);
    const int rc = rill_timeout_exit(
        &idle, rill_reader_readuntil(session->reader, rill_bytes_of("\r\n"), line));
    if (rc == RILL_EINCOMPLETE) { /* gone, at the end of a line or within one */
        session->over = true;
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    line->len -= strlen("\r\n");
    printf("C: %s\n", repr_bytes(*line).text);
    return 0;
}

static int say_hello(struct session *session)
{
    if (session->over_tls) {
        return reply(session, "250 localhost");
    }
    const int rc = reply(session, "250-localhost");
    return rc < 0 ? rc : reply(session, "250 STARTTLS");
}

static int start_tls(struct session *session)
{
    struct rill_ssl_cipher cipher;

    if (session->over_tls) {
        return reply(session, "503 TLS is on already");
    }
    /* start_tls would refuse these bytes too, but then the client has been told to go on. */
    const size_t early = rill_reader_leftover(session->reader).len;
    if (early > 0) {
        session->over = true;
        return reply(session, "554 Refused: %zu bytes in clear behind STARTTLS", early);
    }
    int rc = reply(session, "220 Ready to start TLS");
    if (rc < 0) {
        return rc;
    }
    rc = rill_writer_start_tls(session->writer, session->context, NULL);
    if (rc == RILL_ECANCELLED) {
        return rc;
    }
    if (rc < 0) { /* the connection is closed: nothing may be said in clear any more */
        printf("No TLS: %s\n", rill_error_name(rc));
        session->over = true;
        return 0;
    }
    session->over_tls = rill_writer_get_cipher(session->writer, &cipher);
    printf("Over %s\n", cipher.protocol);
    return 0;
}

static int verify(struct session *session, struct rill_bytes name)
{
    if (!session->over_tls) {
        return reply(session, "530 Must issue a STARTTLS command first");
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~') {
            return reply(session, "501 That is no name");
        }
    }
    return reply(session, "250 <%.*s@localhost>", (int)name.len, name.ptr);
}

/* Whether the line is this command, and what stands behind it. */
static bool is(const char *command, struct rill_bytes line, struct rill_bytes *argument)
{
    const size_t length = strlen(command);

    if (line.len < length || strncasecmp(line.ptr, command, length) != 0 ||
        (line.len > length && line.ptr[length] != ' ')) {
        return false;
    }
    const size_t skip = line.len > length ? length + 1 : length;
    *argument = (struct rill_bytes){line.ptr + skip, line.len - skip};
    return true;
}

static int answer(struct session *session, struct rill_bytes line)
{
    struct rill_bytes argument;

    if (is("EHLO", line, &argument)) {
        return say_hello(session);
    }
    if (is("STARTTLS", line, &argument)) {
        return start_tls(session);
    }
    if (is("NOOP", line, &argument)) {
        return reply(session, "250 OK");
    }
    if (is("VRFY", line, &argument)) {
        return verify(session, argument);
    }
    if (is("QUIT", line, &argument)) {
        session->over = true;
        return reply(session, "221 Bye");
    }
    return reply(session, "500 Command not recognized");
}

static int handle_client(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    const struct job *job = arg;
    struct session session = {.reader = reader, .writer = writer, .context = job->context};
    struct rill_bytes line;

    int rc = reply(&session, "220 localhost ESMTP");
    while (rc >= 0) {
        rc = read_line(&session, &line);
        if (rc < 0 || session.over) {
            break;
        }
        rc = answer(&session, line);
        if (rc < 0 || session.over) {
            break;
        }
    }
    rill_writer_close(writer);
    if (rc == RILL_ECANCELLED) {
        return rc;
    }
    if (rc < 0) { /* a line too long, a reset, a client that sleeps: no fault of ours */
        printf("Lost a client: %s\n", rill_error_name(rc));
    }
    fflush(stdout);
    return 0;
}

static int make_context(const struct job *job, struct rill_ssl_context **context)
{
    const struct rill_error *error;

    int rc = rill_ssl_context_new_server(context, &error);
    if (rc < 0) {
        return rill_task_fail(error);
    }
    rc = rill_ssl_context_load_cert_chain(*context, job->certfile, job->keyfile, NULL, &error);
    if (rc < 0) {
        rill_ssl_context_unref(*context);
        return rill_task_fail(error);
    }
    return 0;
}

/* No `ssl` in the server's options: the context is for start_tls. */
static int serve(void *arg)
{
    struct job *job = arg;
    const struct rill_server_options options = {.limit = RILL_SET(LINE_MAX)};
    struct rill_server *server;

    int rc = make_context(job, &job->context);
    if (rc < 0) {
        return rc;
    }
    rc = rill_start_server(handle_client, job, job->endpoint.host, job->endpoint.port, &options,
                           &server);
    if (rc == 0) {
        rc = serving_until_interrupted(server);
    }
    rill_ssl_context_unref(job->context);
    return rc;
}

int main(int argc, char **argv)
{
    struct job job = {0};

    if (!endpoint_parse(argc - 2, argv + 2, "starttls_server CERTFILE KEYFILE", &job.endpoint)) {
        return ENDPOINT_USAGE;
    }
    job.certfile = argv[1];
    job.keyfile = argv[2];
    return rill_main(serve, &job);
}
