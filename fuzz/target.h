/* SPDX-License-Identifier: MIT
 *
 * What a fuzz target and its engine know of each other: libFuzzer's names, which every engine
 * understands.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Plays one input. Always 0; what must hold and does not ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once, before the first input. A target need not have it. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A target's own mutator and crossover; it need not have them. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out_size,
                                 unsigned int seed);

/* The engine's mutations of plain bytes, for the two above. Defined only where there is an engine.
 */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
