/* SPDX-License-Identifier: MIT
 *
 * A byte queue in one contiguous block: append at the tail, take at the head as views that stay
 * valid.
 *
 *      block                                                       block + capacity
 *      |  consumed  | held (read-to-EOF's collection) | live bytes |   free space   |
 *                   ^ held                            ^ head       ^ tail
 *
 * A view that was handed out pins its block: while pinned, nothing in it moves or is overwritten.
 * When room is needed the live bytes are copied to a new block and the pinned one is kept until the
 * next unpin. So at most two blocks exist. Unpinned, the block is compacted only when the tail hits
 * the end.
 */
#ifndef RILL__BUFFER_H
#define RILL__BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/bytes.h>

struct rill__buffer {
    char *block;
    size_t capacity;
    size_t held; /* start of what is kept in front of head; equals head when nothing is held */
    size_t head;
    size_t tail;
    bool pinned;   /* a view into block is out */
    char *retired; /* the pinned block that was replaced, or NULL */
};

void rill__buffer_init(struct rill__buffer *buffer);
void rill__buffer_cleanup(struct rill__buffer *buffer);

static inline size_t rill__buffer_length(const struct rill__buffer *buffer)
{
    return buffer->tail - buffer->head;
}

static inline const char *rill__buffer_data(const struct rill__buffer *buffer)
{
    return buffer->block + buffer->head;
}

/* Free space of at least `least` bytes behind the tail. Returns 0 and the space, or RILL_ENOMEM,
 * the buffer unchanged. */
int rill__buffer_space(struct rill__buffer *buffer, size_t least, char **space, size_t *size);

/* `count` bytes were written into that space. */
void rill__buffer_filled(struct rill__buffer *buffer, size_t count);

/* Copies data behind the tail. 0 or RILL_ENOMEM. */
int rill__buffer_append(struct rill__buffer *buffer, const void *data, size_t size);

/* Moves the head over `count` bytes without handing them out. */
void rill__buffer_discard(struct rill__buffer *buffer, size_t count);

/* Takes `count` bytes as a view that stays valid until rill__buffer_unpin or cleanup. When bytes
 * are held (below) and something else takes, the taken bytes are first moved out of the held ones'
 * way; then it can fail with RILL_ENOMEM and takes nothing. */
int rill__buffer_take(struct rill__buffer *buffer, size_t count, struct rill_bytes *view);

/* Ends the validity of every view handed out; frees a retired block. */
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
