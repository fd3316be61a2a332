/* SPDX-License-Identifier: MIT
 *
 * Tasks: create, step, end, cancel (specification section 9), following asyncio.Task.
 */
#include <rill/task.h>

#include <stdio.h>

#include "loop/coroutine.h"
#include "loop/tasks.h"
#include "sansio/memory.h"

struct rill_task *rill_current_task(void)
{
    const struct rill_loop *loop = rill_running_loop();
    return loop != NULL ? loop->current_task : NULL;
}

int rill__require_task(struct rill_task **task)
{
    *task = rill_current_task();
    return *task != NULL ? 0 : RILL_ERUNTIME;
}

/* Where failures of what runs now are kept: the task's, or the loop's for plain callbacks. */
static const struct rill_error **error_slot(void)
{
    struct rill_loop *loop = rill_running_loop();
    if (loop == NULL) {
        return NULL;
    }
    return loop->current_task != NULL ? &loop->current_task->error : &loop->callback_error;
}

const struct rill_error *rill_task_error(void)
{
    const struct rill_error *const *slot = error_slot();
    return slot != NULL ? *slot : NULL;
}

int rill__fail(const struct rill_error *error)
{
    const struct rill_error **slot = error_slot();
    const int code = error->code;
    if (slot != NULL) {
        rill_error_unref(*slot);
        *slot = error;
    } else {
        rill_error_unref(error);
    }
    return code;
}

int rill__fail_with(int code, const char *text)
{
    return rill__fail(rill_error_new(code, "%s", text));
}

int rill__fail_no_memory(void)
{
    return rill__fail(rill_error_no_memory());
}

const struct rill_error *rill__error_of_code(int code)
{
    const struct rill_error *last = rill_task_error();
    return last != NULL && last->code == code ? rill_error_ref(last)
                                              : rill_error_new(code, "%s", "");
}

int rill__fail_ref(const struct rill_error *error)
{
    return rill__fail(rill_error_ref(error));
}

int rill_task_fail(const struct rill_error *error)
{
    return rill__fail(error);
}

struct rill_task *rill__task_ref(struct rill_task *task)
{
    task->references++;
    return task;
}

static void report_never_retrieved(struct rill_task *task)
{
    const struct rill_exception_context context = {
        .message = "Task exception was never retrieved",
        .exception = task->exception,
        .task = task,
        .has_future = true,
    };
    rill_loop_call_exception_handler(task->loop, &context);
}

void rill_task_free(struct rill_task *task)
{
    if (task == NULL || --task->references > 0) {
        return;
    }
    if (task->exception != NULL && !task->retrieved) {
        task->references = 1; /* the handler may look at it */
        report_never_retrieved(task);
    }
    rill_error_unref(task->error);
    rill_error_unref(task->exception);
    rill_error_unref(task->cancel_error);
    rill__free(task->name);
    rill__coroutine_free(task->room_of, task->coro); /* the task's own memory goes with it */
}

void *rill__room_alloc(struct rill_task **home, size_t size)
{
    struct rill_task *task = *home;
    const size_t unit = _Alignof(struct rill_task);

    size = (size + unit - 1) / unit * unit;
    if (task == NULL || task->room_left < size) {
        *home = NULL;
        return rill__alloc_zeroed(size);
    }
    char *memory = (char *)(task + 1) + RILL__TASK_ROOM - task->room_left;
    rill__task_ref(task)->room_left -= size;
    return memory;
}

void rill__room_free(struct rill_task *home, void *memory)
{
    if (home == NULL) {
        rill__free(memory);
    }
    rill_task_free(home);
}

/* The exception of a task that returned `code`: the error of its last failed call if that is what
 * it returned. */
static const struct rill_error *exception_of(const struct rill_task *task, int code)
{
    if (task->error != NULL && task->error->code == code) {
        return rill_error_ref(task->error);
    }
    return rill_error_new(code, "%s", "");
}

static void task_ended(struct rill_task *task, int result)
{
    struct rill_loop *loop = task->loop;

    task->result = result;
    task->state = RILL__TASK_DONE;
    if (result == RILL_ECANCELLED) {
        task->state = RILL__TASK_CANCELLED;
    } else if (result < 0) {
        task->exception = exception_of(task, result);
    } else if (task->must_cancel) { /* asked to stop before it returned */
        task->must_cancel = false;
        task->state = RILL__TASK_CANCELLED;
        task->result = rill__task_deliver_cancel(task);
    }
    rill__list_remove(&task->link);
    loop->task_count--;
    rill__list_splice(&loop->ready, &task->done_callbacks);
    rill_task_free(task); /* the loop's reference */
}

