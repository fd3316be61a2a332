/* SPDX-License-Identifier: MIT
 *
 * The connected callback: what becomes of a server's stream when its connection is made (6.4).
 */
#include "sansio/memory.h"
#include "streams/server_private.h"

static int run_handler(void *arg)
{
    struct rill__stream *stream = arg;
    const int rc = stream->connected.task(&stream->reader, &stream->writer, stream->connected.arg);

    /* Nobody refers to the writer any more. */
    if (rc >= 0 && !rill_writer_is_closing(&stream->writer)) {
        if (stream->loop->debug) {
            rill__log(stream->loop, RILL_LOG_WARNING, "unclosed <StreamWriter>");
        }
        rill_writer_close(&stream->writer);
    }
    return rc;
}

static void report_handler(struct rill__stream *stream, const struct rill_error *exception)
{
    const struct rill_exception_context context = {
        .message = "Unhandled exception in client_connected_cb", /* */
        .exception = exception,
        .transport = stream->transport,
    };
    rill_loop_call_exception_handler(stream->loop, &context);
}

/* The task's done callback: a failure is reported, failure and cancellation close.
 */
static void handler_done(struct rill__entry *entry)
{
    struct rill__stream *stream = rill__container(entry, struct rill__stream, handler_done);
    struct rill_task *task = stream->handler;
    const struct rill_error *exception = rill_task_exception(task);

    if (exception != NULL) {
        report_handler(stream, exception);
    }
    if (exception != NULL || rill_task_cancelled(task)) {
        rill_writer_close(&stream->writer); /* with its deadline, if it has one */
    }
    rill__list_remove(&stream->handler_open.link);
    stream->handler = NULL;
    rill_task_free(task);
    rill__stream_release_owner(stream);
}

void rill__stream_settle_handler(struct rill__stream *stream)
{
    if (stream->handler != NULL && rill_task_done(stream->handler) &&
        !rill_task_cancelled(stream->handler) && rill_task_exception(stream->handler) == NULL) {
        rill__unready(&stream->handler_done);
        handler_done(&stream->handler_done);
    }
}

/* The loop goes and the handler never ended: its pair does not outlive it. */
static void drop_handler(struct rill__open *open)
{
    struct rill__stream *stream = rill__container(open, struct rill__stream, handler_open);

    if (stream->reader.core.waiter != NULL) {
        rill__read_cancelled(&stream->reader.core, stream->reader.core.waiter);
    }
    rill__unready(&stream->handler_done);
    rill_task_free(stream->handler);
    stream->handler = NULL;
    rill__stream_release_owner(stream);
}

static void start_handler(struct rill__stream *stream)
{
    int rc = 0;

    stream->held_by_owner = true; /* by the server, for the handler */
    if (stream->home != NULL) {
        stream->handler = rill__task_ref(stream->home);
    } else {
        rc = rill__task_new(stream->loop, false, &stream->handler);
    }
    if (rc < 0) {
        const struct rill_error *error = rill__error_of_code(rc);
        report_handler(stream, error);
        rill_error_unref(error);
        rill_transport_close(stream->transport);
        rill__stream_release_owner(stream);
        return;
    }
    rill__task_begin(stream->handler, run_handler, stream);
    stream->handler_open.drop = drop_handler;
    rill__list_append(&stream->loop->handlers, &stream->handler_open.link);
    stream->handler_done.run = handler_done;
    rill__task_on_done(stream->handler, &stream->handler_done);
}

static void call_plain(struct rill__stream *stream)
{
    stream->held_by_owner = true;
    const int rc = stream->connected.plain(&stream->reader, &stream->writer, stream->connected.arg);
    if (rc >= 0) {
        return; /* the callback owns the pair */
    }
    rill__report_callback(stream->loop, /* */
                          "Exception in callback StreamReaderProtocol.connection_made()",
                          rill__error_of_code(rc));
    if (stream->held_by_owner) { /* the callback may have let go of its pair before it failed */
        rill_writer_free(&stream->writer); /* closes */
    }
}

void rill__stream_call_connected(struct rill__stream *stream)
{
    if (stream->connected.task != NULL) {
        start_handler(stream);
    } else if (stream->connected.plain != NULL) {
        call_plain(stream);
    }
}

/* The protocol factory of start_server. Without any callback nobody owns the pair. */
struct rill_protocol *rill__server_make_stream(void *arg)
{
    struct rill_server *server = arg;
    struct rill_task *home = NULL;
    struct rill__stream *stream;

    if (server->connected.task != NULL) { /* without a stack: the handler's start tells */
        (void)rill__task_new(server->loop, true, &home);
    }
    stream = rill__stream_new(server->loop, server->limit, home);
    rill_task_free(home); /* the stream keeps it */
    if (stream == NULL) {
        return NULL;
    }
    stream->connected = server->connected;
    stream->held_by_owner = false; /* nobody's before connection_made: the loop may go before it */
    return rill__stream_protocol(stream);
}
