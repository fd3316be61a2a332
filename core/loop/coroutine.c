/* SPDX-License-Identifier: MIT
 *
 * Task stacks on <rill/coro.h>.
 */
#include "loop/coroutine.h"

#include <stdint.h>

#include <rill/coro.h>
#include <rill/error.h>
#include <rill/sys.h>

#include "sansio/memory.h"

struct rill__stacks {
    struct rill_coro_sys sys;
    struct rill_coro_pool *pool;
    struct rill_coro_pool *rooms;
    size_t room_count; /* that live */
    bool loop_gone;
};

/* -- stacks ---------------------------------------------------------------------------------- */

static void free_rooms(struct rill__stacks *stacks)
{
    if (stacks->loop_gone && stacks->room_count == 0) {
        rill_coro_pool_free(stacks->rooms);
        rill__free(stacks);
    }
}

void rill__stacks_free(struct rill__stacks *stacks)
{
    rill_coro_pool_free(stacks->pool);
    stacks->loop_gone = true;
    free_rooms(stacks);
}

int rill__stacks_new(const struct rill_sys *sys, size_t stack_size_bytes, size_t local_size,
                     size_t room_size, struct rill__stacks **result)
{
    struct rill__stacks *stacks = rill__alloc_zeroed(sizeof *stacks);
    if (stacks == NULL) {
        return RILL_ENOMEM;
    }
    stacks->sys = (struct rill_coro_sys){
        .map = sys->map,
        .unmap = sys->unmap,
        .guard_install = sys->guard_install,
        .guard_protect = sys->guard_protect,
        .release = sys->release,
        .arg = sys->arg,
    };
    struct rill_coro_pool_options options = {
        .stack_size_bytes = stack_size_bytes,
        .local_size_bytes = local_size,
        .sys = sys->map != NULL ? &stacks->sys : NULL,
    };
    int rc = rill_coro_pool_new(&options, &stacks->pool);
    options.local_size_bytes += room_size;
    rc = rc < 0 ? rc : rill_coro_pool_new(&options, &stacks->rooms);
    if (rc < 0) {
        rill__stacks_free(stacks);
        return RILL_ENOMEM;
    }
    *result = stacks;
    return 0;
}

/* -- coroutines ------------------------------------------------------------------------------ */

static void *run_body(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    (void)value;
    rill__task_body(rill_coro_local(self));
    return NULL;
}

int rill__coroutine_new(struct rill__stacks *stacks, bool with_room, struct rill_coro **coro,
                        void **local)
{
    const int rc = rill_coro_create(with_room ? stacks->rooms : stacks->pool, run_body, NULL, coro);
    if (rc < 0) {
        return -rc;
    }
    stacks->room_count += with_room;
    *local = rill_coro_local(*coro);
    return 0;
}

void rill__coroutine_free(struct rill__stacks *room_of, struct rill_coro *coro)
{
    rill_coro_destroy(coro);
    if (room_of != NULL) {
        room_of->room_count--;
        free_rooms(room_of);
    }
}

/* What a coroutine wants done on its resumer's stack, where there is room; it lives on its own. */
struct call {
    void (*run)(void *arg);
    void *arg;
};

bool rill__coroutine_resume(struct rill_coro *coro, int value)
{
    const struct call *call = rill_coro_resume(coro, (void *)(intptr_t)value);
    while (call != NULL) {
        call->run(call->arg);
        call = rill_coro_resume(coro, NULL);
    }
    return rill_coro_done(coro);
}

void rill__coroutine_call(struct rill_coro *self, void (*run)(void *arg), void *arg)
{
    struct call call = {run, arg};
    rill_coro_suspend(self, &call);
}

int rill__coroutine_suspend(struct rill_coro *self)
{
    return (int)(intptr_t)rill_coro_suspend(self, NULL);
}
