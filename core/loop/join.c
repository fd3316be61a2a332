/* SPDX-License-Identifier: MIT
 *
 * Waiting for tasks: await, shield, gather, wait. Where asyncio puts a future of its own between
 * the task and the waiter (shield, gather, wait) there is one more iteration, and so it is here.
 */
#include "loop/tasks.h"
#include "sansio/memory.h"

/* What the awaiting task gets of a done one. */
static int take_result(struct rill_task *task)
{
    task->retrieved = true;
    if (task->state == RILL__TASK_CANCELLED) { /* with its text */
        const struct rill_error *own = task->error;
        return rill__fail_ref(own != NULL && own->code == RILL_ECANCELLED ? own
                                                                          : rill_error_cancelled());
    }
    return task->exception != NULL ? rill__fail_ref(task->exception) : task->result;
}

int rill_task_await(struct rill_task *awaited)
{
    struct rill_task *task;
    struct rill__wait wait; /* its entry is among the awaited task's done callbacks */

    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    if (task == awaited) {
        return rill__fail_with(RILL_ERUNTIME, "Task cannot await on itself");
    }
    if (!rill_task_done(awaited)) {
        rill__wait_init(&wait, task);
        wait.passes_to = rill__task_ref(awaited);
        rill__task_on_done(awaited, &wait.entry);
        const int rc = rill__wait(&wait, NULL);
        rill__unready(&wait.entry);
        rill_task_free(awaited);
        if (rc < 0) {
            return rc; /* asked to stop after the other had ended */
        }
    }
    return take_result(awaited);
}

/* asyncio's _cancel_and_wait: not an await, so that a cancellation of the waiter ends it, and there
 * is one more iteration. */
static int cancel_and_take(struct rill_task *awaited)
{
    static const struct rill_opt_real for_ever = {false, 0};
    struct rill_task *const tasks[] = {awaited};

    rill_task_cancel(awaited);
    int rc = rill_wait(tasks, 1, RILL_ALL_COMPLETED, for_ever);
    if (rc < 0) {
        return rc;
    }
    rc = take_result(awaited);
    return rc == RILL_ECANCELLED
               ? rill__fail(rill_error_with_cause(rill_error_new(RILL_ETIMEOUT, "%s", ""),
                                                  rill_error_cancelled()))
               : rc;
}

int rill_task_wait_for(struct rill_task *awaited, struct rill_opt_real timeout_s)
{
    struct rill_timeout scope;

    if (!timeout_s.given) {
        return rill_task_await(awaited);
    }
    if (timeout_s.value <= 0 && rill_task_done(awaited)) {
        return take_result(awaited);
    }
    if (timeout_s.value <= 0) {
        return cancel_and_take(awaited);
    }
    rill_timeout_enter(&scope, timeout_s.value);
    return rill_timeout_exit(&scope, rill_task_await(awaited));
}

/* A wait for several tasks. Each child has an entry among its done callbacks; the condition
 * completes the wait. */
struct join;
struct child {
    struct rill__entry entry;
    struct join *join;
    struct rill_task *task;
    bool seen;
};
struct join {
    struct rill__wait wait;
    struct rill__timer deadline; /* of rill_wait, armed if it has one */
    struct child *children;
    size_t count;
    size_t finished;
    struct rill_task *failed; /* the first that failed, where that ends the wait */
    bool first_failure_ends;
    bool first_done_ends;
    bool pass_cancel;
    bool cancel_requested;
};

static void child_done(struct child *child)
{
    struct join *join = child->join;
    const bool failed = child->task->result < 0;

    child->seen = true;
    join->finished++;
    if (join->first_failure_ends && failed && join->failed == NULL) {
        join->failed = child->task;
    }
    if (join->finished == join->count || join->first_done_ends || join->failed != NULL) {
        rill__timer_stop(&join->deadline); /* now, not when the task runs: R-016 shows it */
        rill__wait_complete(&join->wait, 0);
    }
}

static void run_child(struct rill__entry *entry)
{
    child_done(rill__container(entry, struct child, entry));
}

static enum rill__cancel join_cancel(struct rill__wait *wait)
{
    struct join *join = rill__container(wait, struct join, wait);
    const struct rill_error *why = wait->task->cancel_error; /* */
    bool any = false;
    bool circle = false;

