/* SPDX-License-Identifier: MIT
 *
 * Scripts drawn towards the limit.
 */
#include "reader/stretch.h"

#include <string.h>

static const struct script_bytes newline = {"\n", 1};

struct pen {
    size_t limit;
    size_t line; /* bytes since the last separator */
    char *to;
    size_t room;
    struct script_bytes missing; /* of a separator that was begun */
};

static size_t stretched_limit(size_t limit)
{
    static const size_t large[] = {100,  255,  256,  257,  511,  512,  513,  1000,
                                   1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096};
    enum { KEPT = SCRIPT_LIMIT_MAX - sizeof large / sizeof large[0] };
    return limit <= KEPT ? limit : large[limit - KEPT - 1];
}

static size_t add(size_t length, int more)
{
    return more < 0 && (size_t)-more > length ? 0 : length + (size_t)more;
}

static size_t up_to(size_t line, size_t length)
{
    return length > line ? length - line : 0;
}

static size_t length_named(const struct pen *pen, unsigned char name)
{
    const int more = (name >> 3) % 8 - 3;
    switch (name % 8) {
    case 1:
        return up_to(pen->line, add(pen->limit, more));
    case 2:
        return up_to(pen->line, add(2 * pen->limit, more));
    case 3:
        return add(pen->limit, more);
    case 4:
        return add(2 * pen->limit, more);
    case 5:
        return add(1024, more);
    case 6:
        return add(0, more);
    default:
        return 0;
    }
}

static void put(struct pen *pen, struct script_bytes bytes)
{
    const size_t size = bytes.len < pen->room ? bytes.len : pen->room;
    if (size > 0) {
        memcpy(pen->to, bytes.ptr, size);
    }
    pen->to += size;
    pen->room -= size;
    pen->line += size;
}

static void put_line(struct pen *pen, size_t length, struct script_bytes pattern)
{
    static const struct script_bytes plain = {"a", 1};
    const struct script_bytes repeated = pattern.len > 0 ? pattern : plain;
    for (; length > repeated.len; length -= repeated.len) {
        put(pen, repeated);
    }
    put(pen, (struct script_bytes){repeated.ptr, length});
}

static struct script_bytes behind(struct script_bytes bytes, size_t count)
{
    return (struct script_bytes){bytes.ptr + count, bytes.len - count};
}

/* The first `count` bytes of the separator; the rest is for the next chunk. */
static void put_separator(struct pen *pen, struct script_bytes separator, size_t count)
{
    put(pen, (struct script_bytes){separator.ptr, count});
    pen->missing = count > 0 ? behind(separator, count) : (struct script_bytes){NULL, 0};
    if (count == separator.len) {
        pen->line = 0;
    }
}

static void put_missing(struct pen *pen, unsigned char name)
{
    if (pen->missing.len > 0 && (name & 64) == 0) {
        put(pen, pen->missing);
        pen->line = 0;
    }
    pen->missing.len = 0;
}

static struct script_bytes draw(struct pen *pen, struct script_bytes chunk,
                                struct script_bytes separator)
{
    const char *const start = pen->to;
    const unsigned char name = (unsigned char)chunk.ptr[0];

    put_missing(pen, name);
    if (name % 8 == 0) {
        put(pen, behind(chunk, 1));
    } else {
        put_line(pen, length_named(pen, name), behind(chunk, 2));
        put_separator(pen, separator, (unsigned char)chunk.ptr[1] % (separator.len + 1));
    }
    return (struct script_bytes){start, (size_t)(pen->to - start)};
}

static struct script_bytes separator_ahead(const struct script *script, size_t at)
{
    const unsigned char choice =
        script->ops[at].bytes.len > 1 ? (unsigned char)script->ops[at].bytes.ptr[1] >> 6 : 0;
    for (; at < script->count; at++) {
        const struct script_op *op = &script->ops[at];
        if (op->kind == SCRIPT_READLINE) {
            return newline;
        }
        if (op->separator_count > 0) {
            return op->separators[choice % op->separator_count];
        }
    }
    return newline;
}

static int stretched_count(int n, size_t limit)
{
    if (n < 96) {
        return n;
    }
    return (int)add(limit * (size_t)((n - 96) / 8 + 1), n % 8 - 3);
}

void script_stretch(struct script *script, char *storage)
{
    script->limit = stretched_limit(script->limit);
    struct pen pen = {.limit = script->limit, .to = storage, .room = SCRIPT_BYTES_MAX};
    for (size_t i = 0; i < script->count; i++) {
        struct script_op *op = &script->ops[i];
        if (op->kind == SCRIPT_FEED && op->bytes.len > 1) {
            op->bytes = draw(&pen, op->bytes, separator_ahead(script, i));
        } else if (op->kind == SCRIPT_FEED) {
            const char *const start = pen.to;
            put(&pen, op->bytes);
            op->bytes = (struct script_bytes){start, (size_t)(pen.to - start)};
        }
        op->n = stretched_count(op->n, script->limit);
    }
}
