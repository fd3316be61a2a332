/* SPDX-License-Identifier: MIT
 *
 * The loop: its life, one turn, run and stop.
 */
#include "loop/loop.h"

#include <math.h>
#include <time.h>

#include "loop/coroutine.h"
#include "loop/poller.h"
#include "loop/tasks.h"
#include "loop/timers.h"
#include "loop/workers.h"
#include "sansio/memory.h"

#define MAXIMUM_WAIT_S (24. * 3600.) /* asyncio's MAXIMUM_SELECT_TIMEOUT */

#define ENDING_REQUESTS 3
#define ENDING_TURNS    20
#define SLOW_CALLBACK_S 0.1 /* asyncio's slow_callback_duration */

static _Thread_local struct rill_loop *running_loop;

struct rill_loop *rill_running_loop(void)
{
    return running_loop;
}

struct rill_loop *rill__set_running_loop(struct rill_loop *loop)
{
    struct rill_loop *before = running_loop;
    running_loop = loop;
    return before;
}

static double monotonic_now(void *arg)
{
    struct timespec time;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void set_options(struct rill_loop *loop, const struct rill_loop_options *options)
{
    if (options->clock != NULL) {
        loop->clock = *options->clock;
    }
    if (loop->clock.now == NULL) {
        loop->clock.now = monotonic_now;
    }
    if (loop->clock.resolution_s == 0) {
        loop->clock.resolution_s = 1e-9;
    }
    loop->sys = options->sys != NULL ? options->sys : rill_sys_kernel();
    loop->log = options->log;
    loop->log_arg = options->log_arg;
    loop->debug = options->debug.given && options->debug.value != 0;
    loop->adopted = options->ev != NULL;
    loop->fair_calls = options->fair_calls;
    loop->slow_callback_s = SLOW_CALLBACK_S;
}

int rill_loop_new(const struct rill_loop_options *options, struct rill_loop **result)
{
    static const struct rill_loop_options none = {0};
    struct rill_loop *loop = rill__alloc_zeroed(sizeof *loop);
    int rc;

    *result = NULL;
    if (loop == NULL) {
        return RILL_ENOMEM;
    }
    options = options != NULL ? options : &none;
    rill__list_init(&loop->ready);
    rill__list_init(&loop->current);
    rill__list_init(&loop->io);
    rill__list_init(&loop->tasks);
    rill__list_init(&loop->servers);
    rill__list_init(&loop->handlers);
    rill__list_init(&loop->transports);
    rill__list_init(&loop->threadsafe);
    set_options(loop, options);

    loop->spare = rill__alloc(RILL__SPARE_SIZE + RILL__ROOM_SIZE);
    if (loop->spare == NULL) {
        rc = RILL_ENOMEM;
        goto free_loop;
    }
    rc = rill__stacks_new(loop->sys, options->stack_size_bytes, sizeof(struct rill_task),
                          RILL__TASK_ROOM, &loop->stacks);
    if (rc < 0) {
        goto free_loop;
    }
    rc = rill__poller_ev_new(loop, options->ev, &loop->poller);
    if (rc < 0) {
        goto free_stacks;
    }
    pthread_mutex_init(&loop->lock, NULL);
    *result = loop;
    return 0;

free_stacks:
    rill__stacks_free(loop->stacks);
free_loop:
    rill__free(loop->spare);
    rill__free(loop);
    return rc;
}

void rill__open_add(struct rill_loop *loop, struct rill__open *open)
{
    rill__list_append(&loop->transports, &open->link);
    loop->transport_count++;
}

void rill__open_remove(struct rill_loop *loop, struct rill__open *open)
{
    if (rill__linked(&open->link)) {
        rill__list_remove(&open->link);
        loop->transport_count--;
    }
}

static void drop_list(struct rill__list *list)
{
    struct rill__link *link;
    while ((link = rill__list_first(list)) != NULL) {
        struct rill__open *open = rill__container(link, struct rill__open, link);
        rill__list_remove(link);
        open->drop(open);
    }
}

void rill__ready(struct rill_loop *loop, struct rill__entry *entry)
{
    if (!rill__linked(&entry->link)) {
        rill__list_append(&loop->ready, &entry->link);
    }
}

void rill__ready_io(struct rill_loop *loop, struct rill__entry *entry)
{
    if (!rill__linked(&entry->link)) {
        rill__list_append(&loop->io, &entry->link);
    }
}

void rill__unready(struct rill__entry *entry)
{
    rill__list_remove(&entry->link);
}

void rill__ready_threadsafe(struct rill_loop *loop, struct rill__entry *entry)
{
    pthread_mutex_lock(&loop->lock);
    rill__list_append(&loop->threadsafe, &entry->link);
    atomic_store(&loop->has_threadsafe, true);
    /* Inside the lock: once it is given up the entry may run, and what it does may be the loop's
     * end. */
    loop->poller->ops->wake(loop->poller);
    pthread_mutex_unlock(&loop->lock);
}

static void take_threadsafe(struct rill_loop *loop)
{
    if (!atomic_load(&loop->has_threadsafe)) {
        return;
    }
    pthread_mutex_lock(&loop->lock);
    rill__list_splice(&loop->ready, &loop->threadsafe);
    atomic_store(&loop->has_threadsafe, false);
    pthread_mutex_unlock(&loop->lock);
}

int rill__timer_start(struct rill_loop *loop, struct rill__timer *timer, double when_s)
{
    timer->loop = loop;
    /* NaN has no place in a heap's order: a deadline that is no number has passed. */
    return rill__timers_push(&loop->timers, timer, isnan(when_s) ? -INFINITY : when_s);
}

void rill__timer_stop(struct rill__timer *timer)
{
    if (timer->armed) {
        rill__timers_cancel(&timer->loop->timers, timer);
    }
    rill__unready(&timer->entry);
}

double rill_loop_time(const struct rill_loop *loop)
{
    return loop->clock.now(loop->clock.arg);
}

double rill__turn_before_poll(struct rill_loop *loop)
{
    rill__timers_tidy(&loop->timers);
    take_threadsafe(loop);
    if (!rill__list_empty(&loop->ready) || !rill__list_empty(&loop->io) || loop->poller->more ||
        loop->stopping) {
        return 0;
    }
    const double next = rill__timers_next(&loop->timers);
    if (isinf(next)) {
        return -1;
    }
    const double timeout_s = next - rill_loop_time(loop);
    const double bounded_s = timeout_s < MAXIMUM_WAIT_S ? timeout_s : MAXIMUM_WAIT_S;
    return bounded_s > 0 ? bounded_s : 0;
}

static void queue_due_timers(struct rill_loop *loop)
{
    const double end = rill_loop_time(loop) + loop->clock.resolution_s;
    struct rill__timer *timer;

    while (rill__timers_pop_due(&loop->timers, end, &timer)) {
        if (timer != NULL) {
            rill__ready(loop, &timer->entry);
        }
    }
}

/* Debug mode: a callback that kept the loop is logged. */
static void run_watched(struct rill_loop *loop, struct rill__entry *entry)
{
    const double before = rill_loop_time(loop);
    entry->run(entry);
    const double took = rill_loop_time(loop) - before;
    if (took >= loop->slow_callback_s) {
        rill__log(loop, RILL_LOG_WARNING, "Executing <Handle> took %.3f seconds", took);
    }
}

void rill__turn_after_poll(struct rill_loop *loop)
{
    struct rill_loop *before = rill__set_running_loop(loop);
    struct rill__link *link;

    rill__list_splice(&loop->ready, &loop->io);
    if (loop->timers.count > 0) {
        queue_due_timers(loop);
    }
    /* Exactly what is queued now: what these queue runs in the next turn. */
    rill__list_splice(&loop->current, &loop->ready);
    bool only_fed = !rill__list_empty(&loop->current);
    while ((link = rill__list_first(&loop->current)) != NULL) {
        struct rill__entry *entry = rill__container(link, struct rill__entry, link);
        rill__list_remove(link);
        loop->fed = false;
        if (loop->debug) {
            run_watched(loop, entry);
        } else {
            entry->run(entry);
        }
        only_fed = only_fed && loop->fed;
    }
    loop->fed = only_fed;
    loop->turns++;
    rill__set_running_loop(before);
}

/* Python throws GeneratorExit into a coroutine that it collects; here the tasks that are left are
 * cancelled, so that their frames let go of what they own. Without a poll, and bounded: who
 * swallows it again and again is thrown away. */
static void end_tasks(struct rill_loop *loop)
{
    for (int request = 0; request < ENDING_REQUESTS && loop->task_count > 0; request++) {
        bool left = true; /* one turn behind the last task's end, for what waits for that */
        rill__cancel_tasks(loop);
        for (int turn = 0; turn < ENDING_TURNS && left; turn++) {
            left = loop->task_count > 0;
            take_threadsafe(loop);
            rill__turn_after_poll(loop);
        }
    }
}

void rill_loop_free(struct rill_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    rill_assert(!loop->running);
    end_tasks(loop);
    rill__workers_join(loop);
    drop_list(&loop->servers);
    drop_list(&loop->transports);
    /* Before the tasks: waits on their stacks are queued and armed. */
    rill__loop_drop_handles(loop);
    rill__timers_cleanup(&loop->timers);
    drop_list(&loop->handlers);
    rill__loop_drop_tasks(loop);
    rill__descriptors_cleanup(loop);
    loop->poller->ops->free(loop->poller);
    rill__stacks_free(loop->stacks);
    rill_error_unref(loop->callback_error);
    rill__free(loop->spare);
    rill__spares_cleanup(&loop->blocks);
    pthread_mutex_lock(&loop->lock); /* whoever woke the loop last has left */
    pthread_mutex_unlock(&loop->lock);
    pthread_mutex_destroy(&loop->lock);
    rill__free(loop);
}

/* R-010 polls in every turn. Where the last one only moved bytes into readers, and no writer of
 * this loop waits for the room that this made, the poll could find nothing but what others did
 * meanwhile, and that may as well have come later: it is left out, once. A request costs one poll
 * then. */
static bool may_skip_poll(const struct rill_loop *loop)
{
    return loop->fed && !rill__list_empty(&loop->ready) && loop->poller->writing == 0;
}

void rill__turn(struct rill_loop *loop, bool may_block)
{
    double timeout_s = rill__turn_before_poll(loop);

    if (!may_block) {
        timeout_s = 0;
    } else if (timeout_s != 0 && loop->clock.idle != NULL) {
        const double until = timeout_s < 0 ? INFINITY : rill__timers_next(&loop->timers);
        if (loop->clock.idle(loop->clock.arg, until) == 0) {
            timeout_s = 0;
        }
    }
    if (!may_skip_poll(loop)) {
        loop->poller->ops->wait(loop->poller, timeout_s);
    }
    rill__turn_after_poll(loop);
}

bool rill_loop_step(struct rill_loop *loop)
{
    rill_assert(!loop->running);
    (void)rill__turn_before_poll(loop);
    loop->running = true;
    loop->poller->ops->wait(loop->poller, 0);
    const double end = rill_loop_time(loop) + loop->clock.resolution_s;
    const bool anything = !rill__list_empty(&loop->ready) || !rill__list_empty(&loop->io) ||
                          rill__timers_next(&loop->timers) < end;
    if (anything) {
        rill__turn_after_poll(loop);
    }
    loop->running = false;
    return anything;
}

int rill__loop_may_run(const struct rill_loop *loop)
{
    if (loop->running) {
        return rill__fail_with(RILL_ERUNTIME, "This event loop is already running");
    }
    if (running_loop != NULL) {
        return rill__fail_with(RILL_ERUNTIME,
                               "Cannot run the event loop while another loop is running");
    }
    return loop->adopted ? RILL_ERUNTIME : 0; /* outside tasks: nobody could ask for a text */
}

int rill_loop_run_forever(struct rill_loop *loop)
{
    const int rc = rill__loop_may_run(loop);
    if (rc < 0) {
        return rc;
    }
    loop->running = true;
    rill__set_running_loop(loop);
    do {
        rill__turn(loop, true);
    } while (!loop->stopping);
    rill__set_running_loop(NULL);
    loop->stopping = false;
    loop->running = false;
    return 0;
}

void rill_loop_stop(struct rill_loop *loop)
{
    loop->stopping = true;
}

bool rill_loop_is_running(const struct rill_loop *loop)
{
    return loop->running || running_loop == loop;
}

bool rill_loop_get_debug(const struct rill_loop *loop)
{
    return loop->debug;
}

void rill_loop_set_slow_callback_duration(struct rill_loop *loop, double seconds)
{
    loop->slow_callback_s = seconds;
}

void rill_loop_set_debug(struct rill_loop *loop, bool debug)
{
    loop->debug = debug;
}

void rill_observe_loop(const struct rill_loop *loop, struct rill_loop_state *state)
{
    size_t ready = 0;
    const struct rill__link *link;
    for (link = loop->ready.head.next; link != &loop->ready.head; link = link->next) {
        ready++;
    }
    for (link = loop->io.head.next; link != &loop->io.head; link = link->next) {
        ready++;
    }
    state->ready = ready;
    state->timers = loop->timers.count - loop->timers.cancelled;
    state->next_timer = rill__timers_next_live(&loop->timers);
    state->watchers = loop->poller->watches;
    state->tasks = loop->task_count;
    state->transports = loop->transport_count;
    state->jobs = loop->jobs;
    state->turns = loop->turns;
}

void rill_observe_streams(struct rill_loop *loop, rill_observer_fn *fn, void *arg)
{
    loop->observer = fn;
    loop->observer_arg = arg;
}
