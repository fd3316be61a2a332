/* SPDX-License-Identifier: MIT
 *
 * One reader, what it must contain, and everything that somebody holds of it. How a run ends badly:
 * each kind of mismatch or broken invariant in a function of its own (check.c).
 */
#ifndef FUZZ_FAULTS_STAGE_H
#define FUZZ_FAULTS_STAGE_H

#include "faults/errors.h"
#include "faults/judge.h"
#include "faults/program.h"

enum { FAULTS_VIEWS_MAX = 4 };

/* In a block of its own, freed as the call ends: a reader that still knows it is caught. */
struct faults_call {
    struct rill__read read;
    struct rill__read asked; /* its inputs, for the judge */
    struct rill_bytes separators[FAULTS_SEPARATORS_MAX];
    const struct rill_error *delivered; /* what completed its wait, if an error did */
    bool woken;
    bool stopping;  /* asked to stop, before it was woken or after */
    bool disturbed; /* another call took bytes that this one may have searched */
};

struct faults_view {
    struct rill_bytes bytes;
    char *copy; /* what it showed when it was handed out */
};

struct faults_stage {
    struct rill__reader reader;
    struct allocations *allocations;
    struct faults_call *waiting;
    struct faults_errors errors;

    /* What the reader must contain: what read-to-EOF holds, then the live bytes. */
    char kept[FAULTS_KEPT_MAX];
    size_t held;
    size_t live;
    size_t fed; /* all that ever was, for the next bytes' values */
    bool eof;
    const struct rill_error *exception; /* the pointer only: the reader has the reference */

    bool can_pause;
    bool has_transport;
    bool paused;

    struct faults_view views[FAULTS_VIEWS_MAX]; /* of one begin and the step behind it */
    size_t view_count;

    size_t count; /* operations so far */
    struct faults_op ops[FAULTS_OPS_MAX];
};

/* How an operation went: what rill answered, and whether memory was refused meanwhile. */
struct faults_answer {
    int rc;
    const struct rill_error *error;
    bool refused;
};

/* What the judge knows. */
struct faults_state faults_state_of(const struct faults_stage *stage);

/* The call answered: its error, its bytes and what is left must be the verdict's; moves `kept`. Of
 * a disturbed readuntil or readline only what holds of any is judged. */
void faults_check_answer(struct faults_stage *stage, struct faults_call *call,
                         const struct faults_answer *answer, const struct faults_verdict *verdict);

/* feed_data and space, before their bytes are kept: `capacity` was the block's before, room was
 * needed for `least`. */
void faults_check_fed(const struct faults_stage *stage, const struct faults_answer *answer,
                      bool absurd);
void faults_check_room(const struct faults_stage *stage, size_t capacity, size_t least);

/* Something came that completes a wait. */
void faults_check_woken(const struct faults_stage *stage);

/* After the operation's bytes: more than twice the limit stops the transport. */
void faults_check_flow(const struct faults_stage *stage);

/* What holds behind every operation. */
void faults_check_all(const struct faults_stage *stage);

void faults_check_errors(const struct faults_stage *stage, faults_fault fault);

/* Behind the end: `blocks` were live before the beginning. */
void faults_check_nothing_left(const struct faults_stage *stage, size_t blocks);

_Noreturn void invariant_room_is_short(const struct faults_stage *stage);
_Noreturn void invariant_woken_wrongly(const struct faults_stage *stage);
_Noreturn void invariant_paused_wrongly(const struct faults_stage *stage);
_Noreturn void invariant_waits_for_ever(const struct faults_stage *stage);
_Noreturn void invariant_allocator_is_fixed(const struct faults_stage *stage);

#endif
