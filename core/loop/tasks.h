/* SPDX-License-Identifier: MIT
 *
 * Tasks and waits from the inside. A wait is one suspension of one task: what asyncio's task awaits
 * as a future. Its step function does what the woken coroutine would do first, on the ready queue
 * where asyncio queues the wake-up, without a switch; only when the call can return is the task's
 * stack entered.
 */
#ifndef RILL__TASKS_H
#define RILL__TASKS_H

#include "loop/loop.h"

struct rill_coro;
struct rill__wait;

/* What a wait's step answers to go on waiting. */
#define RILL__WAIT_AGAIN 1

enum rill__cancel {
    RILL__CANCEL_NOW,    /* the wait ends cancelled at the next iteration */
    RILL__CANCEL_PASSED, /* the request went on to what is waited for; the wait ends when that does
                          */
    RILL__CANCEL_TOO_LATE, /* what is waited for has ended already: the task gets it at its next
                              step */
};

struct rill__wait_ops {
    /* At the wake-up: 0 or a negative code ends the wait, RILL__WAIT_AGAIN goes on. NULL: ends with
     * wait->result. */
    int (*step)(struct rill__wait *wait);
    /* The waiting task is asked to stop. NULL: RILL__CANCEL_NOW. */
    enum rill__cancel (*cancel)(struct rill__wait *wait);
    /* The task will be resumed with RILL_ECANCELLED now: clean up. May be NULL. */
    void (*cancelled)(struct rill__wait *wait);
};

enum rill__wait_state { RILL__WAIT_PENDING, RILL__WAIT_COMPLETED, RILL__WAIT_CANCELLED };

struct rill__wait {
    /* The wake-up; while pending it may be in a list of what is waited for. */
    struct rill__entry entry;
    struct rill_task *task;
    const struct rill__wait_ops *ops;
    struct rill_task *passes_to; /* `await task`: cancelling the waiter cancels this one instead */
    enum rill__wait_state state;
    int result;
};

/* Suspends the running task until the wait is completed (or cancelled): 0 or less, RILL_ECANCELLED.
 * The wait lives on the caller's stack; the entry may be linked somewhere before. */
int rill__wait(struct rill__wait *wait, const struct rill__wait_ops *ops);
void rill__wait_init(struct rill__wait *wait, struct rill_task *task);

/* Future.cancel() on what the task waits for: false when it has ended already. */
bool rill__wait_cancel(struct rill__wait *wait);

/* Ends the wait cancelled at the next iteration, whatever it would pass on. */
void rill__wait_end_cancelled(struct rill__wait *wait);

/* Ends the wait with a result at the next iteration; nothing when it has ended already. */
void rill__wait_complete(struct rill__wait *wait, int result);

/* A list of waits that end together. */
void rill__wait_complete_all(struct rill__list *waits, int result);

enum rill__task_state { RILL__TASK_PENDING, RILL__TASK_DONE, RILL__TASK_CANCELLED };

/* Bytes beside a server's task, in the top page of its stack, which is touched anyway: for its
 * connection. */
#define RILL__TASK_ROOM ((size_t)1024)

struct rill_task {
    _Alignas(16) struct rill_loop *loop; /* so is the room behind */
    struct rill_coro *coro;
    struct rill__wait *waiting; /* asyncio's _fut_waiter */
    bool must_cancel;
    bool in_cancel; /* a cancellation passes through it just now: tasks that await each other in a
                       circle */
    bool started;
    bool retrieved; /* somebody asked for the exception */
    /* Reads and drains without a suspension, for the fairness knob. */
    unsigned calls_in_a_row;
    struct rill__entry step; /* the first step, and bare yields */
    struct rill__link link;  /* in the loop's list while not done */
    /* Entries queued when it is done (Future.add_done_callback). */
    struct rill__list done_callbacks;
    rill_task_fn *fn;
    void *arg;
    const struct rill_error *error;     /* of the last call that failed in it */
    const struct rill_error *exception; /* it ended with */
    size_t references;
    unsigned long long number;
    char *name; /* NULL: Task-number */
    char default_name[24];
    enum rill__task_state state;
    int result;
    int cancel_requests;
    const struct rill_error *cancel_error; /* with the text of cancel(text); NULL: without */
    struct rill__stacks *room_of;          /* NULL: without a room */
    size_t room_left;                      /* behind this struct */
};

/* A task that is not begun, the caller's reference; or a code that rill__fail got, and *task as it
 * was. Begun it runs as if created then. */
int rill__task_new(struct rill_loop *loop, bool with_room, struct rill_task **task);
void rill__task_begin(struct rill_task *task, rill_task_fn *fn, void *arg);

/* Zeroed memory in the task's room, which stays as long as it is not freed (also when the task has
 * ended and the loop is gone); where that is full, or *home is NULL, on the heap: *home becomes
 * NULL. */
void *rill__room_alloc(struct rill_task **home, size_t size);
void rill__room_free(struct rill_task *home, void *memory);

/* Enters the task's stack with `value` as the result of its suspension. */
void rill__task_resume(struct rill_task *task, int value);

/* What a task is told that was asked to stop: CancelledError becomes its last error. Returns
 * RILL_ECANCELLED. */
int rill__task_deliver_cancel(struct rill_task *task);

/* Calls run(arg) on the loop's own stack, also from a task, whose stack stays shallow: for foreign
 * code that needs much of it. No suspension, no other task meanwhile. */
void rill__on_loop_stack(struct rill_loop *loop, void (*run)(void *arg), void *arg);

/* Suspends the running task for exactly one iteration (a bare yield, R-013): 0 or RILL_ECANCELLED.
 */
int rill__yield(struct rill_task *task);

/* The fairness knob: yields one iteration when this call is one too many in a row. 0 or
 * RILL_ECANCELLED. */
static inline int rill__be_fair(struct rill_task *task)
{
    const unsigned most = task != NULL ? task->loop->fair_calls : 0;
    return most == 0 || ++task->calls_in_a_row <= most ? 0 : rill__yield(task);
}

struct rill_task *rill__task_ref(struct rill_task *task);

/* Calls entry->run in the iteration after the task is done. The task must not be done. */
void rill__task_on_done(struct rill_task *task, struct rill__entry *entry);

/* Stores the error of a failed call for rill_task_error (takes the reference) and returns its code.
 * Outside a task the reference is dropped. */
int rill__fail(const struct rill_error *error);

/* The same for a new error with a fixed text. */
int rill__fail_with(int code, const char *text);
int rill__fail_no_memory(void);

/* The object behind a code that a callback or task returned: the last failure if it has that code,
 * else an empty one. The caller's reference. */
const struct rill_error *rill__error_of_code(int code);

/* The code of `error`, which becomes the running task's error as well (the caller keeps its own
 * reference). */
int rill__fail_ref(const struct rill_error *error);

/* Passes a cancellation of `from` on to `task`, with its text. */
bool rill__cancel_as(struct rill_task *task, const struct rill_task *from);

/* Task.cancel() on every task of the loop. */
void rill__cancel_tasks(struct rill_loop *loop);

/* For rill_loop_free: tasks that never ended are thrown away; queued public handles are dropped. */
void rill__loop_drop_tasks(struct rill_loop *loop);

/* 0 when the loop may be run from here now; otherwise fails as run_forever and run_until_complete
 * do. */
int rill__loop_may_run(const struct rill_loop *loop);
void rill__loop_drop_handles(struct rill_loop *loop);

#endif
