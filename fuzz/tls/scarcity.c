/* SPDX-License-Identifier: MIT
 *
 * OpenSSL's allocator, counted.
 */
#include "scarcity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "repeatable.h"

/* OpenSSL's functions take no argument that could lead here. */
static size_t until_failure; /* allocations; 0: none fails */
static bool felt;

/* What OpenSSL 3.0 itself does not survive: its OSSL_STORE_open_ex frees a loader twice. */
static bool is_spared(const char *file)
{
    return file != NULL && strstr(file, "crypto/store/store_lib.c") != NULL;
}

static bool fails(const char *file)
{
    if (until_failure == 0 || is_spared(file) || repeatable_side_now() != RANDOM_OF_RILL ||
        --until_failure > 0) {
        return false;
    }
    felt = true;
    return true;
}

static void *take(size_t size, const char *file, int line)
{
    (void)line;
    return size == 0 || fails(file) ? NULL : malloc(size);
}

static void *change(void *old, size_t size, const char *file, int line)
{
    (void)line;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return fails(file) ? NULL : realloc(old, size);
}

static void give_back(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

void scarcity_install(void)
{
    if (CRYPTO_set_mem_functions(take, change, give_back) != 1) {
        (void)fprintf(stderr, "OpenSSL has allocated before the fuzz target began\n");
        abort();
    }
}

void scarcity_plan(size_t number)
{
    until_failure = number;
    felt = false;
    repeatable_refuse(0);
}

void scarcity_plan_next(struct program *program, struct allocations *of_rill)
{
    const unsigned resource = program_choice(program, 8);
    const size_t number = program_number(program) + 1;

    if (resource == 0) {
        repeatable_refuse(number);
    } else if (resource < 3) {
        of_rill->fail_first = of_rill->calls + number;
        of_rill->fail_count = 1;
    } else {
        until_failure = number;
    }
}

void scarcity_heal(void)
{
    until_failure = 0;
    repeatable_refuse(0);
}

bool scarcity_was_felt(void)
{
    return felt || repeatable_refused();
}
