/* SPDX-License-Identifier: MIT
 *
 * Stackful coroutines, usable alone: create, resume, suspend, transfer, destroy. This module knows
 * nothing of I/O, clocks or tasks. Nothing here is thread-safe and nothing is global: a pool and
 * its coroutines belong to the one thread that uses them.
 *
 * Words: the *resumer* of a coroutine is whoever called rill_coro_resume for it last; control
 * returns there when the coroutine suspends or its function returns. A *transfer* hands the
 * processor and the resumer straight to another coroutine.
 */
#ifndef RILL_CORO_H
#define RILL_CORO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_coro;      /* one coroutine; its memory is the top of its own stack */
struct rill_coro_pool; /* stacks and their reuse */

/* The body of a coroutine. `value` is what the first resume handed over. What it returns is what
 * the last resume returns. It runs on the coroutine's own stack, which ends in a guard page. */
typedef void *rill_coro_fn(struct rill_coro *self, void *arg, void *value);

/* How a pool asks the system for memory. Each returns 0 or -errno. The default table calls mmap,
 * munmap, madvise and mprotect; core/net passes its own so that every system call can be made to
 * fail in a test. */
struct rill_coro_sys {
    int (*map)(void *arg, size_t length, void **address); /* readable, writable, no huge pages */
    int (*unmap)(void *arg, void *address, size_t length);
    int (*guard_install)(void *arg, void *address,
                         size_t length); /* MADV_GUARD_INSTALL, else -EINVAL */
    int (*guard_protect)(void *arg, void *address, size_t length); /* mprotect PROT_NONE */
    int (*release)(void *arg, void *address, size_t length);       /* MADV_FREE: contents may go */
    void *arg;
};

enum rill_coro_guard {
    RILL_CORO_GUARD_REQUIRED = 0, /* creation fails when no guard page can be had (the default) */
    RILL_CORO_GUARD_BEST_EFFORT,  /* go without one when the kernel's map limit is reached */
};

/* A zeroed struct means the defaults. */
struct rill_coro_pool_options {
    size_t
        stack_size_bytes; /* usable bytes, rounded up to pages; 0: RILL_CORO_STACK_SIZE_DEFAULT */
    size_t keep_resident; /* free stacks that keep their memory; beyond it MADV_FREE; 0: 64 */
    size_t local_size_bytes; /* bytes for the user at the top of each stack, see rill_coro_local */
    enum rill_coro_guard guard;
    const struct rill_coro_sys *sys; /* must outlive the pool; NULL: the system's own calls */
};

#define RILL_CORO_STACK_SIZE_DEFAULT ((size_t)65536)

struct rill_coro_pool_stats {
    size_t stack_size_bytes; /* usable bytes of each stack */
    size_t live;             /* coroutines that exist */
    size_t peak;             /* the most that ever existed at once */
    size_t free_stacks;      /* stacks ready for reuse */
    size_t slabs;            /* mappings made by the pool */
    size_t mapped_bytes;
    const char *guard; /* "install", "mprotect" or "none": what the probe chose */
};

/* Makes an empty pool; maps nothing yet. Returns 0, -ENOMEM or -EINVAL. The caller owns *pool. */
int rill_coro_pool_new(const struct rill_coro_pool_options *options, struct rill_coro_pool **pool);

/* Frees the pool and every stack in it. Coroutines that still live are thrown away as by
 * rill_coro_destroy: their frames are not unwound. NULL is fine. */
void rill_coro_pool_free(struct rill_coro_pool *pool);

/* Gives the memory of free stacks, and slabs with no live stack, back to the kernel. */
void rill_coro_pool_trim(struct rill_coro_pool *pool);

void rill_coro_pool_stats(const struct rill_coro_pool *pool, struct rill_coro_pool_stats *stats);

/* Makes a coroutine that will run fn(self, arg, value) at its first resume. Does not switch.
 * Returns 0, -ENOMEM (the text of rill_coro_strerror names vm.max_map_count when that limit was the
 * reason: -ENOSPC), or another -errno of the map call. The caller owns *coro until
 * rill_coro_destroy. */
int rill_coro_create(struct rill_coro_pool *pool, rill_coro_fn *fn, void *arg,
                     struct rill_coro **coro);

/* Runs coro until it suspends, transfers away and that one suspends, or returns. `value` becomes
 * the result of its rill_coro_suspend (or the third argument of its body). Returns what was handed
 * back. coro must not be running or done. */
void *rill_coro_resume(struct rill_coro *coro, void *value);

/* Called on the running coroutine: back to its resumer, whose resume returns `value`. Returns what
 * the next resume hands over. errno is not saved across a switch, nor are the floating-point
 * control words unless the library was built with RILL_CORO_STRICT_FP. */
void *rill_coro_suspend(struct rill_coro *self, void *value);

/* Called on the running coroutine self: suspends it and runs `to` in its place, which inherits
 * self's resumer and gets `value`. Returns what the next resume of self hands over. */
void *rill_coro_transfer(struct rill_coro *self, struct rill_coro *to, void *value);

/* True once the body has returned. */
bool rill_coro_done(const struct rill_coro *coro);

/* The local_size_bytes of the pool's options, aligned to max_align_t, in the stack's top page
 * (which is touched anyway); zeroed at creation. Valid until rill_coro_destroy. */
void *rill_coro_local(struct rill_coro *coro);

/* Ends coro at whatever stage it is (never started, suspended, done) and gives its stack back for
 * reuse, last in first out. Frames on the stack are not unwound: what they own is the caller's to
 * release. Must not be the running one. NULL is fine. */
void rill_coro_destroy(struct rill_coro *coro);

/* The bytes of the stack that have been touched at their deepest so far, where the pool can know
 * (it scans resident pages); for measuring, not for speed. */
size_t rill_coro_stack_depth(const struct rill_coro *coro);

/* A sentence for a negative result of this module. */
const char *rill_coro_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif
