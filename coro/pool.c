/* SPDX-License-Identifier: MIT
 *
 * The pool as its user sees it: made and freed, trimmed, asked for its numbers. Nothing here is
 * called for each coroutine.
 */
#define _DEFAULT_SOURCE
#include "private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* The hot start of the record ends a pair of cache lines; the rest and the local area follow. */
static size_t record_below(size_t local_size)
{
    const size_t rest = sizeof(struct rill_coro) - RILL__RECORD_HOT + local_size;

    return RILL__RECORD_HOT + round_up(rest, RILL__LINE_PAIR);
}

static size_t default_to(size_t given, size_t fallback)
{
    return given != 0 ? given : fallback;
}

int rill_coro_pool_new(const struct rill_coro_pool_options *options, struct rill_coro_pool **pool)
{
    const struct rill_coro_pool_options none = {0};
    const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    struct rill_coro_pool *self;
    struct rill_coro_sys sys = {0};
    size_t stack_size;

    *pool = NULL;
    options = options != NULL ? options : &none;
    stack_size = default_to(options->stack_size_bytes, RILL_CORO_STACK_SIZE_DEFAULT);
    if (options->local_size_bytes > RILL_CORO_LOCAL_SIZE_MAX ||
        stack_size > RILL__SLAB_BYTES_MAX / 2) {
        return -EINVAL;
    }
    if (options->sys != NULL) {
        sys = *options->sys;
    }
    rill__sys_complete(&sys);
    self = sys.resize(sys.arg, NULL, sizeof(*self));
    if (self == NULL) {
        return -ENOMEM;
    }
    stack_size = round_up(stack_size, page_size);
    *self = (struct rill_coro_pool){
        .keep_resident = default_to(options->keep_resident, 64),
        .page_size = page_size,
        .stack_size = stack_size < 2 * page_size ? 2 * page_size : stack_size,
        .local_size = options->local_size_bytes,
        .record_below = record_below(options->local_size_bytes),
        .watched = rill__watched(),
        .best_effort = options->guard == RILL_CORO_GUARD_BEST_EFFORT,
        .sys = sys,
    };
    *pool = self;
    return 0;
}

static int unmap_slab(struct rill_coro_pool *pool, const struct rill__slab *slab)
{
    const size_t cell = rill__cell_size(pool);

    if (pool->watched) {
        /* Whoever is given these addresses next must not find poison there. */
        rill__watch_open(slab->base, slab->carved * cell);
    }
    return pool->sys.unmap(pool->sys.arg, slab->base, slab->cells * cell);
}

/* Only a tool that watches must hear of the coroutines that are thrown away with their pool. They
 * are those that are not free; the record of a free one is out of bounds until it is opened. */
static void end_live(struct rill_coro_pool *pool)
{
    for (size_t i = 0; i < pool->free_count; i++) {
        rill__watch_open(pool->free[i], sizeof(struct rill_coro));
        pool->free[i]->pool = NULL;
    }
    for (size_t i = 0; i < pool->slab_count; i++) {
        for (size_t cell = 0; cell < pool->slabs[i].carved; cell++) {
            struct rill_coro *const coro = rill__record_of(pool, &pool->slabs[i], cell);

            if (coro->pool == pool) {
                rill__watch_end(&coro->watch, rill__stack_bottom(pool, coro), pool->stack_size);
            }
        }
    }
}

void rill_coro_pool_free(struct rill_coro_pool *pool)
{
    struct rill_coro_sys sys;

    if (pool == NULL) {
        return;
    }
    if (pool->watched) {
        end_live(pool);
    }
    sys = pool->sys;
    for (size_t i = 0; i < pool->slab_count; i++) {
        (void)unmap_slab(pool, &pool->slabs[i]);
    }
    (void)sys.resize(sys.arg, pool->slabs, 0);
    (void)sys.resize(sys.arg, pool->free, 0);
    (void)sys.resize(sys.arg, pool, 0);
}

/* ---- trim ---- */

static struct rill__slab *slab_of(const struct rill_coro_pool *pool, const struct rill_coro *coro)
{
    const uintptr_t address = (uintptr_t)coro;
    struct rill__slab *slab = pool->slabs;

    while (address - (uintptr_t)slab->base >= slab->cells * rill__cell_size(pool)) {
        slab++;
    }
    return slab;
}

