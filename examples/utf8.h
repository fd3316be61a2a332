/* SPDX-License-Identifier: MIT
 *
 * Python's bytes.decode(): a str of Python is, in the examples, the same view of bytes once it is
 * known to be valid UTF-8.
 */
#ifndef EXAMPLES_UTF8_H
#define EXAMPLES_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include <rill/bytes.h>

/* What stands at one place of a text. */
struct utf8_step {
    uint32_t code_point; /* when problem is NULL */
    size_t size;         /* bytes of the character, or of the part that CPython rejects as one */
    const char *problem; /* CPython's reason, as "invalid start byte"; NULL: none */
};

/* Looks at the character that begins at offset, which must be less than data.len. */
struct utf8_step utf8_step(struct rill_bytes data, size_t offset);

/* text = data.decode(): 0, and *text is the same view as data, valid as long as it. Where Python
 * raises UnicodeDecodeError: RILL_EVALUE (ValueError is its base class) with CPython's text, which
 * is then the running task's error. Does not suspend. */
int utf8_decode(struct rill_bytes data, struct rill_bytes *text);

#endif
