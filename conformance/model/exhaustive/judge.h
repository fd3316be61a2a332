/* SPDX-License-Identifier: MIT
 *
 * One script on rill and on the model: do they differ, where, and what is the shortest script that
 * still shows it.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "../model.h"
#include "rill_player.h"

/* What judging works in: too large for a task's stack. */
struct judge {
    enum model_mistake mistake;
    struct rill_player player;
    struct model model;
    struct observation of_rill;
    struct observation of_model;
    char storage[SCRIPT_STORAGE_MAX]; /* of the script that is kept */
};

/* The step, from 0, at which rill and the model differ; script->count when they do not. `out` gets
 * the two observations of that step; NULL: nobody wants them. Must be called in a task. */
size_t judge_script(struct judge *judge, const struct script *script, FILE *out);

/* Makes a script that differs shorter while it differs: fewer operations, fewer bytes, a lower
 * limit. */
void judge_shrink(struct judge *judge, struct script *script);

#endif