/* Unmaps the slabs all of whose stacks are free. When the system refuses one (unmapping can need
 * one mapping more) it stays as it is. */
static void unmap_free_slabs(struct rill_coro_pool *pool)
{
    for (size_t i = 0; i < pool->slab_count; i++) {
        pool->slabs[i].free = 0;
    }
    for (size_t i = 0; i < pool->free_count; i++) {
        slab_of(pool, pool->free[i])->free++;
    }
    for (size_t i = 0; i < pool->slab_count; i++) {
        struct rill__slab *const slab = &pool->slabs[i];

        slab->gone = slab->free == slab->carved && unmap_slab(pool, slab) == 0;
    }
}

static void forget_gone(struct rill_coro_pool *pool)
{
    size_t kept = 0;

    for (size_t i = 0; i < pool->free_count; i++) {
        if (!slab_of(pool, pool->free[i])->gone) {
            pool->free[kept++] = pool->free[i];
        }
    }
    pool->free_count = kept;
    kept = 0;
    for (size_t i = 0; i < pool->slab_count; i++) {
        const struct rill__slab slab = pool->slabs[i];

        if (slab.gone) {
            pool->cells -= slab.cells;
            pool->stacks -= slab.carved;
        } else {
            pool->slabs[kept++] = slab;
        }
    }
    pool->slab_count = kept;
    pool->at_map_limit = false; /* what was unmapped may have made room */
}

void rill_coro_pool_trim(struct rill_coro_pool *pool)
{
    pool->newest = NULL; /* it may go with its slab */
    unmap_free_slabs(pool);
    forget_gone(pool);
    for (size_t i = 0; i < pool->free_count; i++) {
        (void)pool->sys.discard(pool->sys.arg, rill__stack_bottom(pool, pool->free[i]),
                                pool->stack_size);
    }
    pool->rested = pool->free_count;
}

/* ---- numbers ---- */

static const char *guard_name(const struct rill_coro_pool *pool, size_t unguarded)
{
    if (pool->guard_kind == RILL__GUARD_UNKNOWN || (unguarded > 0 && unguarded == pool->stacks)) {
        return "none";
    }
    return pool->guard_kind == RILL__GUARD_INSTALL ? "install" : "mprotect";
}

void rill_coro_pool_stats(const struct rill_coro_pool *pool, struct rill_coro_pool_stats *stats)
{
    size_t unguarded = 0;

    for (size_t i = 0; i < pool->slab_count; i++) {
        unguarded += pool->slabs[i].unguarded;
    }
    *stats = (struct rill_coro_pool_stats){
        .stack_size_bytes = pool->stack_size,
        .live = pool->stacks - pool->free_count,
        .peak = pool->peak,
        .free_stacks = pool->free_count,
        .unguarded = unguarded,
        .slabs = pool->slab_count,
        .mapped_bytes = pool->cells * rill__cell_size(pool),
        .guard = guard_name(pool, unguarded),
    };
}

/* The lowest page of [bottom, bottom + size) that is resident, or its end. */
static char *lowest_resident(char *bottom, size_t size, size_t page_size)
{
    for (size_t offset = 0; offset < size; offset += page_size) {
        unsigned char resident = 0;

        if (mincore(bottom + offset, page_size, &resident) == 0 && (resident & 1) != 0) {
            return bottom + offset;
        }
    }
    return bottom + size;
}

/* Reads what may be poisoned or never written: AddressSanitizer must look away, and no library call
 * may stand in. */
__attribute__((no_sanitize_address)) static size_t untouched(const char *from, const char *to)
{
    const volatile char *const bytes = from;
    const size_t size = (size_t)(to - from);
    size_t i = 0;

    while (i < size && bytes[i] == 0) {
        i++;
    }
    return i;
}

size_t rill_coro_stack_depth(const struct rill_coro *coro)
{
    const struct rill_coro_pool *const pool = coro->pool;
    char *const bottom = rill__stack_bottom(pool, coro);
    const char *const top = (const char *)coro;
    const char *lowest = lowest_resident(bottom, pool->stack_size, pool->page_size);
    size_t depth;

    rill__valgrind_hush(true);
    if (lowest == bottom + pool->stack_size - pool->page_size) {
        lowest += RILL__CACHE_LINE; /* the marks are not the user's */
    }
    depth = (size_t)(top - lowest) - untouched(lowest, top);
    rill__valgrind_hush(false);
    return depth;
}
