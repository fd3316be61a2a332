/* SPDX-License-Identifier: MIT
 *
 * The unit tests' checks: a failed check prints its file, line and values, is counted, and the test
 * goes on. A row of a table test carries its own line in `.line = __LINE__`, so that a failing row
 * names itself.
 */
#ifndef RILL_CHECK_H
#define RILL_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One count for all files of a program: the linker keeps one of each. Helper threads check too. */
extern _Atomic int check_failures;
extern _Atomic int check_count;
__attribute__((weak)) _Atomic int check_failures;
__attribute__((weak)) _Atomic int check_count;

static inline void check_at(const char *file, int line, int row, int ok, const char *what)
{
    check_count++;
    if (ok) {
        return;
    }
    check_failures++;
    if (row > 0) {
        fprintf(stderr, "%s:%d: (row at line %d) failed: %s\n", file, line, row, what);
    } else {
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    }
}

static inline void check_int_at(const char *file, int line, int row, long long got, long long want,
                                const char *what)
{
    check_at(file, line, row, got == want, what);
    if (got != want) {
        fprintf(stderr, "    got %lld, want %lld\n", got, want);
    }
}

static inline void check_str_at(const char *file, int line, int row, const char *got,
                                const char *want, const char *what)
{
    int same = got != NULL && want != NULL ? strcmp(got, want) == 0 : got == want;
    check_at(file, line, row, same, what);
    if (!same) {
        fprintf(stderr, "    got  \"%s\"\n    want \"%s\"\n", got ? got : "(null)",
                want ? want : "(null)");
    }
}

/* The exit status of a test program: 0 only if something was checked and nothing failed. */
static inline int check_report(const char *name)
{
    printf("%s: checks=%d failures=%d\n", name, check_count, check_failures);
    return check_count > 0 && check_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define CHECK(ok)                     check_at(__FILE__, __LINE__, 0, (ok) != 0, #ok)
#define CHECK_ROW(row, ok)            check_at(__FILE__, __LINE__, (row), (ok) != 0, #ok)
#define CHECK_INT(got, want)          check_int_at(__FILE__, __LINE__, 0, (got), (want), #got)
#define CHECK_INT_ROW(row, got, want) check_int_at(__FILE__, __LINE__, (row), (got), (want), #got)
#define CHECK_STR(got, want)          check_str_at(__FILE__, __LINE__, 0, (got), (want), #got)
#define CHECK_STR_ROW(row, got, want) check_str_at(__FILE__, __LINE__, (row), (got), (want), #got)

#endif
