/* SPDX-License-Identifier: MIT
 *
 * The calls on a reader: each kind has one function that goes as far as the buffered bytes allow,
 * called when the call begins and again after each wake.
 */
#include <stdio.h>
#include <string.h>

#include "sansio/memory.h"
#include "sansio/search.h"
#include "sansio/stream_reader.h"

/* The call has ended: the slot is free for the next one. */
static int finish(struct rill__reader *reader, struct rill__read *read, int rc)
{
    if (reader->waiter == read) {
        reader->waiter = NULL;
    }
    return rc;
}

/* Takes over the reference to the error. */
static int fail(struct rill__reader *reader, struct rill__read *read,
                const struct rill_error *error)
{
    read->error = error;
    return finish(reader, read, error->code);
}

static void resume(struct rill__reader *reader)
{
    reader->paused = false;
    reader->port->resume_reading(reader->port_arg);
}

void rill__reader_resume_if_drained(struct rill__reader *reader)
{
    if (reader->paused && rill__reader_buffered(reader) <= reader->limit) { /* */
        resume(reader);
    }
}

/* `count` bytes leave the buffer. Another call may be waiting: what it has scanned of them
 * is gone. */
static void note_removal(struct rill__reader *reader, size_t count)
{
    struct rill__read *waiter = reader->waiter;
    if (waiter != NULL) {
        waiter->scanned -= count < waiter->scanned ? count : waiter->scanned;
    }
}

static void discard(struct rill__reader *reader, size_t count)
{
    note_removal(reader, count);
    rill__buffer_discard(&reader->buffer, count);
}

/* The call answers with the next `count` bytes. */
static int take(struct rill__reader *reader, struct rill__read *read, size_t count)
{
    if (rill__buffer_take(&reader->buffer, count, &read->result) < 0) {
        return fail(reader, read, rill_error_no_memory());
    }
    note_removal(reader, count);
    return finish(reader, read, 0);
}

static int take_then_resume(struct rill__reader *reader, struct rill__read *read, size_t count)
{
    int rc = take(reader, read, count);
    if (rc == 0) {
        rill__reader_resume_if_drained(reader);
    }
    return rc;
}

/* The name that R-170 puts into its text; readline is readuntil underneath. */
static const char *method_name(enum rill__read_kind kind)
{
    if (kind == RILL__READ_SOME || kind == RILL__READ_TO_EOF) {
        return "read";
    }
    return kind == RILL__READ_EXACTLY ? "readexactly" : "readuntil";
}

static int wait(struct rill__reader *reader, struct rill__read *read)
{
    if (reader->waiter != NULL && reader->waiter != read) {
        return fail(reader, read,
                    rill_error_new(RILL_ERUNTIME,
                                   "%s() called while another coroutine is already waiting for "
                                   "incoming data",
                                   method_name(read->kind))); /* */
    }
    reader->waiter = read;
    if (reader->paused) {
        resume(reader); /* or it would wait for ever */
    }
    return RILL__READ_WAIT;
}

/* EOF came first: all that is there goes into the error, without a resume test (R-134, R-148,
 * */
static int fail_incomplete(struct rill__reader *reader, struct rill__read *read, long long expected)
{
    const struct rill_bytes partial = {rill__buffer_data(&reader->buffer),
                                       rill__reader_buffered(reader)};
    const struct rill_error *error = rill_error_incomplete(partial, expected);
    if (error->code == RILL_EINCOMPLETE) {
        discard(reader, partial.len);
    }
    return fail(reader, read, error);
}

/* The call that holds the slot fails and gives back what it has collected, if it is read-to-EOF
 * (Q-17). */
static int fail_collecting(struct rill__reader *reader, struct rill__read *read,
                           const struct rill_error *error)
{
    rill__buffer_put_back_held(&reader->buffer);
    return fail(reader, read, error);
}

/* read(n) and read-to-EOF wait for any byte, and again when another call took it. Waiting
 * again is a new entry as far as the exception is concerned: one that came after the wake
 * would never end the wait. */
static int wait_for_any(struct rill__reader *reader, struct rill__read *read)
{
    if (reader->exception != NULL) {
        return fail_collecting(reader, read, rill_error_ref(reader->exception));
    }
    return wait(reader, read);
}

/* ---- read(n) ---- */

static int advance_some(struct rill__reader *reader, struct rill__read *read)
{
    const size_t length = rill__reader_buffered(reader);
    if (length == 0 && !reader->eof) {
        return wait_for_any(reader, read);
    }
    const bool enough = (unsigned long long)read->n < length;
    return take_then_resume(reader, read, enough ? (size_t)read->n : length);
}

/* ---- read(-1) ---- */

/* A bound that asyncio does not have. */
static const struct rill_error *bound_exceeded(const struct rill__reader *reader, size_t count)
{
    char text[80];
    snprintf(text, sizeof text, "Read to EOF exceeds its bound of %zu bytes", reader->read_all_max);
    return rill_error_limit(count, text);
}

