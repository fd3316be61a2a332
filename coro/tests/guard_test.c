/* SPDX-License-Identifier: MIT
 *
 * The guard page: running off the end of a stack is a fault at once, with either kind of guard, on
 * a fresh stack, on a reused one and after a trim; the neighbour below is not touched.
 */
#include "check.h"
#include "death.h"
#include "watchers.h"
#include <errno.h>
#include <rill/coro.h>
#include <stdint.h>

static int no_install(void *arg, void *address, size_t length)
{
    (void)arg;
    (void)address;
    (void)length;
    return -EINVAL;
}

static const struct rill_coro_sys protect_only = {.guard_install = no_install};

enum history { FRESH, REUSED, TRIMMED };

static const struct row {
    int line;
    const char *name;
    const struct rill_coro_sys *sys;
    enum history history;
} rows[] = {
    {.line = __LINE__, .name = "probed, fresh", .sys = NULL, .history = FRESH},
    {.line = __LINE__, .name = "probed, reused", .sys = NULL, .history = REUSED},
    {.line = __LINE__, .name = "probed, trimmed", .sys = NULL, .history = TRIMMED},
    {.line = __LINE__, .name = "mprotect, fresh", .sys = &protect_only, .history = FRESH},
    {.line = __LINE__, .name = "mprotect, reused", .sys = &protect_only, .history = REUSED},
    {.line = __LINE__, .name = "mprotect, trimmed", .sys = &protect_only, .history = TRIMMED},
};

/* Deeper than any stack, and each frame is smaller than the guard page, so that none can step over
 * it. */
static int run_off(volatile int *depth)
{
    volatile char frame[512];

    frame[0] = (char)*depth;
    ++*depth;
    return *depth < 1 << 30 ? run_off(depth) + frame[0] : 0;
}

static void *body_runs_off(struct rill_coro *self, void *arg, void *value)
{
    volatile int depth = 0;

    (void)self;
    (void)arg;
    (void)value;
    (void)run_off(&depth);
    return NULL;
}

static void *body_returns(struct rill_coro *self, void *arg, void *value)
{
    (void)self;
    (void)arg;
    return value;
}

static struct rill_coro *create(struct rill_coro_pool *pool, rill_coro_fn *fn)
{
    struct rill_coro *coro;

    if (rill_coro_create(pool, fn, NULL, &coro) < 0) {
        _exit(1);
    }
    return coro;
}

static void act_run_off(void *arg)
{
    const struct row *const row = arg;
    const struct rill_coro_pool_options options = {.sys = row->sys};
    struct rill_coro_pool *pool;
    struct rill_coro *below;
    struct rill_coro *coro;

    if (rill_coro_pool_new(&options, &pool) < 0) {
        _exit(1);
    }
    below = create(pool, body_returns);
    if (row->history != FRESH) {
        coro = create(pool, body_returns);
        rill_coro_resume(coro, NULL);
        rill_coro_destroy(coro);
    }
    if (row->history == TRIMMED) {
        rill_coro_pool_trim(pool);
    }
    coro = create(pool, body_runs_off);
    rill_coro_resume(coro, NULL);
    rill_coro_destroy(below);
}

int main(void)
{
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;

    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    rill_coro_destroy(create(pool, body_returns));
    rill_coro_pool_stats(pool, &stats);
    CHECK(strcmp(stats.guard, "install") == 0 || strcmp(stats.guard, "mprotect") == 0);
    printf("guard: the probe chose %s\n", stats.guard);
    rill_coro_pool_free(pool);
    fflush(stdout);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct row row = rows[i];
        const struct death death = death_of(act_run_off, &row);

        CHECK_INT_ROW(row.line, death.signal, SIGSEGV);
        printf("guard: %s: running off dies by signal %d\n", row.name, death.signal);
        fflush(stdout);
    }
    return check_report("guard_test");
}
