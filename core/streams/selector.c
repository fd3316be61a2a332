/* SPDX-License-Identifier: MIT
 *
 * The selector transport: start-up and reading (4.1), closing (4.3); its write side is
 * selector_write.c.
 */
#include <errno.h>

#include "sansio/memory.h"
#include "streams/selector_private.h"
#include "streams/stream.h"

#define COPIED_RECEIVE_MAX 4096

/* -- the loss -------------------------------------------------------------------------------- */

static void start_reading(struct rill__selector *self)
{
    if (!self->closing && !self->paused && !self->saw_eof) {
        self->endpoint->ops->watch_reading(self->endpoint, true);
    }
}

/* The protocol first, then the descriptor, then the server's bookkeeping. */
void rill__selector_lost(struct rill__selector *self)
{
    const struct rill_error *error = self->lost_error;

    if (self->gone) {
        return;
    }
    self->gone = true;
    if (self->lost_writes == 0) { /* a close that flushed: from now on writes are dropped and
                                     counted, from 1 on as everywhere */
        self->lost_writes = 1;
    }
    rill__open_remove(self->base.loop, &self->open);
    rill__unready(&self->start);
    rill__unready(&self->lost);
    self->endpoint->ops->watch_writing(self->endpoint, false);
    if (self->protocol->ops->connection_lost != NULL) {
        self->protocol->ops->connection_lost(self->protocol, error);
    }
    self->endpoint->ops->close(self->endpoint);
    if (self->opener != NULL) {
        rill__wait_complete(self->opener, 0);
        self->opener = NULL;
    }
    if (self->on_lost != NULL) {
        self->on_lost(self->on_lost_arg, &self->base);
    }
    self->protocol = NULL;
    self->lost_error = NULL;
    rill_error_unref(error);
    rill_transport_unref(&self->base); /* the loop's reference */
}

static void run_lost(struct rill__entry *entry)
{
    rill__selector_lost(rill__container(entry, struct rill__selector, lost));
}

static void schedule_loss(struct rill__selector *self, const struct rill_error *error)
{
    self->lost_writes++;
    self->lost_error = error;
    rill__ready(self->base.loop, &self->lost);
}

/* Takes over the reference to error. */
static void rill__selector_force_close(struct rill__selector *self, const struct rill_error *error)
{
    if (self->lost_writes > 0) {
        rill_error_unref(error);
        return;
    }
    self->endpoint->ops->watch_writing(self->endpoint, false);
    self->closing = true;
    self->endpoint->ops->watch_reading(self->endpoint, false);
    schedule_loss(self, error);
    rill__selector_drop_queue(self); /* calls out: last */
}

/* Takes over the reference to error. */
void rill__selector_fatal(struct rill__selector *self, const struct rill_error *error,
                          const char *message)
{
    const struct rill_exception_context context = {
        .message = message,
        .exception = error,
        .transport = &self->base,
        .protocol = self->protocol,
    };
    rill__report_fatal(self->base.loop, &context);
    rill__selector_force_close(self, error);
}

/* -- start-up and reading -------------------------------------------------------------------- */

static void run_start(struct rill__entry *entry)
{
    struct rill__selector *self = rill__container(entry, struct rill__selector, start);

    rill_transport_ref(&self->base);
    if (self->protocol->ops->connection_made != NULL) {
        self->protocol->ops->connection_made(self->protocol, &self->base);
    }
    if (!self->gone) {
        start_reading(self);
    }
    if (self->opener != NULL) {
        rill__wait_complete(self->opener, 0);
        self->opener = NULL;
    }
    rill_transport_unref(&self->base);
}

static void end_of_input(struct rill__selector *self)
{
    int keep_open = 0;
    self->saw_eof = true;
    if (self->protocol->ops->eof_received != NULL) {
        keep_open = self->protocol->ops->eof_received(self->protocol);
    }
    if (keep_open < 0) {
        rill__selector_fatal(self, rill__error_of_code(keep_open),
                             "Fatal error: protocol.eof_received() call failed.");
    } else if (keep_open > 0) { /* can still write, cannot receive more */
        self->endpoint->ops->watch_reading(self->endpoint, false);
    } else {
        rill_transport_close(&self->base);
    }
}

