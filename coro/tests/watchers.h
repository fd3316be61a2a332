/* SPDX-License-Identifier: MIT
 *
 * Which tools watch a test: some counts must shrink under them, some tests need one.
 */
#ifndef RILL_CORO_TESTS_WATCHERS_H
#define RILL_CORO_TESTS_WATCHERS_H

#include <stdbool.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define TEST_TSAN 1
#endif
#if !defined(TEST_ASAN)
#define TEST_ASAN 0
#endif
#if !defined(TEST_TSAN)
#define TEST_TSAN 0
#endif

#if defined(RILL_CORO_HAVE_VALGRIND)
#include <valgrind/memcheck.h>
#endif
#if defined(RILL_CORO_HAVE_VALGRIND) && !defined(NVALGRIND)
#define TEST_VALGRIND (RUNNING_ON_VALGRIND != 0)

/* Whether Valgrind would report a read of that byte, asked without causing a report. */
static inline bool test_valgrind_forbids(const volatile void *address)
{
    unsigned char bits;

    return VALGRIND_GET_VBITS(address, &bits, 1) == 3;
}
#else
#define TEST_VALGRIND false

static inline bool test_valgrind_forbids(const volatile void *address)
{
    (void)address;
    return false;
}
#endif

enum { TEST_SKIPPED = 77 }; /* CTest's SKIP_RETURN_CODE */

static inline const char *test_watcher(void)
{
    const char *const plain = TEST_VALGRIND ? "Valgrind" : "none";

    return TEST_ASAN ? "AddressSanitizer" : TEST_TSAN ? "ThreadSanitizer" : plain;
}

#endif
