/* SPDX-License-Identifier: MIT
 *
 * The page's second TCP echo client: the same without wait_closed(). The answer was read, so
 * nothing is left to flush; the socket is closed while the loop ends. Twin:
 * python/echo_client_no_wait.py.
 */
#include <stdio.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"
#include "utf8.h"

static int tcp_echo_client(void *arg)
{
    const struct endpoint *endpoint = arg;
    const struct rill_bytes message = rill_bytes_of("Hello World!");
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes data;
    struct rill_bytes text;

    int rc = rill_open_connection(endpoint->host, endpoint->port, NULL, &reader, &writer);
    if (rc < 0) {
        return rc;
    }

    printf("Send: %s\n", repr_str(message).text);
    rc = rill_writer_write(writer, message.ptr, message.len);
    if (rc < 0) {
        goto free_pair;
    }

    rc = rill_reader_read(reader, 100, &data);
    if (rc < 0) {
        goto free_pair;
    }
    rc = utf8_decode(data, &text);
    if (rc < 0) {
        goto free_pair;
    }
    printf("Received: %s\n", repr_str(text).text);

    printf("Close the connection\n");
    rill_writer_close(writer);

free_pair:
    rill_writer_free(writer);
    return rc;
}

int main(int argc, char **argv)
{
    struct endpoint endpoint;

    if (!endpoint_parse(argc, argv, "echo_client_no_wait", &endpoint)) {
        return ENDPOINT_USAGE;
    }
    return rill_main(tcp_echo_client, &endpoint);
}
