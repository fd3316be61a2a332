/* SPDX-License-Identifier: MIT
 *
 * asyncio.run, run_until_complete, and rill_main.
 */
#include <stdio.h>
#include <stdlib.h>

#include "loop/poller.h"
#include "loop/tasks.h"
#include "sansio/memory.h"

struct run {
    struct rill__entry done; /* run_until_complete's done callback: stops the loop */
    struct rill_loop *loop;
    struct rill_task *main_task;
    int interrupts;
};

static void stop_loop(struct rill__entry *entry)
{
    rill_loop_stop(rill__container(entry, struct run, done)->loop);
}

/* Runs until `task` is done. False when the loop was stopped before. */
static bool run_until_done(struct rill_loop *loop, struct rill_task *task)
{
    struct run run = {.done.run = stop_loop, .loop = loop};

    if (!rill_task_done(task)) {
        rill__task_on_done(task, &run.done);
        rill_loop_run_forever(loop);
        rill__unready(&run.done);
    }
    return rill_task_done(task);
}

int rill_loop_run_until_complete(struct rill_loop *loop, rill_task_fn *fn, void *arg)
{
    struct rill_task *task = NULL;
    const struct rill_task_options options = {.loop = loop};

    int rc = rill__loop_may_run(loop);
    if (rc == 0) {
        rc = rill_task_create(fn, arg, &options, &task);
    }
    if (rc < 0) {
        return rc;
    }
    rc = run_until_done(loop, task) ? rill_task_result(task) : RILL_ERUNTIME;
    rill_task_free(task);
    return rc;
}

/* what a leftover task raised while it was shut down. */
static void report_leftover(struct rill_task *task)
{
    const struct rill_error *exception = rill_task_exception(task);
    if (exception == NULL) {
        return;
    }
    const struct rill_exception_context context = {
        .message = "unhandled exception during asyncio.run() shutdown",
        .exception = exception,
        .task = task,
    };
    rill_loop_call_exception_handler(task->loop, &context);
}

struct leftovers {
    struct rill_task **tasks;
    size_t count;
};

static int gather_leftovers(void *arg)
{
    const struct leftovers *leftovers = arg;
    return rill_gather(leftovers->tasks, leftovers->count, true, NULL);
}

/* Cancels every task that is left, waits for them, reports what they raised. */
static void cancel_all_tasks(struct rill_loop *loop)
{
    struct leftovers leftovers = {0};
    struct rill__link *link;

    if (loop->task_count == 0) {
        return;
    }
    leftovers.tasks = rill__alloc(loop->task_count * sizeof leftovers.tasks[0]);
    if (leftovers.tasks == NULL) {
        return; /* rill_loop_free throws them away */
    }
    for (link = rill__list_first(&loop->tasks); link != NULL;
         link = rill__list_after(&loop->tasks, link)) {
        leftovers.tasks[leftovers.count++] =
            rill__task_ref(rill__container(link, struct rill_task, link));
    }
    for (size_t i = 0; i < leftovers.count; i++) {
        rill_task_cancel(leftovers.tasks[i]);
    }
    rill_loop_run_until_complete(loop, gather_leftovers, &leftovers);
    for (size_t i = 0; i < leftovers.count; i++) {
        report_leftover(leftovers.tasks[i]);
        rill_task_free(leftovers.tasks[i]);
    }
    rill__free(leftovers.tasks);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* What asyncio.run does when no task is left: it runs loop.shutdown_asyncgens() and
 * loop.shutdown_default_executor() to their ends. Here neither has anything to do, but each is a
 * task, and what was queued (a connection's loss) gets its iterations. */
static void run_shutdowns(struct rill_loop *loop)
{
    for (int i = 0; i < 2; i++) {
        rill_loop_run_until_complete(loop, nothing, NULL);
    }
}

/* the first Ctrl-C cancels the main task, the second leaves the loop at once. */
static void interrupted(void *arg)
{
    struct run *run = arg;
    run->interrupts++;
    if (run->interrupts == 1 && !rill_task_done(run->main_task)) {
        rill_task_cancel(run->main_task);
    } else {
        rill_loop_stop(run->loop);
    }
}

static int run_main(struct run *run, bool leave_sigint_alone)
{
    struct rill__poller *poller = run->loop->poller;
    poller->on_sigint = interrupted;
    poller->on_sigint_arg = run;
    const bool caught = !leave_sigint_alone && poller->ops->catch_sigint(poller, true);
    const bool done = run_until_done(run->loop, run->main_task);
    if (caught) {
        poller->ops->catch_sigint(poller, false);
    }
    if (!done) {
        return RILL_EKEYBOARDINTERRUPT;
    }
    const int rc = rill_task_result(run->main_task);
    if (rc == RILL_ECANCELLED && run->interrupts > 0 && rill_task_uncancel(run->main_task) == 0) {
        return RILL_EKEYBOARDINTERRUPT;
    }
    return rc;
}

/* As rill_run; *error is the exception, the caller's reference, or NULL. */
static int run(rill_task_fn *fn, void *arg, const struct rill_run_options *options,
               const struct rill_error **error)
{
    static const struct rill_run_options none = {0};
    struct run run = {0};

    *error = NULL;
    options = options != NULL ? options : &none;
    if (rill_running_loop() != NULL) {
        *error = rill_error_new(RILL_ERUNTIME,
                                "asyncio.run() cannot be called from a running event loop");
        return RILL_ERUNTIME;
    }
    int rc = rill_loop_new(&options->loop, &run.loop);
    if (rc < 0) {
        return rc;
    }
    const struct rill_task_options task_options = {.loop = run.loop};
    rc = rill_task_create(fn, arg, &task_options, &run.main_task);
    if (rc == 0) {
        rc = run_main(&run, options->leave_sigint_alone);
        *error = rill_error_ref(rill_task_exception(run.main_task));
    }
    cancel_all_tasks(run.loop);
    run_shutdowns(run.loop);
    rill_task_free(run.main_task);
    rill_loop_free(run.loop);
    return rc;
}

int rill_run(rill_task_fn *fn, void *arg, const struct rill_run_options *options)
{
    const struct rill_error *error;
    const int rc = run(fn, arg, options, &error);
    if (rc == RILL_ERUNTIME && rill_current_task() != NULL && error != NULL) {
        return rill__fail(error);
    }
    rill_error_unref(error);
    return rc;
}

int rill_main(rill_task_fn *fn, void *arg)
{
    const struct rill_error *error;
    int rc = run(fn, arg, NULL, &error);
    if (rc < 0) {
        fflush(stdout);
        rill__print_error(rc, error != NULL && error->code == rc ? error->text : "");
        rc = rc == RILL_EKEYBOARDINTERRUPT ? 130 : EXIT_FAILURE;
    }
    rill_error_unref(error);
    return rc;
}
