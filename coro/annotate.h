/* SPDX-License-Identifier: MIT
 *
 * What the tools that watch memory and threads must be told about stacks that they did not make:
 * AddressSanitizer, ThreadSanitizer, LeakSanitizer and Valgrind. All detection is here; without a
 * tool each function is empty, so that coro.c has one text. They are inlined even unoptimised: no
 * function may return between the word to ThreadSanitizer and the switch, because its record of
 * calls has changed by then.
 *
 * Order of calls: rill__watch_open, then rill__watch_begin, then any number of switches,
 * rill__watch_end, rill__watch_close.
 */
#ifndef RILL_CORO_ANNOTATE_H
#define RILL_CORO_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RILL__ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define RILL__TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define RILL__ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define RILL__TSAN 1
#endif
#if defined(RILL_CORO_HAVE_VALGRIND) && !defined(RILL__ASAN) && !defined(RILL__TSAN)
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#if !defined(NVALGRIND) /* which it defines itself where it does not run */
#define RILL__VALGRIND 1
#endif
#endif

#define RILL__INLINE static inline __attribute__((always_inline))

/* ---- AddressSanitizer: which stack is current, and poison on stacks that nobody owns ---- */
#if defined(RILL__ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

struct rill__asan {
    void *fake_stack; /* of this coroutine, while it is not running */
    const void *resumer_bottom;
    size_t resumer_size;
    bool transferred; /* the resumer's stack was copied from whoever transferred here */
};

RILL__INLINE void rill__asan_start(void **fake_stack, const void *bottom, size_t size)
{
    __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}

RILL__INLINE void rill__asan_finish_resumer(void *fake_stack)
{
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

RILL__INLINE void rill__asan_finish_coro(struct rill__asan *asan)
{
    const void *bottom = NULL;
    size_t size = 0;

    __sanitizer_finish_switch_fiber(asan->fake_stack, &bottom, &size);
    if (!asan->transferred) {
        asan->resumer_bottom = bottom;
        asan->resumer_size = size;
    }
    asan->transferred = false;
}

RILL__INLINE void rill__asan_start_back(struct rill__asan *asan, bool for_ever)
{
    __sanitizer_start_switch_fiber(for_ever ? NULL : &asan->fake_stack, asan->resumer_bottom,
                                   asan->resumer_size);
}

RILL__INLINE void rill__asan_transfer(struct rill__asan *from, struct rill__asan *to,
                                      const void *bottom, size_t size)
{
    to->resumer_bottom = from->resumer_bottom;
    to->resumer_size = from->resumer_size;
    to->transferred = true;
    __sanitizer_start_switch_fiber(&from->fake_stack, bottom, size);
}

RILL__INLINE void rill__asan_open(void *bottom, size_t size)
{
    __asan_unpoison_memory_region(bottom, size);
}

RILL__INLINE void rill__asan_close(void *bottom, size_t size)
{
    __asan_poison_memory_region(bottom, size);
}
#define RILL__WATCHED_ALWAYS true
#else
struct rill__asan {
    char none;
};

RILL__INLINE void rill__asan_start(void **fake_stack, const void *bottom, size_t size)
{
    (void)fake_stack;
    (void)bottom;
    (void)size;
}

RILL__INLINE void rill__asan_finish_resumer(void *fake_stack)
{
    (void)fake_stack;
}

RILL__INLINE void rill__asan_finish_coro(struct rill__asan *asan)
{
    (void)asan;
}

RILL__INLINE void rill__asan_start_back(struct rill__asan *asan, bool for_ever)
{
    (void)asan;
    (void)for_ever;
}

RILL__INLINE void rill__asan_transfer(struct rill__asan *from, struct rill__asan *to,
                                      const void *bottom, size_t size)
{
    (void)from;
    (void)to;
    (void)bottom;
    (void)size;
}

RILL__INLINE void rill__asan_open(void *bottom, size_t size)
{
    (void)bottom;
    (void)size;
}

RILL__INLINE void rill__asan_close(void *bottom, size_t size)
{
    (void)bottom;
    (void)size;
}
#endif

/* ---- ThreadSanitizer: which fiber's history the coming accesses belong to ---- */
#if defined(RILL__TSAN)
#include <sanitizer/tsan_interface.h>

struct rill__tsan {
    void *fiber;
    void *resumer;
};

RILL__INLINE void rill__tsan_begin(struct rill__tsan *tsan)
{
    tsan->fiber = __tsan_create_fiber(0);
}

RILL__INLINE void rill__tsan_end(struct rill__tsan *tsan)
{
    __tsan_destroy_fiber(tsan->fiber);
}

RILL__INLINE void rill__tsan_resume(struct rill__tsan *tsan)
{
    tsan->resumer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan->fiber, 0);
}

RILL__INLINE void rill__tsan_back(struct rill__tsan *tsan)
{
    __tsan_switch_to_fiber(tsan->resumer, 0);
}

RILL__INLINE void rill__tsan_transfer(const struct rill__tsan *from, struct rill__tsan *to)
{
    to->resumer = from->resumer;
    __tsan_switch_to_fiber(to->fiber, 0);
}
#undef RILL__WATCHED_ALWAYS
#define RILL__WATCHED_ALWAYS true
#else
struct rill__tsan {
    char none;
};

RILL__INLINE void rill__tsan_begin(struct rill__tsan *tsan)
{
    (void)tsan;
}

RILL__INLINE void rill__tsan_end(struct rill__tsan *tsan)
{
    (void)tsan;
}

RILL__INLINE void rill__tsan_resume(struct rill__tsan *tsan)
{
    (void)tsan;
}

