/* SPDX-License-Identifier: MIT
 *
 * Memory that lives as long as one case. A task of the script may be thrown away in the middle of a
 * call, and then nobody would free what that call had decoded.
 */
#ifndef TESTEE_ARENA_H
#define TESTEE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory, aligned for anything. Never NULL: without memory the process ends. */
void *arena_take(struct arena *arena, size_t size);

/* Bytes that grow in an arena; a zeroed struct is empty. */
struct arena_buffer {
    char *memory;
    size_t size;
    size_t capacity;
};
void arena_append(struct arena *arena, struct arena_buffer *buffer, const char *data, size_t size);

/* Frees all of it; the arena is empty then. */
void arena_cleanup(struct arena *arena);

#endif
