/* SPDX-License-Identifier: MIT
 *
 * The error objects that a program holds, and what each looked like when it came: an error never
 * changes after it was made (rill/error.h).
 */
#ifndef FUZZ_FAULTS_ERRORS_H
#define FUZZ_FAULTS_ERRORS_H

#include "faults/program.h"
#include "simulated/allocations.h"

#include <rill/error.h>

struct faults_held_error {
    const struct rill_error *error; /* a reference; NULL: the slot is empty */
    struct rill_error then;
    char text[64]; /* its beginning */
    char partial[64];
};

struct faults_errors {
    struct faults_held_error slots[FAULTS_SLOTS];
    const struct allocations *allocations;
};

/* What an operation on errors found wrong; NULL: nothing. */
typedef const char *faults_fault;

/* Takes over the reference; what the slot had is dropped. */
void faults_errors_keep(struct faults_errors *errors, size_t slot, const struct rill_error *error);

faults_fault faults_errors_make(struct faults_errors *errors, const struct faults_op *op);
faults_fault faults_errors_cause(struct faults_errors *errors, const struct faults_op *op);
faults_fault faults_errors_group(struct faults_errors *errors, const struct faults_op *op);
void faults_errors_share(struct faults_errors *errors, const struct faults_op *op);
void faults_errors_drop_all(struct faults_errors *errors);

/* All that are held are as they were. */
faults_fault faults_errors_unchanged(const struct faults_errors *errors);

#endif
