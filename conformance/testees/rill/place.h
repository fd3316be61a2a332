/* SPDX-License-Identifier: MIT
 *
 * The case's directory: made where a script needs it, removed with all that is in it.
 */
#ifndef TESTEE_PLACE_H
#define TESTEE_PLACE_H

#include "replay.h"

/* Makes the directory and tells its name, if that was not done yet. */
void place_open(struct replay *replay);

/* The path, in the case's arena, with the directory's name where it says {dir}. */
struct rill_bytes place_path(struct replay *replay, struct rill_bytes path);

/* A path of the script; ptr NULL: not given. */
struct rill_bytes path_argument(struct replay *replay, const json_t *call, const char *key);

/* The operation `file`, and whether its `do` is known. */
void place_operation(struct replay *replay, const json_t *operation);
bool place_knows(const char *what);

/* `none`, `socket`, `file` or `directory`. */
const char *place_kind(struct rill_bytes path);

void place_cleanup(struct replay *replay);

#endif
