/* SPDX-License-Identifier: MIT
 *
 * The memory of coroutine stacks, kept from run to run with its guard pages: mapping it anew for
 * each loop of its own costs a run more than everything else in it.
 */
#include "simulated/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* AddressSanitizer's, where it is: a slab that nobody has is out of bounds. */
void __asan_poison_memory_region(void const volatile *memory, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *memory, size_t size) __attribute__((weak));

static int map_new(size_t length, char **base)
{
    void *got = mmap(NULL, length, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) {
        return -errno;
    }
    *base = got;
    return 0;
}

static struct kernel_slab *slab_at(struct kernel *kernel, const char *address)
{
    for (size_t i = 0; i < KERNEL_SLABS; i++) {
        struct kernel_slab *slab = &kernel->slabs[i];
        if (address >= slab->base && address < slab->base + slab->length) {
            return slab;
        }
    }
    return NULL;
}

static int call_map(void *arg, size_t length, void **address)
{
    struct kernel *kernel = arg;
    struct kernel_slab *slab = NULL;
    char *base = NULL;

    for (size_t i = 0; i < KERNEL_SLABS && slab == NULL; i++) {
        struct kernel_slab *at = &kernel->slabs[i];
        slab = !at->used && (at->length == length || at->length == 0) ? at : NULL;
    }
    if (slab == NULL || slab->length == 0) {
        const int rc = map_new(length, &base);
        if (rc < 0) {
            return rc;
        }
    }
    if (slab != NULL) {
        slab->base = base != NULL ? base : slab->base;
        slab->length = length;
        slab->used = true;
        if (__asan_unpoison_memory_region != NULL) {
            __asan_unpoison_memory_region(slab->base, length);
        }
    }
    *address = slab != NULL ? slab->base : base;
    return 0;
}

/* One for which there was no place is the system's again. */
static int call_unmap(void *arg, void *address, size_t length)
{
    struct kernel_slab *slab = slab_at(arg, address);
    if (slab == NULL) {
        return munmap(address, length) == 0 ? 0 : -errno;
    }
    slab->used = false;
    if (__asan_poison_memory_region != NULL) {
        __asan_poison_memory_region(address, length);
    }
    return 0;
}

/* Whether this kind works would be asked of the real kernel for every loop. */
static int call_guard_install(void *arg, void *address, size_t length)
{
    (void)arg;
    (void)address;
    (void)length;
    return -EINVAL;
}

/* Stacks are carved upwards, and what was guarded once stays so. */
static int call_guard_protect(void *arg, void *address, size_t length)
{
    struct kernel_slab *slab = slab_at(arg, address);
    const size_t end = slab != NULL ? (size_t)((char *)address - slab->base) + length : 0;

    if (slab != NULL && end <= slab->guarded) {
        return 0;
    }
    if (mprotect(address, length, PROT_NONE) != 0) {
        return -errno;
    }
    if (slab != NULL) {
        slab->guarded = end;
    }
    return 0;
}

static int call_release(void *arg, void *address, size_t length)
{
    (void)arg;
    (void)address;
    (void)length;
    return 0;
}

void kernel_add_stacks(struct rill_sys *sys)
{
    sys->map = call_map;
    sys->unmap = call_unmap;
    sys->guard_install = call_guard_install;
    sys->guard_protect = call_guard_protect;
    sys->release = call_release;
}
