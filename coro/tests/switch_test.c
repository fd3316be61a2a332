/* SPDX-License-Identifier: MIT
 *
 * The switch itself: what it keeps in registers, how the stack is aligned at entry, values over
 * every kind of switch, transfer, coroutines that resume coroutines, and deep recursion.
 */
#include "check.h"
#include "registers.h"
#include "watchers.h"
#include <rill/coro.h>
#include <stdint.h>

static struct rill_coro_pool *new_pool(size_t stack_size_bytes)
{
    const struct rill_coro_pool_options options = {.stack_size_bytes = stack_size_bytes};
    struct rill_coro_pool *pool = NULL;

    CHECK_INT(rill_coro_pool_new(&options, &pool), 0);
    return pool;
}

static struct rill_coro *new_coro(struct rill_coro_pool *pool, rill_coro_fn *fn, void *arg)
{
    struct rill_coro *coro = NULL;

    CHECK_INT(rill_coro_create(pool, fn, arg, &coro), 0);
    return coro;
}

static void *as_value(uintptr_t number)
{
    return (void *)number; /* values are opaque: any bits go through */
}

/* ---- registers ---- */

static void fill(uint64_t *patterns, uint64_t seed)
{
    for (uint64_t i = 0; i < REGISTERS; i++) {
        patterns[i] = (seed << 32) + i * 0x0101 + 1;
    }
}

static void *body_keeps_registers(struct rill_coro *self, void *arg, void *value)
{
    int *const wrong = arg;
    uint64_t patterns[REGISTERS];
    uint64_t found[REGISTERS];

    (void)value;
    for (uint64_t round = 1; round <= 3; round++) {
        fill(patterns, 0x1000 + round);
        registers_through(patterns, found, rill_coro_suspend, self, NULL);
        *wrong += memcmp(patterns, found, sizeof(found)) != 0;
    }
    return NULL;
}

static void test_registers(struct rill_coro_pool *pool)
{
    int wrong_inside[2] = {0, 0};
    struct rill_coro *coros[2];
    uint64_t patterns[REGISTERS];
    uint64_t found[REGISTERS];

    for (size_t i = 0; i < 2; i++) {
        coros[i] = new_coro(pool, body_keeps_registers, &wrong_inside[i]);
    }
    for (uint64_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 2; i++) {
            fill(patterns, 0x2000 + 2 * round + i);
            memset(found, 0, sizeof(found));
            registers_through(patterns, found, rill_coro_resume, coros[i], NULL);
            CHECK(memcmp(patterns, found, sizeof(found)) == 0);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        CHECK(rill_coro_done(coros[i]));
        CHECK_INT(wrong_inside[i], 0);
        rill_coro_destroy(coros[i]);
    }
    printf("registers: %d kept over resume and suspend\n", REGISTERS);
}

/* ---- alignment ---- */

static void *body_aligned(struct rill_coro *self, void *arg, void *value)
{
    _Alignas(16) volatile char here[16] = {0};
    char text[64];

    (void)arg;
    CHECK((uintptr_t)here % 16 == 0);
    CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0);
    /* Floating point through varargs uses aligned stores where the machine has them. */
    CHECK_INT(snprintf(text, sizeof(text), "%.3f %Lf", 1.0 / 3, 0.5L), 14);
    CHECK_STR(text, "0.333 0.500000");
    CHECK((uintptr_t)rill_coro_local(self) % _Alignof(max_align_t) == 0);
    return value;
}

static void test_alignment(struct rill_coro_pool *pool)
{
    struct rill_coro *coros[40]; /* more than there are offsets of the top */
    size_t count = 0;

    for (; count < sizeof(coros) / sizeof(coros[0]); count++) {
        coros[count] = new_coro(pool, body_aligned, NULL);
        rill_coro_resume(coros[count], NULL);
    }
    printf("alignment: 16 at the entry of %zu coroutines\n", count);
    while (count > 0) {
        rill_coro_destroy(coros[--count]);
    }
}

/* ---- values ---- */

static void *body_doubles(struct rill_coro *self, void *arg, void *value)
{
    const uintptr_t rounds = *(const uintptr_t *)arg;

    for (uintptr_t i = 0; i < rounds; i++) {
        value = rill_coro_suspend(self, as_value((uintptr_t)value * 2));
    }
    return as_value((uintptr_t)value + 1);
}

static void test_values(struct rill_coro_pool *pool)
{
    uintptr_t rounds = 100;
    struct rill_coro *const coro = new_coro(pool, body_doubles, &rounds);

    for (uintptr_t i = 1; i <= rounds; i++) {
        CHECK(rill_coro_resume(coro, as_value(i)) == as_value(2 * i));
        CHECK(!rill_coro_done(coro));
    }
    CHECK(rill_coro_resume(coro, as_value(UINTPTR_MAX - 1)) == as_value(UINTPTR_MAX));
    CHECK(rill_coro_done(coro));
    rill_coro_destroy(coro);
    printf("values: handed over %u switches and as argument and result of the body\n",
           (unsigned)(2 * rounds));
}

/* ---- transfer ---- */

struct relay {
    struct rill_coro *next;
    const char *name;
    char *log; /* the names in the order in which they ran */
};

static void note(struct relay *relay)
{
    strcat(relay->log, relay->name);
}

