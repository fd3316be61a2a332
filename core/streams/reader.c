/* SPDX-License-Identifier: MIT
 *
 * StreamReader's calls: the sans-io reader with a task that waits.
 */
#include <rill/observe.h>

#include <stdint.h>
#include <string.h>

#include "sansio/memory.h"
#include "streams/stream.h"

/* A call that waits: its step runs on the ready queue. */
struct read_call {
    struct rill__wait wait;
    struct rill__read read;
    struct rill_reader *reader;
};

static int port_pause(void *arg)
{
    struct rill_reader *reader = arg;
    const int rc = rill_transport_pause_reading(reader->transport);
    if (rc == 0) {
        rill__observe(reader->loop, RILL_OBSERVED_PAUSE_READING, reader,
                      reader->stream != NULL ? &reader->stream->writer : NULL);
    }
    return rc;
}

static void port_resume(void *arg)
{
    struct rill_reader *reader = arg;
    rill__observe(reader->loop, RILL_OBSERVED_RESUME_READING, reader,
                  reader->stream != NULL ? &reader->stream->writer : NULL);
    rill_transport_resume_reading(reader->transport);
}

static void port_wake(void *arg, struct rill__read *read)
{
    struct read_call *call = read->owner;
    (void)arg;
    rill__wait_complete(&call->wait, 0);
}

static const struct rill__reader_port port = {
    .pause_reading = port_pause,
    .resume_reading = port_resume,
    .wake = port_wake,
};

void rill__reader_init_pair(struct rill_reader *reader, struct rill_loop *loop,
                            struct rill__stream *stream, size_t limit)
{
    reader->loop = loop;
    reader->stream = stream;
    rill__reader_init(&reader->core, limit, &port, reader);
    reader->core.buffer.spares = stream != NULL ? &loop->blocks : NULL;
}

void rill__reader_cleanup_pair(struct rill_reader *reader)
{
    rill__reader_cleanup(&reader->core);
    rill_error_unref(reader->error);
}

static struct read_call *call_of(struct rill__wait *wait)
{
    return rill__container(wait, struct read_call, wait);
}

/* What CPython's woken coroutine does first, without entering its stack. */
static int read_step(struct rill__wait *wait)
{
    struct read_call *call = call_of(wait);
    const int rc = rill__read_step(&call->reader->core, &call->read);
    return rc == RILL__READ_WAIT ? RILL__WAIT_AGAIN : rc;
}

static enum rill__cancel read_cancel(struct rill__wait *wait)
{
    rill__read_cancel_requested(&call_of(wait)->read);
    return RILL__CANCEL_NOW;
}

static void read_cancelled(struct rill__wait *wait)
{
    struct read_call *call = call_of(wait);
    rill__read_cancelled(&call->reader->core, &call->read);
}

static int fail(struct rill_reader *reader, const struct rill_error *error)
{
    return rill__fail_on(&reader->error, error);
}

static int await_read(struct read_call *call)
{
    static const struct rill__wait_ops ops = {
        .step = read_step, .cancel = read_cancel, .cancelled = read_cancelled};
    struct rill_reader *reader = call->reader;
    struct rill_task *task = reader->loop->current_task;

    if (task == NULL) {
        rill__read_cancelled(&reader->core, &call->read);
        return fail(reader, rill_error_new(RILL_ERUNTIME, "no running task to wait in"));
    }
    rill__buffer_shrink(&reader->core.buffer, 0); /* an idle connection keeps no empty block */
    rill__wait_init(&call->wait, task);
    return rill__wait(&call->wait, &ops);
}

/* rill__read_begin sets everything of call->read but its inputs. */
static int start(struct read_call *call, struct rill_reader *reader, struct rill_bytes *result)
{
    call->reader = reader;
    call->read.owner = call;
    *result = (struct rill_bytes){"", 0};
    int rc = rill__read_begin(&reader->core, &call->read);
    if (rc == RILL__READ_WAIT) {
        rc = await_read(call);
    }
    if (rc == 0) {
        *result = call->read.result;
        return 0;
    }
    /* Without an error it was cancelled: the task knows. */
    return call->read.error != NULL ? fail(reader, call->read.error) : rc;
}

static int run(struct read_call *call, struct rill_reader *reader, struct rill_bytes *result)
{
    const int rc = rill__be_fair(reader->loop->current_task);
    return rc < 0 ? rc : start(call, reader, result);
}

int rill_reader_read(struct rill_reader *reader, ssize_t n, struct rill_bytes *data)
{
    struct read_call call;
    call.read.kind = n < 0 ? RILL__READ_TO_EOF : RILL__READ_SOME;
    call.read.n = n;
    return run(&call, reader, data);
}

/* Apart from the short way, which then needs no frame for a call. */
__attribute__((noinline)) static int call_readline(struct rill_reader *reader,
                                                   struct rill_bytes *line)
{
    struct read_call call;
    call.read.kind = RILL__READ_LINE;
    return run(&call, reader, line);
}

int rill_reader_readline(struct rill_reader *reader, struct rill_bytes *line)
{
    if (reader->loop->fair_calls == 0 && rill__read_line_now(&reader->core, line)) {
        return 0;
    }
    return call_readline(reader, line);
}

