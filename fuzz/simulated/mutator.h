/* SPDX-License-Identifier: MIT
 *
 * The mutator and crossover of the targets that play script.h's scripts. Half of the mutations are
 * the engine's, of bytes; the others change operations. An engine that takes out a byte makes every
 * operation behind it another one.
 */
#ifndef FUZZ_SIMULATED_MUTATOR_H
#define FUZZ_SIMULATED_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes stand in front of the script: each target's own. */
extern const size_t mutator_head;

/* What a mutation gives has at most so many operations, but for one in so many: nearly everything
 * is found by as few, and an execution of sixty takes five times as long. */
enum { MUTATOR_USUAL = 12, MUTATOR_LONG_ONES = 32 };

enum mutation {
    MUTATION_DROP,   /* some operations in a row */
    MUTATION_REPEAT, /* an operation, somewhere else */
    MUTATION_INSERT, /* one that is thrown */
    MUTATION_SWAP,
    MUTATION_WHO,
    MUTATION_WHAT,
    MUTATION_AMOUNT,
    MUTATION_REST,
    MUTATIONS
};

/* As LLVMFuzzerMutate: changes at most max_size bytes in place, returns how many there are now. */
typedef size_t plain_mutator(uint8_t *data, size_t size, size_t max_size);

/* All return the new size, at most max_size. */
size_t mutator_mutate(uint8_t *data, size_t size, size_t max_size, unsigned int seed,
                      plain_mutator *plain);
size_t mutator_apply(enum mutation mutation, unsigned int seed, uint8_t *data, size_t size,
                     size_t max_size);
/* The head of either, the beginning of one script and the end of another. */
size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                     size_t max_size, unsigned int seed);

#endif
