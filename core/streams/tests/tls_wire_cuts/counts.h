/* SPDX-License-Identifier: MIT
 *
 * Memory that is counted: every block of rill's allocator and of OpenSSL's, so that a test can say
 * that after a run everything is back where it was.
 */
#ifndef RILL_TEST_WIRE_COUNTS_H
#define RILL_TEST_WIRE_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct counts {
    size_t blocks;
    size_t bytes;
};

/* Before rill and OpenSSL allocate for the first time. */
bool counts_install(void);

struct counts counts_of_rill(void);
struct counts counts_of_openssl(void);

static inline bool counts_equal(struct counts a, struct counts b)
{
    return a.blocks == b.blocks && a.bytes == b.bytes;
}

#endif
