/* SPDX-License-Identifier: MIT
 *
 * An allocator that counts, on top of the C library's, which the sanitizers watch.
 */
#include "counted.h"

#include <stdlib.h>

#include <rill/alloc.h>

static struct ledger {
    size_t blocks;
    size_t until_failure; /* 0: none is to come */
    bool failed;
} ledger;

static bool fails_now(struct ledger *self)
{
    if (self->until_failure == 0 || --self->until_failure > 0) {
        return false;
    }
    self->failed = true;
    return true;
}

static void *reallocate(void *arg, void *memory, size_t size)
{
    struct ledger *const self = arg;
    void *const moved = fails_now(self) ? NULL : realloc(memory, size);
    self->blocks += moved != NULL && memory == NULL;
    return moved;
}

static void *allocate(void *arg, size_t size)
{
    return reallocate(arg, NULL, size);
}

static void release(void *arg, void *memory)
{
    struct ledger *const self = arg;
    self->blocks -= memory != NULL;
    free(memory);
}

void counted_install(void)
{
    const struct rill_allocator allocator = {
        .allocate = allocate,
        .reallocate = reallocate,
        .release = release,
        .arg = &ledger,
    };
    if (rill_set_allocator(&allocator) < 0) {
        abort();
    }
}

size_t counted_blocks(void)
{
    return ledger.blocks;
}

void counted_fail_at(size_t number)
{
    ledger.until_failure = number;
    ledger.failed = false;
}

bool counted_failed(void)
{
    return ledger.failed;
}
