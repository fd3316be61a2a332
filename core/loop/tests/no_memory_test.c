/* SPDX-License-Identifier: MIT
 *
 * Cancellations whose text finds no memory: each is a cancellation all the same, and only
 * the text is lost.
 */
#include <stdbool.h>
#include <stdlib.h>

#include <rill/alloc.h>
#include <rill/rill.h>

#include "check.h"

/* Of the process, as its allocator is. */
static bool is_full;

static void *take(void *arg, size_t size)
{
    (void)arg;
    return is_full ? NULL : malloc(size);
}

static void *change(void *arg, void *memory, size_t size)
{
    (void)arg;
    return is_full ? NULL : realloc(memory, size);
}

static void give_back(void *arg, void *memory)
{
    (void)arg;
    free(memory);
}

/* What the cancelled task saw itself. */
struct seen {
    int result;
    int error;
};

static int wait_long(void *arg)
{
    struct seen *seen = arg;
    seen->result = rill_sleep(100);
    seen->error = rill_task_error()->code;
    return seen->result;
}

static int wait_for_long(void *arg)
{
    struct rill_task *task = NULL;
    CHECK_INT(rill_task_create(wait_long, arg, NULL, &task), 0);
    const int rc = rill_task_await(task);
    rill_task_free(task);
    return rc;
}

static const struct row {
    rill_task_fn *fn;
    bool starts_before;
    struct seen want_seen;
    int line;
} rows[] = {
    {.fn = wait_long,
     .starts_before = true,
     .want_seen = {RILL_ECANCELLED, RILL_ECANCELLED},
     .line = __LINE__},
    {.fn = wait_for_long, /* the request goes through a chain */
     .starts_before = true,
     .want_seen = {RILL_ECANCELLED, RILL_ECANCELLED},
     .line = __LINE__},
    {.fn = wait_long, /* cancelled before its first step, its body never runs */
     .starts_before = false,
     .line = __LINE__},
};

static int cancel_without_memory(void *arg)
{
    const struct row *row = arg;
    struct seen seen = {0, 0};
    struct rill_task *task = NULL;

    CHECK_INT_ROW(row->line, rill_task_create(row->fn, &seen, NULL, &task), 0);
    for (int turn = 0; turn < 2 && row->starts_before; turn++) {
        CHECK_INT_ROW(row->line, rill_sleep(0), 0);
    }
    is_full = true;
    const bool requested = rill_task_cancel_text(task, "enough");
    is_full = false;
    CHECK_INT_ROW(row->line, requested, true);
    CHECK_INT_ROW(row->line, rill_task_await(task), RILL_ECANCELLED);
    CHECK_INT_ROW(row->line, rill_task_error()->code, RILL_ECANCELLED);
    CHECK_STR_ROW(row->line, rill_task_error()->text, "");
    CHECK_INT_ROW(row->line, rill_task_cancelled(task), true);
    CHECK_INT_ROW(row->line, seen.result, row->want_seen.result);
    CHECK_INT_ROW(row->line, seen.error, row->want_seen.error);
    rill_task_free(task);
    return 0;
}

int main(void)
{
    const struct rill_allocator allocator = {
        .allocate = take, .reallocate = change, .release = give_back};

    CHECK_INT(rill_set_allocator(&allocator), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct row row = rows[i];
        CHECK_INT_ROW(row.line, rill_run(cancel_without_memory, &row, NULL), 0);
    }
    return check_report("no_memory");
}
