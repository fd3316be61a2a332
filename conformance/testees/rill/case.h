/* SPDX-License-Identifier: MIT
 *
 * Running one case, and telling beforehand whether it can be run.
 */
#ifndef TESTEE_CASE_H
#define TESTEE_CASE_H

#include "leaks.h"
#include "replay.h"

/* What stays from case to case. */
struct testee {
    struct wire wire;
    struct allocations *allocations;
    struct contexts *contexts;
};

/* Runs a case that can be run, up to its `end` event. */
void case_run(const struct testee *testee, const json_t *script);

/* Why a case cannot be run here, in `reason`; false: it can. */
bool case_refuse(const json_t *script, char *reason, size_t size);

#endif
