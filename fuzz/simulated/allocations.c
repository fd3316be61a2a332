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

static void *count_in(struct allocations *self, void *memory)
{
    if (memory != NULL) {
        self->blocks++;
        self->bytes += malloc_usable_size(memory);
        self->peak = self->bytes > self->peak ? self->bytes : self->peak;
    }
    return memory;
}

static void count_out(struct allocations *self, void *memory)
{
    if (memory != NULL) {
        self->blocks--;
        self->bytes -= malloc_usable_size(memory);
    }
}

static void *allocate(void *arg, size_t size)
{
    struct allocations *self = arg;
    return fails(self) ? NULL : count_in(self, malloc(size));
}

static void *reallocate(void *arg, void *memory, size_t size)
{
    struct allocations *self = arg;
    if (fails(self)) {
        return NULL;
    }
    count_out(self, memory);
    void *moved = realloc(memory, size);
    count_in(self, moved != NULL ? moved : memory);
    return moved;
}

static void release(void *arg, void *memory)
{
    count_out(arg, memory);
    free(memory);
}

void allocations_install(struct allocations *self)
{
    const struct rill_allocator allocator = {
        .allocate = allocate, .reallocate = reallocate, .release = release, .arg = self};
    if (rill_set_allocator(&allocator) != 0) {
        (void)fprintf(stderr, "rill has allocated before the fuzz target began\n");
        abort();
    }
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
