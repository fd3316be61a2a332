/* SPDX-License-Identifier: MIT
 *
 * Every mutation keeps the head and changes whole operations, in a way of its own; what it gives
 * fits and is mostly short; a crossover is the beginning of one script and the end of another.
 */
#include "simulated/mutator.h"

#include <stdbool.h>

#include <check.h>

#include "reader/dice.h"

enum { HEAD = 2, OP = 3, OPS = 6, SIZE = HEAD + OPS * OP, ROOM = 200, SEEDS = 300 };

const size_t mutator_head = HEAD;

/* A head, then operations that are told by their numbers: n, 100 + n, 200 + n. */
static size_t sample(uint8_t *data, size_t count)
{
    data[0] = 'h';
    data[1] = 'd';
    for (size_t i = 0; i < count; i++) {
        uint8_t *op = data + HEAD + i * OP;
        op[0] = (uint8_t)i;
        op[1] = (uint8_t)(100 + i);
        op[2] = (uint8_t)(200 + i);
    }
    return HEAD + count * OP;
}

static bool is_op(const uint8_t *op, uint8_t number)
{
    return op[0] == number && op[1] == 100 + number && op[2] == 200 + number;
}

/* How many of the sample's operations are there, whole; each once. */
static size_t known_ops(const uint8_t *data, size_t size)
{
    size_t known = 0;
    for (uint8_t number = 0; number < OPS; number++) {
        bool there = false;
        for (size_t at = HEAD; at + OP <= size; at += OP) {
            there = there || is_op(data + at, number);
        }
        known += there ? 1 : 0;
    }
    return known;
}

static const struct row {
    enum mutation mutation;
    int want_least; /* operations more than before */
    int want_most;
    size_t want_known; /* of the sample's, at least */
    int line;
} rows[] = {
    {.mutation = MUTATION_DROP,
     .want_least = -4,
     .want_most = -1,
     .want_known = OPS - 4,
     .line = __LINE__},
    {.mutation = MUTATION_REPEAT,
     .want_least = 1,
     .want_most = 1,
     .want_known = OPS,
     .line = __LINE__},
    {.mutation = MUTATION_INSERT,
     .want_least = 1,
     .want_most = 1,
     .want_known = OPS,
     .line = __LINE__},
    {.mutation = MUTATION_SWAP, .want_known = OPS, .line = __LINE__},
    {.mutation = MUTATION_WHO, .want_known = OPS - 1, .line = __LINE__},
    {.mutation = MUTATION_WHAT, .want_known = OPS - 1, .line = __LINE__},
    {.mutation = MUTATION_AMOUNT, .want_known = OPS - 1, .line = __LINE__},
    {.mutation = MUTATION_REST, .want_known = OPS - 1, .line = __LINE__},
};

static void check_mutation(const struct row *row)
{
    size_t changed = 0;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        uint8_t before[ROOM];
        uint8_t after[ROOM];
        (void)sample(before, OPS);
        const size_t size = mutator_apply(row->mutation, seed, after, sample(after, OPS), ROOM);
        const int more = (int)((size - HEAD) / OP) - OPS;
        CHECK_ROW(row->line, (size - HEAD) % OP == 0 && memcmp(before, after, HEAD) == 0);
        CHECK_ROW(row->line, more >= row->want_least && more <= row->want_most);
        CHECK_ROW(row->line, known_ops(after, size) >= row->want_known);
        changed += size != SIZE || memcmp(before, after, SIZE) != 0;
    }
    CHECK_ROW(row->line, changed > SEEDS / 2);
}

static void check_mutations(void)
{
    CHECK_INT(sizeof rows / sizeof rows[0], MUTATIONS);
    for (size_t i = 0; i < MUTATIONS; i++) {
        CHECK_INT(rows[i].mutation, (int)i);
        check_mutation(&rows[i]);
    }
}

static size_t plain_fills(uint8_t *data, size_t size, size_t max_size)
{
    (void)size;
    memset(data, 'p', max_size); /* marks that the engine's own was asked */
    return max_size;
}

