/* SPDX-License-Identifier: MIT
 *
 * The process ends while 1,000 coroutines are parked, each of which owns memory that only its stack
 * knows: no leak, says LeakSanitizer, because live stacks are roots. Dead ones are not: what only
 * they knew is reported.
 */
#include "check.h"
#include "watchers.h"
#include <rill/coro.h>
#include <stdint.h>

enum { COROUTINES = 1000 };

/* LeakSanitizer's, when it is linked in. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void *body_owner(struct rill_coro *self, void *arg, void *value)
{
    char *const mine = malloc(100);

    (void)value;
    if (mine == NULL) {
        return NULL;
    }
    memset(mine, (int)(uintptr_t)arg & 0x7f, 100);
    while (rill_coro_suspend(self, (void *)1) == NULL) {
        if (mine[99] != ((int)(uintptr_t)arg & 0x7f)) {
            abort();
        }
    }
    /* The address goes out with all its bits turned, which no leak check takes for a pointer. */
    return (void *)~(uintptr_t)mine;
}

static void check_dead_are_no_roots(struct rill_coro_pool *pool)
{
    struct rill_coro *coros[20];

    for (size_t i = 0; i < 20; i++) {
        CHECK_INT(rill_coro_create(pool, body_owner, (void *)i, &coros[i]), 0);
        CHECK(rill_coro_resume(coros[i], NULL) == (void *)1);
    }
    CHECK_INT(__lsan_do_recoverable_leak_check(), 0);
    uintptr_t turned[20];
    for (size_t i = 0; i < 20; i++) {
        turned[i] = (uintptr_t)rill_coro_resume(coros[i], (void *)1);
        rill_coro_destroy(coros[i]);
    }
    printf("(the report that follows is wanted)\n");
    fflush(stdout);
    CHECK(__lsan_do_recoverable_leak_check() != 0);
    for (size_t i = 0; i < 20; i++) {
        free((void *)~turned[i]);
    }
    CHECK_INT(__lsan_do_recoverable_leak_check(), 0);
}

int main(void)
{
    static int parked;
    struct rill_coro_pool *pool;

    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    if (__lsan_do_recoverable_leak_check != NULL) {
        check_dead_are_no_roots(pool);
    }
    for (uintptr_t i = 0; i < COROUTINES; i++) {
        struct rill_coro *coro;

        CHECK_INT(rill_coro_create(pool, body_owner, (void *)i, &coro), 0);
        CHECK(rill_coro_resume(coro, NULL) == (void *)1);
        CHECK(rill_coro_resume(coro, NULL) == (void *)1);
        parked += !rill_coro_done(coro);
    }
    CHECK_INT(parked, COROUTINES);
    printf("exit: with %d parked coroutines that own memory; leak check: %s\n", parked,
           __lsan_do_recoverable_leak_check != NULL ? "LeakSanitizer" : test_watcher());
    /* Neither the coroutines nor the pool are ended: that is the test. `pool` stays known, as it
     * would in a program. */
    static struct rill_coro_pool *volatile kept;
    kept = pool;
    CHECK(kept != NULL);
    return check_report("parked_exit_test");
}
