/* SPDX-License-Identifier: MIT
 *
 * What must hold, with memory and without. What is printed before the end: the operations so far
 * and what the reader had to contain.
 */
#include <stdlib.h>
#include <string.h>

#include "faults/stage.h"

static _Noreturn void die(const struct faults_stage *stage, const char *kind)
{
    (void)fprintf(stderr, "limit %zu%s%s\n", stage->reader.limit,
                  stage->has_transport ? " transport" : "", stage->can_pause ? " pauses" : "");
    for (size_t i = 0; i < stage->count; i++) {
        faults_print_op(&stage->ops[i], stderr);
    }
    (void)fprintf(stderr, "%s at operation %zu: must hold %zu and %zu live, has %zu and %zu\n",
                  kind, stage->count, stage->held, stage->live,
                  rill__buffer_held_length(&stage->reader.buffer),
                  rill__reader_buffered(&stage->reader));
    abort();
}

/* What a call answered: done, waits, or which error. */
static _Noreturn void mismatch_answer(const struct faults_stage *stage,
                                      const struct faults_answer *answer, int wanted)
{
    (void)fprintf(stderr, "answered %d, had to answer %d%s\n", answer->rc, wanted,
                  answer->refused ? " or ENOMEM" : "");
    die(stage, __func__);
}

static _Noreturn void mismatch_error(const struct faults_stage *stage, const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    die(stage, __func__);
}

static _Noreturn void mismatch_result(const struct faults_stage *stage)
{
    die(stage, __func__);
}

