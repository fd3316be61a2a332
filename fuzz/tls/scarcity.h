/* SPDX-License-Identifier: MIT
 *
 * What OpenSSL asks of the process while rill calls it, memory and randomness, and its failing as
 * planned. What the peer asks for, it gets.
 */
#ifndef FUZZ_TLS_SCARCITY_H
#define FUZZ_TLS_SCARCITY_H

#include <stdbool.h>
#include <stddef.h>

#include "program.h"
#include "simulated/allocations.h"

/* OpenSSL's allocator, for good; before OpenSSL is first used. */
void scarcity_install(void);

/* From now on the `number`th allocation of OpenSSL's fails; 0: none does. Nothing has failed. */
void scarcity_plan(size_t number);
/* What comes next of one resource fails, by two bytes of the program: OpenSSL's allocation, rill's,
 * or randomness. */
void scarcity_plan_next(struct program *program, struct allocations *of_rill);
/* From now on nothing fails. */
void scarcity_heal(void);
/* Something has failed since the plan. */
bool scarcity_was_felt(void);

#endif
