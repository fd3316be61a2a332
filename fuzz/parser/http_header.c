/* SPDX-License-Identifier: MIT
 *
 * Taking a header apart, as it should be done.
 */
#include "http_headers.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct rill_bytes trimmed(struct rill_bytes text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

static char small(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool http_header_parse(struct rill_bytes line, char *name, struct rill_bytes *value)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    const size_t len = colon != NULL ? (size_t)(colon - line.ptr) : 0;

    if (len == 0 || len >= HTTP_NAME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        name[i] = small(line.ptr[i]);
    }
    name[len] = '\0';
    *value = trimmed((struct rill_bytes){colon + 1, line.len - len - 1});
    return true;
}
