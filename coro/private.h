/* SPDX-License-Identifier: MIT
 *
 * What coro.c and stack.c share: the record of a coroutine, the pool, and where both lie in memory.
 *
 * A slab is one mapping of equal cells; a cell is a guard page and a stack above it:
 *
 *      guard | stack . . . . . . . . . . . . . . . . . . [ top page ] | guard | stack ...
 *            ^ bottom                                    ^ marks      ^ bottom + stack_size
 *
 *      top page:  marks | ... frames <- | struct rill_coro | local area | 0 to 14 cache lines
 *
 * The cache lines at the very top differ from stack to stack: without them the records of all
 * coroutines would compete for the same few sets of the first-level cache. They come in twos, which
 * the processor fetches together, and the record begins 16 bytes before such a pair ends: what a
 * switch reads of the record and the frames of a shallow coroutine are one pair.
 */
#ifndef RILL_CORO_PRIVATE_H
#define RILL_CORO_PRIVATE_H

#include "annotate.h"
#include "arch/switch.h"
#include <rill/coro.h>
#include <stdalign.h>

enum {
    RILL__CACHE_LINE = 64,
    RILL__COLOURS = 8,
    RILL__LINE_PAIR = 128,
    RILL__RECORD_HOT = 16, /* sp and resumer_sp */
};

/* The stage of a coroutine needs no field of its own:
 *      new or suspended   sp set
 *      running            sp NULL, fn and pool set     (or waiting for one that it resumed)
 *      done               sp NULL, fn NULL
 *      destroyed          sp NULL, pool NULL */
struct rill_coro {
    alignas(16) void *sp; /* its saved context */
    void *resumer_sp;     /* the saved context of whoever resumed it last */
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
    /* The last of the list, or NULL: look there. Who makes one right after another has died would
     * else wait for the count to go through memory twice before the address is known. */
    struct rill_coro *newest;
    size_t rested;
    size_t keep_resident;
    size_t peak;
    size_t page_size;
    size_t stack_size;
    size_t local_size;
    size_t record_below; /* how far below a cell's end the record is, but for the cache lines */
    bool watched;
    bool best_effort;
    bool at_map_limit; /* with best effort: guards are no longer tried */
    enum rill__guard_kind guard_kind;
    struct rill__slab *slabs;
    size_t slab_count;
    size_t stacks; /* carved cells of all slabs; those that are not free live */
    size_t cells;  /* of all slabs; the room in `free` */
    struct rill_coro_sys sys;
};

/* stack.c: the slow halves. rill__stack_carve puts one new stack on the empty free list, or returns
 * -errno; rill__stack_rest takes the memory of the free stack that has had it longest. */
RILL__PRIVATE int rill__stack_carve(struct rill_coro_pool *pool);
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
    const size_t below = pool->record_below + (cell % RILL__COLOURS) * RILL__LINE_PAIR;

    return (struct rill_coro *)(void *)(slab->base + (cell + 1) * rill__cell_size(pool) - below);
}

/* The lowest byte of the stack that coro lies on. */
static inline char *rill__stack_bottom(const struct rill_coro_pool *pool,
                                       const struct rill_coro *coro)
{
    const uintptr_t top = ((uintptr_t)coro | (pool->page_size - 1)) + 1;

    return (char *)(top - pool->stack_size);
}

/* There must be a free one. */
static inline struct rill_coro *rill__stack_take(struct rill_coro_pool *pool)
{
    const size_t left = --pool->free_count;
    struct rill_coro *const newest = pool->newest;

    if (__builtin_expect(pool->rested > left, 0)) {
        pool->rested = left;
    }
    pool->newest = NULL;
    return newest != NULL ? newest : pool->free[left];
}

static inline void rill__stack_give(struct rill_coro_pool *pool, struct rill_coro *coro)
{
    pool->free[pool->free_count++] = coro;
    pool->newest = coro;
    if (__builtin_expect(pool->free_count - pool->rested > pool->keep_resident, 0)) {
        rill__stack_rest(pool);
    }
}

#endif
