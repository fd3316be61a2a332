/* SPDX-License-Identifier: MIT
 *
 * The part of urllib.parse.urlsplit() that http_headers needs: scheme, hostname, port and path.
 */
#ifndef EXAMPLES_URL_H
#define EXAMPLES_URL_H

#include <stdbool.h>

#include <rill/bytes.h>

struct url {
    bool https;             /* the scheme: https or http */
    char hostname[254];     /* lower case but for a %zone, without brackets; never empty */
    char port[6];           /* 0 to 65535 without leading zeros; "": the URL names none */
    struct rill_bytes path; /* into the text given, without query and fragment; may be empty */
};

/* Splits an http or https URL. False when the text is not one that this program can use: another
 * scheme, no host name, a port that is not a number up to 65535, or a byte that is not visible
 * ASCII (which also keeps a line end out of the request). */
bool url_split(const char *text, struct url *url);

#endif
