/* SPDX-License-Identifier: MIT
 *
 * call_soon, call_later, call_at, call_soon_threadsafe: the public handles.
 */
#include "loop/loop.h"

#include <math.h>

#include "loop/tasks.h"
#include "loop/timers.h"
#include "sansio/memory.h"

/* Two may hold it: the loop, while it is queued or armed, and the caller. */
struct rill_handle {
    struct rill__timer timer; /* its entry is the call */
    rill_callback *fn;
    void *arg;
    struct rill_loop *loop;
    bool loop_holds;
    bool caller_holds;
    bool cancelled;
};

static void drop(struct rill_handle *handle)
{
    if (!handle->loop_holds && !handle->caller_holds) {
        rill__free(handle);
    }
}

static void run_handle(struct rill__entry *entry)
{
    struct rill_handle *handle = rill__container(rill__container(entry, struct rill__timer, entry),
                                                 struct rill_handle, timer);
    handle->fn(handle->arg);
    handle->loop_holds = false;
    drop(handle);
}

static struct rill_handle *handle_new(struct rill_loop *loop, rill_callback *fn, void *arg,
                                      struct rill_handle **result)
{
    struct rill_handle *handle = rill__alloc_zeroed(sizeof *handle);
    if (handle != NULL) {
        handle->timer.entry.run = run_handle;
        handle->timer.loop = loop;
        handle->fn = fn;
        handle->arg = arg;
        handle->loop = loop;
        handle->loop_holds = true;
        handle->caller_holds = result != NULL;
    }
    if (result != NULL) {
        *result = handle;
    }
    return handle;
}

int rill_call_soon(struct rill_loop *loop, rill_callback *fn, void *arg,
                   struct rill_handle **result)
{
    struct rill_handle *handle = handle_new(loop, fn, arg, result);
    if (handle == NULL) {
        return RILL_ENOMEM;
    }
    rill__ready(loop, &handle->timer.entry);
    return 0;
}

int rill_call_at(struct rill_loop *loop, double when_s, rill_callback *fn, void *arg,
                 struct rill_handle **result)
{
    if (isnan(when_s)) { /* no order in a heap; asyncio's loop fails at its next poll */
        if (result != NULL) {
            *result = NULL;
        }
        return rill__fail_with(RILL_EVALUE, "cannot convert float NaN to integer");
    }
    struct rill_handle *handle = handle_new(loop, fn, arg, result);
    if (handle == NULL) {
        return RILL_ENOMEM;
    }
    if (rill__timer_start(loop, &handle->timer, when_s) < 0) {
        rill__free(handle);
        if (result != NULL) {
            *result = NULL;
        }
        return RILL_ENOMEM;
    }
    return 0;
}

int rill_call_later(struct rill_loop *loop, double delay_s, rill_callback *fn, void *arg,
                    struct rill_handle **result)
{
    return rill_call_at(loop, rill_loop_time(loop) + delay_s, fn, arg, result);
}

int rill_call_soon_threadsafe(struct rill_loop *loop, rill_callback *fn, void *arg)
{
    if (rill_running_loop() == loop) {
        return rill_call_soon(loop, fn, arg, NULL);
    }
    struct rill_handle *handle = handle_new(loop, fn, arg, NULL);
    if (handle == NULL) {
        return RILL_ENOMEM;
    }
    rill__ready_threadsafe(loop, &handle->timer.entry);
    return 0;
}

void rill_handle_cancel(struct rill_handle *handle)
{
    handle->cancelled = true;
    if (handle->loop_holds) {
        const bool waiting = handle->timer.armed || rill__linked(&handle->timer.entry.link);
        rill__timer_stop(&handle->timer);
        handle->loop_holds = !waiting; /* while it runs, run_handle lets go */
    }
}

bool rill_handle_cancelled(const struct rill_handle *handle)
{
    return handle->cancelled;
}

void rill_handle_free(struct rill_handle *handle)
{
    if (handle != NULL) {
        handle->caller_holds = false;
        drop(handle);
    }
}

static void drop_queued(struct rill__list *list)
{
    struct rill__link *link = rill__list_first(list);
    while (link != NULL) {
        struct rill__entry *entry = rill__container(link, struct rill__entry, link);
        struct rill__link *next = rill__list_after(list, link);
        rill__list_remove(link);
        if (entry->run == run_handle) {
            struct rill_handle *handle = rill__container(
                rill__container(entry, struct rill__timer, entry), struct rill_handle, timer);
            handle->loop_holds = false;
            drop(handle);
        }
        link = next;
    }
}

void rill__loop_drop_handles(struct rill_loop *loop)
{
    struct rill__timer *timer;
    while (rill__timers_pop(&loop->timers, &timer)) {
        if (timer != NULL) {
            rill__ready(loop, &timer->entry);
        }
    }
    rill__list_splice(&loop->ready, &loop->current);
    rill__list_splice(&loop->ready, &loop->io);
    rill__list_splice(&loop->ready, &loop->threadsafe);
    drop_queued(&loop->ready);
}
