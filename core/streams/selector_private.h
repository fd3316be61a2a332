/* SPDX-License-Identifier: MIT
 *
 * What the two halves of the selector transport share.
 */
#ifndef RILL__SELECTOR_PRIVATE_H
#define RILL__SELECTOR_PRIVATE_H

#include "streams/selector.h"

static inline struct rill__selector *rill__selector_of(struct rill_transport *transport)
{
    return rill__container(transport, struct rill__selector, base);
}

static inline size_t rill__selector_buffered(const struct rill__selector *self)
{
    return rill__write_queue_length(&self->queue);
}

/* Takes over the reference to error. */
void rill__selector_fatal(struct rill__selector *self, const struct rill_error *error,
                          const char *message);

/* Delivers the loss now: also what a flush does that a close waited for. */
void rill__selector_lost(struct rill__selector *self);

/* After bytes were queued or the marks changed. */
void rill__selector_maybe_pause(struct rill__selector *self);

/* Everything queued is dropped; lent pieces are given back. */
void rill__selector_drop_queue(struct rill__selector *self);

const struct rill_error *rill__selector_write_borrowed(struct rill_transport *transport,
                                                       struct rill_bytes data, rill_callback *done,
                                                       void *arg);
const struct rill_error *rill__selector_write(struct rill_transport *transport,
                                              struct rill_bytes data);
const struct rill_error *rill__selector_writelines(struct rill_transport *transport,
                                                   const struct rill_bytes *parts, size_t count);
const struct rill_error *rill__selector_write_eof(struct rill_transport *transport);

#endif
