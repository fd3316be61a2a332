/* SPDX-License-Identifier: MIT
 *
 * CPython's branches as a fuzzer's coverage: each side of each branch in StreamReader's methods has
 * a counter in the section that libFuzzer reads beside its own. The events are sys.monitoring's, of
 * the interpreter as it came (3.12 and later); an older one plays without.
 */
#ifndef FUZZ_CPYTHON_STEERING_H
#define FUZZ_CPYTHON_STEERING_H

#include "cpython/interpreter.h"

/* From now on; once. False: this CPython has no such events. */
bool cpython_steer(const struct cpython *python);

/* How many counters are above zero. An engine sets them back before each input; without one they
 * add up. */
size_t cpython_steering_sides(void);

#endif
