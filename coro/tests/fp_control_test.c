/* SPDX-License-Identifier: MIT
 *
 * The floating-point control words over a switch. As documented: by default a change stays with the
 * thread; built with RILL_CORO_STRICT_FP, or on ucontext, each coroutine has its own and begins
 * with its creator's. FP_IS_SAVED says which build this is.
 */
#include "check.h"
#include "watchers.h"
#include <fenv.h>
#include <rill/coro.h>
#include <stdbool.h>

/* Rounding as the machine really does it, for double and for long double, which x86-64 computes by
 * another unit with a control word of its own. */
static bool rounds_up(void)
{
    volatile double one = 1.0;
    volatile double tiny = 1e-30;
    volatile double sum = one + tiny;

    return sum > 1.0;
}

static bool rounds_up_long(void)
{
    volatile long double one = 1.0L;
    volatile long double tiny = 1e-40L;
    volatile long double sum = one + tiny;

    return sum > 1.0L;
}

static void expect(bool up, int line)
{
    CHECK_INT_ROW(line, rounds_up(), up);
    CHECK_INT_ROW(line, rounds_up_long(), up);
}

static void *body(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    (void)value;
    expect(false, __LINE__);
    CHECK_INT(fesetround(FE_UPWARD), 0);
    expect(true, __LINE__);
    rill_coro_suspend(self, NULL);
    /* Main has gone back to nearest in between, whether or not it had to. */
    expect(FP_IS_SAVED, __LINE__);
    CHECK_INT(fesetround(FE_UPWARD), 0);
    return NULL;
}

int main(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;

    if (TEST_VALGRIND) {
        printf("SKIP(Valgrind computes to nearest whatever the control words say)\n");
        return TEST_SKIPPED;
    }
    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    CHECK_INT(rill_coro_create(pool, body, NULL, &coro), 0);
    expect(false, __LINE__);
    rill_coro_resume(coro, NULL);
    expect(!FP_IS_SAVED, __LINE__);
    CHECK_INT(fesetround(FE_TONEAREST), 0);
    expect(false, __LINE__);
    rill_coro_resume(coro, NULL);
    CHECK(rill_coro_done(coro));
    expect(!FP_IS_SAVED, __LINE__);
    CHECK_INT(fesetround(FE_TONEAREST), 0);
    rill_coro_destroy(coro);
    rill_coro_pool_free(pool);
    printf("floating-point control words: %s\n",
           FP_IS_SAVED ? "each coroutine has its own" : "stay with the thread");
    return check_report("fp_control_test");
}
