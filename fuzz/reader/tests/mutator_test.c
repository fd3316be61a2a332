/* SPDX-License-Identifier: MIT
 *
 * Every mutation gives a program that fits and is read back as it was; each does what its name
 * says; all of them occur; a crossover takes operations of both and none of nobody.
 */
#include "reader/mutator.h"

#include <check.h>

#include "codec.h"

enum { SEEDS = 300, ROOM = 400 };

struct sample {
    uint8_t data[ROOM];
    size_t size;
};

static struct sample sample_of(const char *line)
{
    static unsigned char bytes[CODEC_BYTES_MAX];
    char storage[ROOM];
    struct script script;
    struct sample sample;

    CHECK(script_parse(line, storage, &script));
    sample.size = codec_encode(&script, bytes);
    CHECK(sample.size <= sizeof sample.data);
    memcpy(sample.data, bytes, sample.size);
    return sample;
}

/* What was written is what the codec would write. */
static void check_sound(const struct sample *sample, size_t room)
{
    static unsigned char again[CODEC_BYTES_MAX];
    struct script script;

    CHECK(sample->size <= room);
    codec_decode(sample->data, sample->size, &script);
    CHECK(codec_encode(&script, again) == sample->size);
    CHECK(memcmp(again, sample->data, sample->size) == 0);
}

static size_t stream_of(const struct script *script, char *stream)
{
    size_t size = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct script_bytes chunk = script->ops[i].bytes;
        if (chunk.len > 0) {
            memcpy(stream + size, chunk.ptr, chunk.len);
            size += chunk.len;
        }
    }
    return size;
}

static bool same_stream(const struct script *a, const struct script *b)
{
    char of_a[ROOM];
    char of_b[ROOM];
    const size_t size = stream_of(a, of_a);
    return size == stream_of(b, of_b) && memcmp(of_a, of_b, size) == 0;
}

static const char rich[] = "5 p f:hello%0D f:%0Aworld u:%0D%0A e f:abc r:3 t:ab,c n:2 l";

static const struct {
    enum mutation mutation;
    int want_more_ops;
    bool want_same_stream;
    int line;
} changes[] = {
    {.mutation = MUTATION_SPLIT, .want_more_ops = 1, .want_same_stream = true, .line = __LINE__},
    {.mutation = MUTATION_MERGE, .want_more_ops = -1, .want_same_stream = true, .line = __LINE__},
    {.mutation = MUTATION_MOVE_BOUNDARY, .want_same_stream = true, .line = __LINE__},
    {.mutation = MUTATION_LIMIT, .want_same_stream = true, .line = __LINE__},
    {.mutation = MUTATION_NUMBER, .want_same_stream = true, .line = __LINE__},
    {.mutation = MUTATION_PLACE_SEPARATOR, .line = __LINE__},
    {.mutation = MUTATION_CUT_SEPARATOR, .want_more_ops = 1, .line = __LINE__},
    {.mutation = MUTATION_DROP, .want_more_ops = -1, .line = __LINE__},
    {.mutation = MUTATION_DUPLICATE, .want_more_ops = 1, .line = __LINE__},
    {.mutation = MUTATION_SWAP, .line = __LINE__},
    {.mutation = MUTATION_CHANGE_KIND, .line = __LINE__},
    {.mutation = MUTATION_INSERT, .want_more_ops = 1, .line = __LINE__},
    {.mutation = MUTATION_TRANSPORT, .want_same_stream = true, .line = __LINE__},
};

static void check_change(size_t row, unsigned seed, size_t *changed)
{
    struct sample before = sample_of(rich);
    struct sample after = before;
    struct script was;
    struct script is;
    struct dice dice = dice_new(seed);

    if (!mutator_apply(changes[row].mutation, &dice, after.data, &after.size, ROOM)) {
        CHECK(after.size == before.size);
        return;
    }
    check_sound(&after, ROOM);
    codec_decode(before.data, before.size, &was);
    codec_decode(after.data, after.size, &is);
    CHECK_INT_ROW(changes[row].line, (int)is.count - (int)was.count, changes[row].want_more_ops);
    if (changes[row].want_same_stream) {
        CHECK_ROW(changes[row].line, same_stream(&was, &is));
    }
    *changed += before.size != after.size || memcmp(before.data, after.data, after.size) != 0;
}

static void check_changes(void)
{
    CHECK_INT(sizeof changes / sizeof changes[0], MUTATIONS);
    for (size_t row = 0; row < MUTATIONS; row++) {
        size_t changed = 0;
        for (unsigned seed = 0; seed < SEEDS; seed++) {
            check_change(row, seed, &changed);
        }
        CHECK_ROW(changes[row].line, changed > 0);
    }
}

