/* SPDX-License-Identifier: MIT
 *
 * Decoding a script.
 */
#include "simulated/script.h"

enum { SMALL_MAX = 200, MEDIUM_MAX = 240, MEDIUM_STEP = 64, LARGE_STEP = 4400 };

uint8_t input_byte(struct input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

static struct op decode_op(struct input *input, unsigned connections, unsigned world_kinds)
{
    const uint8_t who = input_byte(input);
    const uint8_t amount = input_byte(input);
    const uint8_t rest = input_byte(input);
    const unsigned actor = who >> 5 < SCRIPT_TASKS ? who >> 5 : SCRIPT_WORLD;
    const unsigned kinds = actor < SCRIPT_TASKS ? OP_TASK_KINDS : world_kinds;
    return (struct op){
        .actor = (uint8_t)actor,
        .kind = (uint8_t)((who & 31u) % kinds),
        .connection = (uint8_t)((rest & 3u) % connections),
        .amount = amount,
        .aux = rest >> 2,
    };
}

void script_decode(struct script *script, struct input *input, unsigned connections,
                   unsigned world_kinds)
{
    script->count = 0;
    while (input->size > 0 && script->count < SCRIPT_OPS_MAX) {
        script->ops[script->count++] = decode_op(input, connections, world_kinds);
    }
}

bool script_has(const struct script *script, unsigned actor)
{
    for (size_t i = 0; i < script->count; i++) {
        if (script->ops[i].actor == actor) {
            return true;
        }
    }
    return false;
}

size_t script_size(uint8_t amount)
{
    if (amount < SMALL_MAX) {
        return amount;
    }
    if (amount < MEDIUM_MAX) {
        return (size_t)(amount - SMALL_MAX) * MEDIUM_STEP;
    }
    return (size_t)(amount - MEDIUM_MAX + 1) * LARGE_STEP;
}

double script_seconds(uint8_t amount)
{
    return (double)amount / 100;
}
