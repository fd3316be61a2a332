/* SPDX-License-Identifier: MIT
 *
 * Calls on the reader, each beside the judge.
 */
#include "faults/calls.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sansio/memory.h"

/* ---- views ---- */

static void view_keep(struct faults_stage *stage, struct rill_bytes bytes)
{
    rill_assert(stage->view_count < FAULTS_VIEWS_MAX);
    struct faults_view *view = &stage->views[stage->view_count++];
    *view = (struct faults_view){.bytes = bytes, .copy = malloc(bytes.len + 1)};
    rill_assert(view->copy != NULL);
    if (bytes.len > 0) {
        memcpy(view->copy, bytes.ptr, bytes.len);
    }
}

void faults_views_end(struct faults_stage *stage)
{
    while (stage->view_count > 0) {
        free(stage->views[--stage->view_count].copy);
    }
}

/* ---- calls ---- */

static enum rill__read_kind kind_of(enum faults_kind kind)
{
    switch (kind) {
    case FAULTS_READ_ALL:
        return RILL__READ_TO_EOF;
    case FAULTS_READEXACTLY:
        return RILL__READ_EXACTLY;
    case FAULTS_READLINE:
        return RILL__READ_LINE;
    case FAULTS_READUNTIL:
        return RILL__READ_UNTIL;
    case FAULTS_READ:
    default:
        return RILL__READ_SOME;
    }
}

static long long number_of(const struct faults_op *op)
{
    if (op->variant == 2) {
        return LLONG_MAX;
    }
    return op->negative ? -(long long)op->size : (long long)op->size;
}

/* As read.c may rewrite its inputs, the judge gets his own; the fields that a kind does not use are
 * left as they happen to be. */
static struct faults_call *call_new(const struct faults_op *op)
{
    struct faults_call *call = malloc(sizeof *call);
    rill_assert(call != NULL);
    memset(call, 0xA5, sizeof *call);
    call->delivered = NULL;
    call->woken = false;
    call->stopping = false;
    call->disturbed = false;

    const enum rill__read_kind kind = kind_of(op->kind);
    call->asked = (struct rill__read){.kind = kind, .n = number_of(op)};
    call->read.kind = kind;
    if (kind == RILL__READ_SOME || kind == RILL__READ_EXACTLY) {
        call->read.n = call->asked.n;
    }
    if (kind == RILL__READ_SOME && call->asked.n < 0) {
        call->asked.kind = RILL__READ_TO_EOF; /* */
    }
    if (kind == RILL__READ_UNTIL || kind == RILL__READ_LINE) {
        call->asked.separator_count = faults_separators(op->variant, call->separators);
        call->asked.separators = call->separators;
    }
    if (kind == RILL__READ_UNTIL) {
        call->read.separator_count = call->asked.separator_count;
        call->read.separators = call->separators;
    }
    call->read.owner = call;
    return call;
}

/* The call answered: either it waits, or it is over. */
static void arrive(struct faults_stage *stage, struct faults_call *call, int rc, size_t failed,
                   const struct faults_verdict *verdict)
{
    const bool over = rc != RILL__READ_WAIT;
    const struct faults_answer answer = {.rc = rc,
                                         .error = over ? call->read.error : NULL,
                                         .refused = stage->allocations->failed > failed};
    faults_check_answer(stage, call, &answer, verdict);
    call->woken = false;
    stage->waiting = over ? (stage->waiting == call ? NULL : stage->waiting) : call;
    if (!over) {
        return;
    }
    if (rc == 0) {
        view_keep(stage, call->read.result);
    } else {
        faults_errors_keep(&stage->errors, stage->count % FAULTS_SLOTS, call->read.error);
    }
    free(call);
}

void faults_call_begin(struct faults_stage *stage, const struct faults_op *op)
{
    struct faults_call *call = call_new(op);
    struct faults_state state = faults_state_of(stage);
    state.taken = stage->waiting != NULL;
    const struct faults_verdict verdict = faults_judge_begin(&state, &call->asked);
    const size_t failed = stage->allocations->failed;

    faults_views_end(stage);
    arrive(stage, call, rill__read_begin(&stage->reader, &call->read), failed, &verdict);
}

/* Nothing else may be going on; then a line that is there is the answer of the long way too. */
void faults_call_line_now(struct faults_stage *stage)
{
    struct faults_call *call = call_new(&(struct faults_op){.kind = FAULTS_READLINE});
    struct faults_state state = faults_state_of(stage);
    state.taken = stage->waiting != NULL;
    const struct faults_verdict verdict = faults_judge_begin(&state, &call->asked);
    const size_t failed = stage->allocations->failed;

    call->read.error = NULL;
    if (rill__read_line_now(&stage->reader, &call->read.result)) {
        faults_views_end(stage);
        arrive(stage, call, 0, failed, &verdict);
    } else {
        free(call);
    }
}

/* In the reader nothing happens when the call was woken already. */
void faults_call_stop(struct faults_stage *stage)
{
    if (stage->waiting != NULL) {
        stage->waiting->stopping = true;
        rill__read_cancel_requested(&stage->waiting->read);
    }
}

void faults_call_abandon(struct faults_stage *stage)
{
    struct faults_call *call = stage->waiting;
    if (call != NULL) {
        rill__read_cancelled(&stage->reader, &call->read);
        stage->waiting = NULL;
        stage->live += stage->held;
        stage->held = 0;
        free(call);
    }
}

static void go_on(struct faults_stage *stage, struct faults_call *call)
{
    const struct faults_state state = faults_state_of(stage);
    const struct rill_error *delivered = call->delivered;
    const struct faults_verdict verdict =
        delivered != NULL ? (struct faults_verdict){.rc = delivered->code, .error = delivered}
                          : faults_judge_step(&state, &call->asked);
    const size_t failed = stage->allocations->failed;

    arrive(stage, call, rill__read_step(&stage->reader, &call->read), failed, &verdict);
}

void faults_call_run(struct faults_stage *stage, bool stops)
{
    struct faults_call *call = stage->waiting;
    if (call == NULL || (!call->woken && !call->stopping)) {
        return;
    }
    if (call->stopping && (stops || !call->woken)) {
        faults_call_abandon(stage);
    } else {
        call->stopping = false; /* it did not notice */
        go_on(stage, call);
    }
}
