/* SPDX-License-Identifier: MIT
 *
 * The books of one connection.
 */
#include "simulated/connection.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- what must not be ------------------------------------------------------------------------ */

static _Noreturn void mismatch_bytes_read(const struct connection *self, struct rill_bytes data)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "read %zu bytes that are not those at %zu: %.*s\nwant: %.*s\n", data.len,
                  self->consumed, (int)data.len, data.ptr, (int)data.len, text_at(self->consumed));
    abort();
}

static _Noreturn void mismatch_bytes_received(const struct connection *self, struct rill_bytes data)
{
    rig_print(self->rig);
    (void)fprintf(stderr,
                  "the peer received %zu bytes that are not those at %zu: %.*s\nwant: %.*s\n",
                  data.len, self->discarded, (int)data.len, data.ptr, (int)data.len,
                  text_at(self->discarded));
    abort();
}

static _Noreturn void invariant_view_stays(const struct connection *self)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "the view of %zu bytes at %zu has changed: %.*s\n", self->view.len,
                  self->view_at, (int)self->view.len, self->view.ptr);
    abort();
}

static _Noreturn void invariant_input_conserved(const struct connection *self, size_t unread,
                                                size_t buffered)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "%zu bytes sent, but %zu unread, %zu buffered, %zu read\n", self->sent,
                  unread, buffered, self->consumed);
    abort();
}

static _Noreturn void invariant_reader_bounded(const struct connection *self, size_t buffered)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "%zu bytes buffered with a limit of %zu and events of at most %zu\n",
                  buffered, self->limit, self->largest);
    abort();
}

static _Noreturn void invariant_output_conserved(const struct connection *self, size_t received,
                                                 size_t queued)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "%zu bytes written, but %zu received and %zu queued\n", self->written,
                  received, queued);
    abort();
}

static _Noreturn void invariant_everything_arrives(const struct connection *self, size_t received)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "closed cleanly: %zu bytes written, %zu received\n", self->written,
                  received);
    abort();
}

static _Noreturn void invariant_lent_memory_is_back(const struct connection *self)
{
    rig_print(self->rig);
    (void)fprintf(stderr, "%zu lent pieces did not come back\n", self->lent);
    abort();
}

/* -- the text -------------------------------------------------------------------------------- */

/* Lines of some bytes each, `\r\n` among them; made once, read only from then on. */
static char text[TEXT_SIZE];

void text_init(void)
{
    static const char letters[] = "\n\r\r\nabcdefghijklmnopqrstuvwxyz0123";
    uint32_t state = 1;
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        state = state * 1664525u + 1013904223u;
        text[i] = letters[state >> 27];
    }
}

const char *text_at(size_t at)
{
    return text + at;
}

static bool is_text(struct rill_bytes data, size_t at)
{
    return data.len == 0 || memcmp(data.ptr, text + at, data.len) == 0;
}

/* -- the peer's moves ------------------------------------------------------------------------ */

/* What goes far beyond the limit tells nothing that four times the limit does not, and reading it
 * in pieces of one byte takes as long as a thousand other runs. */
static size_t at_most(const struct connection *self, size_t size)
{
    enum { OF_NO_LIMIT = 4096 };
    const size_t most = 4 * self->limit + OF_NO_LIMIT;
    return self->limit == 0 || size < most ? size : most;
}

void connection_send(struct connection *self, size_t size)
{
    size = at_most(self, size);
    if (self->peer == NULL || self->peer_shut || self->sent + size > TEXT_SIZE) {
        return;
    }
    if (self->peer_ops->send(self->peer, text_at(self->sent), size) == 0) {
        self->sent += size;
        size = self->peer_ops->merges ? self->peer_ops->unread(self->peer) : size;
        self->largest = size > self->largest ? size : self->largest;
    }
}

void connection_set_window(struct connection *self, struct rill_opt_int window)
{
    self->window = window;
    self->peer_ops->set_window(self->peer, window);
}

void connection_discard(struct connection *self, size_t count)
{
    const struct rill_bytes data = self->peer_ops->received(self->peer);
    if (!is_text(data, self->discarded)) {
        mismatch_bytes_received(self, data);
    }
    count = count < data.len ? count : data.len;
    self->peer_ops->discard(self->peer, count);
    self->discarded += count;
}

/* -- reads ----------------------------------------------------------------------------------- */

void connection_read_begins(struct connection *self)
{
    self->view = (struct rill_bytes){NULL, 0};
}

/* Two calls at once take bytes in an order that only they know. */
static void note_order(struct connection *self, size_t size)
{
    self->unordered = self->unordered || (self->collecting > 0 && size > 0);
}

void connection_dropped(struct connection *self, const char *data, size_t size)
{
    const struct rill_bytes bytes = {data, size};
    note_order(self, size);
    if (!self->unordered && !is_text(bytes, self->consumed)) {
        mismatch_bytes_read(self, bytes);
    }
    self->consumed += size;
}

void connection_read(struct connection *self, struct rill_bytes data)
{
    connection_dropped(self, data.ptr, data.len);
    if (!self->unordered && self->reading == 1) {
        self->view = data;
        self->view_at = self->consumed - data.len;
    }
}

