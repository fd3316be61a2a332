/* SPDX-License-Identifier: MIT
 *
 * The separator search: rarest byte first, two bytes at once where that byte is frequent.
 */
#include "sansio/search.h"

#include <string.h>

#include "sansio/memory.h"

/* How common a byte is in text and in protocol data: 20 + log2 of its share, counted over English
 * and HTML text, source code, mail and HTTP headers with CRLF line ends, and a little machine code.
 * Only the order matters, and a wrong order only costs time. */
static const unsigned char commonness[256] = {
    15, 10, 9,  9,  9,  9,  9,  9,  10, 9,  15, 8,  8,  14, 9,  10, 9,  8,  8,  8,  8,  8,  7,  7,
    9,  8,  7,  8,  8,  8,  8,  9,  17, 9,  13, 10, 10, 10, 10, 11, 12, 12, 11, 11, 13, 14, 14, 13,
    14, 14, 13, 12, 12, 12, 12, 12, 12, 12, 14, 13, 13, 13, 13, 11, 11, 13, 11, 12, 11, 12, 11, 12,
    12, 11, 10, 10, 12, 12, 11, 12, 12, 10, 11, 11, 13, 11, 10, 12, 11, 10, 10, 10, 9,  10, 9,  13,
    9,  15, 13, 14, 14, 16, 13, 14, 14, 15, 11, 12, 15, 14, 15, 15, 14, 11, 15, 15, 15, 13, 13, 13,
    14, 12, 12, 9,  8,  9,  8,  7,  9,  8,  7,  9,  9,  9,  7,  8,  8,  10, 7,  10, 7,  9,  7,  8,
    8,  7,  7,  7,  8,  7,  8,  8,  7,  7,  7,  8,  8,  7,  8,  8,  8,  7,  8,  8,  7,  8,  8,  8,
    8,  8,  8,  8,  8,  8,  8,  9,  8,  8,  8,  8,  8,  8,  9,  8,  9,  8,  9,  9,  9,  9,  10, 10,
    10, 9,  9,  10, 9,  10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 11, 10, 10, 10, 10, 10, 10, 11, 11,
    11, 11, 11, 11, 11, 11, 11, 11, 10, 9,  10, 9,  9,  9,  9,  9,  10, 10, 9,  9,  9,  9,  8,  9,
    8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  8,  9,  8,  12,
};

/* Sixteen bytes compared at once; the compiler makes the machine's vector instructions of it, or
 * plain ones. */
typedef unsigned char lanes __attribute__((vector_size(16)));
enum { LANES = 16, STRIDE = 4 * LANES };

/* memchr is given up when it stopped for nothing more often than once in this many bytes. */
enum { BYTES_PER_MISS = 64 };

/* The first part of a text that several separators are searched in; each further part is twice as
 * long. */
enum { FIRST_WINDOW = 256 };

/* A separator of at least two bytes and where to look first in it. */
struct pattern {
    const char *bytes;
    size_t length;
    size_t rare;  /* index of the rarest byte */
    size_t other; /* index of the first or last byte, whichever is further away */
};

static struct pattern pattern_of(struct rill_bytes separator)
{
    struct pattern pattern = {.bytes = separator.ptr, .length = separator.len};
    unsigned char least = commonness[(unsigned char)separator.ptr[0]];
    for (size_t i = 1; i < separator.len; i++) {
        unsigned char common = commonness[(unsigned char)separator.ptr[i]];
        if (common < least) {
            least = common;
            pattern.rare = i;
        }
    }
    pattern.other = pattern.rare < separator.len / 2 ? separator.len - 1 : 0;
    return pattern;
}

static lanes load(const char *bytes)
{
    lanes loaded;
    memcpy(&loaded, bytes, sizeof loaded);
    return loaded;
}

/* Non-zero when some start in [at, at + LANES) has both chosen bytes right. */
static lanes both_right(const char *at, const struct pattern *pattern, lanes rare, lanes other)
{
    return (lanes)((load(at + pattern->rare) == rare) & (load(at + pattern->other) == other));
}

