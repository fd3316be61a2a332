/* SPDX-License-Identifier: MIT
 *
 * Every string of bytes is a script; a script is read back from its bytes as it was; short input
 * and the largest script are safe.
 */
#include "codec.h"

#include <check.h>

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16 & 0x7fffU;
}

static int same_bytes(struct script_bytes a, struct script_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static int same_op(const struct script_op *a, const struct script_op *b)
{
    int same = a->kind == b->kind && a->n == b->n && same_bytes(a->bytes, b->bytes) &&
               a->separator_count == b->separator_count;
    for (size_t i = 0; same && i < a->separator_count; i++) {
        same = same_bytes(a->separators[i], b->separators[i]);
    }
    return same;
}

static int same_script(const struct script *a, const struct script *b)
{
    int same = a->limit == b->limit && a->transport == b->transport && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = same_op(&a->ops[i], &b->ops[i]);
    }
    return same;
}

/* bytes -> script -> bytes -> script: the scripts are one, and legal. */
static void check_round_trip(const unsigned char *bytes, size_t size)
{
    static struct script script;
    static struct script again;
    static unsigned char coded[CODEC_BYTES_MAX];

    codec_decode(bytes, size, &script);
    CHECK(script.limit >= 1 && script.limit <= SCRIPT_LIMIT_MAX);
    CHECK(script.count <= SCRIPT_OPS_MAX);
    const size_t length = codec_encode(&script, coded);
    CHECK(length <= CODEC_BYTES_MAX);
    codec_decode(coded, length, &again);
    CHECK(same_script(&script, &again));
}

static void check_random(void)
{
    unsigned state = 1;
    unsigned char bytes[400];

    for (int round = 0; round < 5000; round++) {
        const size_t size = next_random(&state) % sizeof bytes;
        const unsigned kinds = round % 2 == 0 ? 256 : 12; /* small values: many operations */
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (unsigned char)(next_random(&state) % kinds);
        }
        check_round_trip(bytes, size);
    }
}

static void check_edges(void)
{
    static unsigned char tuples[CODEC_BYTES_MAX];

    check_round_trip(tuples, 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        const unsigned char one[2] = {0, (unsigned char)byte};
        check_round_trip(one, 1);
        check_round_trip(one, 2);
    }
    memset(tuples, 0xff, sizeof tuples); /* tuples of three separators of 255 bytes */
    check_round_trip(tuples, sizeof tuples);
}

int main(void)
{
    check_random();
    check_edges();
    return check_report("codec_test");
}