/* Bytes that were received and not fed, or written and not queued, because there was no memory, are
 * gone. */
static bool may_lose_bytes(const struct connection *self)
{
    return self->rig->allocations.failed > 0;
}

static size_t unread_of(const struct connection *self)
{
    return self->peer != NULL ? self->peer_ops->unread(self->peer) : 0;
}

static size_t buffered_of(const struct connection *self)
{
    struct rill_reader_state state;
    rill_observe_reader(self->reader, &state);
    return state.buffered;
}

void connection_skipped(struct connection *self)
{
    self->unordered = self->unordered || self->collecting > 0 || may_lose_bytes(self);
    self->consumed = self->sent - unread_of(self) - buffered_of(self);
}

/* -- invariants ------------------------------------------------------------------------------ */

static void check_reader(const struct connection *self)
{
    const size_t unread = unread_of(self);
    const size_t buffered = buffered_of(self);
    const size_t full = 2 * self->limit > self->largest ? 2 * self->limit : self->largest;

    if (!self->unordered && self->collecting == 0 && !may_lose_bytes(self) &&
        self->sent != unread + buffered + self->consumed) {
        invariant_input_conserved(self, unread, buffered);
    }
    if (self->peer != NULL && !self->unbounded && buffered > full + 2 * self->largest) {
        invariant_reader_bounded(self, buffered);
    }
}

static size_t received_of(const struct connection *self)
{
    return self->discarded + self->peer_ops->received(self->peer).len;
}

static void check_writer(const struct connection *self)
{
    struct rill_transport *transport = rill_writer_transport(self->writer);
    const size_t queued = rill_transport_get_write_buffer_size(transport);
    const size_t received = received_of(self);

    /* A write of which a part went out and for whose rest there was no memory fails and ends the
     * connection. */
    const bool part_of_more = rill_transport_is_closing(transport) && may_lose_bytes(self);
    if ((received + queued > self->written && !part_of_more) ||
        (!rill_transport_is_closing(transport) && received + queued < self->written)) {
        invariant_output_conserved(self, received, queued);
    }
}

void connection_check(struct connection *self)
{
    if (!is_text(self->view, self->view_at)) {
        invariant_view_stays(self);
    }
    if (self->reader != NULL) {
        check_reader(self);
    }
    if (self->writer != NULL) {
        check_writer(self);
    }
}

void connection_check_end(struct connection *self)
{
    if (self->lent != 0) {
        invariant_lent_memory_is_back(self);
    }
    if (self->peer == NULL) {
        return;
    }
    connection_discard(self, SIZE_MAX);
    if (!self->peer_ended && !self->aborted && self->rig->allocations.failed == 0 &&
        self->discarded != self->written) {
        invariant_everything_arrives(self, self->discarded);
    }
}

/* -- the end --------------------------------------------------------------------------------- */

void connection_let_go(struct connection *self)
{
    const struct rill_opt_int no_limit = {0};
    if (self->peer != NULL) {
        connection_set_window(self, no_limit);
        self->peer_ops->shutdown_write(self->peer);
        self->peer_shut = true;
    }
    if (self->writer != NULL) {
        rill_transport_resume_reading(rill_writer_transport(self->writer));
        rill_writer_close(self->writer);
    } else if (self->reader != NULL) {
        rill_reader_feed_eof(self->reader);
    }
}

void connection_free_pair(struct connection *self)
{
    self->view = (struct rill_bytes){NULL, 0};
    if (self->writer != NULL) {
        rill_writer_free(self->writer);
    } else {
        rill_reader_free(self->reader);
    }
    self->reader = NULL;
    self->writer = NULL;
}

void connection_free(struct connection *self)
{
    connection_free_pair(self);
    if (self->peer != NULL) {
        self->peer_ops->free(self->peer);
        self->peer = NULL;
    }
}

/* -- the peer of a transport in memory ------------------------------------------------------- */

static int memory_send(void *peer, const void *data, size_t size)
{
    return rill_memory_peer_send(peer, data, size);
}

static void memory_shutdown_write(void *peer)
{
    rill_memory_peer_shutdown_write(peer);
}

static void memory_close(void *peer)
{
    rill_memory_peer_close(peer);
}

static void memory_reset(void *peer)
{
    rill_memory_peer_reset(peer);
}

static void memory_set_window(void *peer, struct rill_opt_int window)
{
    rill_memory_peer_set_window(peer, window);
}

static struct rill_bytes memory_received(const void *peer)
{
    return rill_memory_peer_received(peer);
}

static void memory_discard(void *peer, size_t count)
{
    rill_memory_peer_discard(peer, count);
}

static size_t memory_unread(const void *peer)
{
    return rill_memory_peer_unread(peer);
}

static void memory_free(void *peer)
{
    rill_memory_peer_free(peer);
}

const struct peer_ops memory_peer_ops = {
    .send = memory_send,
    .shutdown_write = memory_shutdown_write,
    .close = memory_close,
    .reset = memory_reset,
    .set_window = memory_set_window,
    .received = memory_received,
    .discard = memory_discard,
    .unread = memory_unread,
    .free = memory_free,
};
