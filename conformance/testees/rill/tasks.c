/* SPDX-License-Identifier: MIT
 *
 * The script's tasks.
 */
#include "tasks.h"

#include <string.h>

#include "connection.h"
#include "events.h"

static struct record *record_new(const struct at *at, const char *name, const json_t *calls)
{
    struct record **link = &at->replay->records;
    struct record *record = arena_take(&at->replay->arena, sizeof *record);
    record->replay = at->replay;
    record->name = name;
    record->connection = at->number;
    record->mark = at->mark;
    record->calls = calls;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = record;
    return record;
}

/* While the run ends nobody but the loop may hold a task: it goes before we could let go of it. */
static void leave_record(struct record *record)
{
    if (record->owned && record->replay->ending) {
        rill_task_free(record->task);
        record->task = NULL;
    } else if (!record->owned) {
        record->task = NULL;
    }
}

int record_run(struct record *record)
{
    struct at at = {.replay = record->replay,
                    .mark = record->mark,
                    .number = record->connection,
                    .record = record};
    record->outcome = RUNNING;
    return record_ends(record, calls_run(&at, record->calls));
}

int record_ends(struct record *record, int rc)
{
    record->outcome = rc == RILL_ECANCELLED ? CANCELLED : rc < 0 ? RAISED : RETURNED;
    leave_record(record);
    return rc < 0 ? rc : 0;
}

static int task_body(void *arg)
{
    return record_run(arg);
}

int task_start(const struct at *at, const char *name, const json_t *calls)
{
    const struct replay *replay = at->replay;
    struct record *record = record_new(at, name, calls);
    const struct rill_task_options options = {.loop = replay->loop, .name = name};
    record->owned = !replay->ending;
    return rill_task_create(task_body, record, &options, record->owned ? &record->task : NULL);
}

int task_start_in_group(const struct at *at, const char *name, const json_t *calls,
                        struct rill_task_group *group)
{
    struct record *record = record_new(at, name, calls);
    const int rc = rill_task_group_create_task(group, task_body, record, &record->task);
    record->owned = rc == 0;
    record->told = rc < 0; /* there never was such a task */
    return rc;
}

struct record *record_of_handler(const struct at *at, const char *name, const json_t *calls)
{
    struct record *record = record_new(at, name, calls);
    record->task = rill_current_task();
    return record;
}

struct record *record_find(const struct replay *replay, const char *name)
{
    struct record *found = NULL;
    for (struct record *record = replay->records; record != NULL; record = record->next) {
        if (strcmp(record->name, name) == 0) {
            found = record;
        }
    }
    return found;
}

enum outcome record_outcome(const struct record *record)
{
    const bool open = record->outcome == NOT_BEGUN || record->outcome == RUNNING;
    return open && record->task != NULL && rill_task_cancelled(record->task) ? CANCELLED
                                                                             : record->outcome;
}

bool record_waits(const struct record *record)
{
    return record->task != NULL && !rill_task_done(record->task);
}

void records_drop(struct replay *replay)
{
    for (struct record *record = replay->records; record != NULL; record = record->next) {
        if (record->owned && record->task != NULL) {
            if (rill_task_done(record->task)) {
                rill_task_exception(record->task);
            }
            rill_task_free(record->task);
            record->task = NULL;
        }
    }
}

/* The error object of a call that failed with this code. */
static const struct rill_error *error_of(const struct at *at, int code)
{
    const struct connection *connection = connection_find(at->replay, at->number);
    const struct rill_error *candidates[] = {at->error, rill_task_error(), NULL, NULL};
    if (connection != NULL && connection->reader != NULL) {
        candidates[2] = rill_reader_error(connection->reader);
    }
    if (connection != NULL && connection->writer != NULL) {
        candidates[3] = rill_writer_error(connection->writer);
    }
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (candidates[i] != NULL && candidates[i]->code == code) {
            return rill_error_ref(candidates[i]);
        }
    }
    return rill_error_new(code, "%s", "");
}

/* Tells the error; true when it ends the task, as PROTOCOL.md's `on_error` says. */
static bool on_error(struct at *at, const json_t *call, int code)
{
    const char *mode = text_argument(call, "on_error");
    const struct rill_error *error = error_of(at, code);
    emit_call_error(at->replay, call, at->mark, error);
    rill_error_unref(error);
    rill_error_unref(at->error);
    at->error = NULL;
    if (mode == NULL || strcmp(mode, "go") == 0) {
        return code == RILL_ECANCELLED;
    }
    return strcmp(mode, "throw") == 0;
}

int calls_run(struct at *at, const json_t *calls)
{
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const json_t *call = json_array_get(calls, i);
        struct value value;
        const int rc = call_perform(at, call, &value);
        if (rc == CALLS_RETURNED) {
            return rc;
        }
        if (rc >= 0) {
            call_tell(at, call, &value);
        } else if (on_error(at, call, rc)) {
            return rc;
        }
    }
    return 0;
}
