/* SPDX-License-Identifier: MIT
 *
 * The reader's state: what is fed into it, when it pauses the transport, whom it wakes. The calls
 * are in read.c.
 */
#include <stdint.h>

#include "sansio/stream_reader.h"

#include "sansio/memory.h"

const struct rill_error *rill__reader_check_limit(long long limit)
{
    return limit > 0 ? NULL : rill_error_new(RILL_EVALUE, "Limit cannot be <= 0"); /* */
}

void rill__reader_init(struct rill__reader *reader, size_t limit,
                       const struct rill__reader_port *port, void *port_arg)
{
    rill_assert(limit > 0);
    *reader = (struct rill__reader){
        .limit = limit, .read_all_max = SIZE_MAX, .port = port, .port_arg = port_arg};
    rill__buffer_init(&reader->buffer);
}

void rill__reader_cleanup(struct rill__reader *reader)
{
    rill_assert(reader->waiter == NULL);
    rill__buffer_cleanup(&reader->buffer);
    rill_error_unref(reader->exception);
    reader->exception = NULL;
}

/* One wake for each wait, and none once its task is being cancelled; the slot stays taken.
 */
static void wake(struct rill__reader *reader)
{
    struct rill__read *waiter = reader->waiter;
    if (waiter != NULL && !waiter->woken && !waiter->cancelling) {
        waiter->woken = true;
        reader->port->wake(reader->port_arg, waiter);
    }
}

/* strictly more than twice the limit. */
static void pause_if_full(struct rill__reader *reader)
{
    const size_t length = rill__reader_buffered(reader);
    const bool full = length > reader->limit && length - reader->limit > reader->limit;
    if (!full || !reader->has_transport || reader->paused) {
        return;
    }
    if (reader->port->pause_reading(reader->port_arg) == 0) {
        reader->paused = true;
    } else {
        reader->has_transport = false; /* */
    }
}

int rill__reader_feed_data(struct rill__reader *reader, const void *data, size_t size,
                           const struct rill_error **error)
{
    rill__fetch(reader->waiter, sizeof *reader->waiter);
    const char *text = reader->eof ? "feed_data after feed_eof" : "";
    /* before the test for emptiness. */
    const int rc = reader->eof ? RILL_EASSERTION : rill__buffer_append(&reader->buffer, data, size);
    if (error != NULL) {
        *error = rc < 0 ? rill_error_new(rc, "%s", text) : NULL;
    }
    if (rc == 0 && size > 0) { /* */
        wake(reader);
        pause_if_full(reader);
    }
    return rc;
}

void rill__reader_filled(struct rill__reader *reader, size_t count)
{
    rill_assert(!reader->eof);
    if (count == 0) {
        return; /* */
    }
    rill__buffer_filled(&reader->buffer, count);
    wake(reader);
    pause_if_full(reader);
}

void rill__reader_feed_eof(struct rill__reader *reader)
{
    reader->eof = true;
    wake(reader);
}

void rill__reader_set_exception(struct rill__reader *reader, const struct rill_error *exception)
{
    const struct rill_error *before = reader->exception;
    reader->exception = rill_error_ref(exception);

    /* A wait that has been completed already, or whose task is being cancelled, does not see it
     * (R-110, R-118). */
    struct rill__read *waiter = reader->waiter;
    if (exception != NULL && waiter != NULL && !waiter->woken && !waiter->cancelling) {
        waiter->delivered = rill_error_ref(exception);
        wake(reader);
    }
    rill_error_unref(before);
}

bool rill__reader_at_eof(const struct rill__reader *reader)
{
    return reader->eof && rill__reader_buffered(reader) == 0;
}
