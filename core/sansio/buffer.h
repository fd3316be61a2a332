/* SPDX-License-Identifier: MIT
 *
 * A byte queue in one contiguous block: append at the tail, take at the head as views that stay
 * valid.
 *
 *      bytes                                                       bytes + capacity
 *      |  consumed  | held (read-to-EOF's collection) | live bytes |   free space   |
 *                                                     ^ head       ^ tail
 *
 * A view that was handed out pins its block: while pinned, nothing that was handed out moves or is
 * overwritten. When room is needed the held and live bytes are copied to a new block and the pinned
 * one is retired, that is, kept until the next unpin. Unpinned, the bytes move to the block's start
 * only when the tail hits the end and the move pays: it must leave free what was asked for and half
 * of what was moved, so that each byte moves at most a constant number of times.
 *
 * Capacity is a power of two from 1 KiB on, and below 2 * (1.5 * (held + live) + asked for) when it
 * grows. It does not shrink by itself.
 */
#ifndef RILL__BUFFER_H
#define RILL__BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/bytes.h>

#define RILL__BUFFER_CAPACITY_MIN ((size_t)1024)

struct rill__spares;
struct rill__block {
    struct rill__block *next; /* in the list of retired blocks */
    char bytes[];
};

struct rill__buffer {
    struct rill__block *block; /* NULL until the first byte, and after a shrink */
    size_t head;
    size_t tail;
    size_t held;                 /* bytes that are kept in front of head */
    struct rill__block *retired; /* blocks that only views use */
    bool pinned;                 /* a view into block is out */
    size_t capacity;
    struct rill__spares *spares; /* blocks of the smallest capacity, shared; may be NULL */
};

void rill__buffer_init(struct rill__buffer *buffer);
void rill__buffer_cleanup(struct rill__buffer *buffer);

static inline size_t rill__buffer_length(const struct rill__buffer *buffer)
{
    return buffer->tail - buffer->head;
}

static inline size_t rill__buffer_held_length(const struct rill__buffer *buffer)
{
    return buffer->held;
}

/* The live bytes; NULL when there is no block. */
static inline const char *rill__buffer_data(const struct rill__buffer *buffer)
{
    return buffer->block != NULL ? buffer->block->bytes + buffer->head : NULL;
}

/* Free space of at least `least` bytes, and at least one, behind the tail: all of it, often more
 * than asked for. Returns 0 and the space, or RILL_ENOMEM, the bytes and the views unchanged. */
int rill__buffer_space(struct rill__buffer *buffer, size_t least, char **space, size_t *size);

/* `count` bytes were written into that space. */
void rill__buffer_filled(struct rill__buffer *buffer, size_t count);

/* Copies data behind the tail; data may be a view of this very buffer. 0 or RILL_ENOMEM. */
int rill__buffer_append(struct rill__buffer *buffer, const void *data, size_t size);

/* Drops `count` live bytes at the head without handing them out. */
void rill__buffer_discard(struct rill__buffer *buffer, size_t count);

/* Takes `count` bytes as a view that stays valid until rill__buffer_unpin or cleanup. When bytes
 * are held (below) and something else takes, the taken bytes are first copied out of the held ones'
 * way; then it can fail with RILL_ENOMEM and takes nothing. */
int rill__buffer_take(struct rill__buffer *buffer, size_t count, struct rill_bytes *view);

/* The same where nothing is held and count is not 0: cannot fail, and costs no call. */
static inline struct rill_bytes rill__buffer_take_plain(struct rill__buffer *buffer, size_t count)
{
    const struct rill_bytes view = {rill__buffer_data(buffer), count};
    buffer->head += count;
    buffer->pinned = true;
    return view;
}

/* Ends the validity of every view handed out; frees retired blocks. */
void rill__buffer_unpin(struct rill__buffer *buffer);

/* Moves `count` live bytes to the end of the held ones, in front of the head (read-to-EOF takes a
 * block, R-125). */
void rill__buffer_hold(struct rill__buffer *buffer, size_t count);

/* The held bytes as one view (pins), nothing is held afterwards. */
struct rill_bytes rill__buffer_take_held(struct rill__buffer *buffer);

/* The held bytes go back to the front of the live ones. */
void rill__buffer_put_back_held(struct rill__buffer *buffer);

/* Frees the block when it is empty, unpinned and larger than `keep` bytes: for idle connections. */
void rill__buffer_shrink(struct rill__buffer *buffer, size_t keep);

#endif
