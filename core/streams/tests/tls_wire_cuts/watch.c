/* SPDX-License-Identifier: MIT
 *
 * Passing every event on.
 */
#include "watch.h"

static struct watch *of(struct rill_protocol *protocol)
{
    return (struct watch *)protocol; /* its first member */
}

static void note_data(struct watch *self)
{
    self->events++;
    self->late += self->eofs + self->losses > 0;
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    struct watch *const self = of(protocol);
    note_data(self);
    return self->above->ops->data_received(self->above, data);
}

static size_t get_buffer(struct rill_protocol *protocol, size_t hint, char **space)
{
    struct watch *const self = of(protocol);
    return self->above->ops->get_buffer != NULL
               ? self->above->ops->get_buffer(self->above, hint, space)
               : 0;
}

static int buffer_updated(struct rill_protocol *protocol, size_t count)
{
    struct watch *const self = of(protocol);
    note_data(self);
    return self->above->ops->buffer_updated(self->above, count);
}

static int eof_received(struct rill_protocol *protocol)
{
    struct watch *const self = of(protocol);
    self->eofs++;
    self->late += self->losses > 0;
    return self->above->ops->eof_received(self->above);
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct watch *const self = of(protocol);
    self->losses++;
    self->above->ops->connection_lost(self->above, error);
}

static void pause_writing(struct rill_protocol *protocol)
{
    struct watch *const self = of(protocol);
    self->late += self->losses > 0;
    if (self->above->ops->pause_writing != NULL) {
        self->above->ops->pause_writing(self->above);
    }
}

static void resume_writing(struct rill_protocol *protocol)
{
    struct watch *const self = of(protocol);
    self->late += self->losses > 0;
    if (self->above->ops->resume_writing != NULL) {
        self->above->ops->resume_writing(self->above);
    }
}

static const struct rill_protocol_ops watch_ops = {
    .data_received = data_received,
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
};

void watch_init(struct watch *watch, struct rill_protocol *above)
{
    *watch = (struct watch){.base.ops = &watch_ops, .above = above, .attached = true};
}

void watch_attach(struct watch *watch, struct rill_transport *transport)
{
    watch_init(watch, rill_transport_get_protocol(transport));
    rill_transport_set_protocol(transport, &watch->base);
}

bool watch_is_fine(const struct watch *watch)
{
    return !watch->attached || (watch->eofs <= 1 && watch->losses == 1 && watch->late == 0);
}
