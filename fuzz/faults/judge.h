/* SPDX-License-Identifier: MIT
 *
 * What a call must answer, found out slowly from what the reader has: no memory of earlier
 * searches, every separator tried at every place. It knows the rules, not how the reader keeps
 * them.
 */
#ifndef FUZZ_FAULTS_JUDGE_H
#define FUZZ_FAULTS_JUDGE_H

#include "sansio/stream_reader.h"

/* The reader as the specification sees it, and who is at work on it. */
struct faults_state {
    struct rill_bytes held; /* collected by the read-to-EOF that waits */
    struct rill_bytes live;
    size_t limit;
    size_t read_all_max;
    bool eof;
    bool taken; /* somebody else waits */
    const struct rill_error *exception;
};

struct faults_verdict {
    int rc;
    size_t count;    /* of the live bytes that leave: returned, in `partial` or dropped */
    size_t consumed; /* RILL_ELIMIT of readuntil, and readline's cause */
    const struct rill_error *error; /* this very object; NULL: a new one */
    bool whole;                     /* what read-to-EOF held is returned too */
};

/* As rill__read_begin must answer. */
struct faults_verdict faults_judge_begin(const struct faults_state *state,
                                         const struct rill__read *read);

/* As the step behind a wake must. */
struct faults_verdict faults_judge_step(const struct faults_state *state,
                                        const struct rill__read *read);

#endif