int rill_reader_readexactly(struct rill_reader *reader, ssize_t n, struct rill_bytes *data)
{
    struct read_call call;
    call.read.kind = RILL__READ_EXACTLY;
    call.read.n = n;
    return run(&call, reader, data);
}

int rill_reader_readuntil_any(struct rill_reader *reader, const struct rill_bytes *separators,
                              size_t count, struct rill_bytes *data)
{
    struct read_call call;
    call.read.kind = RILL__READ_UNTIL;
    call.read.separators = separators;
    call.read.separator_count = count;
    return run(&call, reader, data);
}

int rill_reader_readuntil(struct rill_reader *reader, struct rill_bytes separator,
                          struct rill_bytes *data)
{
    return rill_reader_readuntil_any(reader, &separator, 1, data);
}

int rill_reader_skip_line(struct rill_reader *reader)
{
    const struct rill_bytes newline = {"\n", 1};
    struct rill_bytes dropped;
    int rc;

    while ((rc = rill_reader_readuntil(reader, newline, &dropped)) == RILL_ELIMIT) {
        struct read_call rest;
        rest.read.kind = RILL__READ_EXACTLY;
        rest.read.n = (ssize_t)reader->error->consumed; /* buffered, and nobody runs in between */
        (void)start(&rest, reader, &dropped);
    }
    return rc == RILL_EINCOMPLETE ? 0 : rc;
}

struct rill_bytes rill_reader_leftover(const struct rill_reader *reader)
{
    const struct rill_bytes all = {rill__buffer_data(&reader->core.buffer),
                                   rill__reader_buffered(&reader->core)};
    return all;
}

void rill_reader_set_read_all_max(struct rill_reader *reader, struct rill_opt_int bytes)
{
    const bool bounded = bytes.given && bytes.value >= 0;
    reader->core.read_all_max = bounded ? (size_t)bytes.value : SIZE_MAX;
}

int rill_reader_next_line(struct rill_reader *reader, struct rill_bytes *line)
{
    const int rc = rill_reader_readline(reader, line);
    return rc < 0 ? rc : line->len > 0;
}

ssize_t rill_reader_read_into(struct rill_reader *reader, void *memory, size_t size)
{
    struct rill_bytes data;
    const ssize_t most = size > (size_t)PTRDIFF_MAX ? PTRDIFF_MAX : (ssize_t)size;
    const int rc = rill_reader_read(reader, most, &data);
    if (rc < 0) {
        return rc;
    }
    if (data.len > 0) {
        memcpy(memory, data.ptr, data.len);
    }
    return (ssize_t)data.len;
}

bool rill_reader_at_eof(const struct rill_reader *reader)
{
    return rill__reader_at_eof(&reader->core);
}

const struct rill_error *rill_reader_exception(const struct rill_reader *reader)
{
    return reader->core.exception;
}

const struct rill_error *rill_reader_error(const struct rill_reader *reader)
{
    return reader->error;
}

int rill__limit_of(struct rill_opt_int option, size_t *limit)
{
    *limit = RILL__LIMIT_DEFAULT;
    if (!option.given) {
        return 0;
    }
    const struct rill_error *error = rill__reader_check_limit(option.value);
    if (error != NULL) {
        return rill__fail(error);
    }
    *limit = (size_t)option.value;
    return 0;
}

int rill_reader_new(struct rill_opt_int limit_option, struct rill_reader **result)
{
    struct rill_loop *loop = rill_running_loop();
    size_t limit;

    *result = NULL;
    const int rc = rill__limit_of(limit_option, &limit);
    if (rc < 0) {
        return rc;
    }
    if (loop == NULL) { /* */
        return rill__fail_with(RILL_ERUNTIME,
                               "There is no current event loop in thread 'MainThread'.");
    }
    struct rill_reader *reader = rill__alloc_zeroed(sizeof *reader);
    if (reader == NULL) {
        return rill__fail_no_memory();
    }
    rill__reader_init_pair(reader, loop, NULL, limit);
    *result = reader;
    return 0;
}

void rill_reader_free(struct rill_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    rill_assert(reader->stream == NULL);
    rill__reader_cleanup_pair(reader);
    rill_transport_unref(reader->transport);
    rill__free(reader);
}

int rill_reader_feed_data(struct rill_reader *reader, const void *data, size_t size)
{
    const struct rill_error *error = NULL;
    const int rc = rill__reader_feed_data(&reader->core, data, size, &error);
    return rc < 0 ? fail(reader, error) : 0;
}

void rill_reader_feed_eof(struct rill_reader *reader)
{
    rill__reader_feed_eof(&reader->core);
}

void rill_reader_set_exception(struct rill_reader *reader, const struct rill_error *exception)
{
    rill__reader_set_exception(&reader->core, exception);
}

int rill_reader_set_transport(struct rill_reader *reader, struct rill_transport *transport)
{
    if (reader->transport != NULL) {
        return fail(reader, rill_error_new(RILL_EASSERTION, "Transport already set"));
    }
    reader->transport = rill_transport_ref(transport);
    reader->core.has_transport = true;
    return 0;
}

void rill_observe_reader(const struct rill_reader *reader, struct rill_reader_state *state)
{
    state->buffered = rill__reader_buffered(&reader->core);
    state->limit = reader->core.limit;
    state->eof = reader->core.eof;
    state->paused = reader->core.paused;
    state->waiting = reader->core.waiter != NULL;
}
