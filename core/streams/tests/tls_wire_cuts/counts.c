/* SPDX-License-Identifier: MIT
 *
 * The counting: each block carries its size in front of it.
 */
#include "counts.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include <rill/alloc.h>

struct header {
    _Alignas(max_align_t) size_t size;
};

static struct counts of_rill;
static struct counts of_openssl;

static void *counted_realloc(struct counts *counts, void *memory, size_t size)
{
    struct header *const old = memory != NULL ? (struct header *)memory - 1 : NULL;
    const size_t old_size = old != NULL ? old->size : 0;
    struct header *const moved = realloc(old, sizeof *moved + size);

    if (moved == NULL) {
        return NULL;
    }
    moved->size = size;
    counts->blocks += old == NULL ? 1 : 0;
    counts->bytes += size;
    counts->bytes -= old_size;
    return moved + 1;
}

static void counted_free(struct counts *counts, void *memory)
{
    if (memory != NULL) {
        struct header *const header = (struct header *)memory - 1;
        counts->blocks--;
        counts->bytes -= header->size;
        free(header);
    }
}

static void *rill_allocate(void *arg, size_t size)
{
    return counted_realloc(arg, NULL, size);
}

static void *rill_reallocate(void *arg, void *memory, size_t size)
{
    return counted_realloc(arg, memory, size);
}

static void rill_release(void *arg, void *memory)
{
    counted_free(arg, memory);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return counted_realloc(&of_openssl, NULL, size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return counted_realloc(&of_openssl, memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    counted_free(&of_openssl, memory);
}

bool counts_install(void)
{
    const struct rill_allocator allocator = {
        .allocate = rill_allocate,
        .reallocate = rill_reallocate,
        .release = rill_release,
        .arg = &of_rill,
    };
    return rill_set_allocator(&allocator) == 0 &&
           CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

struct counts counts_of_rill(void)
{
    return of_rill;
}

struct counts counts_of_openssl(void)
{
    return of_openssl;
}
