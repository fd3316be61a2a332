/* SPDX-License-Identifier: MIT
 *
 * The life of a coroutine: thrown away at every stage, its local area, and what misuse is answered
 * with.
 */
#include "check.h"
#include "death.h"
#include "watchers.h"
#include <errno.h>
#include <rill/coro.h>
#include <stdint.h>

enum { LOCAL_BYTES = 200 };

static void *body_suspends_twice(struct rill_coro *self, void *arg, void *value)
{
    int *const steps = arg;

    ++*steps;
    value = rill_coro_suspend(self, value);
    ++*steps;
    value = rill_coro_suspend(self, value);
    ++*steps;
    return value;
}

/* ---- thrown away ---- */

static const struct stage {
    int line;
    const char *name;
    int resumes;
    bool want_done;
} stages[] = {
    {.line = __LINE__, .name = "never started", .resumes = 0, .want_done = false},
    {.line = __LINE__, .name = "suspended once", .resumes = 1, .want_done = false},
    {.line = __LINE__, .name = "suspended twice", .resumes = 2, .want_done = false},
    {.line = __LINE__, .name = "done", .resumes = 3, .want_done = true},
};

static void check_stage(struct rill_coro_pool *pool, const struct stage *row)
{
    struct rill_coro_pool_stats stats;
    struct rill_coro *coro;
    struct rill_coro *again;
    int steps = 0;

    CHECK_INT_ROW(row->line, rill_coro_create(pool, body_suspends_twice, &steps, &coro), 0);
    for (int i = 0; i < row->resumes; i++) {
        rill_coro_resume(coro, NULL);
    }
    CHECK_INT_ROW(row->line, steps, row->resumes);
    CHECK_INT_ROW(row->line, rill_coro_done(coro), row->want_done);
    rill_coro_destroy(coro);
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT_ROW(row->line, (long long)stats.live, 0);
    /* The next coroutine gets that stack and lives a whole life on it. */
    steps = 0;
    CHECK_INT_ROW(row->line, rill_coro_create(pool, body_suspends_twice, &steps, &again), 0);
    CHECK_ROW(row->line, again == coro);
    CHECK_ROW(row->line, !rill_coro_done(again));
    for (int i = 0; i < 3; i++) {
        rill_coro_resume(again, NULL);
    }
    CHECK_INT_ROW(row->line, steps, 3);
    CHECK_ROW(row->line, rill_coro_done(again));
    rill_coro_destroy(again);
    printf("thrown away: %s\n", row->name);
}

static void *body_transfers(struct rill_coro *self, void *arg, void *value)
{
    return rill_coro_transfer(self, arg, value);
}

/* A coroutine that transferred away is suspended like any other, and so is a pool's right to throw
 * it away. */
static void test_thrown_after_transfer(struct rill_coro_pool *pool)
{
    struct rill_coro *from;
    struct rill_coro *to;
    int steps = 0;

    CHECK_INT(rill_coro_create(pool, body_suspends_twice, &steps, &to), 0);
    CHECK_INT(rill_coro_create(pool, body_transfers, to, &from), 0);
    rill_coro_resume(from, NULL);
    CHECK_INT(steps, 1);
    rill_coro_destroy(from);
    rill_coro_resume(to, NULL);
    CHECK_INT(steps, 2);
    rill_coro_destroy(to);
    rill_coro_destroy(NULL);
}

static void test_thrown_with_pool(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coros[4];
    int steps[4] = {0};

    CHECK_INT(rill_coro_pool_new(NULL, &pool), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(rill_coro_create(pool, body_suspends_twice, &steps[i], &coros[i]), 0);
        for (int resumes = 0; resumes < i; resumes++) {
            rill_coro_resume(coros[i], NULL);
        }
    }
    rill_coro_pool_free(pool);
    for (int i = 0; i < 4; i++) {
        CHECK_INT(steps[i], i);
    }
    rill_coro_pool_free(NULL);
    printf("thrown away: with the pool, at every stage\n");
}

/* ---- the local area ---- */

static void *body_uses_local(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    memset(rill_coro_local(self), 0xa5, LOCAL_BYTES);
    return value;
}

static void test_local(struct rill_coro_pool *pool)
{
    for (int round = 0; round < 40; round++) {
        struct rill_coro *coro;
        const unsigned char *local;
        int zeros = 0;

        CHECK_INT(rill_coro_create(pool, body_uses_local, NULL, &coro), 0);
        local = rill_coro_local(coro);
        CHECK((uintptr_t)local % _Alignof(max_align_t) == 0);
        for (size_t i = 0; i < LOCAL_BYTES; i++) {
            zeros += local[i] == 0;
        }
        CHECK_INT(zeros, LOCAL_BYTES);
        rill_coro_resume(coro, NULL);
        CHECK_INT(local[LOCAL_BYTES - 1], 0xa5);
        rill_coro_destroy(coro);
    }
    printf("local area: zeroed at every creation\n");
}

/* ---- misuse ---- */

struct scene {
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
};

