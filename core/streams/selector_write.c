/* SPDX-License-Identifier: MIT
 *
 * The selector transport's write side: immediate send, queue, water marks, half-close (4.2).
 */
#include <errno.h>

#include "sansio/memory.h"
#include "streams/selector_private.h"

#define PARTS_MAX                     16 /* of one send: more than one only with lent pieces */
#define LOG_THRESHOLD_FOR_LOST_WRITES 5  /* asyncio's constant of that name */

/* -- flow control ---------------------------------------------------------------------------- */

static void apply_flow(struct rill__selector *self, enum rill__flow_event event)
{
    const struct rill_protocol_ops *ops = self->protocol->ops;
    if (event == RILL__FLOW_PAUSE && ops->pause_writing != NULL) {
        ops->pause_writing(self->protocol);
    } else if (event == RILL__FLOW_RESUME && ops->resume_writing != NULL) {
        ops->resume_writing(self->protocol);
    }
}

void rill__selector_maybe_pause(struct rill__selector *self)
{
    apply_flow(self, rill__water_grew(&self->water, rill__selector_buffered(self)));
}

static void maybe_resume(struct rill__selector *self)
{
    apply_flow(self, rill__water_shrank(&self->water, rill__selector_buffered(self)));
}

/* -- writing --------------------------------------------------------------------------------- */

static bool would_block(ssize_t rc)
{
    return rc == -EAGAIN || rc == -EWOULDBLOCK || rc == -EINTR;
}

static size_t total(const struct rill_bytes *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].len;
    }
    return size;
}

/* True when the write is to be dropped: the connection is lost or about to be. */
static bool drop_lost_write(struct rill__selector *self)
{
    if (self->lost_writes == 0) {
        return false;
    }
    if (self->lost_writes >= LOG_THRESHOLD_FOR_LOST_WRITES) {
        rill__log(self->base.loop, RILL_LOG_WARNING, "socket.send() raised exception.");
    }
    self->lost_writes++;
    return true;
}

/* one immediate send, the rest is queued. */
static const struct rill_error *
write_parts(struct rill__selector *self, const struct rill_bytes *parts, size_t count, size_t size)
{
    size_t sent = 0;

    if (size == 0 || drop_lost_write(self)) {
        return NULL;
    }
    if (rill__selector_buffered(self) == 0) {
        const ssize_t rc = self->endpoint->ops->send(self->endpoint, parts, count);
        if (rc < 0 && !would_block(rc)) {
            rill__selector_fatal(self, rill_error_from_errno((int)-rc),
                                 "Fatal write error on socket transport");
            return NULL;
        }
        sent = rc > 0 ? (size_t)rc : 0;
        if (sent == size) {
            return NULL;
        }
    }
    if (rill__write_queue_copy(&self->queue, parts, count, sent) < 0) {
        if (sent > 0) { /* a part is on the wire: the stream cannot go on without the rest */
            rill__selector_fatal(self, rill_error_no_memory(),
                                 "Fatal write error on socket transport");
        }
        return rill_error_no_memory();
    }
    self->endpoint->ops->watch_writing(self->endpoint, true);
    rill__selector_maybe_pause(self);
    return NULL;
}

void rill__selector_drop_queue(struct rill__selector *self)
{
    struct rill__list finished;
    rill__list_init(&finished);
    rill__write_queue_discard(&self->queue, rill__selector_buffered(self), &finished);
    rill__lent_finish(&finished);
}

/* What is left of a lent write after the immediate send stays the caller's memory. */
static void lend_rest(struct rill__selector *self, struct rill__lent *piece, size_t sent)
{
    piece->ptr += sent;
    piece->len -= sent;
    rill__write_queue_lend(&self->queue, piece);
    self->endpoint->ops->watch_writing(self->endpoint, true);
    rill__selector_maybe_pause(self);
}

