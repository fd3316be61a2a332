/* SPDX-License-Identifier: MIT
 *
 * The calls of a program: begun, going on, asked to stop.
 */
#ifndef FUZZ_FAULTS_CALLS_H
#define FUZZ_FAULTS_CALLS_H

#include "faults/stage.h"

/* A call that the operation names. */
void faults_call_begin(struct faults_stage *stage, const struct faults_op *op);

/* readline's short way: as readline if it says yes, nothing if it says no. */
void faults_call_line_now(struct faults_stage *stage);

void faults_call_stop(struct faults_stage *stage);

/* The task of the call that waits runs: it ends when it was asked to stop, else its step comes. One
 * that was woken before it was asked may do either; `stops` says which. */
void faults_call_run(struct faults_stage *stage, bool stops);

/* It ends, whatever it waits for. */
void faults_call_abandon(struct faults_stage *stage);

/* From now on no view is valid. */
void faults_views_end(struct faults_stage *stage);

#endif
