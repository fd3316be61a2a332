/* SPDX-License-Identifier: MIT
 *
 * Finding separators in buffered bytes: memchr on the separator's rarest byte, and a scan for two
 * of its bytes at once where that byte turns out to be frequent.
 *
 * Cost of looking through n bytes for a separator of m bytes: memchr's for m = 1. For longer ones,
 * each place where the two chosen bytes stand right costs a comparison of at most m bytes, so n * m
 * byte comparisons (made by memcmp) at the very worst, when the input repeats all of the separator
 * but its end. No table is built and nothing is allocated.
 */
#ifndef RILL__SEARCH_H
#define RILL__SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/bytes.h>

#define RILL__NOT_FOUND SIZE_MAX

/* The first index >= from at which `separator` (at least one byte) stands whole in `text`, or
 * RILL__NOT_FOUND. */
size_t rill__search(struct rill_bytes text, size_t from, struct rill_bytes separator);

struct rill__match {
    size_t start;
    size_t end; /* behind the separator */
};

/* The winner of R-156 among several separators: the smallest end, and among those the shortest. A
 * separator counts from `from` on. `scanned`: an earlier search in the same bytes looked at this
 * many of them and found nothing. */
bool rill__search_any(struct rill_bytes text, size_t from, size_t scanned,
                      const struct rill_bytes *separators, size_t separator_count,
                      struct rill__match *match);

#endif
