/* SPDX-License-Identifier: MIT
 *
 * asyncio.TaskGroup, after taskgroups.py of 3.13.
 */
#include <stdio.h>

#include "loop/tasks.h"
#include "sansio/memory.h"

struct member {
    struct rill__entry done; /* among the task's done callbacks */
    struct rill__link link;
    struct rill__task_group_state *state;
    struct rill_task *task;
};

struct rill__task_group_state {
    struct rill_task *parent;
    struct rill__list members; /* not done */
    size_t count;
    const struct rill_error *
        *errors; /* of members, in the order in which they came; then the body's */
    size_t error_count;
    struct rill__wait *completed; /* of exit */
    bool exiting;
    bool aborting;
    bool parent_cancel_requested;
    bool lost_error; /* there was no memory to keep one: the group fails all the same */
};

static void abort_members(struct rill__task_group_state *state)
{
    struct rill__link *link = rill__list_first(&state->members);
    state->aborting = true;
    while (link != NULL) {
        struct member *member = rill__container(link, struct member, link);
        link = rill__list_after(&state->members, link);
        rill_task_cancel(member->task);
    }
}

static void add_error(struct rill__task_group_state *state, const struct rill_error *error)
{
    const struct rill_error **errors =
        rill__realloc(state->errors, (state->error_count + 1) * sizeof(errors[0]));
    if (errors == NULL) {
        state->lost_error = true;
        return;
    }
    errors[state->error_count++] = rill_error_ref(error);
    state->errors = errors;
}

static void member_done(struct rill__entry *entry)
{
    struct member *member = rill__container(entry, struct member, done);
    struct rill__task_group_state *state = member->state;
    const struct rill_error *exception = rill_task_exception(member->task);

    rill__list_remove(&member->link);
    state->count--;
    if (state->completed != NULL && state->count == 0) {
        rill__wait_complete(state->completed, 0);
    }
    if (exception != NULL) {
        add_error(state, exception);
        if (!state->aborting && !state->parent_cancel_requested) {
            abort_members(state);
            state->parent_cancel_requested = true;
            rill_task_cancel(state->parent);
        }
    }
    rill_task_free(member->task);
    rill__free(member);
}

int rill_task_group_enter(struct rill_task_group *group)
{
    struct rill_task *task;

    *group = (struct rill_task_group){0};
    if (rill__require_task(&task) < 0) {
        return rill__fail_with(RILL_ERUNTIME,
                               "TaskGroup <TaskGroup> cannot determine the parent task");
    }
    group->state = rill__alloc_zeroed(sizeof *group->state);
    if (group->state == NULL) {
        return rill__fail_no_memory();
    }
    group->parent = task;
    group->state->parent = task;
    rill__list_init(&group->state->members);
    return 0;
}

/* `TaskGroup <TaskGroup tasks=1 errors=1 cancelling> is shutting down`. */
static int refuse(const struct rill__task_group_state *state, const char *why)
{
    char tasks[32] = "";
    char errors[32] = "";

    if (state->count > 0) {
        snprintf(tasks, sizeof tasks, " tasks=%zu", state->count);
    }
    if (state->error_count > 0) {
        snprintf(errors, sizeof errors, " errors=%zu", state->error_count);
    }
    return rill__fail(rill_error_new(RILL_ERUNTIME, "TaskGroup <TaskGroup%s%s%s> is %s", tasks,
                                     errors, state->aborting ? " cancelling" : " entered", why));
}

int rill_task_group_create_task(struct rill_task_group *group, rill_task_fn *fn, void *arg,
                                struct rill_task **task)
{
    struct rill__task_group_state *state = group->state;

    if (task != NULL) {
        *task = NULL;
    }
    if (state == NULL) {
        return rill__fail(rill_error_new(
            RILL_ERUNTIME, group->parent != NULL ? "TaskGroup <TaskGroup entered> is finished"
                                                 : "TaskGroup <TaskGroup> has not been entered"));
    }
    if (state->exiting && state->count == 0) {
        return refuse(state, "finished");
    }
    if (state->aborting) {
        return refuse(state, "shutting down");
    }
    struct member *member = rill__alloc_zeroed(sizeof *member);
    if (member == NULL) {
        return rill__fail_no_memory();
    }
    const struct rill_task_options options = {.loop = state->parent->loop};
    const int rc = rill_task_create(fn, arg, &options, &member->task);
    if (rc < 0) {
        rill__free(member);
        return rc;
    }
    member->state = state;
    member->done.run = member_done;
    rill__task_on_done(member->task, &member->done);
    rill__list_append(&state->members, &member->link);
    state->count++;
    if (task != NULL) {
        *task = rill__task_ref(member->task);
    }
    return 0;
}

/* Waits for the members; *cancelled becomes the parent's cancellation from outside, if one comes
 * meanwhile. */
static void await_members(struct rill__task_group_state *state, const struct rill_error **cancelled)
{
    while (state->count > 0) {
        struct rill__wait wait;
        rill__wait_init(&wait, state->parent);
        state->completed = &wait;
        const int rc = rill__wait(&wait, NULL);
        state->completed = NULL;
        if (rc == RILL_ECANCELLED && !state->aborting) {
            rill_error_unref(*cancelled);
            *cancelled = rill__error_of_code(rc); /* with its text */
            abort_members(state);
        }
    }
}

/* The group's error is raised while the body's is handled: that is its context. */
static const struct rill_error *group_error(const struct rill__task_group_state *state,
                                            const struct rill_error *body_error)
{
    const struct rill_error *error =
        rill_error_group("unhandled errors in a TaskGroup", state->errors, state->error_count);
    return body_error != NULL ? rill_error_with_cause(error, body_error) : error;
}

static int conclude(struct rill__task_group_state *state, int rc,
                    const struct rill_error *cancelled, const struct rill_error *body_error)
{
    if (state->parent_cancel_requested && rill_task_uncancel(state->parent) == 0) {
        cancelled = NULL;
    }
    if (cancelled != NULL && state->error_count == 0) {
        return rill__fail_ref(cancelled);
    }
    if (body_error != NULL && rc != RILL_ECANCELLED) {
        add_error(state, body_error);
    }
    if (state->error_count == 0 && state->lost_error) {
        return rill__fail_no_memory();
    }
    if (state->error_count == 0) {
        return rc == RILL_ECANCELLED ? 0 : rc;
    }
    if (rill_task_cancelling(state->parent) > 0) { /* keeps the count, delivers it again */
        rill_task_uncancel(state->parent);
        rill_task_cancel(state->parent);
    }
    return rill__fail(group_error(state, body_error));
}

int rill_task_group_exit(struct rill_task_group *group, int rc)
{
    struct rill__task_group_state *state = group->state;
    const struct rill_error *body_error = NULL;

    if (state == NULL) {
        return rc;
    }
    state->exiting = true;
    if (rc < 0) {
        body_error = rill__error_of_code(rc);
    }
    if (rc < 0 && !state->aborting) {
        abort_members(state);
    }
    const struct rill_error *cancelled = rc == RILL_ECANCELLED ? rill_error_ref(body_error) : NULL;
    await_members(state, &cancelled);
    rc = conclude(state, rc, cancelled, body_error);
    rill_error_unref(cancelled);
    rill_error_unref(body_error);
    for (size_t i = 0; i < state->error_count; i++) {
        rill_error_unref(state->errors[i]);
    }
    rill__free(state->errors);
    rill__free(state);
    group->state = NULL;
    return rc;
}
