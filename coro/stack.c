/* SPDX-License-Identifier: MIT
 *
 * Where stacks come from and go to: slabs that double, a guard page below each stack, reuse last in
 * first out, and giving memory back beyond a count. private.h draws the memory. Making a stack is
 * O(1): a slab is carved cell by cell.
 */
#define _DEFAULT_SOURCE
#include "private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLAB_CELLS_MIN = 16,
    SLAB_CELLS_MAX = 65536, /* a million stacks are 27 slabs */
    HEADROOM_CELLS = 16,
    MARK_WORDS = RILL__CACHE_LINE / sizeof(uint64_t),
};

static const uint64_t mark = UINT64_C(0x72696c6c6d61726b);

/* ---- the marks: a cache line at the bottom of the top page, written while nothing below is
 * resident. Whole, they say that the stack stayed within its top page (or jumped over all of them,
 * and keeps its memory until a trim). ---- */

static uint64_t *marks_of(const struct rill_coro_pool *pool, struct rill_coro *coro)
{
    char *const page = rill__stack_bottom(pool, coro) + pool->stack_size - pool->page_size;

    return (uint64_t *)(void *)page;
}

static void marks_write(uint64_t *marks)
{
    for (size_t i = 0; i < MARK_WORDS; i++) {
        marks[i] = mark;
    }
}

static bool marks_whole(const uint64_t *marks)
{
    for (size_t i = 0; i < MARK_WORDS; i++) {
        if (marks[i] != mark) {
            return false;
        }
    }
    return true;
}

/* ---- guard pages ---- */

/* At the kernel's limit on mappings not even a slab without guards could be mapped, nor anything
 * else in the process: the last few guards are given up for some room. */
static void make_headroom(struct rill_coro_pool *pool)
{
    struct rill_coro_sys *const sys = &pool->sys;
    size_t removed = 0;

    for (size_t i = pool->slab_count; i > 0; i--) {
        struct rill__slab *const slab = &pool->slabs[i - 1];

        for (size_t cell = slab->carved; cell > 0 && removed < HEADROOM_CELLS; cell--) {
            char *const address = slab->base + (cell - 1) * rill__cell_size(pool);

            slab->unguarded += sys->guard_remove(sys->arg, address, pool->page_size) == 0;
            removed++;
        }
    }
}

static void probe_guard(struct rill_coro_pool *pool, char *cell)
{
    struct rill_coro_sys *const sys = &pool->sys;
    const bool works = sys->guard_install(sys->arg, cell, pool->page_size) == 0 &&
                       sys->guard_works(sys->arg, cell) == 0;

    pool->guard_kind = works ? RILL__GUARD_INSTALL : RILL__GUARD_PROTECT;
}

/* Splitting a mapping fails with ENOMEM at the limit on mappings, which deserves a name of its own.
 */
static int protect_cell(struct rill_coro_pool *pool, char *cell)
{
    const int rc = pool->sys.guard_protect(pool->sys.arg, cell, pool->page_size);

    if (rc != -ENOMEM) {
        return rc;
    }
    if (pool->best_effort) {
        pool->at_map_limit = true;
        make_headroom(pool);
    }
    return -ENOSPC;
}

static int guard_cell(struct rill_coro_pool *pool, struct rill__slab *slab, char *cell)
{
    int rc = -ENOSPC;

    if (pool->guard_kind == RILL__GUARD_UNKNOWN) {
        probe_guard(pool, cell);
    }
    if (pool->guard_kind == RILL__GUARD_INSTALL) {
        rc = pool->sys.guard_install(pool->sys.arg, cell, pool->page_size);
    } else if (!pool->at_map_limit) {
        rc = protect_cell(pool, cell);
    }
    if (rc < 0 && pool->best_effort) {
        slab->unguarded++;
        return 0;
    }
    return rc;
}

/* ---- slabs ---- */

/* Makes room for one more slab of `cells`. Nothing changes hands when it fails half way. */
static int reserve_lists(struct rill_coro_pool *pool, size_t cells)
{
    struct rill_coro_sys *const sys = &pool->sys;
    struct rill_coro **free_list;
    struct rill__slab *slabs;

    slabs = sys->resize(sys->arg, pool->slabs, (pool->slab_count + 1) * sizeof(*slabs));
    if (slabs == NULL) {
        return -ENOMEM;
    }
    pool->slabs = slabs;
    free_list =
        sys->resize(sys->arg, pool->free, (pool->cells + cells) * sizeof(struct rill_coro *));
    if (free_list == NULL) {
        return -ENOMEM;
    }
    pool->free = free_list;
    return 0;
}

static size_t next_cells(const struct rill_coro_pool *pool)
{
    const size_t fit = RILL__SLAB_BYTES_MAX / rill__cell_size(pool);
    size_t cells = pool->cells;

    cells = cells < SLAB_CELLS_MIN ? SLAB_CELLS_MIN : cells;
    cells = cells > SLAB_CELLS_MAX ? SLAB_CELLS_MAX : cells;
    return cells > fit ? fit : cells;
}

static int add_slab(struct rill_coro_pool *pool)
{
    struct rill_coro_sys *const sys = &pool->sys;
    size_t cells = next_cells(pool);
    void *base = NULL;
    int rc = reserve_lists(pool, cells);

    if (rc < 0) {
        return rc;
    }
    rc = sys->map(sys->arg, cells * rill__cell_size(pool), &base);
    while (rc == -ENOMEM && cells > 1) {
        cells /= 2; /* under a limit on address space, less may still fit */
        rc = sys->map(sys->arg, cells * rill__cell_size(pool), &base);
    }
    if (rc < 0) {
        return rc;
    }
    pool->slabs[pool->slab_count++] = (struct rill__slab){.base = base, .cells = cells};
    pool->cells += cells;
    return 0;
}

int rill__stack_carve(struct rill_coro_pool *pool)
{
    struct rill__slab *slab;
    struct rill_coro *coro;
    int rc;

    if (pool->stacks == pool->cells) {
        rc = add_slab(pool);
        if (rc < 0) {
            return rc;
        }
    }
    slab = &pool->slabs[pool->slab_count - 1];
    rc = guard_cell(pool, slab, slab->base + slab->carved * rill__cell_size(pool));
    if (rc < 0) {
        return rc;
    }
    coro = rill__record_of(pool, slab, slab->carved++);
    marks_write(marks_of(pool, coro));
    pool->free[pool->free_count++] = coro;
    pool->stacks++;
    /* A new stack is made only when every other is in use: the most that ever lived is the most
     * that ever were. */
    pool->peak = pool->stacks > pool->peak ? pool->stacks : pool->peak;
    return 0;
}

/* The longest-free stack that still has all its memory gives it up, but for the top page. While a
 * tool watches, the marks are out of bounds: every stack counts as deep. */
void rill__stack_rest(struct rill_coro_pool *pool)
{
    struct rill_coro *const coro = pool->free[pool->rested++];
    uint64_t *const marks = marks_of(pool, coro);

    if (!pool->watched && marks_whole(marks)) {
        return;
    }
    (void)pool->sys.release(pool->sys.arg, rill__stack_bottom(pool, coro),
                            pool->stack_size - pool->page_size);
    if (!pool->watched) {
        marks_write(marks);
    }
}
