/* SPDX-License-Identifier: MIT
 *
 * Tasks (specification section 9): a C function on a stack of its own that may wait, where Python
 * has a coroutine and `await`. "Suspends" below means: other tasks and callbacks run meanwhile.
 * Every call that suspends can return RILL_ECANCELLED when its task was cancelled; what it
 * then loses or keeps is said at each call.
 *
 * A task that returns RILL_ECANCELLED has ended cancelled; any other negative result is its
 * exception; 0 and above are its result.
 */
#ifndef RILL_TASK_H
#define RILL_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/error.h>
#include <rill/loop.h>
#include <rill/option.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int rill_task_fn(void *arg);

struct rill_run_options {
    struct rill_loop_options loop;
    bool leave_sigint_alone; /* do not do what R-905 says about Ctrl-C */
};

/* asyncio.run(): a new loop runs fn(arg) as a task to its end, then every task still there is
 * cancelled and waited for, then the loop is freed. Returns what fn returned. While it runs
 * on the main thread and SIGINT is at its default, Ctrl-C cancels the main task, and when that ends
 * by it, RILL_EKEYBOARDINTERRUPT is returned. RILL_ERUNTIME inside a running loop.
 * options may be NULL. */
int rill_run(rill_task_fn *fn, void *arg, const struct rill_run_options *options);

/* rill_run for main(): prints an error as Python's last traceback line to stderr (`ValueError:
 * text`) and returns the exit status: 0, 1 on an error, 130 after Ctrl-C. A result >= 0 is the exit
 * status itself. */
int rill_main(rill_task_fn *fn, void *arg);

/* loop.run_until_complete(): runs fn(arg) as a task on a loop that the caller keeps. */
int rill_loop_run_until_complete(struct rill_loop *loop, rill_task_fn *fn, void *arg);

struct rill_task_options {
    struct rill_loop *loop; /* NULL: the running one */
    const char *name;       /* copied; NULL: `Task-N` */
};

/* asyncio.create_task(): fn(arg) starts in the next iteration. 0, RILL_ENOMEM,
 * RILL_ERUNTIME `no running event loop`, or the error of the stack's mapping. `task` may be NULL:
 * nobody will ask. Otherwise the caller lets go of *task with rill_task_free, at any time before
 * its loop is freed (a task's memory is the loop's; rill_run frees its own loop); the task itself
 * runs on. Does not suspend. An exception that nobody asks for is reported as `Task exception was
 * never retrieved`. */
int rill_task_create(rill_task_fn *fn, void *arg, const struct rill_task_options *options,
                     struct rill_task **task);
void rill_task_free(struct rill_task *task); /* NULL is fine */

/* await task: suspends until it is done; returns its result. Cancelling the waiter cancels the task
 * (asyncio's rule); use rill_shield where that is not wanted. */
int rill_task_await(struct rill_task *task);

/* Task.cancel(): true unless it was done. */
bool rill_task_cancel(struct rill_task *task);
/* Task.cancel(text): the text of the CancelledError that the task, and whoever awaits it, gets
 * . Without memory the text is lost. */
bool rill_task_cancel_text(struct rill_task *task, const char *text);
/* Task.cancelling(), Task.uncancel() (R-915, as 3.13). */
int rill_task_cancelling(const struct rill_task *task);
int rill_task_uncancel(struct rill_task *task);

bool rill_task_done(const struct rill_task *task);
bool rill_task_cancelled(const struct rill_task *task);
/* The result of a done task: what it returned. RILL_EASSERTION while it is not done. */
int rill_task_result(struct rill_task *task);
/* The exception object of a done task, or NULL. Valid as long as the task's handle is held. */
const struct rill_error *rill_task_exception(struct rill_task *task);
const char *rill_task_name(struct rill_task *task);

/* asyncio.current_task(); NULL outside a task. Not a new handle: do not free. */
struct rill_task *rill_current_task(void);

/* The error object of the last call of this header's family (reads, drains, waits ...) that failed
 * in the running task; NULL when none has, or outside a task. Valid until the next failing call of
 * this task. */
const struct rill_error *rill_task_error(void);
/* Sets it, for an application's own errors: `return rill_task_fail(rill_error_new(RILL_EVALUE, "bad
 * header"))`. Takes over the reference and returns the code. */
