/* SPDX-License-Identifier: MIT
 *
 * The allocator seam: one set of functions for the process, set before rill is first used. The one
 * mutable global of the library, because libev and OpenSSL have theirs per process too.
 */
#ifndef RILL_ALLOC_H
#define RILL_ALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_allocator {
    void *(*allocate)(void *arg, size_t size);                 /* NULL: out of memory */
    void *(*reallocate)(void *arg, void *memory, size_t size); /* memory may be NULL */
    void (*release)(void *arg, void *memory);                  /* memory may be NULL */
    void *arg;
};

/* Copies the table. Returns 0, or RILL_ERUNTIME when rill has already allocated; NULL puts malloc,
 * realloc and free back. Not thread-safe. */
int rill_set_allocator(const struct rill_allocator *allocator);

#ifdef __cplusplus
}
#endif

#endif
