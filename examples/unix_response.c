/* SPDX-License-Identifier: MIT
 *
 * The answering half of a pair on a Unix socket: each request is a text, the response says how many
 * lines, words and bytes it has. Any number of requests for a connection; its framing is frame.h's.
 * Until Ctrl-C, which removes the socket's file too. The other half is unix_request.c.
 */
#include <ctype.h>
#include <stdio.h>

#include <rill/rill.h>

#include "frame.h"
#include "serving.h"

enum { USAGE = 2 };

/* As wc counts them. */
static int count(struct rill_bytes text, char *answer, size_t size)
{
    size_t lines = 0;
    size_t words = 0;
    bool in_word = false;

    for (size_t i = 0; i < text.len; i++) {
        const bool space = isspace((unsigned char)text.ptr[i]) != 0;
        words += !space && !in_word ? 1 : 0;
        lines += text.ptr[i] == '\n' ? 1 : 0;
        in_word = !space;
    }
    return snprintf(answer, size, "%zu lines, %zu words, %zu bytes", lines, words, text.len);
}

static int answer_all(struct rill_reader *reader, struct rill_writer *writer)
{
    struct rill_bytes request;
    char answer[100];
    int rc;

    while ((rc = frame_read(reader, &request)) > 0) {
        const int size = count(request, answer, sizeof answer);
        rc = frame_write(writer, (struct rill_bytes){answer, (size_t)size});
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

/* A client that breaks the rules is reported and let go; one that is gone is no failure. */
static int handle_client(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)arg;
    const int rc = answer_all(reader, writer);
    if (rc == RILL_EINCOMPLETE || rc == RILL_EVALUE) {
        fprintf(stderr, "unix_response: %s\n", rill_task_error()->text);
    }
    rill_writer_close(writer);
    return rc == RILL_ECANCELLED ? rc : 0;
}

static int serve(void *arg)
{
    const char *path = arg;
    struct rill_server *server;

    const int rc = rill_start_unix_server(handle_client, NULL, rill_bytes_of(path), NULL, &server);
    return rc < 0 ? rc : serving_until_interrupted(server);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: unix_response PATH\n");
        return USAGE;
    }
    return rill_main(serve, argv[1]);
}
