/* SPDX-License-Identifier: MIT
 *
 * The asking half of a pair on a Unix socket: sends each TEXT as a request and prints its response,
 * which has to come within five seconds. The other half is unix_response.c.
 */
#include <stdio.h>

#include <rill/rill.h>

#include "frame.h"

enum { USAGE = 2 };

#define RESPONSE_S 5.0

struct program {
    const char *path;
    char **texts; /* up to a NULL */
};

static int ask(struct rill_reader *reader, struct rill_writer *writer, struct rill_bytes request,
               struct rill_bytes *response)
{
    int rc = frame_write(writer, request);
    if (rc < 0) {
        return rc;
    }
    rc = frame_read(reader, response);
    if (rc == 0) {
        return rill_task_fail(
            rill_error_new(RILL_ECONNRESET, "the server has closed the connection"));
    }
    return rc;
}

static int ask_all(struct rill_reader *reader, struct rill_writer *writer, char **texts)
{
    struct rill_bytes response;
    struct rill_timeout timeout;

    for (; *texts != NULL; texts++) {
        rill_timeout_enter(&timeout, RESPONSE_S);
        const int rc =
            rill_timeout_exit(&timeout, ask(reader, writer, rill_bytes_of(*texts), &response));
        if (rc < 0) {
            return rc;
        }
        printf("%.*s\n", (int)response.len, response.ptr);
    }
    return 0;
}

static int request(void *arg)
{
    const struct program *program = arg;
    struct rill_reader *reader;
    struct rill_writer *writer;

    int rc = rill_open_unix_connection(rill_bytes_of(program->path), NULL, &reader, &writer);
    if (rc < 0) {
        return rc;
    }
    rc = ask_all(reader, writer, program->texts);
    rill_writer_close(writer);
    rill_writer_free(writer);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: unix_request PATH TEXT...\n");
        return USAGE;
    }
    struct program program = {argv[1], argv + 2};
    return rill_main(request, &program);
}
