/* SPDX-License-Identifier: MIT
 *
 * 5,000 coroutines, shallow and deep ones mixed, a million switches among them; each checks at
 * every return that its frames are as it left them.
 */
#include "check.h"
#include "watchers.h"
#include <rill/coro.h>
#include <stdint.h>

enum { COROUTINES = 5000, SWITCHES = 1000000, LOCALS = 32 };

struct worker {
    unsigned id;
    unsigned depth; /* frames below the body */
    unsigned broken;
    size_t switches;
};

static void work(struct rill_coro *self, struct worker *worker, unsigned depth)
{
    unsigned locals[LOCALS];

    for (unsigned i = 0; i < LOCALS; i++) {
        locals[i] = worker->id * 31 + depth * 7 + i;
    }
    if (depth > 0) {
        work(self, worker, depth - 1);
    } else {
        worker->switches += 2;
        rill_coro_suspend(self, NULL);
    }
    for (unsigned i = 0; i < LOCALS; i++) {
        worker->broken += locals[i] != worker->id * 31 + depth * 7 + i;
    }
}

static void *body(struct rill_coro *self, void *arg, void *value)
{
    struct worker *const worker = arg;

    while (value == NULL) {
        work(self, worker, worker->depth);
        value = NULL;
    }
    return NULL;
}

int main(void)
{
    static struct worker workers[COROUTINES];
    static struct rill_coro *coros[COROUTINES];
    const size_t goal = TEST_VALGRIND ? SWITCHES / 10 : SWITCHES;
    struct rill_coro_pool *pool;
    size_t switches = 0;
    unsigned broken = 0;

    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    for (unsigned i = 0; i < COROUTINES; i++) {
        workers[i] = (struct worker){.id = i, .depth = i % 10 == 0 ? 40 : i % 3};
        CHECK_INT(rill_coro_create(pool, body, &workers[i], &coros[i]), 0);
    }
    while (switches < goal) {
        switches = 0;
        for (size_t i = 0; i < COROUTINES; i++) {
            rill_coro_resume(coros[i], NULL);
            switches += workers[i].switches;
        }
    }
    for (size_t i = 0; i < COROUTINES; i++) {
        broken += workers[i].broken;
        rill_coro_destroy(coros[i]);
    }
    CHECK_INT(broken, 0);
    CHECK(switches >= goal);
    rill_coro_pool_free(pool);
    printf("coroutines=%d switches=%zu\n", COROUTINES, switches);
    return check_report("many_coroutines");
}
