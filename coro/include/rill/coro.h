/* SPDX-License-Identifier: MIT
 *
 * Stackful coroutines, usable alone: create, resume, suspend, transfer, destroy. This module knows
 * nothing of I/O, clocks or tasks. Nothing here is thread-safe and nothing is global: a pool and
 * its coroutines belong to the one thread that uses them.
 *
 * Words: the *resumer* of a coroutine is whoever called rill_coro_resume for it last; control
 * returns there when the coroutine suspends or its function returns. A *transfer* hands the
 * processor and the resumer straight to another coroutine.
 *
 * Calls that break a rule of this page in a way that can be seen (resuming what runs or is done,
 * destroying what runs) print a line that names the call and abort: to go on would run on somebody
 * else's stack.
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

/* How a pool asks the system for memory, so that every call can be made to fail in a test. Each int
 * returns 0 or -errno. A member that is NULL means the system's own call. The pool copies the
 * table; `arg` is handed to each member and must outlive the pool. */
struct rill_coro_sys {
    /* mmap: readable, writable, no huge pages. */
    int (*map)(void *arg, size_t length, void **address);
    int (*unmap)(void *arg, void *address, size_t length);
    /* MADV_GUARD_INSTALL; -EINVAL where the kernel does not know it. */
    int (*guard_install)(void *arg, void *address, size_t length);
    /* 0 when write(2) from that page fails with EFAULT: asked once for each pool. */
    int (*guard_works)(void *arg, void *address);
    /* mprotect PROT_NONE, for kernels without the former. */
    int (*guard_protect)(void *arg, void *address, size_t length);
    /* mprotect back to readable and writable: with best effort, some guards go at the map limit. */
    int (*guard_remove)(void *arg, void *address, size_t length);
    /* MADV_FREE: contents may go when memory is short. */
    int (*release)(void *arg, void *address, size_t length);
    /* MADV_DONTNEED: contents go now. */
    int (*discard)(void *arg, void *address, size_t length);
    /* realloc for the pool's own lists; size 0 frees. */
    void *(*resize)(void *arg, void *memory, size_t size);
    void *arg;
};

enum rill_coro_guard {
    RILL_CORO_GUARD_REQUIRED = 0, /* creation fails when no guard page can be had (the default) */
    RILL_CORO_GUARD_BEST_EFFORT, /* go without one where the system gives none, at its map limit for
                                    example */
};

/* A zeroed struct means the defaults. */
struct rill_coro_pool_options {
    /* Bytes of each stack, rounded up to pages, at least two; 0: RILL_CORO_STACK_SIZE_DEFAULT. The
     * coroutine's own record, the local area and an offset of at most 1024 bytes that differs from
     * stack to stack are taken from it. */
    size_t stack_size_bytes;
    size_t keep_resident; /* free stacks that keep all their memory; of the others only the top page
                             stays; 0: 64 */
    size_t local_size_bytes; /* see rill_coro_local; at most RILL_CORO_LOCAL_SIZE_MAX */
    enum rill_coro_guard guard;
    const struct rill_coro_sys *sys; /* NULL: the system's own calls */
};

#define RILL_CORO_STACK_SIZE_DEFAULT ((size_t)65536)
#define RILL_CORO_LOCAL_SIZE_MAX     ((size_t)2048)

struct rill_coro_pool_stats {
    size_t stack_size_bytes; /* bytes of each stack */
    size_t live;             /* coroutines that exist */
    size_t peak;             /* the most that ever existed at once */
    size_t free_stacks;      /* stacks ready for reuse */
    size_t unguarded; /* stacks without a guard page: 0 unless RILL_CORO_GUARD_BEST_EFFORT was asked
                         for */
    size_t slabs;     /* mappings that the pool holds */
    size_t mapped_bytes;
    const char *guard; /* "install", "mprotect" or "none": what the probe chose; "none" before the
                          first stack */
};

/* Makes an empty pool; maps nothing yet. options may be NULL. Returns 0, -ENOMEM or -EINVAL (a size
 * out of range). The caller owns *pool until rill_coro_pool_free. */
int rill_coro_pool_new(const struct rill_coro_pool_options *options, struct rill_coro_pool **pool);

/* Frees the pool and every stack in it. Coroutines that still live are thrown away as by
 * rill_coro_destroy: their frames are not unwound. None of them may be running. NULL is fine. */
void rill_coro_pool_free(struct rill_coro_pool *pool);

/* Gives back to the kernel, at once, the memory of free stacks and whole slabs with no live one. */
void rill_coro_pool_trim(struct rill_coro_pool *pool);

/* Fills *stats with the pool's present state. */
void rill_coro_pool_stats(const struct rill_coro_pool *pool, struct rill_coro_pool_stats *stats);

/* Makes a coroutine that will run fn(self, arg, value) at its first resume. Does not switch.
 * Returns 0; -ENOMEM; -ENOSPC when the guard page failed at the kernel's limit on mappings (the
 * text of rill_coro_strerror names vm.max_map_count); or another -errno of the calls that map and
 * guard. On failure *coro is NULL. The caller owns *coro until rill_coro_destroy. */
int rill_coro_create(struct rill_coro_pool *pool, rill_coro_fn *fn, void *arg,
                     struct rill_coro **coro);

/* Runs coro until it suspends, transfers away and that one suspends, or returns. `value` becomes
 * the result of its rill_coro_suspend (or the third argument of its body). Returns what was handed
 * back. coro must not be running or done, nor waiting for one that it resumed itself. */
void *rill_coro_resume(struct rill_coro *coro, void *value);

/* Called on the running coroutine: back to its resumer, whose resume returns `value`. Returns what
 * the next resume hands over. errno is not saved across a switch, nor are the floating-point
 * control words (rounding mode, exception masks): a change to them stays with the thread. Built
 * with RILL_CORO_STRICT_FP, each coroutine has its own and begins with its creator's; so it is with
 * the generic (ucontext) backend always. */
void *rill_coro_suspend(struct rill_coro *self, void *value);

/* Called on the running coroutine self: suspends it and runs `to` in its place, which inherits
 * self's resumer and gets `value`. Returns what the next resume of self hands over. `to` must not
 * be running or done. */
void *rill_coro_transfer(struct rill_coro *self, struct rill_coro *to, void *value);

/* True once the body has returned. */
bool rill_coro_done(const struct rill_coro *coro);

/* The local_size_bytes of the pool's options, aligned to max_align_t, in the stack's top page
 * (which is touched anyway); zeroed at creation. Valid until rill_coro_destroy. */
void *rill_coro_local(struct rill_coro *coro);

/* Ends coro at whatever stage it is (never started, suspended, done) and gives its stack back for
 * reuse, last in first out. Frames on the stack are not unwound: what they own is the caller's to
 * release. coro must not be the running one, nor wait for one that it resumed itself. NULL is fine.
 */
void rill_coro_destroy(struct rill_coro *coro);

/* How many bytes of coro's stack have been touched so far, at the deepest. For measuring, not for
 * speed: asks the kernel which pages are resident and reads the lowest. A stack that had an earlier
 * user counts that one's depth too; measure in a new pool. */
size_t rill_coro_stack_depth(const struct rill_coro *coro);

/* A sentence for a negative result of this module; valid for ever. */
const char *rill_coro_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif
