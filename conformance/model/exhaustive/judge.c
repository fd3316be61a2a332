/* SPDX-License-Identifier: MIT
 *
 * One script on rill and on the model.
 */
#include "judge.h"

static void print_both(const struct observation *rill, const struct observation *model, FILE *out)
{
    fputs("# rill   ", out);
    observation_print(rill, out);
    fputs("\n# model  ", out);
    observation_print(model, out);
    fputc('\n', out);
}

static size_t first_difference(struct judge *judge, const struct script *script, FILE *out)
{
    for (size_t i = 0; i < script->count; i++) {
        rill_player_step(&judge->player, &script->ops[i], &judge->of_rill);
        model_step(&judge->model, &script->ops[i], &judge->of_model);
        if (!observation_equal(&judge->of_rill, &judge->of_model)) {
            if (out != NULL) {
                print_both(&judge->of_rill, &judge->of_model, out);
            }
            return i;
        }
    }
    return script->count;
}

size_t judge_script(struct judge *judge, const struct script *script, FILE *out)
{
    if (rill_player_begin(&judge->player, script) < 0) {
        return 0;
    }
    model_init(&judge->model, script, true, judge->mistake); /* rill departs by Q-17 */
    const size_t step = first_difference(judge, script, out);
    rill_player_end(&judge->player);
    return step;
}

/* ---- shrinking: each way changes one thing and says whether there was something to change ---- */

typedef bool shrink_way(struct script *script, size_t op);

static bool drop_op(struct script *script, size_t op)
{
    script->count--;
    for (size_t i = op; i < script->count; i++) {
        script->ops[i] = script->ops[i + 1];
    }
    return true;
}

static bool drop_first_byte(struct script *script, size_t op)
{
    struct script_bytes *bytes = &script->ops[op].bytes;
    if (bytes->len == 0) {
        return false;
    }
    bytes->ptr++;
    bytes->len--;
    return true;
}

static bool drop_last_byte(struct script *script, size_t op)
{
    struct script_bytes *bytes = &script->ops[op].bytes;
    if (bytes->len == 0) {
        return false;
    }
    bytes->len--;
    return true;
}

static bool drop_separator(struct script *script, size_t op)
{
    struct script_op *call = &script->ops[op];
    if (call->kind != SCRIPT_READUNTIL_TUPLE || call->separator_count < 2) {
        return false;
    }
    call->separator_count--;
    return true;
}

static bool lower_number(struct script *script, size_t op)
{
    script->ops[op].n--;
    return script->ops[op].n > 0;
}

static bool lower_limit(struct script *script, size_t op)
{
    script->limit--;
    return op == 0 && script->limit > 0;
}

static bool shrink_once(struct judge *judge, struct script *script)
{
    static shrink_way *const ways[] = {drop_op,        drop_first_byte, drop_last_byte,
                                       drop_separator, lower_number,    lower_limit};

    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        for (size_t op = 0; op < script->count; op++) {
            struct script candidate = *script;
            if (ways[way](&candidate, op) &&
                judge_script(judge, &candidate, NULL) < candidate.count) {
                *script = candidate;
                return true;
            }
        }
    }
    return false;
}

void judge_shrink(struct judge *judge, struct script *script)
{
    const size_t step = judge_script(judge, script, NULL);
    if (step < script->count) {
        script->count = step + 1;
    }
    while (shrink_once(judge, script)) {
    }
}