/* Another call waits, so this one cannot: it ends now, at EOF with all the bytes, else with R-170
 * and the bytes put back. Either way it took them block by block, which resumes a paused transport.
 */
static int read_to_eof_beside_waiter(struct rill__reader *reader, struct rill__read *read)
{
    const size_t length = rill__reader_buffered(reader);
    if (reader->eof && length > reader->read_all_max) {
        return fail(reader, read, bound_exceeded(reader, length));
    }
    if (reader->eof) {
        int rc = take(reader, read, length);
        if (rc == 0 && reader->paused) {
            resume(reader);
        }
        return rc;
    }
    if (length > 0 && reader->paused) {
        resume(reader);
    }
    return wait(reader, read);
}

/* read(limit) again and again; each of them tests the exception on entry. */
static int advance_to_eof(struct rill__reader *reader, struct rill__read *read)
{
    for (;;) {
        const size_t length = rill__reader_buffered(reader);
        if (length == 0 && !reader->eof) {
            return wait_for_any(reader, read);
        }
        rill__buffer_hold(&reader->buffer, length < reader->limit ? length : reader->limit);
        rill__reader_resume_if_drained(reader);
        if (length == 0) {
            read->result = rill__buffer_take_held(&reader->buffer);
            return finish(reader, read, 0);
        }
        if (reader->exception != NULL) {
            return fail_collecting(reader, read, rill_error_ref(reader->exception));
        }
        const size_t held = rill__buffer_held_length(&reader->buffer);
        if (held > reader->read_all_max) {
            return fail_collecting(reader, read, bound_exceeded(reader, held));
        }
    }
}

/* ---- readexactly(n) ---- */

static int advance_exactly(struct rill__reader *reader, struct rill__read *read)
{
    if (rill__reader_buffered(reader) >= (unsigned long long)read->n) {
        return take_then_resume(reader, read, (size_t)read->n);
    }
    return reader->eof ? fail_incomplete(reader, read, read->n) : wait(reader, read);
}

/* ---- readuntil(separators) and readline() ---- */

static const char text_found[] = "Separator is found, but chunk is longer than limit";
static const char text_not_found[] = "Separator is not found, and chunk exceed the limit";

/* The limit was exceeded. readuntil leaves the bytes where they are; readline drops
 * `dropped` of them and says ValueError with the first error as its cause. */
static int fail_limit(struct rill__reader *reader, struct rill__read *read, const char *text,
                      size_t consumed, size_t dropped)
{
    const struct rill_error *limit = rill_error_limit(consumed, text);
    if (read->kind != RILL__READ_LINE || limit->code != RILL_ELIMIT) {
        return fail(reader, read, limit);
    }
    const struct rill_error *error =
        rill_error_with_cause(rill_error_new(RILL_EVALUE, "%s", text), limit);
    rill_error_unref(limit);
    if (error->code == RILL_EVALUE) {
        discard(reader, dropped);
        rill__reader_resume_if_drained(reader);
    }
    return fail(reader, read, error);
}

/* what readline gives at EOF is a line without its end, or nothing. */
static int fail_unterminated(struct rill__reader *reader, struct rill__read *read)
{
    return read->kind == RILL__READ_LINE ? take(reader, read, rill__reader_buffered(reader))
                                         : fail_incomplete(reader, read, -1);
}

/* The lengths of the shortest and the longest separator. */
struct lengths {
    size_t shortest;
    size_t longest;
};

static struct lengths lengths_of(const struct rill_bytes *separators, size_t separator_count)
{
    struct lengths lengths = {separators[0].len, separators[0].len};
    for (size_t i = 1; i < separator_count; i++) {
        const size_t length = separators[i].len;
        lengths.shortest = length < lengths.shortest ? length : lengths.shortest;
        lengths.longest = length > lengths.longest ? length : lengths.longest;
    }
    return lengths;
}

/* Searches what has come since the last time; moves `offset` as CPython moves its own,
 * because the limit is judged by it. It can lie behind the end when another call took bytes. */
static bool search(struct rill__reader *reader, struct rill__read *read, struct rill__match *match)
{
    const struct lengths lengths = lengths_of(read->separators, read->separator_count);
    const struct rill_bytes text = {rill__buffer_data(&reader->buffer),
                                    rill__reader_buffered(reader)};
    if (text.len < read->offset || text.len - read->offset < lengths.shortest) {
        return false;
    }
    if (rill__search_any(text, read->offset, read->scanned, read->separators, read->separator_count,
                         match)) {
        return true;
    }
    const size_t offset = text.len + 1 > lengths.longest ? text.len + 1 - lengths.longest : 0;
    /* Going back, when another call took bytes: what lies before the old one was not searched. */
    read->scanned = offset < read->offset ? 0 : text.len;
    read->offset = offset;
    return false;
}

static int found(struct rill__reader *reader, struct rill__read *read, struct rill__match match)
{
    if (match.start > reader->limit) { /* */
        return fail_limit(reader, read, text_found, match.start, match.end);
    }
    return take_then_resume(reader, read, match.end);
}

