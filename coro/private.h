/* SPDX-License-Identifier: MIT
 *
 * What coro.c and stack.c share: the record of a coroutine, the pool, and where both lie in memory.
 *
 * A slab is one mapping of equal cells; a cell is a guard page and a stack above it:
 *
 *      guard | stack . . . . . . . . . . . . . . . . . . [ top page ] | guard | stack ...
 *            ^ bottom                                    ^ marks      ^ bottom + stack_size
 *
 *      top page:  marks | ... frames <- | struct rill_coro | local area | 0 to 15 cache lines
 *
 * The cache lines at the very top differ from stack to stack. Without them the records of all
 * coroutines would compete for the same few sets of the first-level cache.
 */
#ifndef RILL_CORO_PRIVATE_H
#define RILL_CORO_PRIVATE_H

#include "annotate.h"
#include "arch/switch.h"
#include <rill/coro.h>
#include <stdalign.h>

enum {
    RILL__CACHE_LINE = 64,
    RILL__COLOURS = 16,
};

/* The stage of a coroutine needs no field of its own:
 *      new or suspended   sp set
 *      running            sp NULL, resumer_sp set      (or waiting for one that it resumed)
 *      done               sp NULL, fn NULL
 *      destroyed          sp NULL, pool NULL */
struct rill_coro {
    alignas(RILL__CACHE_LINE) void *sp; /* its saved context */
    void *resumer_sp;                   /* the saved context of whoever resumed it last */
    rill_coro_fn *fn;
    void *arg;
    struct rill_coro_pool *pool;
    struct rill__watch watch;
};

struct rill__slab {
    char *base;
    size_t cells;
    size_t carved;    /* cells that have become stacks; only the last slab has others */
    size_t unguarded; /* stacks here that had to go without a guard page */
    size_t free;      /* scratch of a trim: free stacks here */
    bool gone;        /* scratch of a trim: unmapped */
};

enum rill__guard_kind {
    RILL__GUARD_UNKNOWN = 0, /* nothing was probed yet */
    RILL__GUARD_INSTALL,
    RILL__GUARD_PROTECT,
};

struct rill_coro_pool {
    /* Free stacks, last in first out. Those below `rested` gave back all but their top page. There
     * is room for every stack of the pool, so that giving one back cannot fail. */
    struct rill_coro **free;
    size_t free_count;
    size_t rested;
    size_t keep_resident;
    size_t live;
    size_t peak;
    size_t page_size;
    size_t stack_size;
    size_t local_size;
    bool watched;
    bool best_effort;
    bool at_map_limit; /* with best effort: guards are no longer tried */
    enum rill__guard_kind guard_kind;
    struct rill__slab *slabs;
    size_t slab_count;
    size_t stacks; /* carved cells of all slabs */
    size_t cells;  /* of all slabs; the room in `free` */
    struct rill_coro_sys sys;
};

/* stack.c: the slow halves. */
RILL__PRIVATE int rill__stack_carve(struct rill_coro_pool *pool, struct rill_coro **coro);
RILL__PRIVATE void rill__stack_rest(struct rill_coro_pool *pool);

/* sys.c: fills the members that are NULL with the system's own calls. */
RILL__PRIVATE void rill__sys_complete(struct rill_coro_sys *sys);

/* Prints which call was misused, and aborts. */
RILL__PRIVATE _Noreturn void rill__coro_misuse(const char *call, const char *why);

/* One slab at most; leaves room in the address space whatever its width. */
#define RILL__SLAB_BYTES_MAX (SIZE_MAX / 64)

static inline size_t rill__cell_size(const struct rill_coro_pool *pool)
{
    return pool->page_size + pool->stack_size;
}

/* Where the record of the stack in one cell of a slab belongs. */
static inline struct rill_coro *rill__record_of(const struct rill_coro_pool *pool,
                                                const struct rill__slab *slab, size_t cell)
{
    const size_t below =
        (cell % RILL__COLOURS) * RILL__CACHE_LINE + pool->local_size + sizeof(struct rill_coro);

    return (struct rill_coro *)(void *)(slab->base + (cell + 1) * rill__cell_size(pool) - below);
}

/* The lowest byte of the stack that coro lies on. */
static inline char *rill__stack_bottom(const struct rill_coro_pool *pool,
                                       const struct rill_coro *coro)
{
    const uintptr_t top = ((uintptr_t)coro | (pool->page_size - 1)) + 1;

    return (char *)(top - pool->stack_size);
}

static inline int rill__stack_take(struct rill_coro_pool *pool, struct rill_coro **coro)
{
    if (__builtin_expect(pool->free_count == 0, 0)) {
        return rill__stack_carve(pool, coro);
    }
    *coro = pool->free[--pool->free_count];
    if (pool->rested > pool->free_count) {
        pool->rested = pool->free_count;
    }
    return 0;
}

static inline void rill__stack_give(struct rill_coro_pool *pool, struct rill_coro *coro)
{
    pool->free[pool->free_count++] = coro;
    if (__builtin_expect(pool->free_count - pool->rested > pool->keep_resident, 0)) {
        rill__stack_rest(pool);
    }
}

#endif