static bool any(lanes hits)
{
    uint64_t halves[2];
    memcpy(halves, &hits, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

static bool stands_at(const char *at, const struct pattern *pattern)
{
    return at[pattern->rare] == pattern->bytes[pattern->rare] &&
           memcmp(at, pattern->bytes, pattern->length) == 0;
}

/* The first start in [from, to) or RILL__NOT_FOUND, one by one. */
static size_t scan_each(const char *text, size_t from, size_t to, const struct pattern *pattern)
{
    for (size_t start = from; start < to; start++) {
        if (stands_at(text + start, pattern)) {
            return start;
        }
    }
    return RILL__NOT_FOUND;
}

/* The first start in [from, to) or RILL__NOT_FOUND, STRIDE starts at a time. */
static size_t scan_pairs(const char *text, size_t from, size_t to, const struct pattern *pattern)
{
    const lanes rare = (lanes){0} + (unsigned char)pattern->bytes[pattern->rare];
    const lanes other = (lanes){0} + (unsigned char)pattern->bytes[pattern->other];
    size_t start = from;

    for (; to - start >= STRIDE; start += STRIDE) {
        const char *at = text + start;
        if (any(both_right(at, pattern, rare, other) |
                both_right(at + LANES, pattern, rare, other) |
                both_right(at + 2 * LANES, pattern, rare, other) |
                both_right(at + 3 * LANES, pattern, rare, other))) {
            size_t found = scan_each(text, start, start + STRIDE, pattern);
            if (found != RILL__NOT_FOUND) {
                return found;
            }
        }
    }
    return scan_each(text, start, to, pattern);
}

/* The first start in [from, to): memchr for the rarest byte as long as that takes long steps. */
static size_t scan_rarest(const char *text, size_t from, size_t to, const struct pattern *pattern)
{
    const char rarest = pattern->bytes[pattern->rare];
    size_t misses = 0;

    for (size_t start = from; start < to; start++) {
        const char *first = text + start + pattern->rare;
        const char *found = memchr(first, rarest, to - start);
        if (found == NULL) {
            return RILL__NOT_FOUND;
        }
        start += (size_t)(found - first);
        if (stands_at(text + start, pattern)) {
            return start;
        }
        misses++;
        if (misses * BYTES_PER_MISS > start - from) {
            return scan_pairs(text, start + 1, to, pattern);
        }
    }
    return RILL__NOT_FOUND;
}

size_t rill__search(struct rill_bytes text, size_t from, struct rill_bytes separator)
{
    rill_assert(separator.len > 0);
    if (text.len < separator.len || from > text.len - separator.len) {
        return RILL__NOT_FOUND;
    }
    if (separator.len == 1) {
        const char *found = memchr(text.ptr + from, separator.ptr[0], text.len - from);
        return found != NULL ? (size_t)(found - text.ptr) : RILL__NOT_FOUND;
    }
    const struct pattern pattern = pattern_of(separator);
    return scan_rarest(text.ptr, from, text.len - separator.len + 1, &pattern);
}

/* The first index at which a separator may start that did not fit into the `scanned` bytes. */
static size_t first_untested(size_t from, size_t scanned, size_t length)
{
    size_t start = scanned + 1 > length ? scanned + 1 - length : 0;
    return start > from ? start : from;
}

/* rill__search_any within one part of the text. */
static bool search_window(struct rill_bytes window, size_t from, size_t scanned,
                          const struct rill_bytes *separators, size_t separator_count,
                          struct rill__match *match)
{
    bool any_found = false;
    for (size_t i = 0; i < separator_count; i++) {
        const struct rill_bytes separator = separators[i];
        size_t start =
            rill__search(window, first_untested(from, scanned, separator.len), separator);
        if (start == RILL__NOT_FOUND) {
            continue;
        }
        const size_t end = start + separator.len;
        /* What ends further on has lost already, so the window ends here from now on; on equal ends
         * the shorter one, which starts later, wins, and then the one given first. */
        if (!any_found || end < match->end || start > match->start) {
            *match = (struct rill__match){start, end};
            window.len = end;
            any_found = true;
        }
    }
    return any_found;
}

bool rill__search_any(struct rill_bytes text, size_t from, size_t scanned,
                      const struct rill_bytes *separators, size_t separator_count,
                      struct rill__match *match)
{
    /* Several separators are searched part by part: the search for one that is not there must not
     * run through all of a large text when another stands near its start. */
    size_t step = separator_count == 1 ? text.len : FIRST_WINDOW;

    while (scanned < text.len) {
        size_t end = text.len - scanned > step ? scanned + step : text.len;
        if (search_window((struct rill_bytes){text.ptr, end}, from, scanned, separators,
                          separator_count, match)) {
            return true;
        }
        scanned = end;
        step *= 2;
    }
    return false;
}
