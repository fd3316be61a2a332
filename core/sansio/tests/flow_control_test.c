/* SPDX-License-Identifier: MIT
 *
 * flow_control.c: the rules of the water marks, and the order in which a drain
 * decides.
 */
#include <limits.h>

#include "rig.h"

#include "sansio/flow_control.h"

static const long long none = LLONG_MIN + 1; /* "not given" in the rows */

static const struct {
    int line;
    long long high;
    long long low;
    size_t want_high;
    size_t want_low;
    const char *want_text; /* of the ValueError; NULL: none */
} limits[] = {
    {.line = __LINE__, .high = none, .low = none, .want_high = 65536, .want_low = 16384},
    {.line = __LINE__, .high = 100, .low = none, .want_high = 100, .want_low = 25},
    {.line = __LINE__, .high = 7, .low = none, .want_high = 7, .want_low = 1},
    {.line = __LINE__, .high = none, .low = 100, .want_high = 400, .want_low = 100},
    {.line = __LINE__, .high = 5, .low = 5, .want_high = 5, .want_low = 5},
    {.line = __LINE__, .high = 0, .low = none, .want_high = 0, .want_low = 0},
    {.line = __LINE__, .high = 0, .low = 0, .want_high = 0, .want_low = 0},
    {.line = __LINE__,
     .high = none,
     .low = LLONG_MAX / 2,
     .want_high = LLONG_MAX,
     .want_low = LLONG_MAX / 2},
    {.line = __LINE__,
     .high = none,
     .low = -1,
     .want_text = "high (-4) must be >= low (-1) must be >= 0"},
    {.line = __LINE__,
     .high = -1,
     .low = none,
     .want_text = "high (-1) must be >= low (-1) must be >= 0"},
    {.line = __LINE__,
     .high = -5,
     .low = none,
     .want_text = "high (-5) must be >= low (-2) must be >= 0"},
    {.line = __LINE__,
     .high = -8,
     .low = none,
     .want_text = "high (-8) must be >= low (-2) must be >= 0"},
    {.line = __LINE__,
     .high = 4,
     .low = 5,
     .want_text = "high (4) must be >= low (5) must be >= 0"},
    {.line = __LINE__,
     .high = none,
     .low = LLONG_MIN,
     .want_text = "high (-9223372036854775808) must be >= low (-9223372036854775808) must be >= 0"},
};

static void test_limits(void)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rill__water water;
        rill__water_init(&water, 1000);
        const struct rill_error *error = rill__water_set(
            &water, limits[i].high != none ? &limits[i].high : NULL,
            limits[i].low != none ? &limits[i].low : NULL, RILL__HIGH_WATER_DEFAULT);
        const bool fails = limits[i].want_text != NULL;
        CHECK_INT_ROW(limits[i].line, error != NULL, fails);
        if (error != NULL) {
            CHECK_INT_ROW(limits[i].line, error->code, RILL_EVALUE);
            CHECK_STR_ROW(limits[i].line, error->text, limits[i].want_text);
        }
        /* A refused pair leaves the old one. */
        CHECK_INT_ROW(limits[i].line, (long long)water.high,
                      fails ? 1000 : (long long)limits[i].want_high);
        CHECK_INT_ROW(limits[i].line, (long long)water.low,
                      fails ? 250 : (long long)limits[i].want_low);
        rill_error_unref(error);
    }
}

/* One transport's buffer growing and shrinking; each row is an event on the state that the earlier
 * ones left. */
static const struct {
    int line;
    bool grew; /* or shrank */
    size_t size;
    enum rill__flow_event want;
} levels[] = {
    {.line = __LINE__, .grew = true, .size = 8, .want = RILL__FLOW_KEEP}, /* == high */
    {.line = __LINE__, .grew = false, .size = 0, .want = RILL__FLOW_KEEP},
    {.line = __LINE__, .grew = true, .size = 9, .want = RILL__FLOW_PAUSE},
    {.line = __LINE__, .grew = true, .size = 20, .want = RILL__FLOW_KEEP},
    {.line = __LINE__, .grew = false, .size = 3, .want = RILL__FLOW_KEEP},
    {.line = __LINE__, .grew = false, .size = 2, .want = RILL__FLOW_RESUME}, /* == low */
    {.line = __LINE__, .grew = false, .size = 1, .want = RILL__FLOW_KEEP},
    {.line = __LINE__, .grew = true, .size = 9, .want = RILL__FLOW_PAUSE},
    {.line = __LINE__, .grew = false, .size = 0, .want = RILL__FLOW_RESUME},
};

