/* SPDX-License-Identifier: MIT
 *
 * Tasks (specification section 9): rows of small programs, each with the order of what it did and
 * its result.
 */
#include <stdint.h>
#include <string.h>

#include <rill/observe.h>

#include "virtual.h"

static struct trace trace; /* of the row that runs */

static int say_and_sleep(void *arg)
{
    trace_add(&trace, arg);
    const int rc = rill_sleep(1);
    trace_add(&trace, rc == 0 ? "slept" : rill_error_name(rc));
    return rc == 0 ? 7 : rc;
}

static int say(void *arg)
{
    trace_add(&trace, arg);
    return 1;
}

static int fail_soon(void *arg)
{
    (void)arg;
    trace_add(&trace, "fails");
    return rill_task_fail(rill_error_new(RILL_EVALUE, "bad"));
}

static int swallow(void *arg)
{
    (void)arg;
    while (rill_sleep(100) == RILL_ECANCELLED) {
        trace_add(&trace, "swallowed");
        return 3;
    }
    return 0;
}

static struct rill_task *spawn(rill_task_fn *fn, const char *word)
{
    static char words[8][16];
    static size_t next;
    struct rill_task *task = NULL;
    char *copy = words[next++ % 8];

    snprintf(copy, sizeof words[0], "%s", word);
    CHECK_INT(rill_task_create(fn, copy, NULL, &task), 0);
    return task;
}

static int starts_next_iteration(void *arg) /* */
{
    (void)arg;
    struct rill_task *task = spawn(say, "task");
    trace_add(&trace, "created");
    CHECK(!rill_task_done(task));
    CHECK_INT(rill_sleep(0), 0);
    CHECK(rill_task_done(task));
    const int rc = rill_task_await(task);
    rill_task_free(task);
    return rc;
}

static int cancel_before_first_step(void *arg) /* */
{
    (void)arg;
    struct rill_task *task = spawn(say, "never");
    CHECK(rill_task_cancel(task));
    const int rc = rill_task_await(task);
    CHECK(rill_task_cancelled(task));
    CHECK(!rill_task_cancel(task));
    rill_task_free(task);
    return rc;
}

static int cancel_while_waiting(void *arg) /* */
{
    (void)arg;
    struct rill_task *task = spawn(say_and_sleep, "task");
    CHECK_INT(rill_sleep(0.5), 0);
    CHECK(rill_task_cancel(task));
    CHECK(!rill_task_done(task));
    CHECK_INT(rill_task_await(task), RILL_ECANCELLED);
    rill_task_free(task);
    return 0;
}

static int cancel_self(void *arg) /* only what really suspends delivers it */
{
    (void)arg;
    struct rill_reader *reader;
    struct rill_bytes data;

    CHECK_INT(rill_reader_new((struct rill_opt_int){0}, &reader), 0);
    CHECK_INT(rill_reader_feed_data(reader, "abc", 3), 0);
    CHECK(rill_task_cancel(rill_current_task()));
    CHECK_INT(rill_reader_read(reader, 2, &data), 0);
    trace_add(&trace, "read");
    const int rc = rill_sleep(1);
    trace_add(&trace, rill_error_name(rc));
    CHECK_INT(rill_task_uncancel(rill_current_task()), 0);
    rill_reader_free(reader);
    return 0;
}

static int swallow_cancel(void *arg) /* */
{
    (void)arg;
    struct rill_task *task = spawn(swallow, "");
    CHECK_INT(rill_sleep(0), 0);
    rill_task_cancel(task);
    const int rc = rill_task_await(task);
    CHECK(!rill_task_cancelled(task));
    rill_task_free(task);
    return rc;
}

static int uncancel(void *arg) /* */
{
    (void)arg;
    struct rill_task *self = rill_current_task();
    rill_task_cancel(self);
    rill_task_cancel(self);
    CHECK_INT(rill_task_cancelling(self), 2);
    CHECK_INT(rill_task_uncancel(self), 1);
    CHECK_INT(rill_task_uncancel(self), 0);
    CHECK_INT(rill_task_uncancel(self), 0);
    return rill_sleep(0); /* dropped, as on 3.13 */
}

static int awaits_failure(void *arg)
{
    (void)arg;
    struct rill_task *task = spawn(fail_soon, "");
    const int rc = rill_task_await(task);
    CHECK_STR(rill_task_error()->text, "bad");
    CHECK(rill_task_exception(task) == rill_task_error());
    rill_task_free(task);
    return rc;
}

static int cancel_goes_on_to_the_awaited(void *arg)
{
    struct rill_task *const *inner = arg;
    return rill_task_await(*inner);
}

