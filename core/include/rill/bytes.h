/* SPDX-License-Identifier: MIT
 *
 * A view of bytes: what a read returns and what a write takes. It owns nothing; each function that
 * hands one out says how long it stays valid.
 */
#ifndef RILL_BYTES_H
#define RILL_BYTES_H

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_bytes {
    const char *ptr; /* may hold any byte, NUL too; may be NULL when len is 0; not NUL-terminated */
    size_t len;
};

/* A view of a C string, without its NUL. */
static inline struct rill_bytes rill_bytes_of(const char *text)
{
    struct rill_bytes view = {text, strlen(text)};
    return view;
}

#ifdef __cplusplus
}
#endif

#endif
