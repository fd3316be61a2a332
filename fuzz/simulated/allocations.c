/* SPDX-License-Identifier: MIT
 *
 * Counting by the size that malloc knows, so that no header of ours stands between a block and the
 * sanitizer's red zone.
 */
#include "simulated/allocations.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/alloc.h>

static bool fails(struct allocations *self)
{
    self->calls++;
    if (self->fail_first == 0 || self->calls < self->fail_first ||
        self->calls - self->fail_first >= self->fail_count) {
        return false;
    }
    self->failed++;
    return true;
}

static void *get(struct allocations *self, size_t size)
{
    void *memory = shelf_take(&self->shelf, size);
    memory = memory != NULL ? memory : malloc(size);
    if (memory != NULL) {
        self->blocks++;
        self->bytes += malloc_usable_size(memory);
        self->peak = self->bytes > self->peak ? self->bytes : self->peak;
    }
    return memory;
}

static void *allocate(void *arg, size_t size)
{
    return fails(arg) ? NULL : get(arg, size);
}

static void give(struct allocations *self, void *memory, size_t size)
{
    self->blocks--;
    self->bytes -= size;
    if (!shelf_put(&self->shelf, memory, size)) {
        free(memory);
    }
}

static void release(void *arg, void *memory)
{
    if (memory != NULL) {
        give(arg, memory, malloc_usable_size(memory));
    }
}

static void *reallocate(void *arg, void *memory, size_t size)
{
    void *moved = fails(arg) ? NULL : get(arg, size);
    if (moved != NULL && memory != NULL) {
        const size_t before = malloc_usable_size(memory);
        memcpy(moved, memory, before < size ? before : size);
        give(arg, memory, before);
    }
    return moved;
}

void allocations_install(struct allocations *self)
{
    const struct rill_allocator allocator = {
        .allocate = allocate, .reallocate = reallocate, .release = release, .arg = self};
    if (rill_set_allocator(&allocator) != 0) {
        (void)fprintf(stderr, "rill has allocated before the fuzz target began\n");
        abort();
    }
    self->shelf.closed = getenv("RILL_FUZZ_PRINT") != NULL;
}

void allocations_next_input(struct allocations *self)
{
    shelf_next_run(&self->shelf);
}

void allocations_plan(struct allocations *self, size_t first, size_t count)
{
    self->peak = self->bytes;
    self->calls = 0;
    self->failed = 0;
    self->fail_first = first;
    self->fail_count = count;
}

void allocations_heal(struct allocations *self)
{
    self->fail_first = 0;
}