static void test_levels(void)
{
    struct rill__water water;
    rill__water_init(&water, 8);
    CHECK_INT((long long)water.low, 2);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        enum rill__flow_event event = levels[i].grew ? rill__water_grew(&water, levels[i].size)
                                                     : rill__water_shrank(&water, levels[i].size);
        CHECK_INT_ROW(levels[i].line, event, levels[i].want);
    }
}

/* lowering the marks pauses at once, raising them resumes nothing. R-311: high 0. */
static void test_marks_move_while_buffered(void)
{
    struct rill__water water;
    const long long zero = 0;
    const long long big = 1000;

    rill__water_init(&water, RILL__HIGH_WATER_DEFAULT);
    CHECK(rill__water_set(&water, &zero, NULL, RILL__HIGH_WATER_DEFAULT) == NULL);
    CHECK_INT(rill__water_grew(&water, 0), RILL__FLOW_KEEP);
    CHECK_INT(rill__water_grew(&water, 1), RILL__FLOW_PAUSE);
    CHECK(rill__water_set(&water, &big, NULL, RILL__HIGH_WATER_DEFAULT) == NULL);
    CHECK_INT(rill__water_grew(&water, 1), RILL__FLOW_KEEP);
    CHECK(water.paused);
    CHECK_INT(rill__water_shrank(&water, 1), RILL__FLOW_RESUME);
}

/* Every combination of the five inputs: x is "either". */
static const struct {
    int line;
    const char *inputs; /* exception, closing, yielded, lost, paused: 0, 1 or x */
    enum rill__drain want;
} drains[] = {
    {.line = __LINE__, .inputs = "1x0xx", .want = RILL__DRAIN_RAISE}, /* */
    {.line = __LINE__, .inputs = "010xx", .want = RILL__DRAIN_YIELD},
    {.line = __LINE__, .inputs = "0001x", .want = RILL__DRAIN_LOST},
    {.line = __LINE__, .inputs = "00000", .want = RILL__DRAIN_READY}, /* */
    {.line = __LINE__, .inputs = "00001", .want = RILL__DRAIN_WAIT},
    {.line = __LINE__, .inputs = "xx11x", .want = RILL__DRAIN_LOST}, /* */
    {.line = __LINE__, .inputs = "xx100", .want = RILL__DRAIN_READY},
    {.line = __LINE__, .inputs = "xx101", .want = RILL__DRAIN_WAIT}, /* */
};

static bool fits(const char *inputs, unsigned bits)
{
    for (unsigned i = 0; i < 5; i++) {
        char bit = (bits >> i & 1U) != 0 ? '1' : '0';
        if (inputs[i] != 'x' && inputs[i] != bit) {
            return false;
        }
    }
    return true;
}

static void test_drain(void)
{
    for (unsigned bits = 0; bits < 32; bits++) {
        const struct rill__flow flow = {.lost = (bits & 8U) != 0, .paused = (bits & 16U) != 0};
        enum rill__drain got =
            rill__drain_decide(&flow, (bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0);
        int rows = 0;
        for (size_t i = 0; i < sizeof drains / sizeof drains[0]; i++) {
            if (fits(drains[i].inputs, bits)) {
                rows++;
                CHECK_INT_ROW(drains[i].line, got, drains[i].want);
            }
        }
        CHECK_INT(rows, 1);
    }
}

int main(void)
{
    test_limits();
    test_levels();
    test_marks_move_while_buffered();
    test_drain();
    return check_report("flow_control_test");
}
