/* SPDX-License-Identifier: MIT
 *
 * echo_client over TLS, for a server with a certificate of a CA of one's own: sends one line,
 * prints the answer up to its end, closes. Twin: python/tls_echo_client.py.
 */
#include <stdio.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"

struct job {
    const char *cafile; /* PEM: whom to trust, instead of the system's CAs */
    struct endpoint endpoint;
};

/* Certificate and host name are checked, TLS 1.2 and up. */
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
    /* The answer ends where the stream ends, so whoever can cut the connection could shorten it:
     * an end without close_notify is an error. Python's asyncio cannot tell. */
    rill_ssl_context_set_strict_end(*context, true);
    return 0;
}

static int tls_echo_client(void *arg)
{
    const struct job *job = arg;
    const struct rill_bytes message = rill_bytes_of("Hello World!\n");
    struct rill_ssl_context *context;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes data;

    int rc = make_context(job->cafile, &context);
    if (rc < 0) {
        return rc;
    }
    const struct rill_connection_options options = {.ssl = context};
    rc = rill_open_connection(job->endpoint.host, job->endpoint.port, &options, &reader, &writer);
    rill_ssl_context_unref(context); /* the connection has its own reference */
    if (rc < 0) {
        return rc;
    }

    printf("Send: %s\n", repr_bytes(message).text);
    rc = rill_writer_write(writer, message.ptr, message.len);
    if (rc < 0) {
        goto free_pair;
    }

    rc = rill_reader_read(reader, -1, &data);
    if (rc < 0) {
        goto free_pair;
    }
    printf("Received: %s\n", repr_bytes(data).text);

    printf("Close the connection\n");
    rill_writer_close(writer);
    rc = rill_writer_wait_closed(writer);

free_pair:
    rill_writer_free(writer);
    return rc;
}

int main(int argc, char **argv)
{
    struct job job;

    if (!endpoint_parse(argc - 1, argv + 1, "tls_echo_client CAFILE", &job.endpoint)) {
        return ENDPOINT_USAGE;
    }
    job.cafile = argv[1];
    return rill_main(tls_echo_client, &job);
}
