/* SPDX-License-Identifier: MIT
 *
 * What a target of one reader makes of its bytes. The target, the measuring of its rate and the
 * printing of a crash as a case all begin here.
 */
#ifndef FUZZ_READER_PROGRAM_H
#define FUZZ_READER_PROGRAM_H

#include <stdint.h>

#include "script.h"

struct program {
    struct script script; /* refers to the bytes it was read from, or to storage */
    char storage[SCRIPT_BYTES_MAX];
};

typedef void program_read(struct program *program, const uint8_t *data, size_t size);

/* Of the target with this name; NULL: none of these has it. */
program_read *program_read_of(const char *target);

program_read program_read_readuntil;
program_read program_read_limit;

#endif
