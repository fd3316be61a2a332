/* SPDX-License-Identifier: MIT
 *
 * The byte queue under every reader: one block, three indexes, and the rule that a view never
 * moves.
 */
#include "sansio/buffer.h"

#include <stdint.h>
#include <string.h>

#include <rill/error.h>

#include "sansio/memory.h"

/* No buffer gets near this. A capacity is less than twice as much, so the sums below cannot wrap.
 */
#define SIZE_LIMIT (SIZE_MAX / 8)

void rill__buffer_init(struct rill__buffer *buffer)
{
    *buffer = (struct rill__buffer){0};
}

static void free_retired(struct rill__buffer *buffer)
{
    while (buffer->retired != NULL) {
        struct rill__block *next = buffer->retired->next;
        rill__free(buffer->retired);
        buffer->retired = next;
    }
}

static void retire(struct rill__buffer *buffer, struct rill__block *block)
{
    block->next = buffer->retired;
    buffer->retired = block;
}

static struct rill__block *new_block(const struct rill__buffer *buffer, size_t capacity)
{
    const size_t size = sizeof(struct rill__block) + capacity;
    return capacity == RILL__BUFFER_CAPACITY_MIN ? rill__spares_take(buffer->spares, size)
                                                 : rill__alloc(size);
}

void rill__buffer_cleanup(struct rill__buffer *buffer)
{
    free_retired(buffer);
    rill__free(buffer->block); /* whoever has the spares may be gone */
    rill__buffer_init(buffer);
}

/* An empty block that nobody looks at is filled from its start again. */
static void rewind_if_empty(struct rill__buffer *buffer)
{
    if (buffer->held == 0 && buffer->head == buffer->tail && !buffer->pinned) {
        buffer->head = 0;
        buffer->tail = 0;
    }
}

/* Where the held bytes begin, or the live ones when there are none. */
static char *kept(const struct rill__buffer *buffer)
{
    return buffer->block->bytes + buffer->head - buffer->held;
}

static size_t kept_length(const struct rill__buffer *buffer)
{
    return buffer->held + rill__buffer_length(buffer);
}

/* The held and live bytes are at the block's start now. */
static void shift_indexes(struct rill__buffer *buffer)
{
    buffer->tail = kept_length(buffer);
    buffer->head = buffer->held;
}

/* Moves the held and live bytes to the block's start. Not while pinned. */
static void slide(struct rill__buffer *buffer)
{
    if (buffer->head > buffer->held) {
        memmove(buffer->block->bytes, kept(buffer), kept_length(buffer));
        shift_indexes(buffer);
    }
}

static size_t capacity_for(size_t least)
{
    size_t capacity = RILL__BUFFER_CAPACITY_MIN;
    while (capacity < least) {
        capacity *= 2;
    }
    return capacity;
}

/* The views keep the old block; the bytes go on in a new one. */
static int replace_pinned(struct rill__buffer *buffer, size_t capacity)
{
    struct rill__block *block = new_block(buffer, capacity);
    if (block == NULL) {
        return RILL_ENOMEM;
    }
    memcpy(block->bytes, kept(buffer), kept_length(buffer));
    retire(buffer, buffer->block);
    buffer->block = block;
    buffer->capacity = capacity;
    buffer->pinned = false;
    shift_indexes(buffer);
    return 0;
}

static int grow(struct rill__buffer *buffer, size_t capacity)
{
    struct rill__block *block =
        buffer->block == NULL ? new_block(buffer, capacity)
                              : rill__realloc(buffer->block, sizeof(struct rill__block) + capacity);
    if (block == NULL) {
        return RILL_ENOMEM;
    }
    buffer->block = block;
    buffer->capacity = capacity;
    return 0;
}

static int make_room(struct rill__buffer *buffer, size_t least)
{
    const size_t moved = kept_length(buffer);
    /* Half of what is moved stays free besides what was asked for: that makes the moves pay. */
    const size_t enough = moved + moved / 2 + (least < SIZE_LIMIT ? least : SIZE_LIMIT);
    if (enough >= SIZE_LIMIT) {
        return RILL_ENOMEM;
    }
    if (buffer->pinned) {
        return replace_pinned(buffer, capacity_for(enough));
    }
    slide(buffer);
    return buffer->capacity < enough ? grow(buffer, capacity_for(enough)) : 0;
}

