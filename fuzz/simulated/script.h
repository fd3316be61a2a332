/* SPDX-License-Identifier: MIT
 *
 * The codec: every byte string is a script of operations. Each is three bytes:
 *
 *     who and what   actor in the upper three bits (0-3: a task, 4-7: the world), kind in the lower
 *                    five, modulo the number of kinds
 *     a              how much, how long, or whom
 *     b              the connection in the lower two bits, modulo their number; the upper six are
 *                    what else the operation can vary
 *
 * A byte that is missing is 0. A task goes through its operations in their order; the world's are
 * carried out by the target itself, between the loop's turns.
 */
#ifndef FUZZ_SCRIPT_H
#define FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SCRIPT_TASKS = 4, SCRIPT_WORLD = SCRIPT_TASKS, SCRIPT_OPS_MAX = 64 };

enum task_op {
    OP_READ,
    OP_READ_TO_EOF,
    OP_READEXACTLY,
    OP_READLINE,
    OP_READUNTIL,
    OP_READUNTIL_ANY,
    OP_NEXT_LINE,
    OP_SKIP_LINE,
    OP_READ_INTO,
    OP_WRITE,
    OP_WRITELINES,
    OP_WRITE_BORROWED,
    OP_DRAIN,
    OP_WRITE_EOF,
    OP_CLOSE,
    OP_WAIT_CLOSED,
    OP_SLEEP,
    OP_TIMEOUT,  /* a scope around the next operation */
    OP_WAIT_FOR, /* the next operation under rill_wait_for */
    OP_SET_LIMITS,
    OP_SET_CLOSE_TIMEOUT,
    OP_CANCEL,
    OP_FREE,
    OP_ABORT,
    OP_PAUSE_READING,
    OP_RESUME_READING,
    OP_SET_READ_ALL_MAX,
    OP_SPECIAL, /* what only this target has */
    OP_LOOK,    /* everything that only tells */
    OP_AWAIT,
    OP_RAISE, /* the task ends by an error of its own */
    OP_YIELD,
    OP_TASK_KINDS
};

enum world_op {
    WORLD_TURN,
    WORLD_SEND,
    WORLD_SHUTDOWN,
    WORLD_CLOSE,
    WORLD_RESET,
    WORLD_WINDOW,
    WORLD_DISCARD,
    WORLD_CANCEL,
    WORLD_ADVANCE,
    WORLD_COMMON_KINDS
};

/* Of targets on the simulated kernel. */
enum world_kernel_op {
    WORLD_FREE_KIND = WORLD_COMMON_KINDS, /* nothing, if the target has no use for it */
    WORLD_SHORT_TRANSFERS,
    WORLD_LONG_TRANSFERS,
    WORLD_KERNEL_KINDS
};

struct op {
    uint8_t actor; /* SCRIPT_WORLD: the world */
    uint8_t kind;
    uint8_t connection;
    uint8_t amount;
    uint8_t aux; /* 0 to 63 */
};

/* What is left of an input. */
struct input {
    const uint8_t *data;
    size_t size;
};
uint8_t input_byte(struct input *input); /* 0 behind the end */

struct script {
    size_t count;
    struct op ops[SCRIPT_OPS_MAX];
};

/* The rest of the input as operations on `connections` connections, of which the world knows
 * `world_kinds` kinds. */
void script_decode(struct script *script, struct input *input, unsigned connections,
                   unsigned world_kinds);

/* Whether the actor has anything to do. */
bool script_has(const struct script *script, unsigned actor);

/* An amount of bytes: small ones by themselves, some around 1000, a few around 65536. */
size_t script_size(uint8_t amount);
/* A span of time: a hundredth of a second each. */
double script_seconds(uint8_t amount);

/* As text, a line for each operation; the names are of the kinds that the target itself has, the
 * others may be NULL. */
void script_print(const struct script *script, const char *const *world_names, FILE *to);

#endif
