/* SPDX-License-Identifier: MIT
 *
 * The system's own calls behind struct rill_coro_sys: the only file of coro/ that maps, protects or
 * advises memory for a pool.
 */
#define _DEFAULT_SOURCE
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if !defined(MADV_GUARD_INSTALL)
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; headers that are older do not name it */
#endif

static int advise(void *address, size_t length, int advice)
{
    return madvise(address, length, advice) == 0 ? 0 : -errno;
}

static int system_map(void *arg, size_t length, void **address)
{
    void *const got = mmap(NULL, length, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    (void)arg;
    if (got == MAP_FAILED) {
        return -errno;
    }
    /* A huge page would make every stack in two megabytes resident at once. A kernel that knows no
     * huge pages refuses the advice, and that is as good. */
    (void)madvise(got, length, MADV_NOHUGEPAGE);
    *address = got;
    return 0;
}

static int system_unmap(void *arg, void *address, size_t length)
{
    (void)arg;
    return munmap(address, length) == 0 ? 0 : -errno;
}

static int system_guard_install(void *arg, void *address, size_t length)
{
    (void)arg;
    return advise(address, length, MADV_GUARD_INSTALL);
}

/* Asks by effect: qemu-user answers 0 to any advice and guards nothing. write(2) reports an
 * unreadable page as EFAULT, where touching it would be fatal. */
static int system_guard_works(void *arg, void *address)
{
    int ends[2];
    ssize_t wrote;
    int error;

    (void)arg;
    if (pipe(ends) != 0) {
        return -errno;
    }
    wrote = write(ends[1], address, 1);
    error = errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return wrote < 0 && error == EFAULT ? 0 : -ENOTSUP;
}

static int system_guard_protect(void *arg, void *address, size_t length)
{
    (void)arg;
    return mprotect(address, length, PROT_NONE) == 0 ? 0 : -errno;
}

static int system_guard_remove(void *arg, void *address, size_t length)
{
    (void)arg;
    return mprotect(address, length, PROT_READ | PROT_WRITE) == 0 ? 0 : -errno;
}

static int system_release(void *arg, void *address, size_t length)
{
    (void)arg;
    return advise(address, length, MADV_FREE);
}

static int system_discard(void *arg, void *address, size_t length)
{
    (void)arg;
    return advise(address, length, MADV_DONTNEED);
}

static void *system_resize(void *arg, void *memory, size_t size)
{
    (void)arg;
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size);
}

void rill__sys_complete(struct rill_coro_sys *sys)
{
    sys->map = sys->map != NULL ? sys->map : system_map;
    sys->unmap = sys->unmap != NULL ? sys->unmap : system_unmap;
    sys->guard_install = sys->guard_install != NULL ? sys->guard_install : system_guard_install;
    sys->guard_works = sys->guard_works != NULL ? sys->guard_works : system_guard_works;
    sys->guard_protect = sys->guard_protect != NULL ? sys->guard_protect : system_guard_protect;
    sys->guard_remove = sys->guard_remove != NULL ? sys->guard_remove : system_guard_remove;
    sys->release = sys->release != NULL ? sys->release : system_release;
    sys->discard = sys->discard != NULL ? sys->discard : system_discard;
    sys->resize = sys->resize != NULL ? sys->resize : system_resize;
}
