/* SPDX-License-Identifier: MIT
 *
 * The protocol's events, in the order that is promised: made, data, at most one end, one loss.
 */
#include "by_hand.h"

#include <stdlib.h>

#include "judge.h"

static struct by_hand *of(struct rill_protocol *protocol)
{
    return (struct by_hand *)protocol; /* its first member */
}

static void connection_made(struct rill_protocol *protocol, struct rill_transport *transport)
{
    (void)transport;
    of(protocol)->made++;
}

static int take(struct by_hand *self, const char *data, size_t size)
{
    struct near_end *const owner = self->owner;

    if (self->made != 1 || self->eofs > 0 || self->lost > 0) {
        invariant_event_order("data");
    }
    near_end_heard(owner, data, size);
    if (self->manners.pauses && owner->transport != NULL) {
        (void)rill_transport_pause_reading(owner->transport);
    }
    return self->manners.fails_at > 0 && owner->heard > self->manners.fails_at ? RILL_EUSER : 0;
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    return take(of(protocol), data.ptr, data.len);
}

static size_t get_buffer(struct rill_protocol *protocol, size_t hint, char **space)
{
    (void)hint;
    *space = of(protocol)->space;
    return of(protocol)->manners.space;
}

static int buffer_updated(struct rill_protocol *protocol, size_t count)
{
    return take(of(protocol), of(protocol)->space, count);
}

static int eof_received(struct rill_protocol *protocol)
{
    struct by_hand *const self = of(protocol);
    if (self->made != 1 || self->eofs > 0 || self->lost > 0) {
        invariant_event_order("an end");
    }
    self->eofs++;
    return self->manners.keep_open;
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct by_hand *const self = of(protocol);
    if (self->lost > 0) {
        invariant_event_order("a loss");
    }
    self->lost++;
    self->owner->failed = self->owner->failed || error != NULL;
}

static const struct rill_protocol_ops streaming = {
    .connection_made = connection_made,
    .data_received = data_received,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
};
static const struct rill_protocol_ops buffered = {
    .connection_made = connection_made,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
};
static const struct rill_protocol_ops both = {
    .connection_made = connection_made,
    .data_received = data_received,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
};

int by_hand_open(struct near_end *owner)
{
    struct by_hand *const self = &owner->by_hand;
    const struct rill_memory_options memory = {.window = owner->window};

    self->owner = owner;
    self->base.ops = self->manners.space == 0 ? &streaming
                     : self->manners.no_data  ? &buffered
                                              : &both;
    self->space = self->manners.space > 0 ? malloc(self->manners.space) : NULL;
    if (rill_memory_transport_new(rill_running_loop(), &self->base, &memory, &owner->transport,
                                  &owner->far->pipe) < 0) {
        return rill_task_fail(rill_error_no_memory());
    }
    while (self->made == 0 && self->lost == 0) {
        const int rc = rill_sleep(0);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int by_hand_start_tls(struct near_end *owner, struct rill_ssl_context *context,
                      const struct rill_start_tls_options *options)
{
    struct rill_transport *made = NULL;
    struct rill_transport *const below = owner->transport;

    /* What it is asked while it waits goes to the layer below: the caller's mistake, not made
     * here. */
    const int rc = rill_start_tls(below, &owner->by_hand.base, context, options, &made);
    if (rc == 0) {
        owner->transport = made;
    }
    return rc;
}

void by_hand_check(struct by_hand *self)
{
    if (self->made > 0 && self->lost != 1) {
        invariant_event_order("no loss");
    }
    free(self->space);
    self->space = NULL;
}
