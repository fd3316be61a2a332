/* SPDX-License-Identifier: MIT
 *
 * rill's sans-io reader playing scripts: no loop and no task, so that a program costs a
 * microsecond. A call that waits goes on as soon as it is woken; that is all that a loop would do
 * for it.
 */
#ifndef FUZZ_READER_PLAYER_H
#define FUZZ_READER_PLAYER_H

#include "model.h"
#include "sansio/stream_reader.h"

struct player_call {
    struct rill__read read;
    struct rill_bytes separators[SCRIPT_SEPARATORS_MAX];
    size_t number; /* counted from 1 */
    bool waits;
};

struct player {
    struct rill__reader reader;
    struct player_call calls[2]; /* one may wait, and one beside it ends at once */
    size_t started;
    size_t steps;
    size_t most_kept; /* bytes that the buffer had to keep at once, so far */
    bool can_pause;
    bool woken;
    const struct rill_error *exception; /* the last that was set */
    const struct rill_error *ended;     /* how the last call failed; seen by the observation */
    struct observation *watched;        /* where pauses are noted */
};

/* The player must not move until it is ended. */
void player_begin(struct player *player, const struct script *script);

/* What is seen holds until the next step. Nothing is seen when `seen` only has to be there (NULL is
 * not allowed): the same work is done. */
void player_step(struct player *player, const struct script_op *op, struct observation *seen);

void player_end(struct player *player);

#endif
