/* SPDX-License-Identifier: MIT
 *
 * StreamWriter's calls.
 */
#include <rill/observe.h>

#include "sansio/memory.h"
#include "streams/open.h"

static int fail(struct rill_writer *writer, const struct rill_error *error)
{
    return rill__fail_on(&writer->error, error);
}

static int done(struct rill_writer *writer, const struct rill_error *error)
{
    return error != NULL ? fail(writer, error) : 0;
}

static struct rill_transport *transport_of(const struct rill_writer *writer)
{
    return writer->stream->transport;
}

int rill_writer_write(struct rill_writer *writer, const void *data, size_t size)
{
    struct rill_transport *transport = transport_of(writer);
    const struct rill_bytes bytes = {data, size};
    if (writer->stream->upgrading) { /* nothing more goes out in clear */
        return fail(writer, rill__upgrade_in_progress());
    }
    return done(writer, transport->ops->write(transport, bytes));
}

static void nobody_cares(void *arg)
{
    (void)arg;
}

int rill_writer_write_borrowed(struct rill_writer *writer, const void *data, size_t size,
                               rill_callback *done_with, void *arg)
{
    struct rill_transport *transport = transport_of(writer);
    const struct rill_bytes bytes = {data, size};

    if (writer->stream->upgrading) {
        return fail(writer, rill__upgrade_in_progress());
    }
    done_with = done_with != NULL ? done_with : nobody_cares;
    if (transport->ops->write_borrowed != NULL) {
        return done(writer, transport->ops->write_borrowed(transport, bytes, done_with, arg));
    }
    const int rc = rill_writer_write(writer, data, size);
    if (rc == 0) {
        done_with(arg);
    }
    return rc;
}

int rill_writer_writelines(struct rill_writer *writer, const struct rill_bytes *parts, size_t count)
{
    struct rill_transport *transport = transport_of(writer);
    if (writer->stream->upgrading) {
        return fail(writer, rill__upgrade_in_progress());
    }
    return done(writer, transport->ops->writelines(transport, parts, count));
}

int rill_writer_write_eof(struct rill_writer *writer)
{
    struct rill_transport *transport = transport_of(writer);
    if (writer->stream->upgrading) {
        return fail(writer, rill__upgrade_in_progress());
    }
    return done(writer, transport->ops->write_eof(transport));
}

bool rill_writer_can_write_eof(const struct rill_writer *writer)
{
    return rill_transport_can_write_eof(transport_of(writer));
}

static void close_timed_out(struct rill__entry *entry)
{
    struct rill__stream *stream = rill__container(rill__container(entry, struct rill__timer, entry),
                                                  struct rill__stream, close_timer);
    rill_transport_abort(stream->transport);
}

void rill_writer_set_close_timeout(struct rill_writer *writer, struct rill_opt_real seconds)
{
    writer->stream->close_timeout = seconds;
}

void rill_writer_close(struct rill_writer *writer)
{
    struct rill__stream *stream = writer->stream;

    rill_transport_close(stream->transport);
    /* */
    if (stream->close_timeout.given && !stream->flow.lost && !stream->close_timer.armed) {
        stream->close_timer.entry.run = close_timed_out;
        if (rill__timer_start(stream->loop, &stream->close_timer,
                              rill_loop_time(stream->loop) + stream->close_timeout.value) < 0) {
            rill_transport_abort(stream->transport); /* no memory for the deadline: it is now */
        }
    }
}

bool rill_writer_is_closing(const struct rill_writer *writer)
{
    return rill_transport_is_closing(transport_of(writer));
}

struct rill_transport *rill_writer_transport(const struct rill_writer *writer)
{
    return transport_of(writer);
}

const struct rill_error *rill_writer_error(const struct rill_writer *writer)
{
    return writer->error;
}

/* ConnectionResetError `Connection lost`; the real error, if there was one, is behind it. */
static int connection_lost(struct rill_writer *writer)
{
    const struct rill_error *error = rill_error_new(RILL_ECONNRESET, "Connection lost");
    if (writer->stream->lost_error != NULL) {
        error = rill_error_with_cause(error, writer->stream->lost_error);
    }
    return fail(writer, error);
}