/* Whatever is there and however little room; half of it is the engine's. */
static void check_anything(void)
{
    struct dice dice = dice_new(1);
    size_t plain = 0;
    size_t long_ones = 0;
    for (unsigned seed = 0; seed < 20000; seed++) {
        uint8_t *data = malloc(ROOM);
        size_t size = dice_throw(&dice, ROOM + 1);
        memset(data, 'x', ROOM);
        const size_t room = size + dice_throw(&dice, ROOM - size + 1);
        size = mutator_mutate(data, size, room, seed, plain_fills);
        CHECK(size <= room);
        plain += size > 0 && data[0] == 'p';
        long_ones += size > HEAD + MUTATOR_USUAL * OP;
        free(data);
    }
    CHECK(plain > 9000 && plain < 11000);
    CHECK(long_ones > 100 && long_ones < 1000);
}

/* Thirty operations, each of one byte thrice, and a byte more. */
static size_t plain_grows(uint8_t *data, size_t size, size_t max_size)
{
    const size_t grown = HEAD + 30 * OP + 1;
    (void)size, (void)max_size;
    memset(data, 'p', HEAD);
    for (size_t at = HEAD; at < grown; at++) {
        data[at] = (uint8_t)((at - HEAD) / OP);
    }
    return grown;
}

/* A script that the engine has grown is cut by whole operations. */
static void check_cut(void)
{
    size_t cut = 0;
    for (unsigned seed = 0; seed < 2000; seed++) {
        uint8_t data[ROOM];
        size_t size = sample(data, OPS);
        size = mutator_mutate(data, size, ROOM, seed, plain_grows);
        if (data[0] != 'p' || size > HEAD + MUTATOR_USUAL * OP) {
            continue;
        }
        cut++;
        CHECK_INT((long long)size, HEAD + MUTATOR_USUAL * OP);
        for (size_t at = HEAD; at < size; at += OP) {
            CHECK(data[at] == data[at + 1] && data[at] == data[at + 2]);
        }
    }
    CHECK(cut > 800);
}

static size_t plain_sets_own(uint8_t *data, size_t size, size_t max_size)
{
    (void)max_size;
    data[0] = 0xff;
    return size;
}

/* A loop of its own is rare. */
static void check_own_loops(void)
{
    size_t own = 0;
    size_t kept = 0;
    for (unsigned seed = 0; seed < 4000; seed++) {
        uint8_t data[ROOM];
        const size_t size = sample(data, OPS);
        (void)mutator_mutate(data, size, ROOM, seed, plain_sets_own);
        own += data[0] == 0xff;
        kept += data[0] == 0xdf;
    }
    CHECK(own + kept > 1800 && own + kept < 2200);
    CHECK(own > 400 && own < 600);
}

static void check_crossover(void)
{
    bool lengths[2 * OPS + 1] = {false};
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        uint8_t a[ROOM];
        uint8_t b[ROOM];
        uint8_t out[ROOM];
        size_t first = 0;
        const size_t a_size = sample(a, OPS);
        const size_t b_size = sample(b, OPS);
        const size_t size = mutator_cross(a, a_size, b, b_size, out, ROOM, seed);
        const size_t count = (size - HEAD) / OP;
        CHECK((size - HEAD) % OP == 0 && count <= 2 * OPS && memcmp(out, a, HEAD) == 0);
        while (first < count && is_op(out + HEAD + first * OP, (uint8_t)first)) {
            first++;
        }
        for (size_t i = first; i < count; i++) { /* the end of b */
            CHECK(is_op(out + HEAD + i * OP, (uint8_t)(OPS - (count - i))));
        }
        lengths[count] = true;
        CHECK(mutator_cross(a, a_size, b, b_size, out, 4, seed) <= 4);
    }
    CHECK(lengths[0] && lengths[OPS] && lengths[2 * OPS]);
}

int main(void)
{
    check_mutations();
    check_anything();
    check_cut();
    check_own_loops();
    check_crossover();
    return check_report("mutator");
}
