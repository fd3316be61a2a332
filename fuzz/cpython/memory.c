/* SPDX-License-Identifier: MIT
 *
 * Python's memory: blocks of some sixty sizes, one list of free blocks for each. What is freed is
 * used again for its own size only, which suits an interpreter that does the same ten thousand
 * times a second. Only the thread that plays calls this.
 */
#include "cpython/memory.h"

#include "cpython/python.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    GRAIN = 16, /* of a block's address and of a small block's size */
    SMALL_SIZES = 64,
    SMALL_MAX = GRAIN * SMALL_SIZES, /* larger blocks are powers of two */
    SIZES = SMALL_SIZES + 24,
};

static const size_t region_bytes = (size_t)512 << 20; /* of addresses; pages come when used */
static const size_t root_bytes = (size_t)1 << 20;     /* LeakSanitizer is told in such steps */

/* In front of each block. */
struct header {
    size_t size_class;
    struct header *next_free;
};
_Static_assert(sizeof(struct header) == GRAIN, "a block begins at a multiple of GRAIN");

/* Stands at the region's begin, so that nothing of it is anywhere else. */
struct cpython_memory {
    char *top;   /* behind it nothing was ever used */
    char *known; /* up to here LeakSanitizer knows it */
    char *end;
    size_t used;
    struct header *free[SIZES];
};

/* LeakSanitizer's own interface, where the program has it. */
__attribute__((weak)) void __lsan_register_root_region(const void *begin, size_t size);

static size_t class_of(size_t size)
{
    if (size <= SMALL_MAX) {
        return size == 0 ? 0 : (size - 1) / GRAIN;
    }
    size_t size_class = SMALL_SIZES;
    for (size_t most = 2 * (size_t)SMALL_MAX; most < size; most *= 2) {
        size_class++;
    }
    return size_class;
}

static size_t class_size(size_t size_class)
{
    if (size_class < SMALL_SIZES) {
        return (size_class + 1) * GRAIN;
    }
    return (size_t)SMALL_MAX << (size_class - SMALL_SIZES + 1);
}

static void make_known(struct cpython_memory *memory)
{
    while (memory->known < memory->top) {
        if (__lsan_register_root_region != NULL) {
            __lsan_register_root_region(memory->known, root_bytes);
        }
        memory->known += root_bytes;
    }
}

static struct header *cut(struct cpython_memory *memory, size_t size_class)
{
    const size_t bytes = sizeof(struct header) + class_size(size_class);
    if ((size_t)(memory->end - memory->top) < bytes) {
        return NULL;
    }
    struct header *header = (struct header *)(void *)memory->top;
    memory->top += bytes;
    make_known(memory);
    header->size_class = size_class;
    return header;
}

static void *take(void *context, size_t size)
{
    struct cpython_memory *memory = context;
    if (size > region_bytes) {
        return NULL;
    }
    const size_t size_class = class_of(size);
    struct header *header = memory->free[size_class];
    if (header != NULL) {
        memory->free[size_class] = header->next_free;
    } else {
        header = cut(memory, size_class);
        if (header == NULL) {
            return NULL;
        }
    }
    memory->used += class_size(size_class);
    return header + 1;
}

static void *take_zeroed(void *context, size_t count, size_t size)
{
    if (size != 0 && count > region_bytes / size) {
        return NULL;
    }
    void *block = take(context, count * size);
    return block == NULL ? NULL : memset(block, 0, count * size);
}

static void give_back(void *context, void *block)
{
    struct cpython_memory *memory = context;
    if (block == NULL) {
        return;
    }
    struct header *header = (struct header *)block - 1;
    memory->used -= class_size(header->size_class);
    header->next_free = memory->free[header->size_class];
    memory->free[header->size_class] = header;
}

static void *resize(void *context, void *block, size_t size)
{
    if (block == NULL) {
        return take(context, size);
    }
    const size_t has = class_size(((struct header *)block - 1)->size_class);
    if (size <= has && class_of(size) == class_of(has)) {
        return block;
    }
    void *moved = take(context, size);
    if (moved != NULL) {
        memcpy(moved, block, size < has ? size : has);
        give_back(context, block);
    }
    return moved;
}

struct cpython_memory *cpython_memory_install(void)
{
    void *region = mmap(NULL, region_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) {
        perror("CPython's memory");
        abort();
    }
    struct cpython_memory *memory = region;
    memory->known = region;
    memory->top = (char *)region + (sizeof *memory + GRAIN - 1) / GRAIN * GRAIN;
    memory->end = (char *)region + region_bytes;
    make_known(memory);
    PyMemAllocatorEx allocator = {memory, take, take_zeroed, resize, give_back};
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &allocator);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &allocator);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &allocator);
    return memory;
}

size_t cpython_memory_used(const struct cpython_memory *memory)
{
    return memory->used;
}
