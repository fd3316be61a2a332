/* SPDX-License-Identifier: MIT
 *
 * A freed block is out of bounds for the rest of its run, and is had again by a later run, in its
 * size, each once. Without AddressSanitizer nothing is kept.
 */
#include "simulated/shelf.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

int __asan_address_is_poisoned(void const volatile *memory) __attribute__((weak));

static struct shelf shelf;

static void check_runs(void)
{
    enum { BLOCKS = 5 };
    static const size_t sizes[BLOCKS] = {8, 24, 24, 1000, 262144};
    unsigned char *blocks[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(sizes[i]);
        memset(blocks[i], 1, sizes[i]);
        CHECK(shelf_put(&shelf, blocks[i], sizes[i]));
        CHECK(__asan_address_is_poisoned(blocks[i]));
        CHECK(__asan_address_is_poisoned(blocks[i] + sizes[i] - 1));
        CHECK(shelf_take(&shelf, sizes[i]) == NULL); /* the same run */
    }
    shelf_next_run(&shelf);
    CHECK(shelf_take(&shelf, 25) == NULL);
    for (size_t i = BLOCKS; i > 0; i--) {
        const size_t size = sizes[i - 1];
        unsigned char *taken = shelf_take(&shelf, size);
        CHECK(taken == blocks[i - 1] || size == 24);
        CHECK(taken != NULL && taken[0] == 0xbe && taken[size > 4096 ? 4095 : size - 1] == 0xbe);
        CHECK(!__asan_address_is_poisoned(taken + size - 1));
        CHECK(__asan_address_is_poisoned(taken + size)); /* the red zone is where it was */
        free(taken);
    }
    CHECK(shelf_take(&shelf, 24) == NULL);
    CHECK_INT((long long)shelf.bytes, 0);
}

/* More than there is room for is not kept, and what is kept can be had again. */
static void check_full(void)
{
    enum { RUNS = 3, MORE = SHELF_BLOCKS + 100 };
    static void *blocks[MORE];
    for (size_t run = 0; run < RUNS; run++) {
        size_t kept = 0;
        for (size_t i = 0; i < MORE; i++) {
            void *memory = shelf_take(&shelf, 1 + i % 700);
            blocks[i] = memory != NULL ? memory : malloc(1 + i % 700);
        }
        for (size_t i = 0; i < MORE; i++) {
            const bool put = shelf_put(&shelf, blocks[i], 1 + i % 700);
            kept += put ? 1 : 0;
            if (!put) {
                free(blocks[i]);
            }
        }
        CHECK(kept > MORE / 2 && kept < SHELF_BLOCKS);
        CHECK_INT((long long)shelf.size_count, SHELF_SIZES / 2);
        shelf_next_run(&shelf);
    }
}

/* A block that lies there is freed again: told also when nothing more is kept. */
static void check_freed_twice(void)
{
    enum { LARGE = SHELF_BYTES / 4, MORE = 5 };
    void *blocks[MORE];
    int status = 0;

    for (size_t i = 0; i < MORE; i++) {
        blocks[i] = malloc(LARGE);
        CHECK(i == MORE - 1 || shelf_put(&shelf, blocks[i], LARGE));
    }
    CHECK(!shelf_put(&shelf, blocks[MORE - 1], LARGE));
    const pid_t child = fork();
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr);
        (void)signal(SIGABRT, SIG_DFL);
        (void)shelf_put(&shelf, blocks[0], LARGE);
        _exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    free(blocks[MORE - 1]);
    shelf_next_run(&shelf);
    for (size_t i = 0; i + 1 < MORE; i++) {
        void *memory = shelf_take(&shelf, LARGE);
        CHECK(memory != NULL);
        free(memory);
    }
}

int main(void)
{
    if (__asan_address_is_poisoned == NULL) {
        void *memory = malloc(8);
        CHECK(!shelf_put(&shelf, memory, 8));
        CHECK(shelf_take(&shelf, 8) == NULL);
        free(memory);
    } else {
        check_runs();
        check_freed_twice();
        check_full();
    }
    return check_report("shelf");
}
