/* SPDX-License-Identifier: MIT
 *
 * The timer heap against heapq's order. The expectations of the table were printed by CPython's
 * heapq, pushing and popping objects that compare by deadline alone.
 */
#include "loop/timers.h"

#include "virtual.h"

#define MANY 32

struct row {
    int line;
    size_t count;
    double when[MANY];
    const char *cancel; /* numbers that are cancelled before popping starts */
    const char *want_order;
};

static const struct row rows[] = {
    {__LINE__, 1, {1}, "", "0"},
    {__LINE__, 8, {1, 1, 1, 1, 1, 1, 1, 1}, "", "0 2 6 5 7 4 1 3"},
    {__LINE__,
     9,
     {1, 1, 1, 1, 1, 1, 1, 1, 2},
     "",
     "0 2 6 5 7 1 3 4 8"}, /* eight equal ones and a later one */
    {__LINE__, 3, {1, 1, 1}, "", "0 1 2"},
    {__LINE__, 4, {1, 1, 1, 1}, "", "0 2 1 3"},
    {__LINE__, 5, {1, 1, 1, 1, 2}, "", "0 2 1 3 4"},
    {__LINE__, 5, {5, 4, 3, 2, 1}, "", "4 3 2 1 0"},
    {__LINE__, 6, {2, 1, 2, 1, 2, 1}, "", "1 5 3 2 0 4"},
    {__LINE__, 8, {1, 1, 1, 1, 1, 1, 1, 1}, "0", "2 6 5 7 4 1 3"},
    {__LINE__, 8, {1, 1, 1, 1, 1, 1, 1, 1}, "6 7", "0 2 5 4 1 3"},
    {__LINE__, 9, {3, 1, 2, 1, 3, 1, 2, 1, 3}, "1 3", "5 7 6 2 8 4 0"},
};

static bool listed(const char *list, size_t number)
{
    for (const char *at = list; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9' && (size_t)(*at - '0') == number) {
            return true;
        }
    }
    return false;
}

static void check_row(const struct row *row)
{
    struct rill__timers timers = {0};
    struct rill__timer timer[MANY] = {0};
    struct rill__timer *popped;
    struct trace trace = {0};

    for (size_t i = 0; i < row->count; i++) {
        CHECK_INT_ROW(row->line, rill__timers_push(&timers, &timer[i], row->when[i]), 0);
    }
    for (size_t i = 0; i < row->count; i++) {
        if (listed(row->cancel, i)) {
            rill__timers_cancel(&timers, &timer[i]);
            CHECK_ROW(row->line, !timer[i].armed);
        }
    }
    rill__timers_tidy(&timers);
    while (rill__timers_pop_due(&timers, 100, &popped)) {
        if (popped != NULL) {
            char number[8];
            snprintf(number, sizeof number, "%d", (int)(popped - timer));
            trace_add(&trace, number);
            CHECK_ROW(row->line, !popped->armed);
        }
    }
    CHECK_STR_ROW(row->line, trace.text, row->want_order);
    CHECK_INT_ROW(row->line, (long long)timers.cancelled, 0);
    rill__timers_cleanup(&timers);
}

/* A deadline equal to the end is not due (R-016: < now + resolution). */
static void check_due(void)
{
    struct rill__timers timers = {0};
    struct rill__timer timer = {0};
    struct rill__timer *popped = NULL;

    CHECK_INT(rill__timers_push(&timers, &timer, 5), 0);
    CHECK(!rill__timers_pop_due(&timers, 5, &popped));
    CHECK(rill__timers_pop_due(&timers, 5.001, &popped));
    CHECK(popped == &timer);
    CHECK(isinf(rill__timers_next(&timers)));
    rill__timers_cleanup(&timers);
}

/* More than half of over a hundred cancelled: they all go at once, and the rest is still a heap. */
static void check_rebuild(void)
{
    enum { COUNT = 300 };
    struct rill__timers timers = {0};
    static struct rill__timer timer[COUNT];
    struct rill__timer *popped;
    double before = -1;
    size_t left = 0;

    for (size_t i = 0; i < COUNT; i++) {
        CHECK_INT(rill__timers_push(&timers, &timer[i], (double)((i * 7919) % COUNT)), 0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (i % 3 != 0) {
            rill__timers_cancel(&timers, &timer[i]);
        }
    }
    rill__timers_tidy(&timers);
    CHECK_INT((long long)timers.count, COUNT / 3);
    CHECK_INT((long long)timers.cancelled, 0);
    while (timers.count > 0) {
        const double next = rill__timers_next(&timers);
        CHECK(rill__timers_pop(&timers, &popped));
        CHECK(popped != NULL && next >= before);
        before = next;
        left++;
    }
    CHECK_INT((long long)left, COUNT / 3);
    rill__timers_cleanup(&timers);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i]);
    }
    check_due();
    check_rebuild();
    return check_report("timers");
}
