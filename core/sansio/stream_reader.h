/* SPDX-License-Identifier: MIT
 *
 * asyncio.StreamReader as plain functions on memory (specification sections 1.1 to 1.8): bytes and
 * events in, results and decisions out. A call in progress is a struct rill__read: begin it; while
 * it answers RILL__READ_WAIT the caller suspends its task, and each time the reader says "wake" the
 * call's next step runs, on the loop's ready queue where CPython would run its woken coroutine.
 */
#ifndef RILL__STREAM_READER_H
#define RILL__STREAM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <rill/error.h>

#include "sansio/buffer.h"

#define RILL__LIMIT_DEFAULT ((size_t)65536) /* */

/* What the reader asks of the outside. None of these may call back into the reader: data that a
 * resume sets free comes in a later turn. */
struct rill__read;
struct rill__reader_port {
    /* 0; or RILL_ENOTIMPLEMENTED, after which the reader never asks again. */
    int (*pause_reading)(void *arg);
    void (*resume_reading)(void *arg);
    /* The waiting call `read` can make progress: schedule rill__read_step for it. Called at
     * most once for each wait. */
    void (*wake)(void *arg, struct rill__read *read);
};

enum rill__read_kind {
    RILL__READ_SOME,    /* read(n), n > 0; n == 0 answers at once */
    RILL__READ_TO_EOF,  /* read(-1) */
    RILL__READ_EXACTLY, /* readexactly(n) */
    RILL__READ_UNTIL,   /* readuntil(separators) */
    RILL__READ_LINE,    /* readline() */
};

/* What a begin or a step answers besides 0 (done) and a negative RILL_E code (failed). */
#define RILL__READ_WAIT 1

/* One call in progress, in memory that the caller need not clear; lives on the caller's stack,
 * pinned there from begin until it answers 0 or an error, or is cancelled. */
struct rill__read {
    /* inputs, set by the caller */
    enum rill__read_kind kind;
    long long n;                         /* READ_SOME, READ_EXACTLY; negative is judged by R-130 */
    const struct rill_bytes *separators; /* READ_UNTIL; must stay valid while the call lasts */
    size_t separator_count;              /* 0: the empty tuple */
    void *owner;                         /* for the port's wake */
    /* outputs */
    struct rill_bytes result;       /* valid until the next begin on this reader */
    const struct rill_error *error; /* when failed: the caller's reference */
    /* private */
    size_t offset;   /* CPython's `offset` (section 1.5), by which the limit is judged */
    size_t scanned;  /* how far bytes have been looked at: nothing is scanned twice within a call */
    bool woken;      /* wake was called and the step has not run yet */
    bool cancelling; /* its task was asked to stop: nothing wakes it any more */
    const struct rill_error *delivered; /* set_exception completed the wait with this */
};

struct rill__reader {
    struct rill__buffer buffer;
    struct rill__read *waiter; /* the one slot; taken until the call ends */
    const struct rill_error *exception;
    size_t limit;
    bool eof;
    bool paused;
    bool has_transport; /* no pause without one; cleared by R-163 */
    const struct rill__reader_port *port;
    void *port_arg;
    size_t read_all_max; /* bound of read-to-EOF in bytes; SIZE_MAX: none */
};

/* limit must be > 0 (the text of R-102 is rill__reader_check_limit's). */
void rill__reader_init(struct rill__reader *reader, size_t limit,
                       const struct rill__reader_port *port, void *port_arg);
void rill__reader_cleanup(struct rill__reader *reader); /* no call may be in progress */

/* NULL, or the ValueError of R-102 for limit <= 0. */
const struct rill_error *rill__reader_check_limit(long long limit);

/* Feeding (1.1). feed_data copies; rill__buffer_space on the reader's buffer and filled receive in
 * place: the same event without the copy, with nothing else done to the reader in between.
 * filled(0) is nothing; filled after feed_eof is a broken invariant, so ask `eof` first.
 * Errors of feed_data: RILL_EASSERTION `feed_data after feed_eof` (R-108, tested even when empty),
 * RILL_ENOMEM; nothing was fed then. *error is set to the caller's reference or NULL; `error` may
 * be NULL. */
int rill__reader_feed_data(struct rill__reader *reader, const void *data, size_t size,
                           const struct rill_error **error);
void rill__reader_filled(struct rill__reader *reader, size_t count);
void rill__reader_feed_eof(struct rill__reader *reader);
/* Takes its own reference; NULL clears and completes no wait. */
void rill__reader_set_exception(struct rill__reader *reader, const struct rill_error *exception);
bool rill__reader_at_eof(const struct rill__reader *reader);
static inline size_t rill__reader_buffered(const struct rill__reader *reader)
{
    return rill__buffer_length(&reader->buffer);
}

/* at most the limit is left. */
void rill__reader_resume_if_drained(struct rill__reader *reader);

/* The short way to a line that is there already, when nothing else is going on: the result of a
 * readline call, or false and nothing has happened. Inline: many a line takes less time
 * than a call. */
static inline bool rill__read_line_now(struct rill__reader *reader, struct rill_bytes *line)
{
    struct rill__buffer *buffer = &reader->buffer;
    const size_t length = rill__reader_buffered(reader);

    if (length == 0 || reader->exception != NULL || reader->waiter != NULL ||
        buffer->retired != NULL || rill__buffer_held_length(buffer) > 0) {
        return false;
    }
    const char *data = rill__buffer_data(buffer);
    const char *end = memchr(data, '\n', length);
    if (end == NULL || (size_t)(end - data) > reader->limit) {
        return false;
    }
    *line = rill__buffer_take_plain(buffer, (size_t)(end - data) + 1);
    if (reader->paused) {
        rill__reader_resume_if_drained(reader);
    }
    return true;
}

/* Starts a call. Only the inputs that its kind uses need be set: begin itself sets the outputs and
 * the private fields. Ends the validity of earlier views, whatever it answers. */
int rill__read_begin(struct rill__reader *reader, struct rill__read *read);

/* After wake, once: tests again, resumes the transport, takes. */
int rill__read_step(struct rill__reader *reader, struct rill__read *read);

/* The waiting call's task was asked to stop: from now on nothing wakes it; the slot stays taken
 * until ... When it was woken already this does nothing: whether its step or its
 * cancellation comes next is the task's to say. */
void rill__read_cancel_requested(struct rill__read *read);

/* ... its task runs: frees the slot and puts collected bytes back. The call has ended. */
void rill__read_cancelled(struct rill__reader *reader, struct rill__read *read);

#endif
