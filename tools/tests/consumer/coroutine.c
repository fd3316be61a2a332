/* SPDX-License-Identifier: MIT
 *
 * A user of librill-coro alone: nothing of rill, nothing of libev.
 */
#include <rill/coro.h>

#include <stdio.h>
#include <stdlib.h>

static void *answer(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    return rill_coro_suspend(self, value);
}

int main(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
    char first;
    char second;
    if (rill_coro_pool_new(NULL, &pool) < 0 || rill_coro_create(pool, answer, NULL, &coro) < 0) {
        return EXIT_FAILURE;
    }
    const int same = rill_coro_resume(coro, &first) == (void *)&first &&
                     rill_coro_resume(coro, &second) == (void *)&second;
    rill_coro_destroy(coro);
    rill_coro_pool_free(pool);
    puts(same ? "coroutine: values came back" : "coroutine: other values came back");
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
