/* SPDX-License-Identifier: MIT
 *
 * The two readers in step.
 */
#include "reader/duel.h"

#include "reader/ledger.h"

static void play_step(struct duel *duel)
{
    const struct script_op *op = &duel->script->ops[duel->step];

    player_step(&duel->rill, op, &duel->of_rill);
    model_step(&duel->model, op, &duel->of_model);
    if (!observation_equal(&duel->of_rill, &duel->of_model)) {
        duel_lost(duel);
    }
    invariants_of_player(duel);
}

void duel_play(const struct script *script)
{
    const struct ledger *ledger = ledger_open();
    const size_t before = ledger->blocks;
    struct duel duel;

    duel.judge = "model";
    duel.script = script;
    player_begin(&duel.rill, script);
    model_init(&duel.model, script, true, MODEL_RIGHT); /* rill departs by Q-17 */
    for (duel.step = 0; duel.step < script->count; duel.step++) {
        play_step(&duel);
    }
    player_end(&duel.rill);
    invariant_nothing_left(&duel, before, ledger->blocks);
}

void duel_play_alone(const struct script *script)
{
    struct observation seen;
    struct player player;

    (void)ledger_open();
    player_begin(&player, script);
    for (size_t i = 0; i < script->count; i++) {
        player_step(&player, &script->ops[i], &seen);
    }
    player_end(&player);
}
