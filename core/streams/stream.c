/* SPDX-License-Identifier: MIT
 *
 * The stream protocol: what the transport's events do to reader, drains and closers, and the life
 * of the pair.
 */
#include "streams/stream.h"

#include "sansio/memory.h"
#include "streams/ssl_protocol.h"

static struct rill__stream *of(struct rill_protocol *protocol)
{
    return rill__container(protocol, struct rill__stream, protocol);
}

void rill__observe(struct rill_loop *loop, enum rill_observed what,
                   const struct rill_reader *reader, const struct rill_writer *writer)
{
    if (loop->observer != NULL) {
        loop->observer(loop->observer_arg, what, reader, writer);
    }
}

int rill__fail_on(const struct rill_error **kept, const struct rill_error *error)
{
    rill_error_unref(*kept);
    *kept = error;
    return rill__fail_ref(error);
}

static void connection_made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    struct rill__stream *self = of(protocol);

    self->transport = rill_transport_ref(transport);
    self->over_ssl = rill__ssl_of(transport) != NULL;
    self->reader.transport = transport;
    self->reader.core.has_transport = true;
    rill__stream_call_connected(self);
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    struct rill__stream *self = of(protocol);
    const struct rill_error *error = NULL;

    if (!self->held_by_owner) { /* nobody can read it: discarded silently */
        return 0;
    }
    const int rc = rill__reader_feed_data(&self->reader.core, data.ptr, data.len, &error);
    return rc < 0 ? rill__fail(error) : rc; /* the connection is lost by this very error */
}

/* asyncio's BufferedProtocol: the kernel writes straight into the reader's block. */
static size_t get_buffer(struct rill_protocol *protocol, size_t hint, char **space)
{
    struct rill__stream *self = of(protocol);
    size_t size = 0;

    if (!self->held_by_owner || self->reader.core.eof ||
        rill__buffer_space(&self->reader.core.buffer, hint > 0 ? hint : 1, space, &size) < 0) {
        return 0;
    }
    return size;
}

static int buffer_updated(struct rill_protocol *protocol, size_t count)
{
    rill__reader_filled(&of(protocol)->reader.core, count);
    return 0;
}

static int eof_received(struct rill_protocol *protocol)
{
    struct rill__stream *self = of(protocol);
    rill__reader_feed_eof(&self->reader.core);
    return !self->over_ssl; /* stays open for writing, which TLS cannot */
}

static void pause_writing(struct rill_protocol *protocol)
{
    struct rill__stream *self = of(protocol);
    self->flow.paused = true;
    rill__observe(self->loop, RILL_OBSERVED_PAUSE_WRITING, &self->reader, &self->writer);
}

static void resume_writing(struct rill_protocol *protocol)
{
    struct rill__stream *self = of(protocol);
    self->flow.paused = false;
    rill__observe(self->loop, RILL_OBSERVED_RESUME_WRITING, &self->reader, &self->writer);
    rill__wait_complete_all(&self->drains, 0);
}

/* Reader, close result, drain waiters, in this order. */
static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct rill__stream *self = of(protocol);
    const int code = error != NULL ? error->code : 0;

    rill__timer_stop(&self->close_timer);
    self->lost_error = rill_error_ref(error);
    if (error == NULL) {
        rill__reader_feed_eof(&self->reader.core);
    } else {
        rill__reader_set_exception(&self->reader.core, error);
    }
    rill__wait_complete_all(&self->closers, code);
    self->flow.lost = true;
    if (self->flow.paused) {
        rill__wait_complete_all(&self->drains, code);
    }
    rill__stream_settle_handler(self);
    rill__stream_release_transport(self);
}

static const struct rill_protocol_ops stream_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
};

bool rill__is_stream(const struct rill_protocol *protocol)
{
    return protocol->ops == &stream_ops;
}

struct rill__stream *rill__stream_new(struct rill_loop *loop, size_t limit, struct rill_task *home)
{
    struct rill__stream *self = rill__room_alloc(&home, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    self->home = home;
    self->protocol.ops = &stream_ops;
    self->loop = loop;
    self->writer.stream = self;
    rill__reader_init_pair(&self->reader, loop, self, limit);
    rill__list_init(&self->drains);
    rill__list_init(&self->closers);
    self->held_by_owner = true;
    return self;
}

struct rill_protocol *rill__stream_protocol(struct rill__stream *self)
{
    self->held_by_transport = true;
    return &self->protocol;
}

static void free_if_unheld(struct rill__stream *self)
{
    if (self->held_by_owner || self->held_by_transport || self->observers > 0) {
        return;
    }
    rill_assert(rill__list_empty(&self->drains) && rill__list_empty(&self->closers));
    rill__reader_cleanup_pair(&self->reader);
    rill_error_unref(self->writer.error);
    rill_error_unref(self->lost_error);
    rill_transport_unref(self->transport);
    rill__room_free(self->home, self);
}

void rill__stream_release_owner(struct rill__stream *self)
{
    self->held_by_owner = false;
    free_if_unheld(self);
}

void rill__stream_release_transport(struct rill__stream *self)
{
    self->held_by_transport = false;
    free_if_unheld(self);
}

void rill__stream_release_observer(struct rill__stream *self)
{
    self->observers--;
    free_if_unheld(self);
}
