/* SPDX-License-Identifier: MIT
 *
 * Poisoned reuse: under AddressSanitizer and Valgrind whoever touches the stack of a destroyed
 * coroutine is reported, and the next owner of that stack finds no poison in it, whatever the last
 * one left there.
 */
#include "check.h"
#include "death.h"
#include "watchers.h"
#include <rill/coro.h>

static void *body_lends_frame(struct rill_coro *self, void *arg, void *value)
{
    /* Not a variable: the detector of use after return may keep those elsewhere than on the stack.
     */
    (void)arg;
    (void)value;
    rill_coro_suspend(self, __builtin_frame_address(0));
    return NULL;
}

static void act_touch_dead(void *arg)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
    volatile char *local;

    (void)arg;
    if (rill_coro_pool_new(NULL, &pool) < 0 ||
        rill_coro_create(pool, body_lends_frame, NULL, &coro) < 0) {
        _exit(1);
    }
    local = rill_coro_resume(coro, NULL);
    (void)local[0]; /* alive, it may be read */
    rill_coro_destroy(coro);
    local[0] = 'x';
}

static void act_touch_handle(void *arg)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;

    (void)arg;
    if (rill_coro_pool_new(NULL, &pool) < 0 ||
        rill_coro_create(pool, body_lends_frame, NULL, &coro) < 0) {
        _exit(1);
    }
    rill_coro_destroy(coro);
    (void)rill_coro_done(coro);
}

/* Fills every byte that it can reach, over what others left poisoned there. */
static void *body_writes_deep(struct rill_coro *self, void *arg, void *value)
{
    volatile char deep[32768];
    size_t sum = 0;

    (void)self;
    (void)arg;
    (void)value;
    for (size_t i = 0; i < sizeof(deep); i++) {
        deep[i] = 1;
    }
    for (size_t i = 0; i < sizeof(deep); i++) {
        sum += (size_t)deep[i];
    }
    return (void *)(uintptr_t)sum;
}

static void check_next_owner(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *first;
    struct rill_coro *second;

    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    for (int round = 0; round < 3; round++) {
        /* Thrown away in the middle of frames with red zones around their variables. */
        CHECK_INT(rill_coro_create(pool, body_lends_frame, NULL, &first), 0);
        rill_coro_resume(first, NULL);
        rill_coro_destroy(first);
        CHECK_INT(rill_coro_create(pool, body_writes_deep, NULL, &second), 0);
        CHECK(second == first);
        CHECK(rill_coro_resume(second, NULL) == (void *)(uintptr_t)32768);
        rill_coro_destroy(second);
    }
    rill_coro_pool_free(pool);
}

static void check_valgrind_forbids(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
    const volatile char *local;

    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    CHECK_INT(rill_coro_create(pool, body_lends_frame, NULL, &coro), 0);
    local = rill_coro_resume(coro, NULL);
    CHECK(!test_valgrind_forbids(local));
    rill_coro_destroy(coro);
    CHECK(test_valgrind_forbids(local));
    CHECK(test_valgrind_forbids(coro));
    rill_coro_pool_free(pool);
    printf("poison: Valgrind forbids a dead stack and a dead handle\n");
}

int main(void)
{
    struct death death;

    check_next_owner();
    printf("poison: the next owner of a stack finds none\n");
    if (TEST_VALGRIND) {
        check_valgrind_forbids();
        return check_report("poison_test");
    }
    if (!TEST_ASAN) {
        printf("SKIP: the reports themselves need AddressSanitizer or Valgrind\n");
        return check_report("poison_test") == EXIT_SUCCESS ? TEST_SKIPPED : EXIT_FAILURE;
    }
    fflush(stdout);
    death = death_of(act_touch_dead, NULL);
    CHECK(death.status != 0 || death.signal != 0);
    CHECK(strstr(death.said, "use-after-poison") != NULL);
    death = death_of(act_touch_handle, NULL);
    CHECK(strstr(death.said, "use-after-poison") != NULL);
    printf("poison: a dead stack and a dead handle are reported when touched\n");
    return check_report("poison_test");
}
