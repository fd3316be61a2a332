/* SPDX-License-Identifier: MIT
 *
 * A TCP proxy: each client gets a connection of its own to the target, and bytes go both ways as
 * fast as the slower side takes them. One side's end of file is passed on as one, and the other
 * direction goes on (half-close); a failing side takes the other with it by a reset. Until Ctrl-C.
 */
#include <stdio.h>
#include <sys/socket.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "serving.h"

enum { CHUNK_BYTES = 64 * 1024 };

struct direction {
    struct rill_reader *from;
    struct rill_writer *to;
};

/* Until the end of file, which is passed on. */
static int pump(void *arg)
{
    const struct direction *direction = arg;
    struct rill_bytes data;
    int rc;

    while ((rc = rill_reader_read(direction->from, CHUNK_BYTES, &data)) == 0 && data.len > 0) {
        rc = rill_writer_write(direction->to, data.ptr, data.len);
        if (rc < 0) {
            return rc;
        }
        rc = rill_writer_drain(direction->to);
        if (rc < 0) {
            return rc;
        }
    }
    return rc < 0 ? rc : rill_writer_write_eof(direction->to);
}

/* Both ways at once; the first that fails cancels the other. */
static int pump_both(struct direction *there, struct direction *back)
{
    struct rill_task_group group;

    int rc = rill_task_group_enter(&group);
    if (rc < 0) {
        return rc;
    }
    rc = rill_task_group_create_task(&group, pump, there, NULL);
    if (rc >= 0) {
        rc = rill_task_group_create_task(&group, pump, back, NULL);
    }
    return rill_task_group_exit(&group, rc);
}

/* The peer sees a reset, not an end of file that it could take for the end of the data: abort alone
 * would, as asyncio's does, close with a FIN. */
static void reset(struct rill_writer *writer)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int fd;

    if (rill_writer_get_socket(writer, &fd)) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    rill_transport_abort(rill_writer_transport(writer));
}

static int handle_client(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    const struct endpoint *target = arg;
    struct rill_reader *target_reader;
    struct rill_writer *target_writer;

    int rc = rill_open_connection(target->host, target->port, NULL, &target_reader, &target_writer);
    if (rc < 0) {
        if (rc != RILL_ECANCELLED) {
            fprintf(stderr, "tcp_proxy: %s\n", rill_task_error()->text);
        }
        reset(writer);
        return 0;
    }

    struct direction there = {reader, target_writer};
    struct direction back = {target_reader, writer};
    rc = pump_both(&there, &back);
    if (rc < 0) {
        reset(target_writer);
        reset(writer);
    }
    rill_writer_close(writer);
    rill_writer_free(target_writer);
    return rc == RILL_ECANCELLED ? rc : 0;
}

struct program {
    struct endpoint listen;
    struct endpoint target;
};

static int serve(void *arg)
{
    struct program *program = arg;
    struct rill_server *server;

    const int rc = rill_start_server(handle_client, &program->target, program->listen.host,
                                     program->listen.port, NULL, &server);
    return rc < 0 ? rc : serving_until_interrupted(server);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: tcp_proxy HOST PORT TARGET_HOST TARGET_PORT\n");
        return ENDPOINT_USAGE;
    }
    struct program program = {{argv[1], argv[2]}, {argv[3], argv[4]}};
    return rill_main(serve, &program);
}