static int await_chain(void *arg)
{
    (void)arg;
    struct rill_task *inner = spawn(say_and_sleep, "inner");
    struct rill_task *outer = NULL;
    CHECK_INT(rill_task_create(cancel_goes_on_to_the_awaited, &inner, NULL, &outer), 0);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT(rill_sleep(0), 0);
    CHECK(rill_task_cancel(outer));
    CHECK_INT(rill_task_await(outer), RILL_ECANCELLED);
    CHECK(rill_task_cancelled(inner) && rill_task_cancelled(outer));
    rill_task_free(inner);
    rill_task_free(outer);
    return 0;
}

/* Each awaits the next; cancelling the first cancels the last, and all of them end. A chain this
 * long must not need stack. */
enum { CHAIN = 5000 };
static struct rill_task *chain[CHAIN];

static int await_next(void *arg)
{
    const size_t index = (size_t)(uintptr_t)arg;
    return index + 1 < CHAIN ? rill_task_await(chain[index + 1]) : rill_sleep(1000);
}

static int long_chain(void *arg)
{
    size_t cancelled = 0;
    (void)arg;
    for (size_t i = 0; i < CHAIN; i++) {
        CHECK_INT(rill_task_create(await_next, (void *)(uintptr_t)i, NULL, &chain[i]), 0);
    }
    CHECK_INT(rill_sleep(1), 0);
    CHECK(rill_task_cancel_text(chain[0], "enough"));
    CHECK_INT(rill_task_await(chain[0]), RILL_ECANCELLED);
    CHECK_STR(rill_task_error()->text, "enough"); /* */
    for (size_t i = 0; i < CHAIN; i++) {
        cancelled += rill_task_cancelled(chain[i]) ? 1 : 0;
        rill_task_free(chain[i]);
    }
    CHECK_INT((long long)cancelled, CHAIN);
    return 0;
}

static int await_other(void *arg)
{
    struct rill_task *const *other = arg;
    CHECK_INT(rill_sleep(1), 0);
    return rill_task_await(*other);
}

static int gather_other(void *arg)
{
    struct rill_task *const *other = arg;
    CHECK_INT(rill_sleep(1), 0);
    return rill_gather(other, 1, false, NULL);
}

/* Tasks that await each other never end by themselves; a cancellation breaks the circle. */
static int circles(void *arg)
{
    static rill_task_fn *const kinds[] = {await_other, gather_other};
    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        struct rill_task *a;
        struct rill_task *b;
        CHECK_INT(rill_task_create(kinds[i], &b, NULL, &a), 0);
        CHECK_INT(rill_task_create(kinds[i], &a, NULL, &b), 0);
        CHECK_INT(rill_sleep(2), 0);
        CHECK(rill_task_cancel(a));
        CHECK_INT(rill_sleep(2), 0);
        CHECK(rill_task_cancelled(a) && rill_task_cancelled(b));
        rill_task_free(a);
        rill_task_free(b);
    }
    return 0;
}

static int group_sleep(void *arg)
{
    return rill_sleep(*(const double *)arg);
}

static int group_fail(void *arg)
{
    const int rc = group_sleep(arg);
    return rc < 0 ? rc : rill_task_fail(rill_error_new(RILL_EVALUE, "member"));
}

static int task_group(void *arg) /* */
{
    static const double one = 1;
    static const double ten = 10;
    struct rill_task_group group;
    struct rill_task *long_one;
    (void)arg;

    CHECK_INT(rill_task_group_enter(&group), 0);
    CHECK_INT(rill_task_group_create_task(&group, group_sleep, (void *)(uintptr_t)&one, NULL), 0);
    CHECK_INT(rill_task_group_exit(&group, 0), 0);
    CHECK_INT(rill_task_group_create_task(&group, group_sleep, NULL, NULL), RILL_ERUNTIME);

    CHECK_INT(rill_task_group_enter(&group),
              0); /* the first failure cancels the others and the body */
    CHECK_INT(rill_task_group_create_task(&group, group_fail, (void *)(uintptr_t)&one, NULL), 0);
    CHECK_INT(rill_task_group_create_task(&group, group_sleep, (void *)(uintptr_t)&ten, &long_one),
              0);
    const int body = rill_sleep(100);
    CHECK_INT(body, RILL_ECANCELLED);
    CHECK_INT(rill_task_group_exit(&group, body), RILL_EGROUP);
    CHECK_STR(rill_task_error()->text, "unhandled errors in a TaskGroup (1 sub-exception)");
    CHECK_STR(rill_task_error()->list[0]->text, "member");
    CHECK(rill_task_cancelled(long_one));
    CHECK_INT(rill_task_cancelling(rill_current_task()), 0);
    rill_task_free(long_one);

    CHECK_INT(rill_task_group_enter(&group), 0); /* a failed body is among the errors */
    CHECK_INT(rill_task_group_create_task(&group, group_sleep, (void *)(uintptr_t)&ten, NULL), 0);
    const int failed = rill_task_fail(rill_error_new(RILL_EVALUE, "body"));
    CHECK_INT(rill_task_group_exit(&group, failed), RILL_EGROUP);
    CHECK_STR(rill_task_error()->list[0]->text, "body");
    return 0;
}

