/* SPDX-License-Identifier: MIT
 *
 * Freed blocks, kept poisoned for a later run: AddressSanitizer's own allocator takes as long as
 * what is done with most blocks, and its quarantine sends each run to memory that no cache knows.
 * Within a run a freed block is never used again, however much is freed; a block is used again in
 * its size only, so that its red zones are where they were. Without AddressSanitizer nothing is
 * kept.
 */
#ifndef FUZZ_SHELF_H
#define FUZZ_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHELF_SIZES = 1024, SHELF_BLOCKS = 8192, SHELF_BYTES = 1 << 25 };

/* Blocks of one size: those of earlier runs, and those that this run has freed, as indices of
 * blocks; 0: none. */
struct shelf_size {
    size_t size; /* 0: nobody's */
    uint16_t ready;
    uint16_t freed;
    uint16_t freed_first; /* the last of that list */
    bool touched;         /* stands in the run's list */
};

struct shelf_block {
    void *memory;
    uint16_t next;
};

struct shelf {
    struct shelf_size sizes[SHELF_SIZES]; /* a hash table */
    struct shelf_block blocks[SHELF_BLOCKS];
    uint16_t touched[SHELF_SIZES]; /* sizes of which this run has freed a block */
    size_t touched_count;
    uint16_t spare;    /* places of blocks that were taken */
    uint16_t used;     /* places that ever were in use; 0 is none */
    size_t size_count; /* in the table */
    size_t bytes;
    bool closed; /* nothing is kept: AddressSanitizer tells more of its own blocks */
};

/* A block of this size that an earlier run has freed, or NULL. */
void *shelf_take(struct shelf *self, size_t size);
/* True: the block is kept, and whoever touches it is reported. */
bool shelf_put(struct shelf *self, void *memory, size_t size);
/* What was freed so far may be taken. */
void shelf_next_run(struct shelf *self);

#endif
