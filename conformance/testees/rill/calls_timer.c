/* SPDX-License-Identifier: MIT
 *
 * The calls on the loop's queue and its clock.
 */
#include "calls.h"

#include "attempts.h"
#include "events.h"

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

static int call_advance(struct at *at, const json_t *call, struct value *value)
{
    (void)value;
    at->replay->seams.now += seconds_argument(call).value; /* nothing runs meanwhile */
    attempts_ripen(at->replay);
    return 0;
}

const struct call timer_calls[] = {
    {"call_soon", call_call_soon, "text"},     {"call_later", call_call_later, "seconds text"},
    {"call_at", call_call_at, "seconds text"}, {"time", call_time, NULL},
    {"advance", call_advance, "seconds"},      {NULL, NULL, NULL},
};
