/* SPDX-License-Identifier: MIT
 *
 * Randomness that is a counter, and a clock that stands.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method: the one way that is not a provider */

#include "repeatable.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/rand.h>

/* 2026-01-01: inside the validity of every certificate but the expired one. */
#define NOW ((time_t)1767225600)

static uint64_t drawn[2];
static enum random_side current;
static size_t until_refusal; /* requests for rill; 0: none is refused */
static bool refused;

/* Not the C library's: a verification and a ticket would ask for today. */
time_t time(time_t *result)
{
    if (result != NULL) {
        *result = NOW;
    }
    return NOW;
}

/* A 64-bit finalizer over side and count: OpenSSL only needs that no two numbers are alike. */
static unsigned char next_byte(void)
{
    uint64_t mixed = ++drawn[current] * 2 + (uint64_t)current;
    mixed *= UINT64_C(0xff51afd7ed558ccd);
    mixed ^= mixed >> 33;
    mixed *= UINT64_C(0xc4ceb9fe1a85ec53);
    return (unsigned char)(mixed >> 56);
}

static int give_bytes(unsigned char *bytes, int count)
{
    if (until_refusal > 0 && current == RANDOM_OF_RILL && --until_refusal == 0) {
        refused = true;
        return 0;
    }
    for (int i = 0; i < count; i++) {
        bytes[i] = next_byte();
    }
    return 1;
}

static int always_ready(void)
{
    return 1;
}

void repeatable_install(void)
{
    static const RAND_METHOD method = {
        .bytes = give_bytes,
        .pseudorand = give_bytes,
        .status = always_ready,
    };
    if (RAND_set_rand_method(&method) != 1) {
        (void)fprintf(stderr, "OpenSSL takes no other randomness\n");
        abort();
    }
    repeatable_restart();
}

void repeatable_restart(void)
{
    drawn[RANDOM_OF_RILL] = 0;
    drawn[RANDOM_OF_PEER] = 0;
    current = RANDOM_OF_RILL;
    until_refusal = 0;
    refused = false;
}

void repeatable_side(enum random_side side)
{
    current = side;
}

enum random_side repeatable_side_now(void)
{
    return current;
}

void repeatable_refuse(size_t number)
{
    until_refusal = number;
}

bool repeatable_refused(void)
{
    return refused;
}