static int shield_inner(void *arg)
{
    struct rill_task *const *inner = arg;
    return rill_shield(*inner);
}

static int shield(void *arg) /* */
{
    (void)arg;
    struct rill_task *inner = spawn(say_and_sleep, "inner");
    struct rill_task *outer = NULL;
    CHECK_INT(rill_task_create(shield_inner, &inner, NULL, &outer), 0);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT(rill_sleep(0), 0);
    rill_task_cancel(outer);
    CHECK_INT(rill_task_await(outer), RILL_ECANCELLED);
    CHECK(!rill_task_done(inner));
    CHECK_INT(rill_shield(inner), 7);
    CHECK_INT(rill_shield(inner), 7);
    rill_task_free(inner);
    rill_task_free(outer);
    return 0;
}

static int gather(void *arg) /* */
{
    (void)arg;
    struct rill_task *tasks[3] = {spawn(say_and_sleep, "a"), spawn(say, "b"), spawn(fail_soon, "")};
    int results[3] = {0};

    CHECK_INT(rill_gather(tasks, 3, true, results), 0);
    CHECK_INT(results[0], 7);
    CHECK_INT(results[1], 1);
    CHECK_INT(results[2], RILL_EVALUE);
    CHECK_INT(rill_gather(tasks, 3, true, results), 0);
    CHECK_INT(rill_gather(tasks, 3, false, results), RILL_EVALUE);
    CHECK_INT(rill_gather(tasks, 0, false, NULL), 0);
    for (int i = 0; i < 3; i++) {
        rill_task_free(tasks[i]);
    }
    return 0;
}

static int gather_fails_first(void *arg)
{
    (void)arg;
    struct rill_task *tasks[2] = {spawn(say_and_sleep, "a"), spawn(fail_soon, "")};

    CHECK_INT(rill_gather(tasks, 2, false, NULL), RILL_EVALUE);
    CHECK(!rill_task_done(tasks[0])); /* the others keep running */
    CHECK_INT(rill_task_await(tasks[0]), 7);
    rill_task_free(tasks[0]);
    rill_task_free(tasks[1]);
    return 0;
}

static int wait_first(void *arg)
{
    (void)arg;
    struct rill_task *tasks[2] = {spawn(say_and_sleep, "a"), spawn(say, "b")};
    const struct rill_opt_real never = {0};
    const struct rill_opt_real half = RILL_SET(0.5);

    CHECK_INT(rill_wait(tasks, 2, RILL_FIRST_COMPLETED, never), 0);
    CHECK(!rill_task_done(tasks[0]) && rill_task_done(tasks[1]));
    CHECK_INT(rill_wait(tasks, 2, RILL_ALL_COMPLETED, half), 0);
    CHECK(!rill_task_done(tasks[0]));
    CHECK_INT(rill_wait(tasks, 2, RILL_ALL_COMPLETED, never), 0);
    CHECK(rill_task_done(tasks[0]));
    CHECK_INT(rill_wait(tasks, 0, RILL_ALL_COMPLETED, never), RILL_EVALUE);
    rill_task_free(tasks[0]);
    rill_task_free(tasks[1]);
    return 0;
}