int rill__buffer_space(struct rill__buffer *buffer, size_t least, char **space, size_t *size)
{
    rewind_if_empty(buffer);
    /* Never no space at all: receiving into nothing would look like the end of the input. */
    const size_t wanted = least > 0 ? least : 1;
    if (buffer->capacity - buffer->tail < wanted) {
        int rc = make_room(buffer, wanted);
        if (rc < 0) {
            return rc;
        }
    }
    *space = buffer->block->bytes + buffer->tail;
    *size = buffer->capacity - buffer->tail;
    return 0;
}

void rill__buffer_filled(struct rill__buffer *buffer, size_t count)
{
    rill_assert(count <= buffer->capacity - buffer->tail);
    buffer->tail += count;
}

int rill__buffer_append(struct rill__buffer *buffer, const void *data, size_t size)
{
    char *space;
    size_t free_bytes;

    if (size == 0) {
        return 0;
    }
    int rc = rill__buffer_space(buffer, size, &space, &free_bytes);
    if (rc < 0) {
        return rc;
    }
    memcpy(space, data, size);
    buffer->tail += size;
    return 0;
}

/* Closes the gap behind the held bytes by moving the live ones, because those are bounded by the
 * reader's limit and the held ones are not. */
static void discard_behind_held(struct rill__buffer *buffer, size_t count)
{
    char *head = buffer->block->bytes + buffer->head;
    memmove(head, head + count, rill__buffer_length(buffer) - count);
    buffer->tail -= count;
}

void rill__buffer_discard(struct rill__buffer *buffer, size_t count)
{
    rill_assert(count <= rill__buffer_length(buffer));
    if (buffer->held > 0) {
        discard_behind_held(buffer, count);
        return;
    }
    buffer->head += count;
}

/* Something else reads while read-to-EOF collects: its view gets a block of its own. */
static int take_behind_held(struct rill__buffer *buffer, size_t count, struct rill_bytes *view)
{
    struct rill__block *copy = rill__alloc(sizeof(struct rill__block) + count);
    if (copy == NULL) {
        return RILL_ENOMEM;
    }
    memcpy(copy->bytes, buffer->block->bytes + buffer->head, count);
    retire(buffer, copy);
    discard_behind_held(buffer, count);
    *view = (struct rill_bytes){copy->bytes, count};
    return 0;
}

int rill__buffer_take(struct rill__buffer *buffer, size_t count, struct rill_bytes *view)
{
    rill_assert(count <= rill__buffer_length(buffer));
    if (count == 0) {
        *view = (struct rill_bytes){NULL, 0};
        return 0;
    }
    if (buffer->held > 0) {
        return take_behind_held(buffer, count, view);
    }
    *view = rill__buffer_take_plain(buffer, count);
    return 0;
}

void rill__buffer_unpin(struct rill__buffer *buffer)
{
    buffer->pinned = false;
    free_retired(buffer);
}

void rill__buffer_hold(struct rill__buffer *buffer, size_t count)
{
    rill_assert(count <= rill__buffer_length(buffer));
    buffer->head += count;
    buffer->held += count;
}

struct rill_bytes rill__buffer_take_held(struct rill__buffer *buffer)
{
    struct rill_bytes view = {NULL, buffer->held};
    if (view.len > 0) {
        view.ptr = kept(buffer);
        buffer->held = 0;
        buffer->pinned = true;
    }
    return view;
}

void rill__buffer_put_back_held(struct rill__buffer *buffer)
{
    buffer->head -= buffer->held;
    buffer->held = 0;
}

void rill__buffer_shrink(struct rill__buffer *buffer, size_t keep)
{
    rewind_if_empty(buffer);
    /* A pinned block still has the bytes that the view sees in front of its tail. */
    if (buffer->tail == 0 && buffer->capacity > keep) {
        if (buffer->capacity == RILL__BUFFER_CAPACITY_MIN) {
            rill__spares_give(buffer->spares, buffer->block);
        } else {
            rill__free(buffer->block);
        }
        buffer->block = NULL;
        buffer->capacity = 0;
    }
}
