/* SPDX-License-Identifier: MIT
 *
 * Counting by the size that malloc knows, so that no header of ours stands between a block and the
 * sanitizer's red zone. Large blocks are kept for the next run: AddressSanitizer maps and unmaps
 * each of them, and their pages cost more than the run.
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

/* -- large blocks ---------------------------------------------------------------------------- */

/* AddressSanitizer's, where it is: whoever touches a block on the shelf is reported. */
void __asan_poison_memory_region(void const volatile *memory, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *memory, size_t size) __attribute__((weak));

static bool is_large(size_t size)
{
    return size >= 131072;
}

/* What AddressSanitizer writes into a new block: the same run finds the same bytes there. */
static void fill_new(void *memory)
{
    enum { FILLED = 4096, BYTE = 0xbe };
    memset(memory, BYTE, FILLED);
}

static void *take_from_shelf(struct allocations *self, size_t size)
{
    for (size_t i = 0; i < ALLOCATIONS_SHELF; i++) {
        struct shelved *at = &self->shelf[i];
        void *memory = at->memory;
        if (memory != NULL && at->size == size && at->run != self->run) {
            *at = (struct shelved){0};
            if (__asan_unpoison_memory_region != NULL) {
                __asan_unpoison_memory_region(memory, size);
            }
            fill_new(memory);
            return memory;
        }
    }
    return NULL;
}

static _Noreturn void invariant_freed_once(size_t size)
{
    (void)fprintf(stderr, "a block of %zu bytes is freed twice\n", size);
    abort();
}

static void put_on_shelf(struct allocations *self, void *memory, size_t size)
{
    struct shelved *last = &self->shelf[ALLOCATIONS_SHELF - 1];
    for (size_t i = 0; i < ALLOCATIONS_SHELF; i++) {
        if (self->shelf[i].memory == memory) {
            invariant_freed_once(size);
        }
    }
    free(last->memory);
    memmove(self->shelf + 1, self->shelf, sizeof self->shelf - sizeof *last);
    self->shelf[0] = (struct shelved){memory, size, self->run};
    if (__asan_poison_memory_region != NULL) {
        __asan_poison_memory_region(memory, size);
    }
}

/* -- the allocator --------------------------------------------------------------------------- */

static void *get(struct allocations *self, size_t size)
{
    void *memory = is_large(size) ? take_from_shelf(self, size) : NULL;
    return count_in(self, memory != NULL ? memory : malloc(size));
}

static void *allocate(void *arg, size_t size)
{
    return fails(arg) ? NULL : get(arg, size);
}

static void release(void *arg, void *memory)
{
    const size_t size = memory != NULL ? malloc_usable_size(memory) : 0;
    count_out(arg, memory);
    if (is_large(size)) {
        put_on_shelf(arg, memory, size);
    } else {
        free(memory);
    }
}

static void *reallocate(void *arg, void *memory, size_t size)
{
    struct allocations *self = arg;
    if (fails(self)) {
        return NULL;
    }
    const size_t before = memory != NULL ? malloc_usable_size(memory) : 0;
    if (is_large(size) || is_large(before)) {
        void *large = get(self, size);
        if (large != NULL && memory != NULL) {
            memcpy(large, memory, before < size ? before : size);
            release(self, memory);
        }
        return large;
    }
    count_out(self, memory);
    void *moved = realloc(memory, size);
    count_in(self, moved != NULL ? moved : memory);
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
}

void allocations_plan(struct allocations *self, size_t first, size_t count)
{
    self->peak = self->bytes;
    self->calls = 0;
    self->run++;
    self->failed = 0;
    self->fail_first = first;
    self->fail_count = count;
}

void allocations_heal(struct allocations *self)
{
    self->fail_first = 0;
}