static void *body_relay(struct rill_coro *self, void *arg, void *value)
{
    struct relay *const relay = arg;

    for (;;) {
        note(relay);
        if ((uintptr_t)value == 0) {
            value = rill_coro_suspend(self, as_value(77));
        } else if (relay->next == NULL) {
            return value;
        } else {
            value = rill_coro_transfer(self, relay->next, as_value((uintptr_t)value - 1));
        }
    }
}

static void test_transfer(struct rill_coro_pool *pool)
{
    char log[64] = "";
    struct relay relays[3] = {
        {.name = "a", .log = log}, {.name = "b", .log = log}, {.name = "c", .log = log}};
    struct rill_coro *coros[3];

    for (size_t i = 0; i < 3; i++) {
        coros[i] = new_coro(pool, body_relay, &relays[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        relays[i].next = coros[(i + 1) % 3];
    }
    /* a -> b -> c -> a -> b, and b suspends to the resumer of a, which all have inherited. */
    CHECK(rill_coro_resume(coros[0], as_value(4)) == as_value(77));
    CHECK_STR(log, "abcab");
    /* b goes on where it suspended; c and a, where they transferred. */
    CHECK(rill_coro_resume(coros[1], as_value(2)) == as_value(77));
    CHECK_STR(log, "abcabbca");
    /* One that ends after a transfer returns to that resumer too. */
    relays[2].next = NULL;
    CHECK(rill_coro_resume(coros[1], as_value(9)) == as_value(8));
    CHECK(rill_coro_done(coros[2]));
    CHECK(!rill_coro_done(coros[1]));
    for (size_t i = 0; i < 3; i++) {
        rill_coro_destroy(coros[i]);
    }
    printf("transfer: between three, order %s\n", log);
}

/* ---- nesting ---- */

struct nest {
    struct rill_coro_pool *pool;
    int depth;
};

static void *body_nest(struct rill_coro *self, void *arg, void *value)
{
    struct nest *const nest = arg;
    struct nest inner = {.pool = nest->pool, .depth = nest->depth - 1};
    uintptr_t sum = (uintptr_t)value;

    if (nest->depth > 0) {
        struct rill_coro *const coro = new_coro(nest->pool, body_nest, &inner);

        sum += (uintptr_t)rill_coro_resume(coro, as_value(1));
        CHECK(rill_coro_suspend(self, NULL) == as_value(5));
        sum += (uintptr_t)rill_coro_resume(coro, as_value(5));
        CHECK(rill_coro_done(coro));
        rill_coro_destroy(coro);
    } else {
        CHECK(rill_coro_suspend(self, NULL) == as_value(5));
    }
    return as_value(sum);
}

static void test_nesting(struct rill_coro_pool *pool)
{
    struct nest nest = {.pool = pool, .depth = 50};
    struct rill_coro *const coro = new_coro(pool, body_nest, &nest);

    CHECK(rill_coro_resume(coro, as_value(1)) == NULL);
    CHECK(rill_coro_resume(coro, as_value(5)) == as_value(51));
    CHECK(rill_coro_done(coro));
    rill_coro_destroy(coro);
    printf("nesting: coroutines resumed by coroutines, 51 deep\n");
}

/* ---- recursion ---- */

enum { DEPTH = 5000, DEPTH_BYTES = 100 };

static unsigned recurse(struct rill_coro *self, unsigned depth)
{
    volatile unsigned char fill_byte[DEPTH_BYTES];
    unsigned below;

    for (size_t i = 0; i < DEPTH_BYTES; i++) {
        fill_byte[i] = (unsigned char)depth;
    }
    if (depth == DEPTH) {
        rill_coro_suspend(self, NULL);
        return fill_byte[0] == (depth & 0xff);
    }
    below = recurse(self, depth + 1);
    return below + (fill_byte[DEPTH_BYTES - 1] == (depth & 0xff));
}

static void *body_recurse(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    (void)value;
    return as_value(recurse(self, 0));
}

static void test_recursion(void)
{
    struct rill_coro_pool *const pool = new_pool((size_t)8 << 20);
    struct rill_coro *coros[3];

    for (size_t i = 0; i < 3; i++) {
        coros[i] = new_coro(pool, body_recurse, NULL);
        rill_coro_resume(coros[i], NULL);
        CHECK(rill_coro_stack_depth(coros[i]) > (size_t)DEPTH * DEPTH_BYTES);
        CHECK(rill_coro_stack_depth(coros[i]) < (size_t)8 << 20);
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK(rill_coro_resume(coros[i], NULL) == as_value(DEPTH + 1));
    }
    printf("recursion: %d frames, %zu bytes, suspended at the bottom\n", DEPTH,
           rill_coro_stack_depth(coros[0]));
    rill_coro_pool_free(pool); /* with its three coroutines, which are done */
}

int main(void)
{
    struct rill_coro_pool *const pool = new_pool(0);
    struct rill_coro_pool_stats stats;

    test_registers(pool);
    test_alignment(pool);
    test_values(pool);
    test_transfer(pool);
    test_nesting(pool);
    test_recursion();
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.live, 0);
    CHECK_INT((long long)stats.peak, 51);
    rill_coro_pool_free(pool);
    return check_report("switch_test");
}
