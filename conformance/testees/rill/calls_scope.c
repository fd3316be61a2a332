/* SPDX-License-Identifier: MIT
 *
 * The calls on scopes: timeouts and task groups. A scope is known by the id of the call that made
 * it, and by its mark.
 */
#include "calls.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "tasks.h"

struct scope {
    struct scope *next; /* the newest first */
    const char *name;
    struct rill_timeout *timeout; /* one of the two */
    struct rill_task_group *group;
};

static struct scope *scope_new(struct at *at, const json_t *call)
{
    struct arena *arena = &at->replay->arena;
    struct scope *scope = arena_take(arena, sizeof *scope);
    const char *id = text_argument(call, "id");
    const size_t size = strlen(id) + strlen(at->mark) + 1;
    char *name = arena_take(arena, size);
    snprintf(name, size, "%s%s", id, at->mark);
    scope->name = name;
    scope->next = at->replay->scopes;
    at->replay->scopes = scope;
    return scope;
}

static const struct scope *scope_named(const struct replay *replay, const char *name, bool group)
{
    for (const struct scope *scope = replay->scopes; scope != NULL; scope = scope->next) {
        if (strcmp(scope->name, name) == 0 && (scope->group != NULL) == group) {
            return scope;
        }
    }
    return NULL;
}

/* -- timeouts ----------------------------------------------------------------------------------
 */

static struct rill_timeout *timeout_new(struct at *at, const json_t *call)
{
    struct scope *scope = scope_new(at, call);
    scope->timeout = arena_take(&at->replay->arena, sizeof *scope->timeout);
    return scope->timeout;
}

static int call_timeout(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_opt_real seconds = seconds_argument(call);
    struct rill_timeout *timeout = timeout_new(at, call);
    (void)value;
    if (seconds.given) {
        rill_timeout_enter(timeout, seconds.value);
    } else {
        rill_timeout_enter_at(timeout, INFINITY);
    }
    const int body = calls_run(at, json_object_get(call, "body"));
    const int rc = rill_timeout_exit(timeout, body < 0 ? body : 0);
    return rc < 0 ? rc : body;
}

/* A zeroed struct is a scope that was never entered. */
static int call_timeout_new(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    timeout_new(at, call);
    return 0;
}

static int timeout_named(struct at *at, const json_t *call, struct rill_timeout **timeout)
{
    const struct scope *scope = scope_named(at->replay, text_argument(call, "scope"), false);
    *timeout = scope != NULL ? scope->timeout : NULL;
    return scope != NULL ? 0 : call_fail(at, rill_error_new(code_of_class("KeyError"), "%s", ""));
}

static int call_reschedule(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_opt_real when = seconds_argument(call);
    struct rill_timeout *timeout;
    const int rc = timeout_named(at, call, &timeout);
    (void)value;
    return rc == 0 ? rill_timeout_reschedule(timeout, when.given ? when.value : INFINITY) : rc;
}

static int call_expired(struct at *at, const json_t *call, struct value *value)
{
    struct rill_timeout *timeout;
    const int rc = timeout_named(at, call, &timeout);
    if (rc == 0) {
        value->json = json_boolean(rill_timeout_expired(timeout));
    }
    return rc;
}

/* -- task groups -------------------------------------------------------------------------------
 */

static int call_group(struct at *at, const json_t *call, struct value *value)
{
    struct scope *scope = scope_new(at, call);
    (void)value;
    scope->group = arena_take(&at->replay->arena, sizeof *scope->group);
    const int entered = rill_task_group_enter(scope->group);
    if (entered < 0) {
        return entered;
    }
    const int body = calls_run(at, json_object_get(call, "body"));
    const int rc = rill_task_group_exit(scope->group, body < 0 ? body : 0);
    return rc < 0 ? rc : body > 0 ? body : 0;
}

static int call_group_spawn(struct at *at, const json_t *call, struct value *value)
{
    static const struct rill_task_group never_entered;
    const struct scope *scope = scope_named(at->replay, text_argument(call, "group"), true);
    struct rill_task_group *group = scope != NULL ? scope->group : NULL;
    struct rill_task_group other = never_entered;
    (void)value;
    return task_start_in_group(at, text_argument(call, "task"), json_object_get(call, "body"),
                               group != NULL ? group : &other);
}

const struct call scope_calls[] = {
    {"timeout", call_timeout, "seconds body"},
    {"timeout_new", call_timeout_new, "seconds"},
    {"reschedule", call_reschedule, "scope seconds"},
    {"expired", call_expired, "scope"},
    {"group", call_group, "body"},
    {"group_spawn", call_group_spawn, "group task body"},
    {NULL, NULL, NULL},
};