RILL__INLINE void rill__tsan_back(struct rill__tsan *tsan)
{
    (void)tsan;
}

RILL__INLINE void rill__tsan_transfer(const struct rill__tsan *from, struct rill__tsan *to)
{
    (void)from;
    (void)to;
}
#endif

/* ---- Valgrind: where the stacks are. Its requests are in every build whose machine has the
 * headers ---- */
#if defined(RILL__VALGRIND)
struct rill__valgrind {
    unsigned id;
};

RILL__INLINE bool rill__valgrind_here(void)
{
    return RUNNING_ON_VALGRIND != 0;
}

RILL__INLINE void rill__valgrind_begin(struct rill__valgrind *valgrind, void *bottom, size_t size)
{
    valgrind->id = (unsigned)VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size - 1);
}

RILL__INLINE void rill__valgrind_end(const struct rill__valgrind *valgrind)
{
    VALGRIND_STACK_DEREGISTER(valgrind->id);
}

RILL__INLINE void rill__valgrind_open(void *bottom, size_t size)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bottom, size);
}

RILL__INLINE void rill__valgrind_close(void *bottom, size_t size)
{
    (void)VALGRIND_MAKE_MEM_NOACCESS(bottom, size);
}

RILL__INLINE void rill__valgrind_hush(bool quiet)
{
    if (quiet) {
        VALGRIND_DISABLE_ERROR_REPORTING;
    } else {
        VALGRIND_ENABLE_ERROR_REPORTING;
    }
}
#else
struct rill__valgrind {
    char none;
};

RILL__INLINE bool rill__valgrind_here(void)
{
    return false;
}

RILL__INLINE void rill__valgrind_begin(struct rill__valgrind *valgrind, void *bottom, size_t size)
{
    (void)valgrind;
    (void)bottom;
    (void)size;
}

RILL__INLINE void rill__valgrind_end(const struct rill__valgrind *valgrind)
{
    (void)valgrind;
}

RILL__INLINE void rill__valgrind_open(void *bottom, size_t size)
{
    (void)bottom;
    (void)size;
}

RILL__INLINE void rill__valgrind_close(void *bottom, size_t size)
{
    (void)bottom;
    (void)size;
}

RILL__INLINE void rill__valgrind_hush(bool quiet)
{
    (void)quiet;
}
#endif

/* ---- LeakSanitizer: a live stack is a root. Weak, because -fsanitize=leak leaves no trace at
 * compile time. One region for each stack rather than for each slab: the scan would fault on the
 * guard pages between, and dead stacks are no roots ---- */
extern void __lsan_register_root_region(const void *bottom, size_t size) __attribute__((weak));
extern void __lsan_unregister_root_region(const void *bottom, size_t size) __attribute__((weak));

#if !defined(RILL__WATCHED_ALWAYS)
#define RILL__WATCHED_ALWAYS false
#endif

/* ---- what coro.c and stack.c call ---- */
struct rill__watch {
    struct rill__asan asan;
    struct rill__tsan tsan;
    struct rill__valgrind valgrind;
};

/* Whether any tool watches this process; asked once for each pool, so that none costs nothing. */
RILL__INLINE bool rill__watched(void)
{
    return RILL__WATCHED_ALWAYS || __lsan_register_root_region != NULL || rill__valgrind_here();
}

/* The stack has an owner from now on: its bytes may be used. */
RILL__INLINE void rill__watch_open(void *bottom, size_t size)
{
    rill__asan_open(bottom, size);
    rill__valgrind_open(bottom, size);
}

RILL__INLINE void rill__watch_begin(struct rill__watch *watch, void *bottom, size_t size)
{
    *watch = (struct rill__watch){0};
    rill__tsan_begin(&watch->tsan);
    rill__valgrind_begin(&watch->valgrind, bottom, size);
    if (__lsan_register_root_region != NULL) {
        __lsan_register_root_region(bottom, size);
    }
}

RILL__INLINE void rill__watch_end(struct rill__watch *watch, void *bottom, size_t size)
{
    rill__tsan_end(&watch->tsan);
    rill__valgrind_end(&watch->valgrind);
    if (__lsan_unregister_root_region != NULL) {
        __lsan_unregister_root_region(bottom, size);
    }
}

/* The stack has no owner any more: whoever touches it is reported. */
RILL__INLINE void rill__watch_close(void *bottom, size_t size)
{
    rill__asan_close(bottom, size);
    rill__valgrind_close(bottom, size);
}

/* The resumer goes to a coroutine ... */
RILL__INLINE void rill__watch_resume(struct rill__watch *to, void **fake_stack, const void *bottom,
                                     size_t size)
{
    rill__asan_start(fake_stack, bottom, size);
    rill__tsan_resume(&to->tsan);
}

/* ... and is back. */
RILL__INLINE void rill__watch_resumed(void *fake_stack)
{
    rill__asan_finish_resumer(fake_stack);
}

/* A coroutine has been switched to. */
RILL__INLINE void rill__watch_arrive(struct rill__watch *self)
{
    rill__asan_finish_coro(&self->asan);
}

/* A coroutine goes to its resumer; for ever when its body has returned. */
RILL__INLINE void rill__watch_back(struct rill__watch *self, bool for_ever)
{
    rill__asan_start_back(&self->asan, for_ever);
    rill__tsan_back(&self->tsan);
}

/* A coroutine goes to another, which inherits the resumer. */
RILL__INLINE void rill__watch_transfer(struct rill__watch *self, struct rill__watch *to,
                                       const void *bottom, size_t size)
{
    rill__asan_transfer(&self->asan, &to->asan, bottom, size);
    rill__tsan_transfer(&self->tsan, &to->tsan);
}
#endif
