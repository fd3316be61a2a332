/* SPDX-License-Identifier: MIT
 *
 * The ways to change a script that know what operations and chunks are. Each changes one thing and
 * says whether there was something to change.
 */
#ifndef FUZZ_READER_MUTATIONS_H
#define FUZZ_READER_MUTATIONS_H

#include "reader/dice.h"
#include "script.h"

enum mutation {
    MUTATION_SPLIT,           /* a chunk in two, often at or in a separator */
    MUTATION_MERGE,           /* two neighbouring chunks into one */
    MUTATION_MOVE_BOUNDARY,   /* a byte from a chunk to its neighbour */
    MUTATION_LIMIT,           /* length - 1, length, length + 1 of a chunk, a line, or half of it */
    MUTATION_NUMBER,          /* the same for read(n) and readexactly(n) */
    MUTATION_PLACE_SEPARATOR, /* one that is searched for, into a chunk */
    MUTATION_CUT_SEPARATOR,   /* the same, with a chunk's end in it */
    MUTATION_DROP,            /* an operation */
    MUTATION_DUPLICATE,
    MUTATION_SWAP, /* two neighbours */
    MUTATION_CHANGE_KIND,
    MUTATION_INSERT, /* an operation without bytes of its own, or a read */
    MUTATION_TRANSPORT,
    MUTATIONS,
};

/* A script that is being changed, and room for bytes that stand nowhere else. */
struct draft {
    struct script script;
    struct dice *dice;
    size_t used;
    char scratch[4 * SCRIPT_CHUNK_MAX];
};

bool draft_change(struct draft *draft, enum mutation mutation);

#endif
