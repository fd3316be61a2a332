/* SPDX-License-Identifier: MIT
 *
 * Growing texts, and Python's repr of str and bytes.
 */
#include "net/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sansio/memory.h"

static bool reserve(struct rill__text *text, size_t more)
{
    size_t size = text->size > 0 ? text->size : 64;
    while (size - text->used <= more) {
        size *= 2;
    }
    char *ptr = size > text->size ? rill__realloc(text->ptr, size) : text->ptr;
    if (ptr == NULL) {
        return false;
    }
    text->ptr = ptr;
    text->size = size;
    return true;
}

void rill__text_add(struct rill__text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text->ptr + text->used, text->size - text->used, format, arguments);
    va_end(arguments);
    text->used += (size_t)length;
}

const char *rill__text_of(const struct rill__text *text)
{
    return text->ptr != NULL ? text->ptr : "";
}

void rill__text_cleanup(struct rill__text *text)
{
    rill__free(text->ptr);
    *text = (struct rill__text){0};
}

/* Python quotes with ' unless there is a ' and no ". */
static char quote_of(struct rill_bytes bytes)
{
    const bool has_single = bytes.len > 0 && memchr(bytes.ptr, '\'', bytes.len) != NULL;
    const bool has_double = bytes.len > 0 && memchr(bytes.ptr, '"', bytes.len) != NULL;
    return has_single && !has_double ? '"' : '\'';
}

/* One byte below 0x80, or any byte of a bytes object. */
static void add_byte(struct rill__text *text, unsigned char c, char quote)
{
    static const char escaped[] = "\t\n\r\\";
    static const char letters[] = "tnr\\";
    const char *found = c != '\0' ? strchr(escaped, c) : NULL;

    if (found != NULL) {
        rill__text_add(text, "\\%c", letters[found - escaped]);
    } else if (c == (unsigned char)quote) {
        rill__text_add(text, "\\%c", c);
    } else if (c >= 0x20 && c < 0x7f) {
        rill__text_add(text, "%c", c);
    } else {
        rill__text_add(text, "\\x%02x", c);
    }
}

/* The length of the UTF-8 sequence (of two bytes at least) that begins here, and its code point; 0:
 * none. Overlong forms, surrogates and what lies beyond U+10FFFF are none. */
static size_t sequence(const unsigned char *at, size_t room, unsigned *point)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

    if (at[0] < 0xc2 || at[0] > 0xf4 || room < length) {
        return 0;
    }
    *point = at[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        *point = *point << 6 | (at[i] & 0x3fu);
    }
    const bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[length] || *point > 0x10ffff || surrogate ? 0 : length;
}

void rill__text_add_str_repr(struct rill__text *text, struct rill_bytes path)
{
    const char quote = quote_of(path);

    rill__text_add(text, "%c", quote);
    for (size_t i = 0; i < path.len;) {
        const unsigned char *at = (const unsigned char *)path.ptr + i;
        unsigned point = 0;
        const size_t length = *at < 0x80 ? 1 : sequence(at, path.len - i, &point);
        if (*at < 0x80) {
            add_byte(text, *at, quote);
        } else if (length == 0) {
            rill__text_add(text, "\\udc%02x", *at); /* surrogateescape */
        } else if (point <= 0xa0 || point == 0xad) {
            rill__text_add(text, "\\x%02x", point); /* does not print */
        } else {
            rill__text_add(text, "%.*s", (int)length, path.ptr + i);
        }
        i += length > 0 ? length : 1;
    }
    rill__text_add(text, "%c", quote);
}

void rill__text_add_bytes_repr(struct rill__text *text, struct rill_bytes bytes)
{
    const char quote = quote_of(bytes);

    rill__text_add(text, "b%c", quote);
    for (size_t i = 0; i < bytes.len; i++) {
        add_byte(text, (unsigned char)bytes.ptr[i], quote);
    }
    rill__text_add(text, "%c", quote);
}