static int not_found(struct rill__reader *reader, struct rill__read *read)
{
    if (read->offset > reader->limit) { /* R-146, before EOF */
        return fail_limit(reader, read, text_not_found, read->offset,
                          rill__reader_buffered(reader));
    }
    return reader->eof ? fail_unterminated(reader, read) : wait(reader, read);
}

static int advance_until(struct rill__reader *reader, struct rill__read *read)
{
    struct rill__match match;
    return search(reader, read, &match) ? found(reader, read, match) : not_found(reader, read);
}

/* The same for readline, whose separator is one byte: memchr, and `offset` alone tells how far. */
static int advance_line(struct rill__reader *reader, struct rill__read *read)
{
    const size_t length = rill__reader_buffered(reader);
    if (length > read->offset) {
        const char *data = rill__buffer_data(&reader->buffer);
        const char *end = memchr(data + read->offset, '\n', length - read->offset);
        if (end != NULL) {
            const size_t start = (size_t)(end - data);
            return found(reader, read, (struct rill__match){start, start + 1});
        }
        read->offset = length;
    }
    return not_found(reader, read);
}

/* NULL, or the text of. */
static const char *refuse_separators(const struct rill__read *read)
{
    if (read->separator_count == 0) {
        return "Separator should contain at least one element";
    }
    if (lengths_of(read->separators, read->separator_count).shortest == 0) {
        return "Separator should be at least one-byte string";
    }
    return NULL;
}

/* ---- all of them ---- */

static int advance(struct rill__reader *reader, struct rill__read *read)
{
    switch (read->kind) {
    case RILL__READ_SOME:
        return advance_some(reader, read);
    case RILL__READ_TO_EOF:
        return advance_to_eof(reader, read);
    case RILL__READ_EXACTLY:
        return advance_exactly(reader, read);
    case RILL__READ_LINE:
        return advance_line(reader, read);
    case RILL__READ_UNTIL:
    default:
        return advance_until(reader, read);
    }
}

/* What is judged before the reader's exception: NULL or the text of a ValueError. */
static const char *refuse_arguments(const struct rill__read *read)
{
    if (read->kind == RILL__READ_EXACTLY && read->n < 0) {
        return "readexactly size can not be less than zero"; /* */
    }
    return read->kind == RILL__READ_UNTIL ? refuse_separators(read) : NULL;
}

/* After the checks of section 1.2. */
static int begin(struct rill__reader *reader, struct rill__read *read)
{
    const bool counts = read->kind == RILL__READ_SOME || read->kind == RILL__READ_EXACTLY;
    if (counts && read->n == 0) {
        return 0; /* no resume test */
    }
    if (read->kind == RILL__READ_TO_EOF && reader->waiter != NULL) {
        return read_to_eof_beside_waiter(reader, read);
    }
    return advance(reader, read);
}

/* Everything but the inputs, so that a caller need not zero the struct: that takes as long as
 * reading a short line. */
static void reset(struct rill__read *read)
{
    read->result = (struct rill_bytes){NULL, 0};
    read->error = NULL;
    read->offset = 0;
    read->scanned = 0;
    read->woken = false;
    read->cancelling = false;
    read->delivered = NULL;
}

int rill__read_begin(struct rill__reader *reader, struct rill__read *read)
{
    rill__buffer_unpin(&reader->buffer);
    reset(read);

    if (read->kind == RILL__READ_SOME && read->n < 0) {
        read->kind = RILL__READ_TO_EOF; /* */
    }
    const char *refusal = refuse_arguments(read);
    if (refusal != NULL) {
        return fail(reader, read, rill_error_new(RILL_EVALUE, "%s", refusal));
    }
    if (reader->exception != NULL) {
        return fail(reader, read, rill_error_ref(reader->exception)); /* */
    }
    return begin(reader, read);
}

int rill__read_step(struct rill__reader *reader, struct rill__read *read)
{
    rill_assert(reader->waiter == read && read->woken);
    read->woken = false;

    const struct rill_error *delivered = read->delivered;
    if (delivered != NULL) {
        read->delivered = NULL;
        return fail_collecting(reader, read, delivered);
    }
    if (read->kind == RILL__READ_LINE && read->offset == 0) { /* mostly a whole line has come */
        reader->waiter = NULL;
        if (rill__read_line_now(reader, &read->result)) {
            return 0;
        }
        reader->waiter = read;
    }
    return advance(reader, read);
}

void rill__read_cancel_requested(struct rill__read *read)
{
    read->cancelling = !read->woken;
}

void rill__read_cancelled(struct rill__reader *reader, struct rill__read *read)
{
    rill_assert(reader->waiter == read);
    rill__buffer_put_back_held(&reader->buffer);
    rill_error_unref(read->delivered);
    read->delivered = NULL;
    read->woken = false;
    finish(reader, read, RILL_ECANCELLED);
}
