/* SPDX-License-Identifier: MIT
 *
 * Python's !r for what the examples print: bytes, str and a socket's address. Each call returns its
 * text inside a struct, so that it can be used in the same expression and nothing is to be freed:
 *
 *     printf("Send: %s\n", repr_str(message).text);
 */
#ifndef EXAMPLES_REPR_H
#define EXAMPLES_REPR_H

#include <rill/bytes.h>
#include <rill/transport.h>

enum {
    REPR_BYTES_MAX = 127, /* bytes, or valid UTF-8, of at most this length always fit */
    REPR_SIZE = 4 * REPR_BYTES_MAX + 7, /* `\xNN` for each; b, two quotes, `...` and the NUL */
};

struct repr {
    char text[REPR_SIZE]; /* NUL-terminated; a longer input is cut and ends in `...` */
};

/* repr() of bytes: b'...' */
struct repr repr_bytes(struct rill_bytes data);

/* repr() of a str, given as UTF-8 (utf8_decode has checked it; a byte that is not UTF-8 all the
 * same shows as Python's surrogateescape would, `\udcNN`). Printable is what CPython says of every
 * character assigned in Unicode; code points that no version assigns are taken as printable, but
 * for the noncharacters, because which they are depends on the Python version. */
struct repr repr_str(struct rill_bytes text);

/* repr() of what getsockname and get_extra_info('peername') give: ('127.0.0.1', 8888), or None for
 * an address of family 0. */
struct repr repr_address(const struct rill_address *address);

#endif