int rill_task_fail(const struct rill_error *error);

/* asyncio.sleep(): suspends for delay_s seconds; 0 and less yield exactly one iteration. 0
 * or RILL_ECANCELLED. */
int rill_sleep(double delay_s);

/* asyncio.timeout() as a scope in a function of the caller:
 *
 *     struct rill_timeout scope;
 *     rill_timeout_enter(&scope, 5.0);
 *     rc = rill_reader_readline(reader, &line);
 *     rc = rill_timeout_exit(&scope, rc);     // RILL_ETIMEOUT when the scope's expiry is what
 * cancelled it
 *
 * The struct must live until exit; scopes nest and are left innermost first. */
struct rill_timeout {
    struct rill_task *task;
    struct rill_handle *handle;
    int cancelling;
    int state;
    double when_s;
};
void rill_timeout_enter(struct rill_timeout *scope, double delay_s);
void rill_timeout_enter_at(struct rill_timeout *scope, double when_s); /* infinity: no deadline */
/* RILL_ERUNTIME `Cannot change state of {state} Timeout` after exit. */
int rill_timeout_reschedule(struct rill_timeout *scope, double when_s);
bool rill_timeout_expired(const struct rill_timeout *scope);
int rill_timeout_exit(struct rill_timeout *scope, int rc);

/* asyncio.wait_for(): fn(arg) in this task under a timeout (R-920 to R-925, as 3.12+). Not given:
 * no timeout. <= 0: RILL_ETIMEOUT without running fn. */
int rill_wait_for(rill_task_fn *fn, void *arg, struct rill_opt_real timeout_s);

/* asyncio.wait_for(task, t): on timeout the task is cancelled and waited for. */
int rill_task_wait_for(struct rill_task *task, struct rill_opt_real timeout_s);

/* asyncio.gather(): waits for all; results[i] is what tasks[i] returned (may be NULL).
 * Without return_exceptions the first failure returns at once and the others keep running.
 * Cancelling the waiter cancels every task. */
int rill_gather(struct rill_task *const *tasks, size_t count, bool return_exceptions, int *results);

/* asyncio.wait(FIRST_COMPLETED or ALL_COMPLETED): 0 when the condition holds (ask rill_task_done),
 * RILL_ETIMEOUT is never returned: on timeout it returns 0 too, as asyncio does. Cancelling the
 * waiter leaves the tasks alone. count 0: RILL_EVALUE. */
enum rill_wait_until { RILL_FIRST_COMPLETED, RILL_ALL_COMPLETED };
int rill_wait(struct rill_task *const *tasks, size_t count, enum rill_wait_until until,
              struct rill_opt_real timeout_s);

/* await asyncio.shield(task): as rill_task_await, but cancelling the waiter leaves the task
 * running. */
int rill_shield(struct rill_task *task);

/* asyncio.TaskGroup as a scope in a function of the caller:
 *
 *     struct rill_task_group group;
 *     rill_task_group_enter(&group);
 *     rill_task_group_create_task(&group, fetch, &first, NULL);
 *     rill_task_group_create_task(&group, fetch, &second, NULL);
 *     rc = rill_task_group_exit(&group, rc_of_the_body);
 *
 * The struct must live until exit, which waits for every task of the group: suspends. The first
 * task that fails cancels the others and the body; exit then returns RILL_EGROUP, whose list holds
 * the failures in the order in which they came (cancelled tasks are not among them; a failed body
 * is). Cancelling the task inside exit cancels the group's tasks and returns RILL_ECANCELLED once
 * they have ended. */
struct rill_task_group {
    struct rill_task *parent;
    struct rill__task_group_state *state;
};
int rill_task_group_enter(
    struct rill_task_group *group); /* 0, RILL_ENOMEM, RILL_ERUNTIME outside a task */
/* As rill_task_create; `task` may be NULL. RILL_ERUNTIME `... is finished`, `... is shutting down`
 * (R-943). */
int rill_task_group_create_task(struct rill_task_group *group, rill_task_fn *fn, void *arg,
                                struct rill_task **task);
int rill_task_group_exit(struct rill_task_group *group, int rc);

#ifdef __cplusplus
}
#endif

#endif
