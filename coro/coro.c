/* SPDX-License-Identifier: MIT
 *
 * The life of a coroutine: made, resumed, suspended, transferred from, done, destroyed. Everything
 * is written down before the switch, so that the switch is the last thing that each call does and
 * compiles to a jump: a frame that returned after it would cost a wrong return prediction, more
 * than the switch itself.
 */
#include "private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rill__coro_misuse(const char *call, const char *why)
{
    fprintf(stderr, "%s: %s\n", call, why);
    abort();
}

void rill__coro_main(struct rill_coro *self, void *value)
{
    rill__watch_arrive(&self->watch);
    value = self->fn(self, self->arg, value);
    self->fn = NULL;
    rill__watch_back(&self->watch, true);
    /* Nobody comes back to what is saved here; the argument has done its duty, and makes a place.
     */
    rill__coro_switch(&self->arg, self->resumer_sp, value);
    rill__coro_misuse("rill_coro_resume", "a coroutine was resumed after its end");
}

__attribute__((cold)) static void watch_birth(struct rill_coro_pool *pool, struct rill_coro *self)
{
    char *const bottom = rill__stack_bottom(pool, self);

    rill__watch_open(bottom, pool->stack_size);
    rill__watch_begin(&self->watch, bottom, pool->stack_size);
}

/* The last that a destroy does, so that it saves no registers for it. */
__attribute__((noinline, cold)) static void watch_death(struct rill_coro_pool *pool,
                                                        struct rill_coro *coro)
{
    char *const bottom = rill__stack_bottom(pool, coro);

    /* Pointers that are left there hide no leak as long as nobody has the stack: no tool reads what
     * is no root, or out of bounds. Under the next coroutine the whole stack is a root again.
     * Giving its pages back here would help; it cost a fuzz target most of its rate. */
    rill__watch_end(&coro->watch, bottom, pool->stack_size);
    rill__watch_close(bottom, pool->stack_size);
    rill__stack_give(pool, coro);
}

static inline int begin(struct rill_coro_pool *pool, rill_coro_fn *fn, void *arg,
                        struct rill_coro *self)
{
    self->fn = fn;
    self->arg = arg;
    self->pool = pool;
    return rill__coro_frame(self);
}

/* Everything that the usual case has not; apart, so that it saves no registers for this. */
__attribute__((noinline)) static int create_slowly(struct rill_coro_pool *pool, rill_coro_fn *fn,
                                                   void *arg, struct rill_coro **coro)
{
    const int rc = pool->free_count == 0 ? rill__stack_carve(pool) : 0;

    if (rc < 0) {
        *coro = NULL;
        return rc;
    }
    *coro = rill__stack_take(pool);
    if (pool->watched) {
        watch_birth(pool, *coro);
    }
    memset(*coro + 1, 0, pool->local_size);
    return begin(pool, fn, arg, *coro);
}

int rill_coro_create(struct rill_coro_pool *pool, rill_coro_fn *fn, void *arg,
                     struct rill_coro **coro)
{
    struct rill_coro *self;

    if (pool->free_count == 0 || pool->local_size > 0 || pool->watched) {
        return create_slowly(pool, fn, arg, coro);
    }
    self = rill__stack_take(pool);
    *coro = self;
    return begin(pool, fn, arg, self);
}

void *rill_coro_resume(struct rill_coro *coro, void *value)
{
    void *const sp = coro->sp;
    void *fake_stack = NULL;

    if (__builtin_expect(sp == NULL, 0)) {
        rill__coro_misuse("rill_coro_resume", "the coroutine is running, done or destroyed");
    }
    coro->sp = NULL;
    rill__watch_resume(&coro->watch, &fake_stack, rill__stack_bottom(coro->pool, coro),
                       coro->pool->stack_size);
    value = rill__coro_switch(&coro->resumer_sp, sp, value);
    rill__watch_resumed(fake_stack);
    return value;
}

void *rill_coro_suspend(struct rill_coro *self, void *value)
{
    if (__builtin_expect(self->sp != NULL, 0)) {
        rill__coro_misuse("rill_coro_suspend", "the coroutine is not running");
    }
    rill__watch_back(&self->watch, false);
    value = rill__coro_switch(&self->sp, self->resumer_sp, value);
    rill__watch_arrive(&self->watch);
    return value;
}

void *rill_coro_transfer(struct rill_coro *self, struct rill_coro *to, void *value)
{
    void *const sp = to->sp;

    if (__builtin_expect(self->sp != NULL, 0)) {
        rill__coro_misuse("rill_coro_transfer", "the coroutine is not running");
    }
    if (__builtin_expect(sp == NULL, 0)) {
        rill__coro_misuse("rill_coro_transfer", "the target is running, done or destroyed");
    }
    to->sp = NULL;
    to->resumer_sp = self->resumer_sp;
    rill__watch_transfer(&self->watch, &to->watch, rill__stack_bottom(to->pool, to),
                         to->pool->stack_size);
    value = rill__coro_switch(&self->sp, sp, value);
    rill__watch_arrive(&self->watch);
    return value;
}

bool rill_coro_done(const struct rill_coro *coro)
{
    /* sp first: a switch has just written it, while fn is in a cache line that none touches. */
    return coro->sp == NULL && coro->fn == NULL;
}

void *rill_coro_local(struct rill_coro *coro)
{
    return coro + 1;
}

void rill_coro_destroy(struct rill_coro *coro)
{
    struct rill_coro_pool *pool;

    if (coro == NULL) {
        return;
    }
    pool = coro->pool;
    if (__builtin_expect(pool == NULL, 0)) {
        rill__coro_misuse("rill_coro_destroy", "the coroutine is destroyed already");
    }
    if (__builtin_expect(coro->sp == NULL && coro->fn != NULL, 0)) {
        rill__coro_misuse("rill_coro_destroy", "the coroutine is running");
    }
    coro->sp = NULL;
    coro->pool = NULL;
    if (__builtin_expect(pool->watched, 0)) {
        watch_death(pool, coro);
        return;
    }
    rill__stack_give(pool, coro);
}

const char *rill_coro_strerror(int error)
{
    switch (error) {
    case 0:
        return "no error";
    case -ENOMEM:
        return "out of memory";
    case -ENOSPC:
        return "no guard page for the stack: the kernel's limit on mappings is reached "
               "(sysctl vm.max_map_count)";
    case -EINVAL:
        return "a stack or local size is out of range, or the system does not know the call";
    case -EPERM:
    case -EACCES:
        return "the system forbids mapping or protecting memory";
    default:
        return "the system call that maps or guards a stack failed";
    }
}
