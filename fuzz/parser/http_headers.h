/* SPDX-License-Identifier: MIT
 *
 * The example of HTTP/1 headers: what its server and the two ways to take a header apart share.
 */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include <stdbool.h>

#include <rill/bytes.h>

#define HTTP_NAME_SIZE 16U

/* Takes `Name: value` apart: the name in small letters and NUL-terminated, the value without the
 * blanks around it. False: this is no header, or none that a server wants to keep. */
bool http_header_parse(struct rill_bytes line, char *name, struct rill_bytes *value);

#endif
