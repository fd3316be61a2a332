/* SPDX-License-Identifier: MIT
 *
 * Taking a header apart with a mistake that was planted to be found: it believes that names are
 * shorter than their space.
 */
#include "http_headers.h"

bool http_header_parse(struct rill_bytes line, char *name, struct rill_bytes *value)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    const size_t len = colon != NULL ? (size_t)(colon - line.ptr) : 0;

    if (len == 0) {
        return false;
    }
    memcpy(name, line.ptr, len);
    name[len] = '\0';
    *value = (struct rill_bytes){colon + 1, line.len - len - 1};
    return true;
}
