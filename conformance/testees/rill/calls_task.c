/* SPDX-License-Identifier: MIT
 *
 * The calls of section 9 on tasks, and the script's own (log, raise, return).
 */
#include "calls.h"

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

int task_named(struct at *at, const char *name, struct rill_task **task,
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
        const char *text = text_argument(call, "text");
        const bool done = text != NULL ? rill_task_cancel_text(task, text) : rill_task_cancel(task);
        value->json = json_boolean(done);
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

/* The tasks that a call names, in its order. */
struct named {
    size_t count;
    struct rill_task **tasks;
    const struct record **records;
};

static int tasks_argument(struct at *at, const json_t *call, struct named *named)
{
    const json_t *names = json_object_get(call, "tasks");
    struct arena *arena = &at->replay->arena;
    int rc = 0;
    named->count = json_array_size(names);
    named->tasks = arena_take(arena, (named->count + 1) * sizeof(struct rill_task *));
    named->records = arena_take(arena, (named->count + 1) * sizeof(struct record *));
    for (size_t i = 0; rc == 0 && i < named->count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        rc = task_named(at, name, &named->tasks[i], &named->records[i]);
    }
    return rc;
}

static int call_gather(struct at *at, const json_t *call, struct value *value)
{
    const bool collect = json_is_true(json_object_get(call, "collect"));
    struct named named;
    int rc = tasks_argument(at, call, &named);
    int *results = arena_take(&at->replay->arena, (named.count + 1) * sizeof *results);
    if (rc == 0) {
        rc = rill_gather(named.tasks, named.count, collect, results);
    }
    if (rc < 0) {
        return rc;
    }
    value->json = json_array();
    for (size_t i = 0; i < named.count; i++) {
        json_array_append_new(value->json, gathered_value(named.records[i], results[i]));
    }
    return 0;
}

static int call_wait(struct at *at, const json_t *call, struct value *value)
{
    const bool first = json_is_true(json_object_get(call, "first"));
    struct named named;
    int rc = tasks_argument(at, call, &named);
    if (rc == 0) {
        rc = rill_wait(named.tasks, named.count, first ? RILL_FIRST_COMPLETED : RILL_ALL_COMPLETED,
                       seconds_argument(call));
    }
    if (rc < 0) {
        return rc;
    }
    value->json = json_array();
    for (size_t i = 0; i < named.count; i++) {
        if (rill_task_done(named.tasks[i])) {
            json_array_append_new(value->json, json_string(named.records[i]->name));
        }
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

static int call_spawn(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    return task_start(at, text_argument(call, "task"), json_object_get(call, "body"));
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
    {"sleep", call_sleep, "seconds"},
    {"log", call_log, "text"},
    {"cancel", call_cancel, "task text"},
    {"cancelling", call_cancelling, NULL},
    {"uncancel", call_uncancel, NULL},
    {"await", call_await, "task"},
    {"shield", call_shield, "task"},
    {"gather", call_gather, "tasks collect"},
    {"wait", call_wait, "tasks first seconds"},
    {"wait_for", call_wait_for, "seconds inner"},
    {"spawn", call_spawn, "task body"},
    {"raise", call_raise, "class text errno"},
    {"return", call_return, "value"},
    {"run", call_run, NULL},
    {NULL, NULL, NULL},
};
