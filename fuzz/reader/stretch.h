/* SPDX-License-Identifier: MIT
 *
 * Draws a script towards the lengths at which a reader changes its mind: the limit and twice the
 * limit, a byte or three beside them, a separator across each. A fuzzer finds such lengths by
 * chance only while they are small; here a byte names one.
 *
 * Limit 1 to 48 stays; 49 to 64 name 100 to 4096, so that the buffer grows, moves and is replaced.
 *
 * A fed chunk of one byte stays as it is. Of a longer one, byte 0 names a length (its low three
 * bits) and what to add, -3 to 4 (the next three):
 *      0   the bytes behind byte 0, as they stand
 *      1   so many that the line, which is all since the last separator, is `limit` long
 *      2   ... `2 * limit` long
 *      3   `limit` bytes       4   `2 * limit` bytes       5   1024 bytes
 *      6   no more than is added                           7   none
 * Byte 1 says how many bytes of the separator follow (modulo its length + 1; the high two bits
 * choose among a tuple's), and the bytes behind it are repeated to make the line. What is missing
 * of a separator comes first in the next chunk, unless byte 0 of that has its 64s bit. The
 * separator is that of the next readuntil or readline in the script; a newline when there is none.
 *
 * read(n) and readexactly(n): 96 to 127 are 1, 2, 3, 4 times the limit, -3 to 4 added.
 */
#ifndef FUZZ_READER_STRETCH_H
#define FUZZ_READER_STRETCH_H

#include "script.h"

/* The script refers to `storage` (SCRIPT_BYTES_MAX bytes) for what it feeds from now on; what does
 * not fit is not fed. */
void script_stretch(struct script *script, char *storage);

#endif
