/* SPDX-License-Identifier: MIT
 *
 * The engine's names for the mutator and the crossover. Linked only where there is an engine: the
 * program that replays files mutates nothing.
 */
#include "simulated/mutator.h"
#include "target.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    return mutator_mutate(data, size, max_size, seed, LLVMFuzzerMutate);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out_size, unsigned int seed)
{
    return mutator_cross(data1, size1, data2, size2, out, max_out_size, seed);
}
