/* SPDX-License-Identifier: MIT
 *
 * Lists of blocks by their size. They are indices beside the blocks, since the leak detector does
 * not follow pointers in poisoned memory.
 */
#include "simulated/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* AddressSanitizer's, where it is. */
void __asan_poison_memory_region(void const volatile *memory, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *memory, size_t size) __attribute__((weak));
int __asan_address_is_poisoned(void const volatile *memory) __attribute__((weak));

static _Noreturn void invariant_freed_once(size_t size)
{
    (void)fprintf(stderr, "a block of %zu bytes is freed twice\n", size);
    abort();
}

/* The entry of a size, or the place for it; the table is never full. */
static struct shelf_size *find(struct shelf *self, size_t size)
{
    size_t at = (size ^ size >> 10) % SHELF_SIZES;
    while (self->sizes[at].size != 0 && self->sizes[at].size != size) {
        at = (at + 1) % SHELF_SIZES;
    }
    return &self->sizes[at];
}

void *shelf_take(struct shelf *self, size_t size)
{
    enum { FILLED = 4096, BYTE = 0xbe };
    struct shelf_size *of_size = find(self, size);
    const uint16_t index = of_size->ready;

    if (index == 0) {
        return NULL;
    }
    struct shelf_block *block = &self->blocks[index];
    void *memory = block->memory;
    of_size->ready = block->next;
    *block = (struct shelf_block){.next = self->spare};
    self->spare = index;
    self->bytes -= size;
    __asan_unpoison_memory_region(memory, size);
    /* As AddressSanitizer does: the same run finds the same bytes there, as far as anybody reads by
     * mistake. */
    memset(memory, BYTE, size < FILLED ? size : FILLED);
    return memory;
}

static uint16_t new_place(struct shelf *self)
{
    const uint16_t spare = self->spare;
    if (spare != 0) {
        self->spare = self->blocks[spare].next;
        return spare;
    }
    return self->used + 1 < SHELF_BLOCKS ? ++self->used : 0;
}

static bool has_room(const struct shelf *self, const struct shelf_size *of_size, size_t size)
{
    const bool known = of_size->size != 0 || self->size_count < SHELF_SIZES / 2;
    return known && size > 0 && self->bytes + size <= SHELF_BYTES;
}

bool shelf_put(struct shelf *self, void *memory, size_t size)
{
    struct shelf_size *of_size = find(self, size);

    if (__asan_poison_memory_region == NULL || self->closed) {
        return false;
    }
    if (__asan_address_is_poisoned(memory)) {
        invariant_freed_once(size);
    }
    const uint16_t index = has_room(self, of_size, size) ? new_place(self) : 0;
    if (index == 0) {
        return false;
    }
    self->size_count += of_size->size == 0 ? 1 : 0;
    of_size->size = size;
    if (!of_size->touched) {
        of_size->touched = true;
        of_size->freed_first = index;
        self->touched[self->touched_count++] = (uint16_t)(of_size - self->sizes);
    }
    self->blocks[index] = (struct shelf_block){memory, of_size->freed};
    of_size->freed = index;
    self->bytes += size;
    __asan_poison_memory_region(memory, size);
    return true;
}

void shelf_next_run(struct shelf *self)
{
    for (size_t i = 0; i < self->touched_count; i++) {
        struct shelf_size *of_size = &self->sizes[self->touched[i]];
        self->blocks[of_size->freed_first].next = of_size->ready;
        of_size->ready = of_size->freed;
        of_size->freed = 0;
        of_size->touched = false;
    }
    self->touched_count = 0;
}
