/* SPDX-License-Identifier: MIT
 *
 * alive_test COUNT: that many coroutines alive at once, each with a guard page, each resumed twice
 * and remembering who it is. Says SKIP where memory or the kernel's guard pages do not allow so
 * many.
 */
#include "check.h"
#include "watchers.h"
#include <errno.h>
#include <rill/coro.h>
#include <stdint.h>
#include <unistd.h>

static void *body(struct rill_coro *self, void *arg, void *value)
{
    const uintptr_t id = (uintptr_t)arg;

    for (;;) {
        value = rill_coro_suspend(self, (void *)(id + (uintptr_t)value));
    }
    return NULL;
}

/* A line of a file under /proc that begins with `key`, in bytes; 0 when there is none. */
static size_t proc_bytes(const char *path, const char *key)
{
    FILE *const file = fopen(path, "r");
    char line[256];
    unsigned long kib = 0;

    if (file == NULL) {
        return 0;
    }
    while (kib == 0 && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            kib = strtoul(line + strlen(key), NULL, 10);
        }
    }
    fclose(file);
    return (size_t)kib * 1024;
}

/* Why `count` coroutines cannot live here; NULL when they can. */
static const char *obstacle(size_t count, const char *guard)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t need = count * (page + page / 8);

    if (TEST_TSAN && count > 1000) {
        return "ThreadSanitizer has room for a few thousand fibers";
    }
    if (TEST_VALGRIND && count > 1000) {
        return "Valgrind searches its stacks one by one";
    }
    if (TEST_ASAN && count > 100000) {
        return "AddressSanitizer's shadow and roots are too slow for so many";
    }
    if (count > 30000 && strcmp(guard, "install") != 0) {
        return "no guard install";
    }
    if (proc_bytes("/proc/meminfo", "MemAvailable:") < need + need / 4) {
        return "not enough memory available";
    }
    return NULL;
}

static void check_all(struct rill_coro **coros, size_t count)
{
    size_t wrong = 0;

    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            wrong += rill_coro_resume(coros[i], (void *)round) != (void *)(i + round);
        }
    }
    CHECK_INT((long long)wrong, 0);
}

static const char *probe_guard(struct rill_coro_pool *pool)
{
    struct rill_coro_pool_stats stats;
    struct rill_coro *coro;

    CHECK_INT(rill_coro_create(pool, body, NULL, &coro), 0);
    rill_coro_destroy(coro);
    rill_coro_pool_stats(pool, &stats);
    return stats.guard;
}

int main(int argc, char **argv)
{
    const size_t count = argc == 2 ? (size_t)strtoul(argv[1], NULL, 10) : 0;
    const size_t before = proc_bytes("/proc/self/status", "VmRSS:");
    struct rill_coro **const coros = calloc(count, sizeof(struct rill_coro *));
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;
    const char *why;
    size_t created = 0;
    size_t page_tables;
    size_t used;

    CHECK(count > 0 && coros != NULL);
    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    why = obstacle(count, probe_guard(pool));
    if (why != NULL) {
        printf("SKIP(%s): %zu coroutines\n", why, count);
        rill_coro_pool_free(pool);
        free(coros);
        return TEST_SKIPPED;
    }
    while (created < count && rill_coro_create(pool, body, (void *)created, &coros[created]) == 0) {
        created++;
    }
    CHECK_INT((long long)created, (long long)count);
    check_all(coros, created);
    rill_coro_pool_stats(pool, &stats);
    page_tables = proc_bytes("/proc/self/status", "VmPTE:");
    used = proc_bytes("/proc/self/status", "VmRSS:") - before + page_tables;
    CHECK_INT((long long)stats.live, (long long)count);
    CHECK_INT((long long)stats.unguarded, 0);
    CHECK(TEST_ASAN || TEST_TSAN || TEST_VALGRIND || used < count * 4500 + ((size_t)16 << 20));
    printf("alive=%zu slabs=%zu guard=%s bytes=%zu bytes_each=%zu of which page tables %zu\n",
           count, stats.slabs, stats.guard, used, used / count, page_tables);
    for (size_t i = 0; i < created; i++) {
        rill_coro_destroy(coros[i]);
    }
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.free_stacks, (long long)count);
    rill_coro_pool_trim(pool);
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.mapped_bytes, 0);
    rill_coro_pool_free(pool);
    free(coros);
    return check_report("alive_test");
}