/* One event for one receive: what the protocol's own space holds, then the rest from the
 * loop's spare block. All of it is for the protocol that gave the space, also when its callback
 * sets another. */
static int deliver(struct rill__selector *self, struct rill_protocol *protocol, size_t count,
                   size_t space, const char *spare)
{
    const size_t in_space = count < space ? count : space;
    const int rc = in_space > 0 ? protocol->ops->buffer_updated(protocol, in_space) : 0;

    if (rc >= 0 && count > in_space && !self->gone && protocol->ops->data_received != NULL) {
        const struct rill_bytes rest = {spare, count - in_space};
        return protocol->ops->data_received(protocol, rest);
    }
    return rc;
}

void rill__selector_readable(struct rill__selector *self)
{
    char *spare = self->base.loop->spare;
    char *space = NULL;
    size_t size = 0;

    if (self->lost_writes > 0) {
        return;
    }
    struct rill_protocol *protocol = self->protocol;
    const struct rill_protocol_ops *ops = protocol->ops;
    /* Few bytes are cheaper received into the loop's hot spare block and copied than with readv,
     * and an idle connection then needs no block of its own. */
    if (ops->get_buffer != NULL &&
        (self->expected > COPIED_RECEIVE_MAX || ops->data_received == NULL)) {
        size = ops->get_buffer(protocol, self->expected, &space);
        size = size < RILL__SPARE_SIZE ? size : RILL__SPARE_SIZE;
    }
    const bool may_spill = ops->data_received != NULL || ops->get_buffer == NULL;
    const size_t spill = may_spill ? RILL__SPARE_SIZE - size : 0;
    if (size + spill == 0) {
        rill__selector_fatal(self, rill_error_no_memory(),
                             "Fatal error: protocol.data_received() call failed.");
        return;
    }
    rill__fetch(protocol, 256); /* while the kernel works */
    const ssize_t count = self->endpoint->ops->receive(self->endpoint, space, size, spare, spill);
    if (count == -EAGAIN || count == -EWOULDBLOCK || count == -EINTR) { /* */
        return;
    }
    if (count < 0) {
        rill__selector_fatal(self, rill_error_from_errno((int)-count),
                             "Fatal read error on socket transport");
        return;
    }
    /* More at once, fewer by and by: a guess too small costs a copy, one too large a few pages. */
    const size_t average = (self->expected + (size_t)count) / 2;
    self->expected = (size_t)count > average ? (size_t)count : average;
    rill_transport_ref(&self->base); /* the protocol may let go of it */
    if (count == 0) {
        end_of_input(self);
    } else {
        self->base.loop->fed = rill__is_stream(protocol);
        const int rc = deliver(self, protocol, (size_t)count, size, spare);
        if (rc < 0) {
            rill__selector_fatal(self, rill__error_of_code(rc),
                                 "Fatal error: protocol.data_received() call failed.");
        }
    }
    rill_transport_unref(&self->base);
}

static bool is_reading(struct rill_transport *transport)
{
    const struct rill__selector *self = rill__selector_of(transport);
    return !self->closing && !self->paused;
}

static int pause_reading(struct rill_transport *transport)
{
    struct rill__selector *self = rill__selector_of(transport);
    if (is_reading(transport)) {
        self->paused = true;
        self->endpoint->ops->watch_reading(self->endpoint, false);
    }
    return 0;
}

static void resume_reading(struct rill_transport *transport)
{
    struct rill__selector *self = rill__selector_of(transport);
    if (!self->closing && self->paused) {
        self->paused = false;
        start_reading(self);
    }
}

static bool can_write_eof(struct rill_transport *transport)
{
    (void)transport;
    return true;
}

/* -- closing --------------------------------------------------------------------------------- */

static void close_transport(struct rill_transport *transport)
{
    struct rill__selector *self = rill__selector_of(transport);
    if (self->closing) {
        return;
    }
    self->closing = true;
    self->endpoint->ops->watch_reading(self->endpoint, false);
    if (rill__selector_buffered(self) == 0) {
        self->endpoint->ops->watch_writing(self->endpoint, false);
        schedule_loss(self, NULL);
    }
}

