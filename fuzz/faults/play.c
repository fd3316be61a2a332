/* SPDX-License-Identifier: MIT
 *
 * The operations of a program, in their order and no other.
 */
#include "faults/play.h"

#include <stdlib.h>
#include <string.h>

#include <rill/alloc.h>

#include "faults/calls.h"

/* ---- the port ---- */

static int port_pause(void *arg)
{
    struct faults_stage *stage = arg;
    if (stage->paused || !stage->has_transport ||
        rill__reader_buffered(&stage->reader) <= 2 * stage->reader.limit) {
        invariant_paused_wrongly(stage);
    }
    if (!stage->can_pause) {
        stage->has_transport = false; /* it is never asked again */
        return RILL_ENOTIMPLEMENTED;
    }
    stage->paused = true;
    return 0;
}

static void port_resume(void *arg)
{
    struct faults_stage *stage = arg;
    if (!stage->paused) {
        invariant_paused_wrongly(stage);
    }
    stage->paused = false;
}

static void port_wake(void *arg, struct rill__read *read)
{
    struct faults_stage *stage = arg;
    struct faults_call *call = stage->waiting;
    if (call == NULL || read != &call->read || read->owner != call || call->woken ||
        call->stopping) {
        invariant_woken_wrongly(stage);
    }
    call->woken = true;
}

static const struct rill__reader_port port = {
    .pause_reading = port_pause,
    .resume_reading = port_resume,
    .wake = port_wake,
};

/* ---- what comes in ---- */

static size_t room_for(const struct faults_stage *stage, size_t size)
{
    const size_t room = FAULTS_KEPT_MAX - stage->held - stage->live;
    return size < room ? size : room;
}

static void expect(struct faults_stage *stage, const char *bytes, size_t size)
{
    if (size > 0) {
        memcpy(stage->kept + stage->held + stage->live, bytes, size);
        stage->live += size;
        stage->fed += size;
        faults_check_woken(stage);
        faults_check_flow(stage);
    }
}

/* `bytes` may be the reader's own: what they showed before is in `copy`. */
static void feed(struct faults_stage *stage, const char *bytes, const char *copy, size_t size,
                 bool wants_error)
{
    const size_t failed = stage->allocations->failed;
    const size_t capacity = stage->reader.buffer.capacity;
    const struct rill_error *error = NULL;
    struct faults_answer answer = {
        .rc = rill__reader_feed_data(&stage->reader, bytes, size, wants_error ? &error : NULL)};

    answer.error = error;
    answer.refused = stage->allocations->failed > failed;
    faults_check_fed(stage, &answer, false);
    faults_check_room(stage, capacity, size);
    rill_error_unref(error);
    if (answer.rc == 0) {
        expect(stage, copy, size);
    }
}

static void feed_new(struct faults_stage *stage, const struct faults_op *op)
{
    char bytes[FAULTS_SIZE_MAX + 8];
    const size_t size = room_for(stage, op->size);
    faults_fill(bytes, size, stage->fed, op->variant);
    feed(stage, bytes, bytes, size, stage->count % 4 != 0);
}

static void feed_view(struct faults_stage *stage, const struct faults_op *op)
{
    if (stage->view_count > 0) {
        const struct faults_view *view = &stage->views[op->variant % stage->view_count];
        feed(stage, view->bytes.ptr, view->copy, room_for(stage, view->bytes.len), true);
    }
}

/* All of the room is written, and then less is said to have come: nothing that counts may lie
 * there. */
static void receive_into(struct faults_stage *stage, const struct faults_op *op, char *space,
                         size_t size)
{
    char bytes[FAULTS_SIZE_MAX + 8];
    const size_t wanted = room_for(stage, op->size);
    const size_t count = wanted < size ? wanted : size;

    faults_fill(bytes, count, stage->fed, op->variant);
    memset(space, '\n', size);
    memcpy(space, bytes, count);
    if (!stage->eof) {
        rill__reader_filled(&stage->reader, count);
        expect(stage, bytes, count);
    }
}

static void receive(struct faults_stage *stage, const struct faults_op *op)
{
    const size_t failed = stage->allocations->failed;
    const size_t capacity = stage->reader.buffer.capacity;
    const bool absurd = op->least >= SIZE_MAX / 8;
    char *space = NULL;
    size_t size = 0;
    if (stage->eof) {
        return; /* a transport asks first */
    }
    const struct faults_answer answer = {
        .rc = rill__buffer_space(&stage->reader.buffer, op->least, &space, &size),
        .refused = stage->allocations->failed > failed};

    faults_check_fed(stage, &answer, absurd);
    faults_check_room(stage, capacity, op->least);
    if (answer.rc == 0) {
        if (size == 0 || size < op->least) {
            invariant_room_is_short(stage);
        }
        receive_into(stage, op, space, size);
    }
}

/* ---- other events ---- */

static void set_exception(struct faults_stage *stage, const struct rill_error *exception)
{
    struct faults_call *call = stage->waiting;
    stage->exception = exception;
    if (exception != NULL && call != NULL && !call->woken && !call->stopping) {
        call->delivered = exception; /* */
    }
    rill__reader_set_exception(&stage->reader, exception);
    if (exception != NULL) {
        faults_check_woken(stage);
    }
}

static void set_eof(struct faults_stage *stage)
{
    stage->eof = true;
    rill__reader_feed_eof(&stage->reader);
    faults_check_woken(stage);
}