    if (!join->pass_cancel) {
        return RILL__CANCEL_NOW;
    }
    for (size_t i = 0; i < join->count; i++) {
        struct rill_task *child = join->children[i].task;
        circle = circle || child->in_cancel;
        any = rill_task_cancel_text(child, why != NULL ? why->text : NULL) || any;
    }
    join->cancel_requested = join->cancel_requested || any;
    if (!any && circle) { /* it waits for itself: nothing else would ever end it */
        return RILL__CANCEL_NOW;
    }
    return any ? RILL__CANCEL_PASSED : RILL__CANCEL_TOO_LATE;
}

static int join_start(struct join *join, struct rill_task *const *tasks, size_t count)
{
    struct rill_task *task;

    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    join->children = rill__alloc_zeroed(count * sizeof join->children[0]);
    if (join->children == NULL) {
        return rill__fail_no_memory();
    }
    join->count = count;
    rill__wait_init(&join->wait, task);
    for (size_t i = 0; i < count; i++) {
        struct child *child = &join->children[i];
        *child = (struct child){.entry.run = run_child, .join = join};
        child->task = rill__task_ref(tasks[i]);
        if (!rill_task_done(child->task)) {
            rill__task_on_done(child->task, &child->entry);
        }
    }
    return 0;
}

static void join_end(struct join *join)
{
    for (size_t i = 0; i < join->count; i++) {
        struct child *child = &join->children[i];
        rill__unready(&child->entry);
        rill_task_free(child->task);
    }
    rill__free(join->children);
}

static void count_done(struct join *join)
{
    for (size_t i = 0; i < join->count; i++) {
        struct child *child = &join->children[i];
        if (rill_task_done(child->task) && !child->seen && !rill__linked(&child->entry.link)) {
            child_done(child);
        }
    }
}

static const struct rill__wait_ops join_ops = {.cancel = join_cancel};

int rill_gather(struct rill_task *const *tasks, size_t count, bool return_exceptions, int *results)
{
    struct join join = {.first_failure_ends = !return_exceptions, .pass_cancel = true};

    if (count == 0) {
        return 0;
    }
    int rc = join_start(&join, tasks, count);
    if (rc < 0) {
        return rc;
    }
    count_done(&join);
    if (join.wait.state == RILL__WAIT_PENDING) {
        rc = rill__wait(&join.wait, &join_ops);
    } else { /* nothing to wait for: no iteration passes */
        rill__unready(&join.wait.entry);
    }
    for (size_t i = 0; i < count; i++) {
        join.children[i].task->retrieved = true;
    }
    if (rc == 0 && join.failed != NULL) {
        rc = take_result(join.failed);
    } else if (rc == 0 && join.cancel_requested) {
        rc = rill__task_deliver_cancel(join.wait.task);
    }
    if (rc == 0 && results != NULL) {
        for (size_t i = 0; i < count; i++) {
            results[i] = join.children[i].task->result;
        }
    }
    join_end(&join);
    return rc;
}

static void wait_timed_out(struct rill__entry *entry)
{
    struct rill__timer *timer = rill__container(entry, struct rill__timer, entry);
    rill__wait_complete(&rill__container(timer, struct join, deadline)->wait, 0);
}

int rill_wait(struct rill_task *const *tasks, size_t count, enum rill_wait_until until,
              struct rill_opt_real timeout_s)
{
    struct join join = {.first_done_ends = until == RILL_FIRST_COMPLETED,
                        .deadline.entry.run = wait_timed_out};

    if (count == 0) {
        return rill__fail_with(RILL_EVALUE, "Set of Tasks/Futures is empty.");
    }
    int rc = join_start(&join, tasks, count);
    if (rc < 0) {
        return rc;
    }
    struct rill_loop *loop = join.wait.task->loop;
    for (size_t i = 0; i < count; i++) { /* add_done_callback on a done future calls back soon */
        if (rill_task_done(join.children[i].task)) {
            rill__ready(loop, &join.children[i].entry);
        }
    }
    if (timeout_s.given) {
        rc = rill__timer_start(loop, &join.deadline, rill_loop_time(loop) + timeout_s.value);
    }
    rc = rc < 0 ? rill__fail_no_memory() : rill__wait(&join.wait, &join_ops);
    rill__timer_stop(&join.deadline);
    join_end(&join);
    return rc;
}

int rill_shield(struct rill_task *inner)
{
    struct rill_task *const tasks[] = {inner};
    struct join join = {0};

    if (rill_task_done(inner)) {
        return rill_task_await(inner);
    }
    int rc = join_start(&join, tasks, 1);
    if (rc < 0) {
        return rc;
    }
    rc = rill__wait(&join.wait, &join_ops);
    if (rc == 0) {
        rc = take_result(inner);
    }
    join_end(&join);
    return rc;
}
