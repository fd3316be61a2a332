/* SPDX-License-Identifier: MIT
 *
 * asyncio.sleep and asyncio.timeout.
 */
#include <math.h>

#include "loop/tasks.h"
#include "sansio/memory.h"

struct sleep {
    struct rill__timer timer;
    struct rill__wait wait;
};

/* The timer's turn completes the wait, the task runs one iteration later:
 * futures._set_result_unless_cancelled. */
static void slept(struct rill__entry *entry)
{
    struct sleep *sleep =
        rill__container(rill__container(entry, struct rill__timer, entry), struct sleep, timer);
    rill__wait_complete(&sleep->wait, 0);
}

int rill_sleep(double delay_s)
{
    struct rill_task *task;
    struct sleep sleep = {.timer.entry.run = slept};

    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    if (delay_s <= 0) {
        return rill__yield(task);
    }
    if (isnan(delay_s)) {
        return rill__fail_with(RILL_EVALUE, "Invalid delay: NaN (not a number)");
    }
    if (rill__timer_start(task->loop, &sleep.timer, rill_loop_time(task->loop) + delay_s) < 0) {
        return rill__fail_no_memory();
    }
    rill__wait_init(&sleep.wait, task);
    const int rc = rill__wait(&sleep.wait, NULL);
    rill__timer_stop(&sleep.timer);
    return rc;
}

/* The states of asyncio.Timeout. */
enum { TIMEOUT_CREATED, TIMEOUT_ENTERED, TIMEOUT_EXPIRING, TIMEOUT_EXPIRED, TIMEOUT_EXITED };

static const char *state_name(int state)
{
    static const char *const names[] = {"created", "active", "expiring", "expired", "finished"};
    return names[state];
}

static void timeout_expired(void *arg)
{
    struct rill_timeout *scope = arg;
    rill_task_cancel(scope->task);
    scope->state = TIMEOUT_EXPIRING;
}

static void drop_handle(struct rill_timeout *scope)
{
    if (scope->handle != NULL) {
        rill_handle_cancel(scope->handle);
        rill_handle_free(scope->handle);
        scope->handle = NULL;
    }
}

static int arm(struct rill_timeout *scope)
{
    struct rill_loop *loop = scope->task->loop;
    drop_handle(scope);
    if (isinf(scope->when_s) && scope->when_s > 0) {
        return 0;
    }
    if (scope->when_s <= rill_loop_time(loop)) {
        return rill_call_soon(loop, timeout_expired, scope, &scope->handle);
    }
    return rill_call_at(loop, scope->when_s, timeout_expired, scope, &scope->handle);
}

void rill_timeout_enter_at(struct rill_timeout *scope, double when_s)
{
    *scope = (struct rill_timeout){.when_s = when_s, .task = rill_current_task()};
    if (scope->task == NULL) {
        return; /* reported by exit: `Timeout should be used inside a task` */
    }
    scope->state = TIMEOUT_ENTERED;
    scope->cancelling = rill_task_cancelling(scope->task);
    /* Without memory for its timer the scope fails closed: it expires at once. */
    if (arm(scope) < 0) {
        rill_task_cancel(scope->task);
        scope->state = TIMEOUT_EXPIRING;
    }
}

void rill_timeout_enter(struct rill_timeout *scope, double delay_s)
{
    const struct rill_loop *loop = rill_running_loop();
    rill_timeout_enter_at(scope, loop != NULL ? rill_loop_time(loop) + delay_s : delay_s);
}

int rill_timeout_reschedule(struct rill_timeout *scope, double when_s)
{
    if (scope->state == TIMEOUT_CREATED) {
        return rill__fail_with(RILL_ERUNTIME, "Timeout has not been entered");
    }
    if (scope->state != TIMEOUT_ENTERED) {
        return rill__fail(rill_error_new(RILL_ERUNTIME, "Cannot change state of %s Timeout",
                                         state_name(scope->state)));
    }
    scope->when_s = when_s;
    return arm(scope);
}

bool rill_timeout_expired(const struct rill_timeout *scope)
{
    return scope->state == TIMEOUT_EXPIRING || scope->state == TIMEOUT_EXPIRED;
}

static const struct rill_error *timeout_error(void)
{
    return rill_error_with_cause(rill_error_new(RILL_ETIMEOUT, "%s", ""), rill_error_cancelled());
}

/* The same error, with a TimeoutError in its chain where there was the cancellation that this scope
 * asked for; takes over the reference and gives one. */
static const struct rill_error *blame_timeout(const struct rill_error *error)
{
    const struct rill_error *cause = error->cause;
    if (cause == NULL) {
        return error;
    }
    const struct rill_error *blamed =
        cause->code == RILL_ECANCELLED ? timeout_error() : blame_timeout(rill_error_ref(cause));
    error = rill_error_with_cause(error, blamed);
    rill_error_unref(blamed);
    return error;
}

int rill_timeout_exit(struct rill_timeout *scope, int rc)
{
    if (scope->task == NULL) {
        return rill__fail_with(RILL_ERUNTIME, "Timeout should be used inside a task");
    }
    drop_handle(scope);
    if (scope->state != TIMEOUT_EXPIRING) {
        scope->state = TIMEOUT_EXITED;
        return rc;
    }
    scope->state = TIMEOUT_EXPIRED;
    if (rill_task_uncancel(scope->task) > scope->cancelling || rc >= 0) {
        return rc;
    }
    return rill__fail(rc == RILL_ECANCELLED ? timeout_error()
                                            : blame_timeout(rill__error_of_code(rc))); /* */
}

/* fn never runs. asyncio makes a task of it all the same, cancels it before its first step
 * and waits for its end, so others run meanwhile as they do there. */
static int time_out_at_once(rill_task_fn *fn, void *arg)
{
    static const struct rill_opt_real zero = RILL_SET(0);
    struct rill_task *task = NULL;
    int rc = rill_task_create(fn, arg, NULL, &task);

    if (rc == 0) {
        rc = rill_task_wait_for(task, zero);
        rill_task_free(task);
    }
    return rc;
}

int rill_wait_for(rill_task_fn *fn, void *arg, struct rill_opt_real timeout_s)
{
    struct rill_timeout scope;

    if (!timeout_s.given) {
        return fn(arg);
    }
    if (timeout_s.value <= 0) {
        return time_out_at_once(fn, arg);
    }
    rill_timeout_enter(&scope, timeout_s.value);
    return rill_timeout_exit(&scope, fn(arg));
}
