/* SPDX-License-Identifier: MIT
 *
 * Allocation as the rest of rill sees it (the seam is rill/alloc.h), and the assertion that stays
 * on in release.
 */
#ifndef RILL__MEMORY_H
#define RILL__MEMORY_H

#include <stddef.h>

void *rill__alloc(size_t size); /* NULL when there is none */
void *rill__alloc_zeroed(size_t size);
void *rill__realloc(void *memory, size_t size);
void rill__free(void *memory);
char *rill__strdup(const char *text);

/* Pieces of one size that nobody uses just now, at most 256: many who need one in turn make do with
 * a few, which stay in the cache. Zeroed: none; NULL: the allocator alone. */
struct rill__spares {
    void *first; /* each begins with a pointer to the next */
    size_t count;
};
void *rill__spares_take(struct rill__spares *spares, size_t size); /* as rill__alloc */
void rill__spares_give(struct rill__spares *spares, void *memory);
void rill__spares_cleanup(struct rill__spares *spares);

/* Asks for `size` bytes that are needed soon: with many connections they are far away. */
static inline void rill__fetch(const void *memory, size_t size)
{
    for (size_t i = 0; memory != NULL && i < size; i += 64) {
        __builtin_prefetch((const char *)memory + i);
    }
}

/* Prints `rill: FILE:LINE: broken invariant: WHAT` and aborts. */
_Noreturn void rill__assert_failed(const char *file, int line, const char *what);

/* For rill's own broken invariants, never for what a peer or a caller sent. On in release builds
 * too. */
#define rill_assert(ok) ((ok) ? (void)0 : rill__assert_failed(__FILE__, __LINE__, #ok))

#endif
