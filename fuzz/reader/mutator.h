/* SPDX-License-Identifier: MIT
 *
 * The mutator and crossover of the targets that take scripts. Half of the mutations are the
 * engine's, of bytes, for its dictionaries and compared values; the others are mutations.h's.
 */
#ifndef FUZZ_READER_MUTATOR_H
#define FUZZ_READER_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

#include "reader/mutations.h"

/* As LLVMFuzzerMutate: changes at most max_size bytes in place, returns how many there are now. */
typedef size_t plain_mutator(uint8_t *data, size_t size, size_t max_size);

/* Both return the new size, at most max_size. */
size_t mutator_mutate(uint8_t *data, size_t size, size_t max_size, unsigned int seed,
                      plain_mutator *plain);

/* One of mutations.h's; false: there was nothing to change. *size is then as it was. */
bool mutator_apply(enum mutation mutation, struct dice *dice, uint8_t *data, size_t *size,
                   size_t max_size);

/* The beginning of one program and the end of another, cut between operations; head (limit,
 * transport) from either. */
size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                     size_t max_size, unsigned int seed);

#endif
