/* SPDX-License-Identifier: MIT
 *
 * CPython's own StreamReader playing scripts. Its coroutines are driven by hand: a call is sent
 * None, and again each time the future that it waits for is done, which is what a Task does,
 * without the loop's turns between. conformance/model/play_cpython.py plays with real tasks on a
 * real loop; tests/test_player.py holds the two against each other.
 *
 * rill's departures: of those that concern a reader only Q-17 can show here. The player gives back
 * to CPython's buffer what a failed read to EOF has lost, and goes on from there. (Q-18 and Q-59
 * need two things in one turn; after each operation of a script everything has happened.)
 */
#ifndef FUZZ_CPYTHON_PLAYER_H
#define FUZZ_CPYTHON_PLAYER_H

#include "cpython/interpreter.h"
#include "model.h"

/* A call in progress. */
struct cpython_call {
    PyObject *coroutine; /* NULL: there is none */
    size_t number;
    const struct script_op *op;
    size_t began; /* how many of the fed bytes had left the buffer */
};

struct cpython_player {
    struct cpython *python;
    PyObject *transport; /* made once, for all scripts */
    bool departs;        /* by Q-17, as rill does */

    PyObject *reader;
    bool can_pause;
    struct observation *watched; /* where pauses are noted */
    size_t calls;
    struct cpython_call waiting;
    PyObject *future;  /* that it waits for */
    PyObject *outcome; /* what the last observation refers to */
    PyObject *text;
    size_t fed_length;
    char fed[SCRIPT_BYTES_MAX];
};

void cpython_player_init(struct cpython_player *player, struct cpython *python, bool departs);

void cpython_player_begin(struct cpython_player *player, const struct script *script);
/* Plays one operation, which must stay where it is while its call waits. */
void cpython_player_step(struct cpython_player *player, const struct script_op *op,
                         struct observation *seen);
/* Ends what waits. What cannot be, even in CPython, aborts: a call that does not end when it is
 * cancelled, a reader that somebody still knows. */
void cpython_player_end(struct cpython_player *player);

#endif
