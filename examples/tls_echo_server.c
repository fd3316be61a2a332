/* SPDX-License-Identifier: MIT
 *
 * The shortest safe TLS server: echo_server with a context. Sends every client its first line back,
 * until Ctrl-C. Twin: python/tls_echo_server.py.
 */
#include <stdio.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"

struct job {
    const char *certfile; /* PEM: the server's certificate, then those that lead to its CA's */
    const char *keyfile;
    struct endpoint endpoint;
};

/* The handshake is over, and was a success, when this starts. Who fails it is never seen here. */
static int handle_echo(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes line;
    struct rill_ssl_cipher cipher = {0};

    (void)arg;
    int rc = rill_reader_readline(reader, &line);
    if (rc < 0) {
        return rc;
    }
    rill_writer_get_cipher(writer, &cipher);
    printf("Received %s over %s\n", repr_bytes(line).text, cipher.protocol);

    rc = rill_writer_write(writer, line.ptr, line.len);
    if (rc < 0) {
        return rc;
    }
    rc = rill_writer_drain(writer);
    if (rc < 0) {
        return rc;
    }

    /* Sends what is queued, then close_notify: the client knows that nothing was cut off. */
    rill_writer_close(writer);
    return 0;
}

/* TLS 1.2 and up; clients are not asked for certificates (rill_ssl_context_verify_client). */
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

static int serve(void *arg)
{
    const struct job *job = arg;
    struct rill_ssl_context *context;
    struct rill_server *server;
    struct rill_address addr = {0};

    int rc = make_context(job, &context);
    if (rc < 0) {
        return rc;
    }
    const struct rill_server_options options = {.ssl = context};
    rc = rill_start_server(handle_echo, NULL, job->endpoint.host, job->endpoint.port, &options,
                           &server);
    rill_ssl_context_unref(context); /* the server has its own reference */
    if (rc < 0) {
        return rc;
    }

    rill_server_sockname(server, 0, &addr);
    printf("Serving on %s\n", repr_address(&addr).text);
    fflush(stdout); /* who started this program with port 0 waits for the line */

    rc = rill_server_serve_forever(server);

    rill_server_close(server);
    rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

int main(int argc, char **argv)
{
    struct job job;

    if (!endpoint_parse(argc - 2, argv + 2, "tls_echo_server CERTFILE KEYFILE", &job.endpoint)) {
        return ENDPOINT_USAGE;
    }
    job.certfile = argv[1];
    job.keyfile = argv[2];
    return rill_main(serve, &job);
}
