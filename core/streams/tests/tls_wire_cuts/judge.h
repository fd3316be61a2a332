/* SPDX-License-Identifier: MIT
 *
 * What the specification allows each call to say after each way of ending a line: one table.
 */
#ifndef RILL_TEST_WIRE_JUDGE_H
#define RILL_TEST_WIRE_JUDGE_H

#include "exchange.h"

/* NULL when everything that the calls of this run said is documented, else what is not. Stays until
 * the next call. */
const char *judge_calls(const struct run *run);
/* NULL when what both sides heard is what was said, as far as it had to arrive. */
const char *judge_bytes(const struct run *run);

extern const char *const ending_names[ENDINGS];
extern const char *const direction_names[2];

#endif
