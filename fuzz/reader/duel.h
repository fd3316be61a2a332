/* SPDX-License-Identifier: MIT
 *
 * One script on rill's reader and on the model, side by side: after every operation all that can be
 * seen must be equal. The first difference ends the process, each kind in a function of its own, so
 * that crashes sort themselves by their stacks.
 */
#ifndef FUZZ_READER_DUEL_H
#define FUZZ_READER_DUEL_H

#include "reader/player.h"

struct duel {
    const char *judge; /* who saw `of_model`: "model", or "cpython" in fuzz/cpython */
    const struct script *script;
    size_t step; /* from 0 */
    struct player rill;
    struct model model;
    struct observation of_rill;
    struct observation of_model;
};

void duel_play(const struct script *script);

/* rill's half alone, for measuring what the model costs. */
void duel_play_alone(const struct script *script);

/* The two observations of duel->step differ: says how and ends the process. */
_Noreturn void duel_lost(const struct duel *duel);

/* What holds of rill's reader by itself, behind every step. */
void invariants_of_player(const struct duel *duel);

/* Behind the end: blocks that were live before the script and after it. */
void invariant_nothing_left(const struct duel *duel, size_t before, size_t after);

#endif
