/* SPDX-License-Identifier: MIT
 *
 * Chance out of a seed: the same seed, the same throws.
 */
#ifndef FUZZ_READER_DICE_H
#define FUZZ_READER_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline struct dice dice_new(unsigned int seed)
{
    return (struct dice){.state = seed};
}

/* 0 to sides - 1; sides > 0. The generator is splitmix64's. */
static inline size_t dice_throw(struct dice *dice, size_t sides)
{
    uint64_t z = (dice->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % sides);
}

#endif
