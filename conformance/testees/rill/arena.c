/* SPDX-License-Identifier: MIT
 *
 * The arena: a list of blocks, freed together.
 */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    max_align_t memory[]; /* what was asked for */
};

void *arena_take(struct arena *arena, size_t size)
{
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        fprintf(stderr, "rill-testee: out of memory\n");
        exit(EXIT_FAILURE);
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->memory;
}

void arena_append(struct arena *arena, struct arena_buffer *buffer, const char *data, size_t size)
{
    if (size == 0) {
        return;
    }
    if (buffer->capacity - buffer->size < size) {
        const size_t capacity = 2 * buffer->capacity + size;
        char *memory = arena_take(arena, capacity);
        if (buffer->size > 0) {
            memcpy(memory, buffer->memory, buffer->size);
        }
        buffer->memory = memory;
        buffer->capacity = capacity;
    }
    memcpy(buffer->memory + buffer->size, data, size);
    buffer->size += size;
}

void arena_cleanup(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}
