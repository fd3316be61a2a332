/* SPDX-License-Identifier: MIT
 *
 * A small number names a length at the limit, a separator is cut where it says, and what is drawn
 * stays within what the model has room for.
 */
#include "reader/stretch.h"

#include <check.h>

#include "codec.h"
#include "reader/dice.h"

static char parsed[2000];
static char storage[SCRIPT_BYTES_MAX];

/* Chunks are written as BYTE 0 = length name + 8 * (what is added + 3), BYTE 1 = bytes of the
 * separator, then the pattern. */
static const struct {
    const char *line;
    size_t want_limit;
    const char *want_first; /* the first chunk, and the second */
    const char *want_second;
    int line_number;
} draws[] = {
    {"5 n f:a u:x", 5, "a", NULL, __LINE__},
    {"5 n f:%00abc u:x", 5, "abc", NULL, __LINE__},
    {"5 n f:%19%01 u:x", 5, "aaaaax", NULL, __LINE__},
    {"5 n f:%11%01 u:x", 5, "aaaax", NULL, __LINE__},
    {"5 n f:%21%01 u:x", 5, "aaaaaax", NULL, __LINE__},
    {"5 n f:%21%01bc u:x", 5, "bcbcbcx", NULL, __LINE__},
    {"3 n f:%1A%00 u:x", 3, "aaaaaa", NULL, __LINE__},
    {"3 n f:%22%00 u:x", 3, "aaaaaaa", NULL, __LINE__},
    {"3 n f:%1B%00 f:%1B%00 u:x", 3, "aaa", "aaa", __LINE__},
    {"3 n f:%1B%00 f:%19%01 u:x", 3, "aaa", "x", __LINE__},
    {"3 n f:%1B%01 f:%1F%00 u:xyz", 3, "aaax", "yz", __LINE__},
    {"3 n f:%1B%02 f:%1F%00 u:xyz", 3, "aaaxy", "z", __LINE__},
    {"3 n f:%1B%01 f:%5F%00 u:xyz", 3, "aaax", "", __LINE__},
    {"3 n f:%1B%01 f:%19%03 u:xyz", 3, "aaax", "yzaaaxyz", __LINE__},
    {"3 n f:%19%01 l", 3, "aaa\n", NULL, __LINE__},
    {"3 n f:%19%01 e", 3, "aaa\n", NULL, __LINE__},
    {"3 n f:%19%41 t:x,y", 3, "aaay", NULL, __LINE__},
    {"49 n f:a", 100, "a", NULL, __LINE__},
    {"64 n f:a", 4096, "a", NULL, __LINE__},
};

static void check_chunk(int line, const struct script *script, size_t op, const char *want)
{
    const struct script_bytes bytes = script->ops[op].bytes;
    const size_t size = strlen(want);
    CHECK_ROW(line, bytes.len == size && memcmp(bytes.ptr, want, size) == 0);
}

static void check_draws(void)
{
    for (size_t i = 0; i < sizeof draws / sizeof draws[0]; i++) {
        struct script script;
        CHECK_ROW(draws[i].line_number, script_parse(draws[i].line, parsed, &script));
        script_stretch(&script, storage);
        CHECK_ROW(draws[i].line_number, script.limit == draws[i].want_limit);
        check_chunk(draws[i].line_number, &script, 0, draws[i].want_first);
        if (draws[i].want_second != NULL) {
            check_chunk(draws[i].line_number, &script, 1, draws[i].want_second);
        }
    }
}

static void check_numbers(void)
{
    static const struct {
        int n;
        int want;
        int line;
    } rows[] = {
        {.n = -1, .want = -1, .line = __LINE__},   {.n = 95, .want = 95, .line = __LINE__},
        {.n = 99, .want = 40, .line = __LINE__},   {.n = 98, .want = 39, .line = __LINE__},
        {.n = 100, .want = 41, .line = __LINE__},  {.n = 107, .want = 80, .line = __LINE__},
        {.n = 127, .want = 164, .line = __LINE__},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct script script = {.limit = 40, .count = 1};
        script.ops[0] = (struct script_op){.kind = SCRIPT_READ, .n = rows[i].n};
        script_stretch(&script, storage);
        CHECK_INT_ROW(rows[i].line, script.ops[0].n, rows[i].want);
    }
}

/* Whatever the bytes are: a script of the same shape, and no more bytes than a model can hold. */
static void check_anything(void)
{
    struct dice dice = dice_new(1);
    for (size_t run = 0; run < 5000; run++) {
        uint8_t data[300];
        struct script script;
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = (uint8_t)dice_throw(&dice, 256);
        }
        codec_decode(data, dice_throw(&dice, sizeof data), &script);
        const size_t count = script.count;
        script_stretch(&script, storage);
        CHECK(script.count == count && script_weight(&script) <= SCRIPT_BYTES_MAX);
    }
}

int main(void)
{
    check_draws();
    check_numbers();
    check_anything();
    return check_report("stretch");
}