static struct scene suspended(void)
{
    static int steps;
    struct scene scene = {0};

    if (rill_coro_pool_new(NULL, &scene.pool) < 0 ||
        rill_coro_create(scene.pool, body_suspends_twice, &steps, &scene.coro) < 0) {
        _exit(1);
    }
    rill_coro_resume(scene.coro, NULL);
    return scene;
}

static void act_resume_done(void *arg)
{
    const struct scene scene = suspended();

    (void)arg;
    rill_coro_resume(scene.coro, NULL);
    rill_coro_resume(scene.coro, NULL);
    rill_coro_resume(scene.coro, NULL);
}

static void act_suspend_outside(void *arg)
{
    const struct scene scene = suspended();

    (void)arg;
    rill_coro_suspend(scene.coro, NULL);
}

static void act_transfer_outside(void *arg)
{
    const struct scene scene = suspended();

    (void)arg;
    rill_coro_transfer(scene.coro, scene.coro, NULL);
}

static void *body_resumes_itself(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    return rill_coro_resume(self, value);
}

static void *body_transfers_to_itself(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    return rill_coro_transfer(self, self, value);
}

static void *body_destroys_itself(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    rill_coro_destroy(self);
    return value;
}

static void run_new(rill_coro_fn *fn)
{
    struct scene scene = suspended();

    if (rill_coro_create(scene.pool, fn, NULL, &scene.coro) < 0) {
        _exit(1);
    }
    rill_coro_resume(scene.coro, NULL);
}

static void act_resume_self(void *arg)
{
    (void)arg;
    run_new(body_resumes_itself);
}

static void act_transfer_self(void *arg)
{
    (void)arg;
    run_new(body_transfers_to_itself);
}

static void act_destroy_self(void *arg)
{
    (void)arg;
    run_new(body_destroys_itself);
}

static void act_destroy_twice(void *arg)
{
    const struct scene scene = suspended();

    (void)arg;
    rill_coro_destroy(scene.coro);
    rill_coro_destroy(scene.coro);
}

static const struct misuse {
    int line;
    void (*act)(void *arg);
    const char *want_text;
    bool poisoned; /* a tool that poisons dead stacks sees it first */
} misuses[] = {
    {.line = __LINE__,
     .act = act_resume_done,
     .want_text = "rill_coro_resume: the coroutine is running, done or destroyed\n"},
    {.line = __LINE__,
     .act = act_resume_self,
     .want_text = "rill_coro_resume: the coroutine is running, done or destroyed\n"},
    {.line = __LINE__,
     .act = act_suspend_outside,
     .want_text = "rill_coro_suspend: the coroutine is not running\n"},
    {.line = __LINE__,
     .act = act_transfer_outside,
     .want_text = "rill_coro_transfer: the coroutine is not running\n"},
    {.line = __LINE__,
     .act = act_transfer_self,
     .want_text = "rill_coro_transfer: the target is running, done or destroyed\n"},
    {.line = __LINE__,
     .act = act_destroy_self,
     .want_text = "rill_coro_destroy: the coroutine is running\n"},
    {.line = __LINE__,
     .act = act_destroy_twice,
     .want_text = "rill_coro_destroy: the coroutine is destroyed already\n",
     .poisoned = true},
};

static void check_misuse(const struct misuse *row)
{
    struct death death;

    if (row->poisoned && (TEST_ASAN || TEST_VALGRIND)) {
        return;
    }
    death = death_of(row->act, NULL);
    CHECK_INT_ROW(row->line, death.signal, SIGABRT);
    CHECK_ROW(row->line, strstr(death.said, row->want_text) != NULL);
    printf("misuse: aborts with %s", row->want_text);
}

/* ---- texts ---- */

static const struct text {
    int line;
    int error;
    const char *want_part;
} texts[] = {
    {.line = __LINE__, .error = 0, .want_part = "no error"},
    {.line = __LINE__, .error = -ENOMEM, .want_part = "memory"},
    {.line = __LINE__, .error = -ENOSPC, .want_part = "vm.max_map_count"},
    {.line = __LINE__, .error = -EINVAL, .want_part = "range"},
    {.line = __LINE__, .error = -EPERM, .want_part = "forbids"},
    {.line = __LINE__, .error = -EIO, .want_part = "system call"},
};

int main(void)
{
    const struct rill_coro_pool_options options = {.local_size_bytes = LOCAL_BYTES};
    struct rill_coro_pool *pool;

    CHECK_INT(rill_coro_pool_new(&options, &pool), 0);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        check_stage(pool, &stages[i]);
    }
    test_thrown_after_transfer(pool);
    test_thrown_with_pool();
    test_local(pool);
    rill_coro_pool_free(pool);
    fflush(stdout); /* or the children would write it again */
    for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
        check_misuse(&misuses[i]);
        fflush(stdout);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK_ROW(texts[i].line,
                  strstr(rill_coro_strerror(texts[i].error), texts[i].want_part) != NULL);
    }
    return check_report("life_test");
}
