/* SPDX-License-Identifier: MIT
 *
 * Texts as long as they get: Python's reprs of paths, sockets and lists of addresses, for messages.
 */
#ifndef RILL__TEXT_H
#define RILL__TEXT_H

#include <stddef.h>

#include <rill/bytes.h>

/* Grows as text is added; begins zeroed. Without memory it stays as it was. */
struct rill__text {
    char *ptr;
    size_t used;
    size_t size;
};

void rill__text_add(struct rill__text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* repr(str) of a path as os.fsdecode gives it (bytes that are no UTF-8 as lone surrogates), or
 * repr(bytes). */
void rill__text_add_str_repr(struct rill__text *text, struct rill_bytes path);
void rill__text_add_bytes_repr(struct rill__text *text, struct rill_bytes bytes);

/* What was added, never NULL. */
const char *rill__text_of(const struct rill__text *text);

void rill__text_cleanup(struct rill__text *text);

#endif