const struct rill_error *rill__selector_write_borrowed(struct rill_transport *transport,
                                                       struct rill_bytes data, rill_callback *done,
                                                       void *arg)
{
    struct rill__selector *self = rill__selector_of(transport);
    ssize_t rc = 0;

    if (self->eof) {
        return rill_error_new(RILL_ERUNTIME, "Cannot call write() after write_eof()");
    }
    struct rill__lent *piece = rill__alloc_zeroed(sizeof *piece);
    if (piece == NULL) {
        return rill_error_no_memory();
    }
    *piece = (struct rill__lent){.ptr = data.ptr, .len = data.len, .done = done, .arg = arg};
    const bool dropped = data.len == 0 || drop_lost_write(self);
    if (!dropped && rill__selector_buffered(self) == 0) {
        rc = self->endpoint->ops->send(self->endpoint, &data, 1);
    }
    if (!dropped && rc < 0 && !would_block(rc)) {
        rill__selector_fatal(self, rill_error_from_errno((int)-rc),
                             "Fatal write error on socket transport");
    } else if (!dropped && (size_t)(rc > 0 ? rc : 0) < data.len) {
        lend_rest(self, piece, (size_t)(rc > 0 ? rc : 0));
        return NULL;
    }
    done(arg); /* sent at once, or dropped */
    rill__free(piece);
    return NULL;
}

const struct rill_error *rill__selector_write(struct rill_transport *transport,
                                              struct rill_bytes data)
{
    struct rill__selector *self = rill__selector_of(transport);
    if (self->eof) {
        return rill_error_new(RILL_ERUNTIME, "Cannot call write() after write_eof()");
    }
    return write_parts(self, &data, 1, data.len);
}

/* As one write; where data is queued already, one send is tried at once even so. */
const struct rill_error *rill__selector_writelines(struct rill_transport *transport,
                                                   const struct rill_bytes *parts, size_t count)
{
    struct rill__selector *self = rill__selector_of(transport);
    const size_t size = total(parts, count);

    if (self->eof) {
        return rill_error_new(RILL_ERUNTIME, "Cannot call writelines() after write_eof()");
    }
    if (rill__selector_buffered(self) == 0) {
        return write_parts(self, parts, count, size);
    }
    if (size == 0 || drop_lost_write(self)) {
        return NULL;
    }
    if (rill__write_queue_copy(&self->queue, parts, count, 0) < 0) {
        return rill_error_no_memory();
    }
    rill_transport_ref(transport);
    rill__selector_writable(self); /* before the water mark is looked at */
    if (self->lost_writes == 0) {
        rill__selector_maybe_pause(self);
    }
    rill_transport_unref(transport);
    return NULL;
}

static void flushed(struct rill__selector *self)
{
    self->endpoint->ops->watch_writing(self->endpoint, false);
    if (self->closing) {
        rill__selector_lost(self); /* at once, in this callback */
    } else if (self->eof) {
        const int rc = self->endpoint->ops->shutdown_write(self->endpoint);
        if (rc < 0) {
            /* asyncio's shutdown raises out of the callback, which has let go of its function by
             * then: Python shows that as None(). */
            rill__report_callback(self->base.loop, "Exception in callback None()",
                                  rill_error_from_errno(-rc));
        }
    }
}

void rill__selector_writable(struct rill__selector *self)
{
    struct rill__list finished;

    rill__list_init(&finished);
    if (self->lost_writes > 0 || rill__selector_buffered(self) == 0) {
        return;
    }
    struct rill_bytes parts[PARTS_MAX];
    const size_t count = rill__write_queue_parts(&self->queue, parts, PARTS_MAX);
    const ssize_t rc = self->endpoint->ops->send(self->endpoint, parts, count);
    if (would_block(rc)) {
        return;
    }
    if (rc < 0) {
        rill__selector_fatal(self, rill_error_from_errno((int)-rc),
                             "Fatal write error on socket transport");
        return;
    }
    rill_transport_ref(&self->base);
    rill__write_queue_discard(&self->queue, (size_t)rc, &finished);
    maybe_resume(self); /* may write more */
    if (rill__selector_buffered(self) == 0 && !self->gone) {
        flushed(self);
    }
    rill__lent_finish(&finished);
    rill_transport_unref(&self->base);
}

const struct rill_error *rill__selector_write_eof(struct rill_transport *transport)
{
    struct rill__selector *self = rill__selector_of(transport);
    int rc = 0;

    if (self->closing || self->eof) {
        return NULL;
    }
    self->eof = true;
    if (rill__selector_buffered(self) == 0) {
        rc = self->endpoint->ops->shutdown_write(self->endpoint);
    }
    return rc < 0 ? rill_error_from_errno(-rc) : NULL; /* */
}