static _Noreturn void mismatch_partial(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* Bytes were lost, doubled, exchanged, or taken by a call that failed for want of memory. */
static _Noreturn void invariant_bytes_conserved(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* Memory was refused and the operation did not say so, or it said so and none was. */
static _Noreturn void invariant_failure_told(const struct faults_stage *stage)
{
    die(stage, __func__);
}

static _Noreturn void invariant_view_valid(const struct faults_stage *stage)
{
    die(stage, __func__);
}

static _Noreturn void invariant_capacity(const struct faults_stage *stage)
{
    (void)fprintf(stderr, "capacity %zu\n", stage->reader.buffer.capacity);
    die(stage, __func__);
}

static _Noreturn void invariant_retired_blocks_pile_up(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* The slot is free although a call waits, or the other way round. */
static _Noreturn void invariant_slot(const struct faults_stage *stage)
{
    die(stage, __func__);
}

static _Noreturn void invariant_lost_wake_up(const struct faults_stage *stage)
{
    die(stage, __func__);
}

static _Noreturn void invariant_memory_left(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* space promised less than was asked for, or nothing. */
_Noreturn void invariant_room_is_short(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* A wake that nobody waits for, or the second of a wait, or of a call that was asked to stop. */
_Noreturn void invariant_woken_wrongly(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* pause_reading and resume_reading: each only when it changes something, and when it must. */
_Noreturn void invariant_paused_wrongly(const struct faults_stage *stage)
{
    die(stage, __func__);
}

_Noreturn void invariant_waits_for_ever(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* rill has allocated, and takes another allocator all the same. */
_Noreturn void invariant_allocator_is_fixed(const struct faults_stage *stage)
{
    die(stage, __func__);
}

/* ---- answers ---- */

struct faults_state faults_state_of(const struct faults_stage *stage)
{
    return (struct faults_state){.held = {stage->kept, stage->held},
                                 .live = {stage->kept + stage->held, stage->live},
                                 .limit = stage->reader.limit,
                                 .read_all_max = stage->reader.read_all_max,
                                 .eof = stage->eof,
                                 .exception = stage->exception};
}

static bool shows(struct rill_bytes bytes, const char *data, size_t size)
{
    return bytes.len == size && (size == 0 || memcmp(bytes.ptr, data, size) == 0);
}

/* The live bytes lose their first `count`. */
static void leave(struct faults_stage *stage, size_t count)
{
    char *live = stage->kept + stage->held;
    stage->live -= count;
    memmove(live, live + count, stage->live);
}

static void put_back_held(struct faults_stage *stage)
{
    stage->live += stage->held;
    stage->held = 0;
}

static void check_result(struct faults_stage *stage, const struct faults_call *call,
                         const struct faults_verdict *verdict)
{
    if (verdict->whole) {
        put_back_held(stage);
        if (!shows(call->read.result, stage->kept, stage->live)) {
            mismatch_result(stage);
        }
        stage->live = 0;
        return;
    }
    if (!shows(call->read.result, stage->kept + stage->held, verdict->count)) {
        mismatch_result(stage);
    }
    leave(stage, verdict->count);
}

static void check_limit(const struct faults_stage *stage, const struct rill_error *limit,
                        size_t consumed)
{
    if (limit == NULL || limit->code != RILL_ELIMIT) {
        mismatch_error(stage, "no LimitOverrunError");
    }
    if (limit->consumed != consumed) {
        mismatch_error(stage, "consumed");
    }
}

/* An error that the call made for itself. */
static void check_made(const struct faults_stage *stage, const struct faults_call *call,
                       const struct rill_error *error, const struct faults_verdict *verdict)
{
    const bool line = call->asked.kind == RILL__READ_LINE;
    if (error->code == RILL_EINCOMPLETE) {
        const long long wanted = call->asked.kind == RILL__READ_EXACTLY ? call->asked.n : -1;
        if (error->expected != wanted) {
            mismatch_error(stage, "expected");
        }
        if (!shows(error->partial, stage->kept + stage->held, verdict->count)) {
            mismatch_partial(stage);
        }
    } else if (error->code == RILL_ELIMIT || (error->code == RILL_EVALUE && line)) {
        check_limit(stage, line ? error->cause : error, verdict->consumed);
    }
}

static void check_error(struct faults_stage *stage, const struct faults_call *call,
                        const struct rill_error *error, const struct faults_verdict *verdict)
{
    if (error == NULL || error->code != verdict->rc) {
        mismatch_error(stage, "the object has another code");
    }
    if (verdict->error != NULL && error != verdict->error) {
        mismatch_error(stage, "another object"); /* */
    }
    if (verdict->error == NULL) {
        check_made(stage, call, error, verdict);
    }
    leave(stage, verdict->count);
}

/* The bytes stay, and the error says why. */
static void check_refused(const struct faults_stage *stage, const struct faults_answer *answer)
{
    if (answer->rc != RILL_ENOMEM || answer->error != rill_error_no_memory()) {
        invariant_failure_told(stage);
    }
}

/* What any readuntil or readline may answer: the judge, who does not know from where the search
 * went on, learns how it ended and how many bytes left. */
static void judge_disturbed(const struct faults_stage *stage, const struct faults_call *call,
                            const struct faults_answer *answer, struct faults_verdict *verdict)
{
    const size_t left = rill__reader_buffered(&stage->reader);
    const bool line = call->asked.kind == RILL__READ_LINE;

    if (left > stage->live || (answer->rc == RILL__READ_WAIT && stage->eof) ||
        (answer->rc == RILL_EINCOMPLETE && !stage->eof) ||
        (answer->rc < 0 && answer->rc != RILL_EINCOMPLETE &&
         answer->rc != (line ? RILL_EVALUE : RILL_ELIMIT))) {
        mismatch_answer(stage, answer, verdict->rc);
    }
    const struct rill_error *error = answer->error;
    const struct rill_error *limit = line && error != NULL ? error->cause : error;
    *verdict = (struct faults_verdict){.rc = answer->rc,
                                       .count = stage->live - left,
                                       .consumed = limit != NULL ? limit->consumed : 0};
}

void faults_check_answer(struct faults_stage *stage, struct faults_call *call,
                         const struct faults_answer *answer, const struct faults_verdict *verdict)
{
    struct faults_verdict must = *verdict;
    const bool collects = call == stage->waiting && call->asked.kind == RILL__READ_TO_EOF;

    if (answer->refused) {
        check_refused(stage, answer);
        must = (struct faults_verdict){.rc = RILL_ENOMEM, .error = rill_error_no_memory()};
    } else if (call->disturbed && call->delivered == NULL) {
        judge_disturbed(stage, call, answer, &must);
    }
    if (answer->rc != must.rc) {
        mismatch_answer(stage, answer, must.rc);
    }
    if (must.rc == 0) {
        check_result(stage, call, &must);
    } else if (must.rc < 0) {
        if (collects) {
            put_back_held(stage); /* */
        }
        check_error(stage, call, answer->error, &must);
    } else if (call->asked.kind == RILL__READ_TO_EOF) {
        stage->held += stage->live;
        stage->live = 0;
    }
    if (must.count > 0 && stage->waiting != NULL && stage->waiting != call) {
        stage->waiting->disturbed = stage->waiting->asked.kind == RILL__READ_UNTIL ||
                                    stage->waiting->asked.kind == RILL__READ_LINE;
    }
}

/* ---- feeding ---- */

void faults_check_fed(const struct faults_stage *stage, const struct faults_answer *answer,
                      bool absurd)
{
    const int wanted = stage->eof ? RILL_EASSERTION : answer->refused || absurd ? RILL_ENOMEM : 0;
    if (answer->rc != wanted) {
        mismatch_answer(stage, answer, wanted);
    }
    const bool told = wanted == 0 ? answer->error == NULL
                                  : answer->error == NULL || answer->error->code == wanted ||
                                        (answer->refused && answer->error->code == RILL_ENOMEM);
    if (!told) {
        invariant_failure_told(stage);
    }
}

void faults_check_room(const struct faults_stage *stage, size_t capacity, size_t least)
{
    const size_t now = stage->reader.buffer.capacity;
    const size_t kept = stage->held + stage->live;
    const size_t most = 2 * (kept + kept / 2 + (least > 0 ? least : 1));

    if (now == capacity) {
        return;
    }
    if ((now & (now - 1)) != 0 || now < RILL__BUFFER_CAPACITY_MIN ||
        (now > RILL__BUFFER_CAPACITY_MIN && now >= most)) {
        invariant_capacity(stage);
    }
}

void faults_check_woken(const struct faults_stage *stage)
{
    const struct faults_call *call = stage->waiting;
    if (call != NULL && !call->woken && !call->stopping) {
        invariant_lost_wake_up(stage);
    }
}

void faults_check_flow(const struct faults_stage *stage)
{
    if (stage->live > 2 * stage->reader.limit && stage->has_transport && stage->can_pause &&
        !stage->paused) {
        invariant_paused_wrongly(stage);
    }
}

/* ---- at all times ---- */

static void check_views(const struct faults_stage *stage)
{
    for (size_t i = 0; i < stage->view_count; i++) {
        const struct faults_view *view = &stage->views[i];
        if (!shows(view->bytes, view->copy, view->bytes.len)) {
            invariant_view_valid(stage);
        }
    }
}

/* A block is retired for a view that it keeps valid, so there are no more of them. */
static void check_retired(const struct faults_stage *stage)
{
    size_t count = 0;
    for (const struct rill__block *block = stage->reader.buffer.retired; block != NULL;
         block = block->next) {
        count++;
    }
    if (count > stage->view_count) {
        invariant_retired_blocks_pile_up(stage);
    }
}

static void check_bytes(const struct faults_stage *stage)
{
    const struct rill__buffer *buffer = &stage->reader.buffer;
    if (rill__buffer_held_length(buffer) != stage->held ||
        rill__reader_buffered(&stage->reader) != stage->live) {
        invariant_bytes_conserved(stage);
    }
    if (stage->held + stage->live > 0 && memcmp(buffer->block->bytes + buffer->head - buffer->held,
                                                stage->kept, stage->held + stage->live) != 0) {
        invariant_bytes_conserved(stage);
    }
}

static void check_slot(const struct faults_stage *stage)
{
    const struct faults_call *call = stage->waiting;
    if (stage->reader.waiter != (call != NULL ? &call->read : NULL)) {
        invariant_slot(stage);
    }
    if (rill__reader_at_eof(&stage->reader) != (stage->eof && stage->live == 0)) {
        invariant_bytes_conserved(stage);
    }
    /* Who waits for bytes lets them come. */
    if (call != NULL && !call->woken && !call->stopping && stage->paused) {
        invariant_paused_wrongly(stage);
    }
}

void faults_check_all(const struct faults_stage *stage)
{
    check_bytes(stage);
    check_views(stage);
    check_retired(stage);
    check_slot(stage);
    if (stage->reader.paused != stage->paused) {
        invariant_paused_wrongly(stage);
    }
    faults_check_errors(stage, faults_errors_unchanged(&stage->errors));
}

void faults_check_errors(const struct faults_stage *stage, faults_fault fault)
{
    if (fault != NULL) {
        mismatch_error(stage, fault);
    }
}

void faults_check_nothing_left(const struct faults_stage *stage, size_t blocks)
{
    if (stage->allocations->blocks != blocks) {
        (void)fprintf(stderr, "%zu blocks before, %zu after\n", blocks, stage->allocations->blocks);
        invariant_memory_left(stage);
    }
}
