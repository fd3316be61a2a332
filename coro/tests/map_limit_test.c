/* SPDX-License-Identifier: MIT
 *
 * The kernel's limit on mappings, hit for real: with mprotect guards only, creation fails there
 * with an error whose text names vm.max_map_count, and best effort goes on without guards.
 */
#include "check.h"
#include "watchers.h"
#include <errno.h>
#include <rill/coro.h>

enum { COUNT = 40000 };

static int no_install(void *arg, void *address, size_t length)
{
    (void)arg;
    (void)address;
    (void)length;
    return -EINVAL;
}

static void *body(struct rill_coro *self, void *arg, void *value)
{
    (void)self;
    (void)arg;
    return value;
}

static long map_limit(void)
{
    FILE *const file = fopen("/proc/sys/vm/max_map_count", "r");
    long limit = -1;

    if (file != NULL) {
        if (fscanf(file, "%ld", &limit) != 1) {
            limit = -1;
        }
        fclose(file);
    }
    return limit;
}

static int fill(enum rill_coro_guard guard, struct rill_coro_pool **pool, int *created)
{
    const struct rill_coro_sys sys = {.guard_install = no_install};
    const struct rill_coro_pool_options options = {.guard = guard, .sys = &sys};
    struct rill_coro *coro;
    int rc = 0;

    CHECK_INT(rill_coro_pool_new(&options, pool), 0);
    *created = 0;
    while (rc == 0 && *created < COUNT) {
        rc = rill_coro_create(*pool, body, NULL, &coro);
        *created += rc == 0;
    }
    return rc;
}

int main(void)
{
    const long limit = map_limit();
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;
    int created;
    int rc;

    if (TEST_ASAN || TEST_TSAN || TEST_VALGRIND || limit < 0 || limit > 70000) {
        printf("SKIP(%s)\n", limit < 0 || limit > 70000
                                 ? "no usual vm.max_map_count"
                                 : "the watching tool needs mappings itself");
        return TEST_SKIPPED;
    }
    rc = fill(RILL_CORO_GUARD_REQUIRED, &pool, &created);
    CHECK_INT(rc, -ENOSPC);
    CHECK(created > limit / 3 && created < limit);
    CHECK(strstr(rill_coro_strerror(rc), "vm.max_map_count") != NULL);
    rill_coro_pool_free(pool);
    printf("map limit %ld: creation number %d fails: %s\n", limit, created + 1,
           rill_coro_strerror(rc));
    CHECK_INT(fill(RILL_CORO_GUARD_BEST_EFFORT, &pool, &created), 0);
    CHECK_INT(created, COUNT);
    rill_coro_pool_stats(pool, &stats);
    CHECK(stats.unguarded > 0 && stats.unguarded < COUNT);
    rill_coro_pool_free(pool);
    printf("best effort: %d created, %zu of them without a guard page\n", created, stats.unguarded);
    return check_report("map_limit_test");
}