/* Where nothing can be changed a mutation says so. */
static void check_nothing_to_change(void)
{
    static const enum mutation need_ops[] = {
        MUTATION_SPLIT,         MUTATION_MERGE,     MUTATION_LIMIT,
        MUTATION_NUMBER,        MUTATION_DROP,      MUTATION_SWAP,
        MUTATION_MOVE_BOUNDARY, MUTATION_DUPLICATE, MUTATION_CHANGE_KIND};
    struct dice dice = dice_new(1);
    for (size_t i = 0; i < sizeof need_ops / sizeof need_ops[0]; i++) {
        struct sample empty = sample_of("7 n");
        CHECK(!mutator_apply(need_ops[i], &dice, empty.data, &empty.size, ROOM));
    }
}

/* The limit goes to a chunk's length and a byte beside it. */
static void check_limits(void)
{
    bool seen[SCRIPT_LIMIT_MAX + 1] = {false};
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct sample sample = sample_of("33 p f:0123456789 u:x");
        struct script script;
        struct dice dice = dice_new(seed);
        CHECK(mutator_apply(MUTATION_LIMIT, &dice, sample.data, &sample.size, ROOM));
        codec_decode(sample.data, sample.size, &script);
        seen[script.limit] = true;
    }
    for (size_t limit = 1; limit <= SCRIPT_LIMIT_MAX; limit++) {
        const bool want = (limit >= 9 && limit <= 11) || (limit >= 4 && limit <= 6);
        CHECK_INT(seen[limit], want);
    }
}

/* A separator gets cut at every place. */
static void check_cuts(void)
{
    bool seen[4] = {false};
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct sample sample = sample_of("33 p f: u:xyz");
        struct script script;
        struct dice dice = dice_new(seed);
        CHECK(mutator_apply(MUTATION_CUT_SEPARATOR, &dice, sample.data, &sample.size, ROOM));
        codec_decode(sample.data, sample.size, &script);
        CHECK(script.ops[0].bytes.len + script.ops[1].bytes.len == 3);
        seen[script.ops[0].bytes.len] = true;
    }
    CHECK(seen[0] && seen[1] && seen[2] && seen[3]);
}

static size_t plain_calls(uint8_t *data, size_t size, size_t max_size)
{
    (void)max_size;
    data[0] = 'p'; /* marks that the engine's own was asked */
    return size > 0 ? 1 : 0;
}

/* Whatever the bytes are and however little room there is. */
static void check_anything(void)
{
    struct dice dice = dice_new(1);
    size_t plain = 0;
    for (unsigned seed = 0; seed < 20000; seed++) {
        struct sample sample = {.size = 1 + dice_throw(&dice, ROOM - 1)};
        for (size_t i = 0; i < sample.size; i++) {
            sample.data[i] = (uint8_t)dice_throw(&dice, 256);
        }
        const size_t room = sample.size + dice_throw(&dice, ROOM - sample.size + 1);
        sample.size = mutator_mutate(sample.data, sample.size, room, seed, plain_calls);
        CHECK(sample.size > 0);
        check_sound(&sample, room);
        plain += sample.size == 1 && sample.data[0] == 'p';
    }
    CHECK(plain > 5000 && plain < 15000);
}

static void check_crossover(void)
{
    const struct sample a = sample_of("3 n f:a f:b f:c");
    const struct sample b = sample_of("9 p l l l");
    bool lengths[7] = {false};
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct sample out;
        struct script script;
        size_t feeds = 0;
        out.size = mutator_cross(a.data, a.size, b.data, b.size, out.data, ROOM, seed);
        check_sound(&out, ROOM);
        codec_decode(out.data, out.size, &script);
        while (feeds < script.count && script.ops[feeds].kind == SCRIPT_FEED) {
            CHECK_INT(script.ops[feeds].bytes.ptr[0], "abc"[feeds]);
            feeds++;
        }
        for (size_t i = feeds; i < script.count; i++) {
            CHECK_INT(script.ops[i].kind, SCRIPT_READLINE);
        }
        CHECK(script.limit == 3 || script.limit == 9);
        lengths[script.count] = true;
        CHECK(mutator_cross(a.data, a.size, b.data, b.size, out.data, 4, seed) <= 4);
    }
    CHECK(lengths[0] && lengths[3] && lengths[6]);
}

int main(void)
{
    check_changes();
    check_nothing_to_change();
    check_limits();
    check_cuts();
    check_anything();
    check_crossover();
    return check_report("mutator");
}