static int timeout_scopes(void *arg) /* */
{
    (void)arg;
    struct rill_timeout outer;
    struct rill_timeout inner;

    rill_timeout_enter(&outer, 10);
    rill_timeout_enter(&inner, 1);
    int rc = rill_timeout_exit(&inner, rill_sleep(5));
    CHECK_INT(rc, RILL_ETIMEOUT);
    CHECK(rill_timeout_expired(&inner) && !rill_timeout_expired(&outer));
    CHECK_STR(rill_task_error()->text, "");
    CHECK_INT(rill_task_error()->cause->code, RILL_ECANCELLED);
    CHECK_INT(rill_timeout_exit(&outer, 0), 0);
    CHECK_INT(rill_timeout_reschedule(&outer, 20), RILL_ERUNTIME);
    CHECK_STR(rill_task_error()->text, "Cannot change state of finished Timeout");
    CHECK_INT(rill_timeout_reschedule(&inner, 20), RILL_ERUNTIME);
    CHECK_STR(rill_task_error()->text, "Cannot change state of expired Timeout");

    rill_timeout_enter(&outer, 0); /* fires at the next suspension */
    CHECK_INT(rill_timeout_exit(&outer, 0), 0);
    rill_timeout_enter(&outer, -1);
    CHECK_INT(rill_timeout_exit(&outer, rill_sleep(1)), RILL_ETIMEOUT);
    rill_timeout_enter_at(&outer, INFINITY);
    CHECK_INT(rill_timeout_exit(&outer, rill_sleep(1000)), 0);
    rill_timeout_enter(&outer, 1000);
    CHECK_INT(rill_timeout_reschedule(&outer, 0), 0);
    CHECK_INT(rill_timeout_exit(&outer, rill_sleep(1)), RILL_ETIMEOUT);
    return 0;
}

static int wait_for(void *arg) /* */
{
    (void)arg;
    char word[] = "in";
    const struct rill_opt_real none = {0};
    const struct rill_opt_real zero = RILL_SET(0);
    const struct rill_opt_real half = RILL_SET(0.5);
    const struct rill_opt_real two = RILL_SET(2);

    CHECK_INT(rill_wait_for(say_and_sleep, word, none), 7);
    CHECK_INT(rill_wait_for(say_and_sleep, word, zero), RILL_ETIMEOUT);
    CHECK_INT(rill_wait_for(say_and_sleep, word, half), RILL_ETIMEOUT);
    CHECK_INT(rill_wait_for(say_and_sleep, word, two), 7);

    struct rill_task *task = spawn(say_and_sleep, "task");
    CHECK_INT(rill_task_wait_for(task, half), RILL_ETIMEOUT);
    CHECK(rill_task_cancelled(task));
    rill_task_free(task);
    return 0;
}

static int misuse(void *arg)
{
    (void)arg;
    char word[] = "x";
    CHECK_INT(rill_run(say, word, NULL), RILL_ERUNTIME); /* */
    CHECK_STR(rill_task_error()->text, "asyncio.run() cannot be called from a running event loop");
    CHECK_INT(rill_loop_run_forever(rill_running_loop()), RILL_ERUNTIME);
    CHECK_STR(rill_task_error()->text, "This event loop is already running");
    CHECK_INT(rill_loop_run_until_complete(rill_running_loop(), say, word), RILL_ERUNTIME);
    CHECK_INT(rill_task_await(rill_current_task()), RILL_ERUNTIME);
    CHECK_INT(rill_task_result(rill_current_task()), RILL_EASSERTION);
    CHECK_INT(rill_sleep(NAN), RILL_EVALUE);
    CHECK_STR(rill_task_name(rill_current_task()), "Task-1");
    return 0;
}

static int leftovers(void *arg) /* cancelled and waited for after main */
{
    (void)arg;
    rill_task_free(spawn(say_and_sleep, "left"));
    CHECK_INT(rill_sleep(0), 0);
    return 5;
}

static const struct {
    int line;
    rill_task_fn *fn;
    int want_result;
    const char *want_trace;
} rows[] = {
    {__LINE__, starts_next_iteration, 1, "created task"},
    {__LINE__, cancel_before_first_step, RILL_ECANCELLED, ""},
    {__LINE__, cancel_while_waiting, 0, "task CancelledError"},
    {__LINE__, cancel_self, 0, "read CancelledError"},
    {__LINE__, swallow_cancel, 3, "swallowed"},
    {__LINE__, uncancel, 0, ""},
    {__LINE__, awaits_failure, RILL_EVALUE, "fails"},
    {__LINE__, await_chain, 0, "inner CancelledError"},
    {__LINE__, long_chain, 0, ""},
    {__LINE__, circles, 0, ""},
    {__LINE__, task_group, 0, ""},
    {__LINE__, shield, 0, "inner slept"},
    {__LINE__, gather, 0, "a b fails slept"},
    {__LINE__, gather_fails_first, 0, "a fails slept"},
    {__LINE__, wait_first, 0, "a b slept"},
    {__LINE__, timeout_scopes, 0, ""},
    {__LINE__, wait_for, 0, "in slept in CancelledError in slept task CancelledError"},
    {__LINE__, misuse, 0, ""},
    {__LINE__, leftovers, 5, "left CancelledError"},
};

