/* SPDX-License-Identifier: MIT
 *
 * An echo server for lines, for tools/check-syscalls: serves one connection to its end, then stops.
 * It prints its port first.
 */
#include <rill/rill.h>

#include <stdio.h>

static int echo_lines(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_server *const *const server = arg;
    struct rill_bytes line;
    int rc;
    while ((rc = rill_reader_next_line(reader, &line)) > 0) {
        rc = rill_writer_write(writer, line.ptr, line.len);
        if (rc == 0) {
            rc = rill_writer_drain(writer);
        }
        if (rc < 0) {
            break;
        }
    }
    rill_writer_close(writer);
    rill_server_close(*server);
    return rc;
}

static int serve_one(void *arg)
{
    struct rill_server *server = NULL;
    struct rill_address address;
    int rc = rill_start_server(echo_lines, &server, "127.0.0.1", "0", NULL, &server);
    (void)arg;
    if (rc < 0) {
        return rc;
    }
    rill_server_sockname(server, 0, &address);
    printf("port %d\n", address.port);
    fflush(stdout);
    rc = rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

int main(void)
{
    return rill_main(serve_one, NULL);
}