void rill__task_body(void *local)
{
    struct rill_task *task = local;
    task->result = task->fn(task->arg);
}

void rill__task_resume(struct rill_task *task, int value)
{
    struct rill_loop *loop = task->loop;
    struct rill_task *before = loop->current_task;

    loop->current_task = task;
    const bool ended = rill__coroutine_resume(task->coro, value);
    if (ended) {
        task_ended(task, task->result);
    }
    loop->current_task = before;
}

void rill__on_loop_stack(struct rill_loop *loop, void (*run)(void *arg), void *arg)
{
    struct rill_task *task = loop->current_task;

    if (task == NULL) {
        run(arg);
        return;
    }
    loop->current_task = NULL;
    rill__coroutine_call(task->coro, run, arg);
    loop->current_task = task;
}

/* The first step, or the one after a bare yield. */
static void run_step(struct rill__entry *entry)
{
    struct rill_task *task = rill__container(entry, struct rill_task, step);
    const bool cancelled = task->must_cancel;

    task->must_cancel = false;
    if (cancelled && !task->started) { /* the body never runs */
        task->started = true;
        task_ended(task, rill__task_deliver_cancel(task));
        return;
    }
    task->started = true;
    rill__task_resume(task, cancelled ? rill__task_deliver_cancel(task) : 0);
}

int rill__task_deliver_cancel(struct rill_task *task)
{
    const struct rill_error *error = task->cancel_error;
    const bool has_text = error != NULL && error->code == RILL_ECANCELLED; /* else: no memory */

    rill_error_unref(task->error);
    task->error = rill_error_ref(has_text ? error : rill_error_cancelled());
    return RILL_ECANCELLED;
}

int rill__yield(struct rill_task *task)
{
    task->calls_in_a_row = 0;
    rill__ready(task->loop, &task->step);
    return rill__coroutine_suspend(task->coro);
}

int rill__task_new(struct rill_loop *loop, bool with_room, struct rill_task **result)
{
    struct rill_coro *coro;
    void *local;
    const int error = rill__coroutine_new(loop->stacks, with_room, &coro, &local);

    if (error != 0) {
        return rill__fail(rill_error_from_errno(error));
    }
    struct rill_task *task = local;
    task->coro = coro;
    task->loop = loop;
    task->step.run = run_step;
    task->references = 1; /* the caller's */
    task->room_of = with_room ? loop->stacks : NULL;
    task->room_left = with_room ? RILL__TASK_ROOM : 0;
    rill__list_init(&task->done_callbacks);
    *result = task;
    return 0;
}

void rill__task_begin(struct rill_task *task, rill_task_fn *fn, void *arg)
{
    struct rill_loop *loop = task->loop;

    task->number = ++loop->task_names;
    task->fn = fn;
    task->arg = arg;
    rill__list_append(&loop->tasks, &task->link);
    loop->task_count++;
    rill__ready(loop, &rill__task_ref(task)->step); /* the loop's reference; R-906 */
}

int rill_task_create(rill_task_fn *fn, void *arg, const struct rill_task_options *options,
                     struct rill_task **result)
{
    static const struct rill_task_options none = {0};
    struct rill_task *task = NULL;

    options = options != NULL ? options : &none;
    struct rill_loop *loop = options->loop != NULL ? options->loop : rill_running_loop();
    if (result != NULL) {
        *result = NULL;
    }
    if (loop == NULL) {
        return rill__fail_with(RILL_ERUNTIME, "no running event loop");
    }
    const int rc = rill__task_new(loop, false, &task);
    if (rc < 0) {
        return rc;
    }
    if (options->name != NULL) {
        task->name = rill__strdup(options->name);
        if (task->name == NULL) {
            rill_task_free(task);
            return rill__fail_no_memory();
        }
    }
    rill__task_begin(task, fn, arg);
    if (result != NULL) {
        *result = task;
    } else {
        rill_task_free(task);
    }
    return 0;
}

bool rill_task_cancel(struct rill_task *task)
{
    return rill_task_cancel_text(task, NULL);
}

static void request_cancel(struct rill_task *task)
{
    task->in_cancel = true;
    task->cancel_requests++;
}

