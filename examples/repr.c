/* SPDX-License-Identifier: MIT
 *
 * Python's repr of bytes and str: the choice of quotes, the escapes, and the characters that
 * str.isprintable() denies.
 */
#include "repr.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

struct range {
    uint32_t first;
    uint32_t last;
};

/* Control, format, private use, separators but for the space, noncharacters; sorted. Unassigned
 * planes between two of them are in the range. */
static const struct range unprintable[] = {
    {0x0000, 0x001F},    {0x007F, 0x00A0},   {0x00AD, 0x00AD},   {0x0600, 0x0605},
    {0x061C, 0x061C},    {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},
    {0x08E2, 0x08E2},    {0x1680, 0x1680},   {0x180E, 0x180E},   {0x2000, 0x200F},
    {0x2028, 0x202F},    {0x205F, 0x206F},   {0x3000, 0x3000},   {0xE000, 0xF8FF},
    {0xFDD0, 0xFDEF},    {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},   {0xFFFE, 0xFFFF},
    {0x110BD, 0x110BD},  {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A},  {0x1FFFE, 0x1FFFF}, {0x2FFFE, 0x2FFFF}, {0x3FFFE, 0xE007F},
    {0xEFFFE, 0x10FFFF},
};

static bool is_printable(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof unprintable / sizeof unprintable[0]; i++) {
        if (code_point <= unprintable[i].last) {
            return code_point < unprintable[i].first;
        }
    }
    return true;
}

static const char cut_mark[] = "...";

/* The text under construction; it does not grow past limit. */
struct output {
    char *text;
    size_t len;
    size_t limit;
};

/* Python prefers ', and takes " where that saves escapes. */
static char quote_for(struct rill_bytes data)
{
    const bool has_single = data.len > 0 && memchr(data.ptr, '\'', data.len) != NULL;
    const bool has_double = data.len > 0 && memchr(data.ptr, '"', data.len) != NULL;
    return has_single && !has_double ? '"' : '\'';
}

/* Appends a whole piece or nothing: an escape is never cut in two. */
static bool append(struct output *out, const char *piece, size_t len)
{
    if (len > out->limit - out->len) {
        return false;
    }
    memcpy(out->text + out->len, piece, len);
    out->len += len;
    return true;
}

/* ASCII is the same in bytes and str. */
static bool append_ascii(struct output *out, unsigned char byte, char quote)
{
    static const char escaped[] = "\t\n\r\\";
    static const char letters[] = "tnr\\";
    char piece[5];
    const char *const found = byte == 0 ? NULL : strchr(escaped, byte);

    if (found != NULL) {
        return append(out, (const char[]){'\\', letters[found - escaped]}, 2);
    }
    if (byte == (unsigned char)quote) {
        return append(out, (const char[]){'\\', quote}, 2);
    }
    if (byte < 0x20 || byte >= 0x7F) {
        const int len = snprintf(piece, sizeof piece, "\\x%02x", (unsigned)byte);
        return append(out, piece, (size_t)len);
    }
    return append(out, (const char[]){(char)byte}, 1);
}

static bool append_escape(struct output *out, uint32_t code_point)
{
    char piece[11];
    int len;

    if (code_point < 0x100) {
        len = snprintf(piece, sizeof piece, "\\x%02x", (unsigned)code_point);
    } else if (code_point < 0x10000) {
        len = snprintf(piece, sizeof piece, "\\u%04x", (unsigned)code_point);
    } else {
        len = snprintf(piece, sizeof piece, "\\U%08x", (unsigned)code_point);
    }
    return append(out, piece, (size_t)len);
}

/* Appends the character at *offset and moves on; false when there is no room for it. */
static bool append_character(struct output *out, struct rill_bytes text, size_t *offset, char quote)
{
    const unsigned char byte = (unsigned char)text.ptr[*offset];
    const struct utf8_step step = utf8_step(text, *offset);
    const char *const start = text.ptr + *offset;

    if (step.problem != NULL) {
        *offset += 1;
        return append_escape(out, 0xDC00u + byte);
    }
    *offset += step.size;
    if (step.code_point < 0x80) {
        return append_ascii(out, byte, quote);
    }
    return is_printable(step.code_point) ? append(out, start, step.size)
                                         : append_escape(out, step.code_point);
}

static bool append_byte(struct output *out, struct rill_bytes data, size_t *offset, char quote)
{
    return append_ascii(out, (unsigned char)data.ptr[(*offset)++], quote);
}

typedef bool append_fn(struct output *out, struct rill_bytes data, size_t *offset, char quote);

static struct repr quoted(struct rill_bytes data, const char *prefix, append_fn *append_next)
{
    struct repr result;
    /* Room stays for the mark (its size counts a NUL) and the closing quote. */
    struct output out = {result.text, 0, sizeof result.text - sizeof cut_mark - 1};
    const char quote = quote_for(data);
    bool whole = true;

    append(&out, prefix, strlen(prefix));
    append(&out, &quote, 1);
    for (size_t offset = 0; whole && offset < data.len;) {
        whole = append_next(&out, data, &offset, quote);
    }
    out.limit = sizeof result.text - 1;
    append(&out, cut_mark, whole ? 0 : strlen(cut_mark));
    append(&out, &quote, 1);
    out.text[out.len] = '\0';
    return result;
}

struct repr repr_bytes(struct rill_bytes data)
{
    return quoted(data, "b", append_byte);
}

struct repr repr_str(struct rill_bytes text)
{
    return quoted(text, "", append_character);
}

struct repr repr_address(const struct rill_address *address)
{
    struct repr result = {"None"};

    if (address->family != 0) {
        rill_address_repr(address, result.text, sizeof result.text);
    }
    return result;
}
