/* SPDX-License-Identifier: MIT
 *
 * search.c against the obvious search, on texts that end at an unmapped page.
 */
#include "rig.h"

#include "sansio/search.h"

/* A small generator of our own, so that each run is the same. */
static unsigned next_random(unsigned *state, unsigned below)
{
    *state = *state * 1103515245U + 12345U;
    return (*state >> 16) % below;
}

/* Small numbers more often. Two statements, because the order within one would be the compiler's.
 */
static unsigned next_small(unsigned *state, unsigned below, unsigned shift)
{
    const unsigned number = next_random(state, below);
    return number >> next_random(state, shift);
}

static size_t obvious(struct rill_bytes text, size_t from, struct rill_bytes separator)
{
    for (size_t i = from; i + separator.len <= text.len; i++) {
        if (memcmp(text.ptr + i, separator.ptr, separator.len) == 0) {
            return i;
        }
    }
    return RILL__NOT_FOUND;
}

/* R-156 as it is written. */
static bool obvious_any(struct rill_bytes text, size_t from, const struct rill_bytes *separators,
                        size_t count, struct rill__match *match)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        size_t start = obvious(text, from, separators[i]);
        size_t end = start + separators[i].len;
        if (start != RILL__NOT_FOUND &&
            (!found || end < match->end || (end == match->end && start > match->start))) {
            *match = (struct rill__match){start, end};
            found = true;
        }
    }
    return found;
}

static const struct {
    int line;
    const char *text;
    const char *separator;
    size_t from;
    size_t want; /* RILL__NOT_FOUND: none */
} rows[] = {
    {.line = __LINE__, .text = "", .separator = "a", .want = RILL__NOT_FOUND},
    {.line = __LINE__, .text = "a", .separator = "a", .want = 0},
    {.line = __LINE__, .text = "a", .separator = "a", .from = 1, .want = RILL__NOT_FOUND},
    {.line = __LINE__, .text = "a", .separator = "ab", .want = RILL__NOT_FOUND},
    {.line = __LINE__, .text = "xaaaa", .separator = "aaa", .want = 1}, /* leftmost */
    {.line = __LINE__, .text = "xaaaa", .separator = "aaa", .from = 2, .want = 2},
    {.line = __LINE__, .text = "xaaaa", .separator = "aaa", .from = 3, .want = RILL__NOT_FOUND},
    {.line = __LINE__, .text = "a\r\r\n", .separator = "\r\n", .want = 2},
    {.line = __LINE__, .text = "h: 1\r\ni: 2\r\n\r\n", .separator = "\r\n\r\n", .want = 10},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t length = strlen(rows[i].text);
        char *guarded = rig_guarded(length);
        memcpy(guarded, rows[i].text, length);
        size_t got = rill__search((struct rill_bytes){guarded, length}, rows[i].from,
                                  rill_bytes_of(rows[i].separator));
        CHECK_ROW(rows[i].line, got == rows[i].want);
        rig_guarded_free(guarded, length);
    }
}

/* Every length up to some strides, every place for the separator and none, in a text of near
 * misses. */
static void test_every_place(struct rill_bytes separator, const char *filler)
{
    enum { LONGEST = 140 };
    char *end = rig_guarded(LONGEST) + LONGEST;
    const size_t filler_length = strlen(filler);

    for (size_t length = separator.len; length <= LONGEST; length++) {
        struct rill_bytes text = {end - length, length};
        for (size_t place = 0; place <= length - separator.len + 1; place++) {
            for (size_t i = 0; i < length; i++) {
                end[-(ptrdiff_t)length + (ptrdiff_t)i] = filler[i % filler_length];
            }
            if (place <= length - separator.len) { /* else nowhere */
                memcpy(end - length + place, separator.ptr, separator.len);
            }
            for (size_t from = 0; from <= length; from += 1 + length / 3) {
                CHECK(rill__search(text, from, separator) == obvious(text, from, separator));
            }
        }
    }
    rig_guarded_free(end - LONGEST, LONGEST);
}

/* Random texts over few letters, one and several separators, and parts of them already scanned. */
static void test_random(void)
{
    enum { ROUNDS = 20000, LONGEST = 700, SEPARATORS = 4 };
    char *end = rig_guarded(LONGEST) + LONGEST;
    char letters[SEPARATORS][8];
    struct rill_bytes separators[SEPARATORS];
    unsigned state = 1;

    for (int round = 0; round < ROUNDS; round++) {
        const unsigned alphabet = 2 + next_small(&state, 40, 6);
        const size_t length = next_small(&state, LONGEST + 1, 6);
        const size_t count = 1 + next_random(&state, SEPARATORS);
        const size_t from = next_small(&state, (unsigned)length + 1, 8);
        struct rill_bytes text = {end - length, length};
        struct rill__match got = {0, 0};
        struct rill__match want = {0, 0};

        for (size_t i = 0; i < length; i++) {
            end[-(ptrdiff_t)length + (ptrdiff_t)i] = (char)('a' + next_random(&state, alphabet));
        }
        for (size_t i = 0; i < count; i++) {
            separators[i] = (struct rill_bytes){letters[i], 1 + next_random(&state, 8)};
            for (size_t j = 0; j < separators[i].len; j++) {
                letters[i][j] = (char)('a' + next_random(&state, alphabet));
            }
            CHECK(rill__search(text, from, separators[i]) == obvious(text, from, separators[i]));
        }
        bool found = obvious_any(text, from, separators, count, &want);
        CHECK_INT(rill__search_any(text, from, 0, separators, count, &got), found);
        CHECK(got.start == want.start && got.end == want.end);

        /* What lies before the winner's last byte has been scanned without success. */
        size_t scanned = found ? want.end - 1 : length;
        scanned -= next_small(&state, (unsigned)scanned + 1, 10);
        CHECK_INT(rill__search_any(text, from, scanned, separators, count, &got), found);
        CHECK(got.start == want.start && got.end == want.end);
    }
    rig_guarded_free(end - LONGEST, LONGEST);
}

static void search_for_nothing(void)
{
    (void)rill__search(rill_bytes_of("abc"), 0, rill_bytes_of(""));
}

int main(void)
{
    test_rows();
    test_every_place(rill_bytes_of("\n"), "ab");
    test_every_place(rill_bytes_of("\r\n"), "\r");
    test_every_place(rill_bytes_of("\r\n"), "\n");
    test_every_place(rill_bytes_of("\r\n\r\n"), "a\r\n");
    test_every_place(rill_bytes_of("aab"), "a");
    test_every_place(rill_bytes_of("baaaaaaaaaaaaaaaaaaa"), "a");
    test_every_place(rill_bytes_of("aaaaaaaaaa\xff"
                                   "aaaaaaaaaaa"),
                     "a\xff");
    test_random();
    CHECK(rig_aborts(search_for_nothing, "separator.len > 0"));
    return check_report("search_test");
}
