/* SPDX-License-Identifier: MIT
 *
 * The counting allocator.
 */
#include "reader/ledger.h"

#include <stdlib.h>

#include <rill/alloc.h>

#include "sansio/memory.h"

static void *count_in(void *arg, size_t size)
{
    struct ledger *ledger = arg;
    void *memory = malloc(size);
    ledger->blocks += memory != NULL ? 1 : 0;
    return memory;
}

static void *count_again(void *arg, void *memory, size_t size)
{
    struct ledger *ledger = arg;
    void *moved = realloc(memory, size);
    ledger->blocks += memory == NULL && moved != NULL ? 1 : 0;
    return moved;
}

static void count_out(void *arg, void *memory)
{
    struct ledger *ledger = arg;
    ledger->blocks -= memory != NULL ? 1 : 0;
    free(memory);
}

/* An engine calls its target with bytes and nothing else, so this is the process's, as the
 * allocator itself is. */
const struct ledger *ledger_open(void)
{
    static struct ledger ledger;
    static const struct rill_allocator counting = {
        .allocate = count_in, .reallocate = count_again, .release = count_out, .arg = &ledger};
    static int opened;

    if (opened == 0) {
        opened = 1;
        rill_assert(rill_set_allocator(&counting) == 0);
    }
    return &ledger;
}
