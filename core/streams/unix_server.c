/* SPDX-License-Identifier: MIT
 *
 * start_unix_server and create_unix_server (section 7).
 */
#include "sansio/memory.h"
#include "streams/open.h"
#include "streams/server_private.h"

static const struct rill_unix_server_options no_options = {0};

/* The order of asyncio's checks. */
static int check(struct rill_loop *loop, const struct rill__server_plan *plan,
                 struct rill_bytes path, const struct rill_unix_server_options *options)
{
    const int fd = (int)options->sock.value;
    const int rc = rill__server_check_ssl(plan);
    if (rc < 0) {
        return rc;
    }
    if (path.ptr != NULL && options->sock.given) {
        return rill__fail_with(RILL_EVALUE, "path and sock can not be specified at the same time");
    }
    if (path.ptr == NULL && !options->sock.given) {
        return rill__fail_with(RILL_EVALUE, "path was not specified, and no sock specified");
    }
    if (path.ptr == NULL && !rill__is_unix_stream(loop, fd)) {
        return rill__fail(rill__wrong_socket(loop, "UNIX Domain Stream Socket", fd));
    }
    return 0;
}

/* Notes which file is the socket's, so that close removes that one and no other. */
static int note_file(struct rill_server *server, int fd)
{
    const struct rill_error *error = NULL;

    server->unix_file = rill__alloc_zeroed(sizeof *server->unix_file);
    if (server->unix_file == NULL) {
        return rill__fail_no_memory();
    }
    const int rc = rill__unix_file_of(server->loop, fd, server->unix_file, &error);
    return rc < 0 ? rill__fail(error) : 0;
}

static int get_socket(struct rill_server *server, struct rill_bytes path,
                      const struct rill_unix_server_options *options)
{
    const struct rill_error *error = NULL;
    int fd = (int)options->sock.value;

    server->sock_is_callers = path.ptr == NULL;
    if (path.ptr != NULL) {
        fd = rill__unix_bind(server->loop, path, &error);
        if (fd < 0) {
            return rill__fail(error);
        }
    }
    int rc = rill__server_add_socket(server, fd);
    if (rc < 0) {
        if (path.ptr != NULL) {
            rill__close(server->loop, fd);
        }
        return rc;
    }
    if (!options->cleanup_socket.given || options->cleanup_socket.value != 0) {
        rc = note_file(server, fd);
    }
    if (rc == 0 && path.ptr == NULL) {
        rc = rill__set_nonblocking(server->loop, fd);
        rc = rc < 0 ? rill__fail(rill_error_from_errno(-rc)) : 0;
    }
    return rc;
}

static int serve(struct rill__server_plan *plan, struct rill_bytes path,
                 const struct rill_unix_server_options *options, struct rill_server **result)
{
    struct rill_server *server;
    struct rill_task *task;

    *result = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    plan->backlog = options->backlog;
    plan->start_serving = options->start_serving;
    plan->limit = options->limit;
    plan->ssl = options->ssl;
    plan->ssl_handshake_timeout = options->ssl_handshake_timeout;
    plan->ssl_shutdown_timeout = options->ssl_shutdown_timeout;
    if (plan->factory == NULL) {
        plan->plain = options->plain_cb;
    }
    int rc = check(task->loop, plan, path, options);
    rc = rc < 0 ? rc : rill__server_new(task->loop, plan, &server);
    if (rc < 0) {
        return rc;
    }
    rc = get_socket(server, path, options);
    return rill__server_start(server, plan, rc, result);
}

int rill_start_unix_server(rill_client_connected_task *handler, void *arg, struct rill_bytes path,
                           const struct rill_unix_server_options *options,
                           struct rill_server **server)
{
    struct rill__server_plan plan = {.task = handler, .arg = arg};
    return serve(&plan, path, options, server);
}

int rill_create_unix_server(rill_protocol_factory *factory, void *arg, struct rill_bytes path,
                            const struct rill_unix_server_options *options,
                            struct rill_server **server)
{
    struct rill__server_plan plan = {.factory = factory, .arg = arg};
    return serve(&plan, path, options, server);
}
