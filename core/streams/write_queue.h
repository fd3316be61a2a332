/* SPDX-License-Identifier: MIT
 *
 * What a transport still has to send: bytes it copied, and between them pieces that the caller lent
 * (Q-36).
 */
#ifndef RILL__WRITE_QUEUE_H
#define RILL__WRITE_QUEUE_H

#include <rill/loop.h>

#include "loop/list.h"
#include "sansio/buffer.h"

/* A lent piece; done(arg) is called when the queue is through with it. */
struct rill__lent {
    struct rill__link link;
    const char *ptr;
    size_t len;
    size_t copied_before; /* bytes of `copied` that go out between the piece before and this one */
    rill_callback *done;
    void *arg;
};

struct rill__write_queue {
    size_t lent_bytes;
    struct rill__buffer copied;
    struct rill__list lent;
    size_t copied_between; /* the sum of all copied_before */
};

void rill__write_queue_init(struct rill__write_queue *queue);
void rill__write_queue_cleanup(struct rill__write_queue *queue); /* must be empty of lent pieces */

static inline size_t rill__write_queue_length(const struct rill__write_queue *queue)
{
    return rill__buffer_length(&queue->copied) + queue->lent_bytes;
}

/* Copies what follows the first `skip` bytes of parts: all or nothing. 0 or RILL_ENOMEM. */
int rill__write_queue_copy(struct rill__write_queue *queue, const struct rill_bytes *parts,
                           size_t count, size_t skip);

/* Takes the piece over; it was made by rill__alloc. */
void rill__write_queue_lend(struct rill__write_queue *queue, struct rill__lent *piece);

/* What goes out next, as up to `most` parts; returns how many. */
size_t rill__write_queue_parts(const struct rill__write_queue *queue, struct rill_bytes *parts,
                               size_t most);

/* `count` bytes went out. Pieces that are through go to the end of `finished`: the caller calls
 * rill__lent_finish on it when its own books are closed. */
void rill__write_queue_discard(struct rill__write_queue *queue, size_t count,
                               struct rill__list *finished);

/* Calls done for each and frees it. */
void rill__lent_finish(struct rill__list *finished);

#endif
