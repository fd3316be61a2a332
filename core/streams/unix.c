/* SPDX-License-Identifier: MIT
 *
 * open_unix_connection and create_unix_connection (section 7).
 */
#include "net/net.h"
#include "streams/open.h"

static const struct rill_unix_connection_options no_options = {0};

/* The order of asyncio's checks, then a connected descriptor. */
static int connected_socket(struct rill_loop *loop, struct rill_bytes path,
                            const struct rill_unix_connection_options *options)
{
    const struct rill_error *error = NULL;
    if (options->ssl != NULL && options->server_hostname == NULL) { /* */
        return rill__fail_with(RILL_EVALUE, "you have to pass server_hostname when using ssl");
    }
    int rc = rill__check_no_ssl(options->ssl, options->server_hostname,
                                options->ssl_handshake_timeout, options->ssl_shutdown_timeout);
    if (rc < 0) {
        return rc;
    }
    if (path.ptr != NULL && options->sock.given) {
        return rill__fail_with(RILL_EVALUE, "path and sock can not be specified at the same time");
    }
    if (path.ptr != NULL) {
        const int fd = rill__unix_connect(loop, path, &error);
        return fd < 0 ? rill__fail(error) : fd;
    }
    if (!options->sock.given) {
        return rill__fail_with(RILL_EVALUE, "no path and sock were specified");
    }
    const int fd = (int)options->sock.value;
    if (!rill__is_unix_stream(loop, fd)) {
        return rill__fail(rill__wrong_socket(loop, "UNIX Domain Stream Socket", fd));
    }
    rc = rill__set_nonblocking(loop, fd);
    return rc < 0 ? rill__fail(rill_error_from_errno(-rc)) : fd;
}

static struct rill__connection connection_of(int fd,
                                             const struct rill_unix_connection_options *options)
{
    return (struct rill__connection){
        .fd = fd,
        .is_callers = options->sock.given,
        .ssl =
            {
                .context = options->ssl,
                .server_hostname = options->server_hostname,
                .skip_hostname = options->insecure_skip_hostname,
                .handshake_timeout = options->ssl_handshake_timeout,
                .shutdown_timeout = options->ssl_shutdown_timeout,
            },
    };
}

int rill_create_unix_connection(rill_protocol_factory *factory, void *arg, struct rill_bytes path,
                                const struct rill_unix_connection_options *options,
                                struct rill_transport **transport, struct rill_protocol **protocol)
{
    struct rill_task *task;

    *transport = NULL;
    *protocol = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    const int fd = connected_socket(task->loop, path, options);
    if (fd < 0) {
        return fd;
    }
    const struct rill__connection connection = connection_of(fd, options);
    return rill__connection_over(task, &connection, factory, arg, transport, protocol);
}

int rill_open_unix_connection(struct rill_bytes path,
                              const struct rill_unix_connection_options *options,
                              struct rill_reader **reader, struct rill_writer **writer)
{
    struct rill__stream *stream;
    struct rill_task *task;

    *reader = NULL;
    *writer = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    const int rc = rill__open_stream(task->loop, options->limit, &stream);
    if (rc < 0) {
        return rc;
    }
    const int fd = connected_socket(task->loop, path, options);
    if (fd < 0) {
        rill__stream_release_owner(stream);
        return fd;
    }
    const struct rill__connection connection = connection_of(fd, options);
    return rill__pair_over(task, &connection, stream, reader, writer);
}