static int await_resume(struct rill_writer *writer, struct rill_task *task)
{
    struct rill__stream *stream = writer->stream;
    struct rill__wait wait;

    rill__wait_init(&wait, task);
    rill__list_append(&stream->drains, &wait.entry.link);
    stream->waiting_drains++;
    const int rc = rill__wait(&wait, NULL);
    stream->waiting_drains--;
    return rc < 0 && rc != RILL_ECANCELLED ? fail(writer, rill_error_ref(stream->lost_error)) : rc;
}

int rill_writer_drain(struct rill_writer *writer)
{
    struct rill__stream *stream = writer->stream;
    struct rill_task *task = stream->loop->current_task;
    bool yielded = false;

    if (task == NULL) {
        return fail(writer, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    if (rill__be_fair(task) < 0) {
        return RILL_ECANCELLED;
    }
    /* Behind the yield, in which the connection may have been lost. */
    const struct rill_error *exception = stream->reader.core.exception;
    for (;;) {
        switch (rill__drain_decide(&stream->flow, exception != NULL,
                                   rill_transport_is_closing(stream->transport), yielded)) {
        case RILL__DRAIN_READY:
            return 0;
        case RILL__DRAIN_RAISE:
            return fail(writer, rill_error_ref(exception));
        case RILL__DRAIN_LOST:
            return connection_lost(writer);
        case RILL__DRAIN_WAIT:
            return await_resume(writer, task);
        case RILL__DRAIN_YIELD:
            if (rill__yield(task) < 0) {
                return RILL_ECANCELLED;
            }
            yielded = true;
            break;
        }
    }
}

int rill_writer_wait_closed(struct rill_writer *writer)
{
    struct rill__stream *stream = writer->stream;
    struct rill__wait wait;
    struct rill_task *task = stream->loop->current_task;
    int rc = 0;

    if (task == NULL) {
        return fail(writer, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    if (!stream->flow.lost) {
        rill__wait_init(&wait, task); /* an entry of its own: cancelling it poisons nobody */
        rill__list_append(&stream->closers, &wait.entry.link);
        rc = rill__wait(&wait, NULL);
    }
    return rc == RILL_ECANCELLED ? rc : done(writer, rill_error_ref(stream->lost_error));
}

bool rill_writer_get_extra_info(const struct rill_writer *writer, const char *name,
                                struct rill_extra_info *info)
{
    return rill_transport_get_extra_info(transport_of(writer), name, info);
}

static bool get_address(const struct rill_writer *writer, const char *name,
                        struct rill_address *address)
{
    struct rill_extra_info info;
    const bool found = rill_writer_get_extra_info(writer, name, &info);
    *address = info.address;
    return found;
}

bool rill_writer_get_peername(const struct rill_writer *writer, struct rill_address *address)
{
    return get_address(writer, "peername", address);
}

bool rill_writer_get_sockname(const struct rill_writer *writer, struct rill_address *address)
{
    return get_address(writer, "sockname", address);
}

bool rill_writer_get_socket(const struct rill_writer *writer, int *fd)
{
    struct rill_extra_info info;
    const bool found = rill_writer_get_extra_info(writer, "socket", &info);
    *fd = info.socket;
    return found;
}

void rill_writer_free(struct rill_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    struct rill__stream *stream = writer->stream;
    rill_assert(stream->held_by_owner);
    if (!rill_writer_is_closing(writer)) { /* */
        if (stream->loop->debug) {
            rill__log(stream->loop, RILL_LOG_WARNING, "unclosed <StreamWriter>");
        }
        rill_writer_close(writer);
    }
    /* A server's pair is freed by the server, when its handler has returned. */
    if (stream->handler == NULL) {
        rill__stream_release_owner(stream);
    }
}

void rill_observe_hold(struct rill_writer *writer)
{
    writer->stream->observers++;
}

void rill_observe_release(struct rill_writer *writer)
{
    rill__stream_release_observer(writer->stream);
}

void rill_observe_writer(const struct rill_writer *writer, struct rill_writer_state *state)
{
    state->write_buffer = rill_transport_get_write_buffer_size(transport_of(writer));
    state->waiting_drains = writer->stream->waiting_drains;
    state->paused = writer->stream->flow.paused;
}