/* What a task raised and nobody asked for is reported once, with asyncio's message. */
static void count_report(void *arg, struct rill_loop *loop,
                         const struct rill_exception_context *context)
{
    (void)loop;
    CHECK_STR(context->message, "Task exception was never retrieved");
    CHECK_STR(context->exception->text, "bad");
    CHECK(context->has_future && context->task != NULL);
    ++*(int *)arg;
}

static int never_retrieved(void *arg)
{
    rill_loop_set_exception_handler(rill_running_loop(), count_report, arg);
    rill_task_free(spawn(fail_soon, ""));
    return rill_sleep(0);
}

static int park_in_gather(void *arg)
{
    struct rill_task *tasks[2] = {spawn(say_and_sleep, "a"), spawn(say_and_sleep, "b")};
    (void)arg;
    const int rc = rill_gather(tasks, 2, false, NULL);
    rill_task_free(tasks[0]);
    rill_task_free(tasks[1]);
    return rc;
}

static int park_in_group(void *arg)
{
    static const double ten = 10;
    struct rill_task_group group;
    (void)arg;
    CHECK_INT(rill_task_group_enter(&group), 0);
    CHECK_INT(rill_task_group_create_task(&group, group_sleep, (void *)(uintptr_t)&ten, NULL), 0);
    return rill_task_group_exit(&group, 0);
}

static int never_ends(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        rill_sleep(1); /* swallows every cancellation */
    }
    return 0;
}

static void stop_loop(void *arg)
{
    rill_loop_stop(arg);
}

/* A loop that is freed under parked tasks lets them let go of what they own (LeakSanitizer judges);
 * who refuses is thrown away. */
static void free_under_tasks(void)
{
    static rill_task_fn *const parked[] = {park_in_gather, park_in_group, swallow, never_ends};
    for (size_t i = 0; i < sizeof parked / sizeof parked[0]; i++) {
        struct rill_loop *loop;
        CHECK_INT(rill_loop_new(NULL, &loop), 0);
        const struct rill_task_options options = {.loop = loop};
        CHECK_INT(rill_task_create(parked[i], NULL, &options, NULL), 0);
        CHECK_INT(rill_call_later(loop, 0.001, stop_loop, loop, NULL), 0);
        CHECK_INT(rill_loop_run_forever(loop), 0);
        rill_loop_free(loop);
    }
}

/* The text of a cancellation goes through what waits in between. */
static int sleep_long(void *arg)
{
    (void)arg;
    return rill_sleep(10);
}

static int gather_one(void *arg)
{
    struct rill_task *task = NULL;
    const bool *return_exceptions = arg;

    CHECK_INT(rill_task_create(sleep_long, NULL, NULL, &task), 0);
    const int rc = rill_gather(&task, 1, *return_exceptions, NULL);
    rill_task_free(task);
    return rc;
}

static int group_of_one(void *arg)
{
    struct rill_task_group group;
    const bool *in_body = arg;

    CHECK_INT(rill_task_group_enter(&group), 0);
    CHECK_INT(rill_task_group_create_task(&group, sleep_long, NULL, NULL), 0);
    return rill_task_group_exit(&group, *in_body ? rill_sleep(5) : 0);
}

static int texts_go_through(void *arg)
{
    static rill_task_fn *const waits[] = {gather_one, group_of_one};
    bool flags[] = {false, true};

    (void)arg;
    for (size_t i = 0; i < 4; i++) {
        struct rill_task *task = NULL;
        CHECK_INT(rill_task_create(waits[i / 2], &flags[i % 2], NULL, &task), 0);
        CHECK_INT(rill_sleep(0.1), 0);
        CHECK(rill_task_cancel_text(task, "enough"));
        CHECK_INT(rill_task_await(task), RILL_ECANCELLED);
        CHECK_STR(rill_task_error()->text, "enough");
        rill_task_free(task);
    }
    return 0;
}

int main(void)
{
    free_under_tasks();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct virtual_time time = {0};
        trace = (struct trace){.text = ""};
        CHECK_INT_ROW(rows[i].line, run_virtual(rows[i].fn, NULL, &time), rows[i].want_result);
        CHECK_STR_ROW(rows[i].line, trace.text, rows[i].want_trace);
    }
    struct virtual_time time = {0};
    int reports = 0;
    CHECK_INT(run_virtual(never_retrieved, &reports, &time), 0);
    CHECK_INT(reports, 1);
    CHECK_INT(rill_task_create(say, NULL, NULL, NULL), RILL_ERUNTIME);
    CHECK(rill_current_task() == NULL && rill_task_error() == NULL);
    CHECK_INT(rill_run(texts_go_through, NULL, NULL), 0);
    return check_report("task");
}
