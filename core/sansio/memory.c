/* SPDX-License-Identifier: MIT
 *
 * The allocator seam of the process and the assertion that stays on in release builds.
 */
#include "sansio/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/alloc.h>
#include <rill/error.h>

#define SPARES_MAX 256

static void *default_allocate(void *arg, size_t size)
{
    (void)arg;
    return malloc(size);
}

static void *default_reallocate(void *arg, void *memory, size_t size)
{
    (void)arg;
    return realloc(memory, size);
}

static void default_release(void *arg, void *memory)
{
    (void)arg;
    free(memory);
}

static const struct rill_allocator default_allocator = {
    .allocate = default_allocate,
    .reallocate = default_reallocate,
    .release = default_release,
};

/* The one mutable global that rill/alloc.h announces: the table, and whether it has been used. The
 * flag is atomic because loops in several threads allocate; the table only changes before the first
 * of them does. */
static struct rill_allocator current = {
    .allocate = default_allocate,
    .reallocate = default_reallocate,
    .release = default_release,
};
static atomic_bool used;

int rill_set_allocator(const struct rill_allocator *allocator)
{
    if (atomic_load_explicit(&used, memory_order_relaxed)) {
        return RILL_ERUNTIME;
    }
    current = allocator != NULL ? *allocator : default_allocator;
    return 0;
}

/* Reading before writing keeps the flag's cache line shared between threads. */
static void note_use(void)
{
    if (!atomic_load_explicit(&used, memory_order_relaxed)) {
        atomic_store_explicit(&used, true, memory_order_relaxed);
    }
}

/* A block of no bytes is one byte long, so that NULL always means "no memory". */
static size_t at_least_one(size_t size)
{
    return size > 0 ? size : 1;
}

void *rill__alloc(size_t size)
{
    note_use();
    return current.allocate(current.arg, at_least_one(size));
}

void *rill__alloc_zeroed(size_t size)
{
    void *memory = rill__alloc(size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

void *rill__realloc(void *memory, size_t size)
{
    note_use();
    return current.reallocate(current.arg, memory, at_least_one(size));
}

void rill__free(void *memory)
{
    current.release(current.arg, memory);
}

char *rill__strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = rill__alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void *rill__spares_take(struct rill__spares *spares, size_t size)
{
    void **memory = spares != NULL ? spares->first : NULL;
    if (memory == NULL) {
        return rill__alloc(size);
    }
    spares->first = *memory;
    spares->count--;
    return memory;
}

void rill__spares_give(struct rill__spares *spares, void *memory)
{
    if (spares == NULL || spares->count == SPARES_MAX) {
        rill__free(memory);
        return;
    }
    *(void **)memory = spares->first;
    spares->first = memory;
    spares->count++;
}

void rill__spares_cleanup(struct rill__spares *spares)
{
    for (; spares->count > 0; spares->count--) {
        void **memory = spares->first;
        spares->first = *memory;
        rill__free(memory);
    }
}

_Noreturn void rill__assert_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "rill: %s:%d: broken invariant: %s\n", file, line, what);
    abort();
}
