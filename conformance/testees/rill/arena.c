/* SPDX-License-Identifier: MIT
 *
 * The arena: a list of blocks, freed together.
 */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>

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

void arena_cleanup(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}
