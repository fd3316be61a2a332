/* SPDX-License-Identifier: MIT
 *
 * Scripts as bytes, for fuzzing: every string of bytes is a script (what is missing at its end
 * counts as zero or is shorter, what follows the last operation that fits is ignored), and every
 * script is read back as it was. conformance/rillconf/codec.py is its twin.
 *
 * Byte 0: limit - 1 in the low six bits, transport in the high two (modulo 3). Then operations,
 * each a byte whose value modulo SCRIPT_KINDS is its kind, followed by FEED                  a
 * length byte and so many bytes READ, READEXACTLY     n as one signed byte READUNTIL             a
 * length byte and so many bytes READUNTIL_TUPLE       a byte, modulo 4: how many; each a length
 * byte and so many bytes
 */
#ifndef MODEL_CODEC_H
#define MODEL_CODEC_H

#include "script.h"

/* As many bytes as a script can need. */
enum {
    CODEC_BYTES_MAX = 1 + SCRIPT_OPS_MAX * (2 + SCRIPT_SEPARATORS_MAX * (1 + SCRIPT_CHUNK_MAX))
};

/* The script refers to `bytes`. */
void codec_decode(const unsigned char *bytes, size_t size, struct script *script);

/* Writes at most CODEC_BYTES_MAX bytes; returns how many. */
size_t codec_encode(const struct script *script, unsigned char *bytes);

#endif
