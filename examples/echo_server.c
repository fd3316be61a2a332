/* SPDX-License-Identifier: MIT
 *
 * The page's TCP echo server: answers each client with the first message it sent, up to 100 bytes,
 * until Ctrl-C. Twin: python/echo_server.py.
 */
#include <stdio.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"
#include "utf8.h"

/* A task of its own for each client; the pair is the server's, so nothing is freed here. */
static int handle_echo(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data;
    struct rill_bytes message;
    struct rill_address addr = {0};

    (void)arg;
    int rc = rill_reader_read(reader, 100, &data);
    if (rc < 0) {
        return rc;
    }
    rc = utf8_decode(data, &message);
    if (rc < 0) {
        return rc;
    }
    rill_writer_get_peername(writer, &addr);

    printf("Received %s from %s\n", repr_str(message).text, repr_address(&addr).text);

    printf("Send: %s\n", repr_str(message).text);
    rc = rill_writer_write(writer, data.ptr, data.len);
    if (rc < 0) {
        return rc;
    }
    rc = rill_writer_drain(writer);
    if (rc < 0) {
        return rc;
    }

    printf("Close the connection\n");
    rill_writer_close(writer);
    return 0;
}

static int serve(void *arg)
{
    const struct endpoint *endpoint = arg;
    struct rill_server *server;
    struct rill_address addr = {0};

    int rc = rill_start_server(handle_echo, NULL, endpoint->host, endpoint->port, NULL, &server);
    if (rc < 0) {
        return rc;
    }

    rill_server_sockname(server, 0, &addr);
    printf("Serving on %s\n", repr_address(&addr).text);
    fflush(stdout); /* who started this program with port 0 waits for the line */

    rc = rill_server_serve_forever(server);

    /* `async with server` closes on the way out, whatever the way. */
    rill_server_close(server);
    rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

int main(int argc, char **argv)
{
    struct endpoint endpoint;

    if (!endpoint_parse(argc, argv, "echo_server", &endpoint)) {
        return ENDPOINT_USAGE;
    }
    return rill_main(serve, &endpoint);
}
