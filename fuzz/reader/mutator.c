/* SPDX-License-Identifier: MIT
 *
 * Bytes to a script, changed, and back to bytes that fit.
 */
#include "reader/mutator.h"

#include <string.h>

#include "codec.h"

/* Writes as many of the script's operations as fit; returns how many bytes. */
static size_t write_fitting(struct script *script, uint8_t *out, size_t max_size)
{
    unsigned char bytes[CODEC_BYTES_MAX];
    size_t size = codec_encode(script, bytes);
    while (size > max_size && script->count > 0) {
        script->count--;
        size = codec_encode(script, bytes);
    }
    if (size > max_size) {
        return 0;
    }
    memcpy(out, bytes, size);
    return size;
}

bool mutator_apply(enum mutation mutation, struct dice *dice, uint8_t *data, size_t *size,
                   size_t max_size)
{
    struct draft draft;
    draft.dice = dice;
    draft.used = 0;
    codec_decode(data, *size, &draft.script);
    if (!draft_change(&draft, mutation)) {
        return false;
    }
    *size = write_fitting(&draft.script, data, max_size);
    return true;
}

size_t mutator_mutate(uint8_t *data, size_t size, size_t max_size, unsigned int seed,
                      plain_mutator *plain)
{
    enum { TRIES = 4 };
    struct dice dice = dice_new(seed);

    for (size_t i = 0; i < TRIES && dice_throw(&dice, 2) == 0; i++) {
        if (mutator_apply((enum mutation)dice_throw(&dice, MUTATIONS), &dice, data, &size,
                          max_size)) {
            return size;
        }
    }
    return plain(data, size, max_size);
}

size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                     size_t max_size, unsigned int seed)
{
    struct dice dice = dice_new(seed);
    struct script script;
    struct script other;

    codec_decode(a, a_size, &script);
    codec_decode(b, b_size, &other);
    script.count = dice_throw(&dice, script.count + 1);
    for (size_t i = dice_throw(&dice, other.count + 1);
         i < other.count && script.count < SCRIPT_OPS_MAX; i++) {
        script.ops[script.count++] = other.ops[i];
    }
    if (dice_throw(&dice, 2) == 0) {
        script.limit = other.limit;
        script.transport = other.transport;
    }
    return write_fitting(&script, out, max_size);
}
