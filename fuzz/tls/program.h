/* SPDX-License-Identifier: MIT
 *
 * A fuzzer's input as a program: read byte by byte, and zeros behind its end, so that every input
 * means something.
 */
#ifndef FUZZ_TLS_PROGRAM_H
#define FUZZ_TLS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/bytes.h>

struct program {
    const uint8_t *next;
    size_t left;
};

static inline unsigned program_byte(struct program *program)
{
    if (program->left == 0) {
        return 0;
    }
    program->left--;
    return *program->next++;
}

/* One of 0 .. count-1. */
static inline unsigned program_choice(struct program *program, unsigned count)
{
    return program_byte(program) % count;
}

/* Up to `size` bytes, fewer at the end; the input's own memory. */
static inline struct rill_bytes program_bytes(struct program *program, size_t size)
{
    const size_t count = size < program->left ? size : program->left;
    const struct rill_bytes bytes = {(const char *)program->next, count};
    program->next += count;
    program->left -= count;
    return bytes;
}

/* A length: small ones exactly, then around the borders of a record and of rill's own pieces. */
static inline size_t program_length(struct program *program)
{
    static const size_t large[] = {255,   256,   1024,  4095,  4096,  16383,
                                   16384, 16385, 32768, 32769, 65536, 262145};
    const unsigned byte = program_byte(program);
    return byte < 240 ? byte : large[(byte - 240) % (sizeof large / sizeof large[0])];
}

/* A count of what comes first: small ones exactly, then in larger steps. 0: none. */
static inline size_t program_number(struct program *program)
{
    enum { EXACT = 192, STEP = 13 };
    const size_t byte = program_byte(program);
    return byte < EXACT ? byte : EXACT + (byte - EXACT) * STEP;
}

#endif