/* A few fail from the nth on, or all. */
static void refuse_memory(struct faults_stage *stage, const struct faults_op *op)
{
    const size_t count = op->size / 8 % 4;
    allocations_plan(stage->allocations, 1 + op->size % 8, count < 3 ? count + 1 : SIZE_MAX);
}

static void play_error(struct faults_stage *stage, const struct faults_op *op)
{
    switch (op->kind) {
    case FAULTS_ERROR:
        faults_check_errors(stage, faults_errors_make(&stage->errors, op));
        break;
    case FAULTS_CAUSE:
        faults_check_errors(stage, faults_errors_cause(&stage->errors, op));
        break;
    case FAULTS_GROUP:
        faults_check_errors(stage, faults_errors_group(&stage->errors, op));
        break;
    case FAULTS_SHARE:
        faults_errors_share(&stage->errors, op);
        break;
    default:
        faults_errors_keep(&stage->errors, op->variant % FAULTS_SLOTS, NULL);
        break;
    }
}

static void play_event(struct faults_stage *stage, const struct faults_op *op)
{
    switch (op->kind) {
    case FAULTS_FEED:
        feed_new(stage, op);
        break;
    case FAULTS_FEED_VIEW:
        feed_view(stage, op);
        break;
    case FAULTS_RECEIVE:
        receive(stage, op);
        break;
    case FAULTS_EOF:
        set_eof(stage);
        break;
    case FAULTS_SET_EXCEPTION:
        set_exception(stage, stage->errors.slots[op->variant % FAULTS_SLOTS].error);
        break;
    case FAULTS_CLEAR_EXCEPTION:
        set_exception(stage, NULL);
        break;
    case FAULTS_SHRINK:
        rill__buffer_shrink(&stage->reader.buffer, op->size * 16);
        break;
    case FAULTS_BOUND:
        stage->reader.read_all_max = op->size < 200 ? op->size : SIZE_MAX;
        break;
    case FAULTS_NO_MEMORY:
        refuse_memory(stage, op);
        break;
    case FAULTS_MEMORY:
        allocations_heal(stage->allocations);
        break;
    default:
        play_error(stage, op);
        break;
    }
}

static void play(struct faults_stage *stage, const struct faults_op *op)
{
    switch (op->kind) {
    case FAULTS_READ:
    case FAULTS_READ_ALL:
    case FAULTS_READEXACTLY:
    case FAULTS_READLINE:
    case FAULTS_READUNTIL:
        faults_call_begin(stage, op);
        break;
    case FAULTS_LINE_NOW:
        faults_call_line_now(stage);
        break;
    case FAULTS_CANCEL:
        faults_call_stop(stage);
        break;
    case FAULTS_RUN:
        faults_call_run(stage, op->variant % 2 != 0);
        break;
    default:
        play_event(stage, op);
        break;
    }
    faults_check_all(stage);
}

/* ---- from beginning to end ---- */

static void begin(struct faults_stage *stage, struct allocations *allocations,
                  struct faults_source *source)
{
    const struct faults_head head = faults_take_head(source);
    stage->waiting = NULL;
    stage->errors = (struct faults_errors){.allocations = allocations};
    stage->held = stage->live = stage->fed = 0; /* `kept` is large and stays as it is */
    stage->eof = stage->paused = false;
    stage->exception = NULL;
    stage->view_count = stage->count = 0;
    stage->allocations = allocations;
    stage->can_pause = head.can_pause;
    stage->has_transport = head.has_transport;
    allocations_next_input(allocations);
    allocations_plan(allocations, 0, 0);
    rill__reader_init(&stage->reader, head.limit, &port, stage);
    stage->reader.has_transport = head.has_transport;
}

/* Whoever waits at the end of the input is answered, with memory; who was asked to stop, stops. */
static void finish_waiting(struct faults_stage *stage)
{
    set_eof(stage);
    faults_call_run(stage, true);
    faults_check_all(stage);
    if (stage->waiting != NULL) {
        invariant_waits_for_ever(stage);
    }
}

/* Or the call is given up where it stands. */
static void end(struct faults_stage *stage)
{
    allocations_heal(stage->allocations);
    if (stage->fed % 2 == 0) {
        finish_waiting(stage);
    } else {
        faults_call_abandon(stage);
    }
    if (stage->allocations->calls > 0 && rill_set_allocator(NULL) != RILL_ERUNTIME) {
        invariant_allocator_is_fixed(stage);
    }
    rill__reader_cleanup(&stage->reader);
    faults_errors_drop_all(&stage->errors);
    faults_views_end(stage);
}

void faults_play(struct faults_stage *stage, struct allocations *allocations, const uint8_t *data,
                 size_t size)
{
    struct faults_source source = {data, size};
    const size_t blocks = allocations->blocks;

    begin(stage, allocations, &source);
    while (source.left > 0 && stage->count < FAULTS_OPS_MAX) {
        const struct faults_moment now = {.limit = stage->reader.limit,
                                          .live = stage->live,
                                          .room = stage->reader.buffer.capacity -
                                                  stage->reader.buffer.tail};
        struct faults_op *op = &stage->ops[stage->count++];
        faults_take_op(&source, &now, op);
        play(stage, op);
    }
    end(stage);
    faults_check_nothing_left(stage, blocks);
}
