/* SPDX-License-Identifier: MIT
 *
 * rill's memory, counted, and one allocation that fails on request. OpenSSL's memory is the leak
 * detector's business.
 */
#ifndef FUZZ_TLS_COUNTED_H
#define FUZZ_TLS_COUNTED_H

#include <stdbool.h>
#include <stddef.h>

/* Before rill allocates for the first time. */
void counted_install(void);

size_t counted_blocks(void); /* that rill holds now */

/* The allocation with this number from now on fails, the first is 1; 0: none. */
void counted_fail_at(size_t number);
bool counted_failed(void); /* it has */

#endif
