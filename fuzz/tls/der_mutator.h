/* SPDX-License-Identifier: MIT
 *
 * Mutations and crossover for inputs in DER.
 */
#ifndef FUZZ_TLS_DER_MUTATOR_H
#define FUZZ_TLS_DER_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* The same for the same seed. The new size, at most max_size. */
size_t der_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed);
/* One node of the second in place of one of the first. */
size_t der_cross(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2,
                 uint8_t *out, size_t max_out_size, unsigned seed);

#endif
