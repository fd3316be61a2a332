/* SPDX-License-Identifier: MIT
 *
 * The calls of section 9: tasks, timeouts, the loop's calls; and the script's own (log, raise,
 * return).
 */
#include "calls.h"

#include <math.h>
#include <string.h>

#include "events.h"
#include "names.h"
#include "tasks.h"

static int call_sleep(struct at *at, const json_t *call, struct value *value)
{
    (void)at;
    (void)value;
    return rill_sleep(seconds_argument(call).value);
}

static int call_log(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    emit_mark(at->replay, text_argument(call, "text"));
    return 0;
}

/* The task of a name; a script that names one which is gone gets Python's LookupError. */
static int task_named(struct at *at, const char *name, struct rill_task **task,
                      const struct record **record)
{
    *record = record_find(at->replay, name);
    *task = *record != NULL ? (*record)->task : NULL;
    return *task != NULL ? 0
                         : call_fail(at, rill_error_new(code_of_class("LookupError"),
                                                        "task %s is gone", name));
}

static int call_cancel(struct at *at, const json_t *call, struct value *value)
{
    const char *name = text_argument(call, "task");
    const struct record *record = at->record;
    struct rill_task *task = rill_current_task();
    int rc = 0;
    if (strcmp(name, "self") != 0) {
        rc = task_named(at, name, &task, &record);
    }
    if (rc == 0) {
        value->json = json_boolean(rill_task_cancel(task));
    }
    return rc;
}

static int call_cancelling(struct at *at, const json_t *call, struct value *value)
{
    (void)at;
    (void)call;
    value->json = json_integer(rill_task_cancelling(rill_current_task()));
    return 0;
}

static int call_uncancel(struct at *at, const json_t *call, struct value *value)
{
    (void)at;
    (void)call;
    value->json = json_integer(rill_task_uncancel(rill_current_task()));
    return 0;
}

static json_t *value_of_record(const struct record *record)
{
    return record->value != NULL ? json_incref((json_t *)record->value) : NULL;
}

static int await_with(struct at *at, const json_t *call, struct value *value,
                      int (*await)(struct rill_task *task))
{
    const struct record *record;
    struct rill_task *task;
    int rc = task_named(at, text_argument(call, "task"), &task, &record);
    if (rc == 0) {
        rc = await(task);
    }
    if (rc >= 0) {
        value->json = value_of_record(record);
    }
    return rc < 0 ? rc : 0;
}

static int call_await(struct at *at, const json_t *call, struct value *value)
{
    return await_with(at, call, value, rill_task_await);
}

static int call_shield(struct at *at, const json_t *call, struct value *value)
{
    return await_with(at, call, value, rill_shield);
}

static json_t *gathered_value(const struct record *record, int result)
{
    if (result < 0) {
        return json_string(class_of_code(result));
    }
    json_t *value = value_of_record(record);
    return value != NULL ? value : json_null();
}

static int call_gather(struct at *at, const json_t *call, struct value *value)
{
    const json_t *names = json_object_get(call, "tasks");
    const bool collect = json_is_true(json_object_get(call, "collect"));
    const size_t count = json_array_size(names);
    struct arena *arena = &at->replay->arena;
    const struct record **records = arena_take(arena, (count + 1) * sizeof *records);
    struct rill_task **tasks = arena_take(arena, (count + 1) * sizeof(struct rill_task *));
    int *results = arena_take(arena, (count + 1) * sizeof *results);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        rc = task_named(at, name, &tasks[i], &records[i]);
    }
    if (rc == 0) {
        rc = rill_gather(tasks, count, collect, results);
    }
    if (rc < 0) {
        return rc;
    }
    value->json = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(value->json, gathered_value(records[i], results[i]));
    }
    return 0;
}

/* One call as a function that wait_for can run. */
struct inner {
    struct at *at;
    const json_t *call;
    struct value *value;
};

static int perform_inner(void *arg)
{
    const struct inner *inner = arg;
    return call_perform(inner->at, inner->call, inner->value);
}

static int call_wait_for(struct at *at, const json_t *call, struct value *value)
{
    struct inner inner = {at, json_object_get(call, "inner"), value};
    return rill_wait_for(perform_inner, &inner, seconds_argument(call));
}

static int call_timeout(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_opt_real seconds = seconds_argument(call);
    struct rill_timeout scope;
    (void)value;
    if (seconds.given) {
        rill_timeout_enter(&scope, seconds.value);
    } else {
        rill_timeout_enter_at(&scope, INFINITY);
    }
    const int body = calls_run(at, json_object_get(call, "body"));
    const int rc = rill_timeout_exit(&scope, body < 0 ? body : 0);
    return rc < 0 ? rc : body;
}

static int call_spawn(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return task_start(at, text_argument(call, "task"), json_object_get(call, "body"));
}

static void mark_called(void *arg)
{
    const struct mark *mark = arg;
    emit_mark(mark->replay, mark->text);
}

static struct mark *mark_new(struct at *at, const json_t *call)
{
    struct mark *mark = arena_take(&at->replay->arena, sizeof *mark);
    mark->replay = at->replay;
    mark->text = text_argument(call, "text");
    mark->next = at->replay->marks;
    at->replay->marks = mark;
    return mark;
}

static int call_call_soon(struct at *at, const json_t *call, struct value *value)
{
    struct mark *mark = mark_new(at, call);
    (void)value;
    return rill_call_soon(at->replay->loop, mark_called, mark, &mark->handle);
}

static int call_call_later(struct at *at, const json_t *call, struct value *value)
{
    struct mark *mark = mark_new(at, call);
    (void)value;
    return rill_call_later(at->replay->loop, seconds_argument(call).value, mark_called, mark,
                           &mark->handle);
}

static int call_call_at(struct at *at, const json_t *call, struct value *value)
{
    struct mark *mark = mark_new(at, call);
    (void)value;
    return rill_call_at(at->replay->loop, seconds_argument(call).value, mark_called, mark,
                        &mark->handle);
}

static int call_time(struct at *at, const json_t *call, struct value *value)
{
    (void)call;
    value->json = json_real(rill_loop_time(at->replay->loop));
    return 0;
}

static int call_raise(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return call_fail(at, error_of_call(call));
}

static int call_return(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    const json_t *given = json_object_get(call, "value");
    if (at->record != NULL && !json_is_null(given)) {
        at->record->value = given;
    }
    return CALLS_RETURNED;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int call_run(struct at *at, const json_t *call, struct value *value)
{
    (void)at;
    (void)call;
    (void)value;
    return rill_run(nothing, NULL, NULL);
}

const struct call task_calls[] = {
    {"sleep", call_sleep},
    {"log", call_log},
    {"cancel", call_cancel},
    {"cancelling", call_cancelling},
    {"uncancel", call_uncancel},
    {"await", call_await},
    {"shield", call_shield},
    {"gather", call_gather},
    {"wait_for", call_wait_for},
    {"timeout", call_timeout},
    {"spawn", call_spawn},
    {"call_soon", call_call_soon},
    {"call_later", call_call_later},
    {"call_at", call_call_at},
    {"time", call_time},
    {"raise", call_raise},
    {"return", call_return},
    {"run", call_run},
    {NULL, NULL},
};
