/* SPDX-License-Identifier: MIT
 *
 * Waits: suspending a task, waking it, cancelling it while it waits.
 */
#include "loop/coroutine.h"
#include "loop/tasks.h"
#include "sansio/memory.h"

/* The wake-up on the ready queue. */
static void run_wait(struct rill__entry *entry)
{
    struct rill__wait *wait = rill__container(entry, struct rill__wait, entry);
    struct rill_task *task = wait->task;
    int rc;

    if (wait->state == RILL__WAIT_CANCELLED || task->must_cancel) {
        /* A cancel that came after the wait had completed wins too. */
        task->must_cancel = false;
        if (wait->ops != NULL && wait->ops->cancelled != NULL) {
            wait->ops->cancelled(wait);
        }
        rc = rill__task_deliver_cancel(task);
    } else if (wait->ops != NULL && wait->ops->step != NULL) {
        wait->state = RILL__WAIT_PENDING;
        rc = wait->ops->step(wait);
        if (rc == RILL__WAIT_AGAIN) {
            return;
        }
    } else {
        rc = wait->result;
    }
    task->waiting = NULL;
    rill__task_resume(task, rc);
}

void rill__wait_init(struct rill__wait *wait, struct rill_task *task)
{
    *wait = (struct rill__wait){.task = task, .state = RILL__WAIT_PENDING};
    wait->entry.run = run_wait;
}

int rill__wait(struct rill__wait *wait, const struct rill__wait_ops *ops)
{
    struct rill_task *task = wait->task;

    rill_assert(task == task->loop->current_task);
    task->calls_in_a_row = 0;
    wait->ops = ops;
    task->waiting = wait;
    if (task->must_cancel && rill__wait_cancel(wait)) { /* */
        task->must_cancel = false;
    }
    return rill__coroutine_suspend(task->coro);
}

void rill__wait_end_cancelled(struct rill__wait *wait)
{
    wait->state = RILL__WAIT_CANCELLED;
    rill__unready(&wait->entry); /* out of the list of what it waited for */
    rill__ready(wait->task->loop, &wait->entry);
}

bool rill__wait_cancel(struct rill__wait *wait)
{
    enum rill__cancel answer = RILL__CANCEL_NOW;

    if (wait->state != RILL__WAIT_PENDING) {
        return false;
    }
    if (wait->passes_to != NULL) {
        return rill__cancel_as(wait->passes_to, wait->task);
    }
    if (wait->ops != NULL && wait->ops->cancel != NULL) {
        answer = wait->ops->cancel(wait);
    }
    if (answer == RILL__CANCEL_NOW) {
        rill__wait_end_cancelled(wait);
    }
    return answer != RILL__CANCEL_TOO_LATE;
}

void rill__wait_complete(struct rill__wait *wait, int result)
{
    if (wait->state == RILL__WAIT_PENDING) {
        wait->state = RILL__WAIT_COMPLETED;
        wait->result = result;
        rill__unready(&wait->entry);
        rill__ready(wait->task->loop, &wait->entry);
        rill__fetch((const char *)wait - 256, 512); /* the task's stack */
    }
}

void rill__wait_complete_all(struct rill__list *waits, int result)
{
    struct rill__link *link;
    while ((link = rill__list_first(waits)) != NULL) {
        rill__wait_complete(rill__container(link, struct rill__wait, entry.link), result);
    }
}