static void force_close(struct rill_transport *transport, const struct rill_error *error)
{
    rill__selector_force_close(rill__selector_of(transport), error);
}

static bool is_closing(struct rill_transport *transport)
{
    return rill__selector_of(transport)->closing;
}

/* The loop goes: the socket is closed, the protocol hears of it, nothing is flushed. */
static void drop(struct rill__open *open)
{
    struct rill__selector *self = rill__container(open, struct rill__selector, open);
    self->closing = true;
    self->lost_writes++; /* a lent piece's callback may write: that is dropped, not queued */
    self->endpoint->ops->watch_reading(self->endpoint, false);
    rill__selector_drop_queue(self);
    rill__selector_lost(self);
}

/* -- the rest of the vtable ------------------------------------------------------------------ */

static const struct rill_error *set_limits(struct rill_transport *transport, const long long *high,
                                           const long long *low)
{
    struct rill__selector *self = rill__selector_of(transport);
    const struct rill_error *error =
        rill__water_set(&self->water, high, low, RILL__HIGH_WATER_DEFAULT);
    if (error == NULL && !self->gone) {
        rill__selector_maybe_pause(self); /* */
    }
    return error;
}

static void get_limits(struct rill_transport *transport, size_t *low, size_t *high)
{
    const struct rill__selector *self = rill__selector_of(transport);
    *low = self->water.low;
    *high = self->water.high;
}

static size_t get_write_buffer_size(struct rill_transport *transport)
{
    return rill__selector_buffered(rill__selector_of(transport));
}

static void get_extra_info(struct rill_transport *transport, const char *name,
                           struct rill_extra_info *info)
{
    struct rill__endpoint *endpoint = rill__selector_of(transport)->endpoint;
    endpoint->ops->get_extra_info(endpoint, name, info);
}

static void set_protocol(struct rill_transport *transport, struct rill_protocol *protocol)
{
    struct rill__selector *self = rill__selector_of(transport);
    self->protocol = protocol;
    self->saw_eof = false; /* the new one has not heard of it */
}

static struct rill_protocol *get_protocol(struct rill_transport *transport)
{
    return rill__selector_of(transport)->protocol;
}

static void destroy(struct rill_transport *transport)
{
    struct rill__endpoint *endpoint = rill__selector_of(transport)->endpoint;
    endpoint->ops->destroy(endpoint);
}

void rill__selector_cleanup(struct rill__selector *self)
{
    rill__write_queue_cleanup(&self->queue);
    rill_error_unref(self->lost_error);
}

static const struct rill_transport_ops selector_ops = {
    .write = rill__selector_write,
    .writelines = rill__selector_writelines,
    .write_borrowed = rill__selector_write_borrowed,
    .write_eof = rill__selector_write_eof,
    .can_write_eof = can_write_eof,
    .close = close_transport,
    .force_close = force_close,
    .is_closing = is_closing,
    .pause_reading = pause_reading,
    .resume_reading = resume_reading,
    .is_reading = is_reading,
    .set_write_buffer_limits = set_limits,
    .get_write_buffer_limits = get_limits,
    .get_write_buffer_size = get_write_buffer_size,
    .get_extra_info = get_extra_info,
    .set_protocol = set_protocol,
    .get_protocol = get_protocol,
    .destroy = destroy,
};

void rill__selector_init(struct rill__selector *self, struct rill_loop *loop,
                         struct rill__endpoint *endpoint, struct rill_protocol *protocol)
{
    self->base.ops = &selector_ops;
    self->base.loop = loop;
    self->base.references = 2; /* the loop's and the caller's */
    self->endpoint = endpoint;
    endpoint->transport = self;
    self->protocol = protocol;
    rill__write_queue_init(&self->queue);
    rill__water_init(&self->water, RILL__HIGH_WATER_DEFAULT);
    self->start.run = run_start;
    self->lost.run = run_lost;
    self->open.drop = drop;
    rill__open_add(loop, &self->open);
    rill__ready(loop, &self->start);
}
