/* SPDX-License-Identifier: MIT
 *
 * What backtrace_test.sh looks at with gdb: a coroutine three calls deep that stops at a
 * breakpoint.
 */
#include <rill/coro.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void stop_here(int depth);

void stop_here(int depth)
{
    printf("depth %d\n", depth);
}

__attribute__((noinline)) static int inner(int depth)
{
    stop_here(depth);
    return depth + 1;
}

__attribute__((noinline)) static int outer(struct rill_coro *self, int depth)
{
    rill_coro_suspend(self, NULL);
    return inner(depth + 1) + 1;
}

static void *coroutine_body(struct rill_coro *self, void *arg, void *value)
{
    (void)value;
    *(int *)arg = outer(self, 1);
    return NULL;
}

int main(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
    int result = 0;

    if (rill_coro_pool_new(NULL, &pool) < 0 ||
        rill_coro_create(pool, coroutine_body, &result, &coro) < 0) {
        return EXIT_FAILURE;
    }
    rill_coro_resume(coro, NULL);
    rill_coro_resume(coro, NULL);
    rill_coro_destroy(coro);
    rill_coro_pool_free(pool);
    return result == 4 ? EXIT_SUCCESS : EXIT_FAILURE;
}