/* A request that comes while another is already on its way to the task has no say in the text. */
static bool is_being_cancelled(const struct rill_task *task)
{
    return task->waiting != NULL && task->waiting->state == RILL__WAIT_CANCELLED;
}

static void set_cancel_text(struct rill_task *task, const char *text)
{
    rill_error_unref(task->cancel_error);
    task->cancel_error = text != NULL ? rill_error_new(RILL_ECANCELLED, "%s", text) : NULL;
}

/* The task that this one awaits, when a cancellation goes on to it. */
static struct rill_task *awaited_by(const struct rill_task *task)
{
    const struct rill__wait *wait = task->waiting;
    if (wait == NULL || wait->state != RILL__WAIT_PENDING || wait->passes_to == NULL ||
        wait->passes_to->state != RILL__TASK_PENDING) {
        return NULL;
    }
    return wait->passes_to;
}

/* Down a chain of tasks that await each other, in a loop and not by recursion: the chain may be
 * long. A circle is broken where it closes. */
bool rill_task_cancel_text(struct rill_task *task, const char *text)
{
    struct rill_task *last = task;
    struct rill_task *next;

    if (task->state != RILL__TASK_PENDING || task->in_cancel) {
        return false;
    }
    request_cancel(last);
    while ((next = awaited_by(last)) != NULL && !next->in_cancel) {
        last = next;
        request_cancel(last);
    }
    if (!is_being_cancelled(last)) {
        for (struct rill_task *each = task; each != last; each = each->waiting->passes_to) {
            set_cancel_text(each, text);
        }
        set_cancel_text(last, text);
    }
    if (next != NULL) {
        rill__wait_end_cancelled(last->waiting);
    } else if (last->waiting == NULL || !rill__wait_cancel(last->waiting)) {
        last->must_cancel = true; /* delivered at its next step */
    }
    for (next = task; next != last; next = next->waiting->passes_to) {
        next->in_cancel = false;
    }
    last->in_cancel = false;
    return true;
}

bool rill__cancel_as(struct rill_task *task, const struct rill_task *from)
{
    return rill_task_cancel_text(task,
                                 from->cancel_error != NULL ? from->cancel_error->text : NULL);
}

int rill_task_cancelling(const struct rill_task *task)
{
    return task->cancel_requests;
}

int rill_task_uncancel(struct rill_task *task)
{
    if (task->cancel_requests > 0) {
        task->cancel_requests--;
        if (task->cancel_requests == 0) {
            task->must_cancel = false; /* as 3.13 */
        }
    }
    return task->cancel_requests;
}

bool rill_task_done(const struct rill_task *task)
{
    return task->state != RILL__TASK_PENDING;
}

bool rill_task_cancelled(const struct rill_task *task)
{
    return task->state == RILL__TASK_CANCELLED;
}

int rill_task_result(struct rill_task *task)
{
    if (task->state == RILL__TASK_PENDING) {
        return rill__fail_with(RILL_EASSERTION, "Result is not set.");
    }
    task->retrieved = true;
    return task->result;
}

const struct rill_error *rill_task_exception(struct rill_task *task)
{
    task->retrieved = true;
    return task->exception;
}

const char *rill_task_name(struct rill_task *task)
{
    if (task->name != NULL) {
        return task->name;
    }
    /* Written on demand: most tasks are never asked. */
    snprintf(task->default_name, sizeof task->default_name, "Task-%llu", task->number);
    return task->default_name;
}

void rill__task_on_done(struct rill_task *task, struct rill__entry *entry)
{
    rill_assert(task->state == RILL__TASK_PENDING);
    rill__list_append(&task->done_callbacks, &entry->link);
}

void rill__cancel_tasks(struct rill_loop *loop)
{
    struct rill__link *link = rill__list_first(&loop->tasks);
    while (link != NULL) { /* nothing ends a task at once: the list stays as it is */
        rill_task_cancel(rill__container(link, struct rill_task, link));
        link = rill__list_after(&loop->tasks, link);
    }
}

void rill__loop_drop_tasks(struct rill_loop *loop)
{
    struct rill__link *link;
    while ((link = rill__list_first(&loop->tasks)) != NULL) {
        struct rill_task *task = rill__container(link, struct rill_task, link);
        rill__list_remove(link);
        task->state = RILL__TASK_CANCELLED;
        task->result = RILL_ECANCELLED;
        rill__list_init(&task->done_callbacks);
        loop->task_count--;
        rill_task_free(task);
    }
}
