/* SPDX-License-Identifier: MIT
 *
 * The pool through its system-call table: which calls it makes and when, what it does when each of
 * them fails, that it gives back everything it took, and what it keeps, releases and trims.
 */
#include "check.h"
#include "watchers.h"
#include <errno.h>
#include <rill/coro.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum call { MAP, UNMAP, INSTALL, WORKS, PROTECT, REMOVE, RELEASE, DISCARD, RESIZE, CALLS };

/* A system that counts, and fails one kind of call from the n-th on. */
struct fake {
    int calls[CALLS];
    int fail_from[CALLS]; /* 0: never */
    int error[CALLS];
    bool cannot_install;
    long long mapped_bytes;
    long long blocks;
    size_t largest_map; /* 0: any */
};

static int fails(struct fake *fake, enum call call)
{
    fake->calls[call]++;
    if (fake->fail_from[call] > 0 && fake->calls[call] >= fake->fail_from[call]) {
        return fake->error[call];
    }
    return 0;
}

static int fake_map(void *arg, size_t length, void **address)
{
    struct fake *const fake = arg;
    const int rc = fails(fake, MAP);

    if (rc < 0) {
        return rc;
    }
    if (fake->largest_map > 0 && length > fake->largest_map) {
        return -ENOMEM;
    }
    *address = mmap(NULL, length, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*address == MAP_FAILED) {
        return -errno;
    }
    fake->mapped_bytes += (long long)length;
    return 0;
}

static int fake_unmap(void *arg, void *address, size_t length)
{
    struct fake *const fake = arg;
    const int rc = fails(fake, UNMAP);

    if (rc == 0) {
        CHECK_INT(munmap(address, length), 0);
        fake->mapped_bytes -= (long long)length;
    }
    return rc;
}

static int fake_install(void *arg, void *address, size_t length)
{
    (void)address;
    CHECK_INT((long long)length, sysconf(_SC_PAGESIZE));
    return fails(arg, INSTALL);
}

/* This fake's guards are never hit: whether one was asked for is what counts. */
static int fake_works(void *arg, void *address)
{
    struct fake *const fake = arg;
    const int rc = fails(fake, WORKS);

    (void)address;
    return fake->cannot_install ? -ENOTSUP : rc;
}

static int fake_protect(void *arg, void *address, size_t length)
{
    const int rc = fails(arg, PROTECT);

    return rc < 0 ? rc : mprotect(address, length, PROT_NONE);
}

static int fake_remove(void *arg, void *address, size_t length)
{
    const int rc = fails(arg, REMOVE);

    return rc < 0 ? rc : mprotect(address, length, PROT_READ | PROT_WRITE);
}

static int fake_release(void *arg, void *address, size_t length)
{
    const int rc = fails(arg, RELEASE);

    return rc < 0 ? rc : madvise(address, length, MADV_DONTNEED);
}

static int fake_discard(void *arg, void *address, size_t length)
{
    const int rc = fails(arg, DISCARD);

    return rc < 0 ? rc : madvise(address, length, MADV_DONTNEED);
}

static void *fake_resize(void *arg, void *memory, size_t size)
{
    struct fake *const fake = arg;

    if (size == 0) {
        fake->blocks -= memory != NULL;
        free(memory);
        return NULL;
    }
    if (fails(fake, RESIZE) < 0) {
        return NULL;
    }
    fake->blocks += memory == NULL;
    return realloc(memory, size);
}

static struct rill_coro_sys fake_sys(struct fake *fake)
{
    return (struct rill_coro_sys){
        .map = fake_map,
        .unmap = fake_unmap,
        .guard_install = fake_install,
        .guard_works = fake_works,
        .guard_protect = fake_protect,
        .guard_remove = fake_remove,
        .release = fake_release,
        .discard = fake_discard,
        .resize = fake_resize,
        .arg = fake,
    };
}

static void *body_shallow(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    return rill_coro_suspend(self, value);
}

static void *body_deep(struct rill_coro *self, void *arg, void *value)
{
    volatile unsigned char below[16384];

    (void)arg;
    for (size_t i = 0; i < sizeof(below); i++) {
        below[i] = 1;
    }
    return rill_coro_suspend(self, value);
}

/* ---- each call fails ---- */

static const struct failure {
    int line;
    enum call call;
    int from;
    int error;
    bool no_install; /* the kernel has no guard install */
    enum rill_coro_guard guard;
    int want_pool_new;
    int want_error;   /* of the create that fails; 0: none does */
    int want_created; /* before it, of 40; slabs have 16, 16, 32 stacks */
    const char *want_guard;
    size_t want_unguarded;
} failures[] = {
    {.line = __LINE__,
     .call = MAP,
     .from = 1,
     .error = -ENOMEM,
     .want_error = -ENOMEM,
     .want_created = 0,
     .want_guard = "none"},
    {.line = __LINE__,
     .call = MAP,
     .from = 1,
     .error = -EPERM,
     .want_error = -EPERM,
     .want_created = 0,
     .want_guard = "none"},
    {.line = __LINE__,
     .call = MAP,
     .from = 2,
     .error = -ENOMEM,
     .want_error = -ENOMEM,
     .want_created = 16,
     .want_guard = "install"},
    {.line = __LINE__,
     .call = INSTALL,
     .from = 1,
     .error = -EINVAL,
     .want_created = 40,
     .want_guard = "mprotect"},
    {.line = __LINE__,
     .call = WORKS,
     .from = 1,
     .error = -EMFILE,
     .want_created = 40,
     .want_guard = "mprotect"},
    {.line = __LINE__,
     .call = INSTALL,
     .from = 5,
     .error = -ENOMEM,
     .want_error = -ENOMEM,
     .want_created = 3,
     .want_guard = "install"},
    {.line = __LINE__,
     .call = INSTALL,
     .from = 5,
     .error = -ENOMEM,
     .guard = RILL_CORO_GUARD_BEST_EFFORT,
     .want_created = 40,
     .want_guard = "install",
     .want_unguarded = 37},
    {.line = __LINE__,
     .call = PROTECT,
     .from = 1,
     .error = -ENOMEM,
     .no_install = true,
     .want_error = -ENOSPC,
     .want_created = 0,
     .want_guard = "mprotect"},
    {.line = __LINE__,
     .call = PROTECT,
     .from = 21,
     .error = -ENOMEM,
     .no_install = true,
     .want_error = -ENOSPC,
     .want_created = 20,
     .want_guard = "mprotect"},
    {.line = __LINE__,
     .call = PROTECT,
     .from = 21,
     .error = -ENOMEM,
     .no_install = true,
     .guard = RILL_CORO_GUARD_BEST_EFFORT,
     .want_created = 40,
     .want_guard = "mprotect",
     .want_unguarded = 36},
    {.line = __LINE__,
     .call = PROTECT,
     .from = 1,
     .error = -EACCES,
     .no_install = true,
     .guard = RILL_CORO_GUARD_BEST_EFFORT,
     .want_created = 40,
     .want_guard = "none",
     .want_unguarded = 40},
    {.line = __LINE__,
     .call = PROTECT,
     .from = 1,
     .error = -EACCES,
     .no_install = true,
     .want_error = -EACCES,
     .want_created = 0,
     .want_guard = "mprotect"},
    {.line = __LINE__, .call = RESIZE, .from = 1, .error = -ENOMEM, .want_pool_new = -ENOMEM},
    {.line = __LINE__,
     .call = RESIZE,
     .from = 2,
     .error = -ENOMEM,
     .want_error = -ENOMEM,
     .want_created = 0,
     .want_guard = "none"},
    {.line = __LINE__,
     .call = RESIZE,
     .from = 3,
     .error = -ENOMEM,
     .want_error = -ENOMEM,
     .want_created = 0,
     .want_guard = "none"},
    {.line = __LINE__,
     .call = RESIZE,
     .from = 5,
     .error = -ENOMEM,
     .want_error = -ENOMEM,
     .want_created = 16,
     .want_guard = "install"},
    {.line = __LINE__,
     .call = RELEASE,
     .from = 1,
     .error = -EINVAL,
     .want_created = 40,
     .want_guard = "install"},
    {.line = __LINE__,
     .call = DISCARD,
     .from = 1,
     .error = -EINVAL,
     .want_created = 40,
     .want_guard = "install"},
};

static int create_up_to(struct rill_coro_pool *pool, struct rill_coro **coros, int count,
                        int *error)
{
    int created = 0;

    *error = 0;
    while (created < count && *error == 0) {
        *error = rill_coro_create(pool, body_deep, NULL, &coros[created]);
        if (*error == 0) {
            rill_coro_resume(coros[created++], NULL);
        }
    }
    return created;
}

static void check_failure(const struct failure *row)
{
    struct fake fake = {.cannot_install = row->no_install};
    const struct rill_coro_sys sys = fake_sys(&fake);
    const struct rill_coro_pool_options options = {
        .keep_resident = 4, .guard = row->guard, .sys = &sys};
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;
    struct rill_coro *coros[40] = {0};
    int created;
    int error;

    fake.fail_from[row->call] = row->from;
    fake.error[row->call] = row->error;
    CHECK_INT_ROW(row->line, rill_coro_pool_new(&options, &pool), row->want_pool_new);
    if (row->want_pool_new < 0) {
        CHECK_ROW(row->line, pool == NULL);
        CHECK_INT_ROW(row->line, fake.blocks, 0);
        return;
    }
    created = create_up_to(pool, coros, 40, &error);
    CHECK_INT_ROW(row->line, error, row->want_error);
    CHECK_INT_ROW(row->line, created, row->want_created);
    CHECK_ROW(row->line, created == 40 || coros[created] == NULL);
    rill_coro_pool_stats(pool, &stats);
    CHECK_STR_ROW(row->line, stats.guard, row->want_guard);
    CHECK_INT_ROW(row->line, (long long)stats.live, created);
    CHECK_INT_ROW(row->line, (long long)stats.unguarded, (long long)row->want_unguarded);
    CHECK_INT_ROW(row->line, (long long)stats.mapped_bytes, fake.mapped_bytes);
    /* What exists goes on, and when the system recovers so does creation. */
    for (int i = 0; i < created; i++) {
        rill_coro_resume(coros[i], NULL);
        CHECK_ROW(row->line, rill_coro_done(coros[i]));
        rill_coro_destroy(coros[i]);
    }
    fake.fail_from[row->call] = 0;
    CHECK_INT_ROW(row->line, create_up_to(pool, coros, 40, &error), 40);
    rill_coro_pool_free(pool);
    CHECK_INT_ROW(row->line, fake.mapped_bytes, 0);
    CHECK_INT_ROW(row->line, fake.blocks, 0);
}

/* Under a limit on address space a smaller slab may still fit. */
static void test_small_space(void)
{
    const size_t stack = RILL_CORO_STACK_SIZE_DEFAULT;
    struct fake fake = {.largest_map = 3 * (stack + 4 * (size_t)sysconf(_SC_PAGESIZE))};
    const struct rill_coro_sys sys = fake_sys(&fake);
    const struct rill_coro_pool_options options = {.sys = &sys};
    struct rill_coro_pool *pool;
    struct rill_coro *coros[40];
    int error;

    CHECK_INT(rill_coro_pool_new(&options, &pool), 0);
    CHECK_INT(create_up_to(pool, coros, 40, &error), 40);
    CHECK(fake.calls[MAP] > 20);
    rill_coro_pool_free(pool);
    CHECK_INT(fake.mapped_bytes, 0);
    CHECK_INT(fake.blocks, 0);
}

/* ---- reuse ---- */

static void test_reuse(void)
{
    struct fake fake = {0};
    const struct rill_coro_sys sys = fake_sys(&fake);
    const struct rill_coro_pool_options options = {.sys = &sys};
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;
    struct rill_coro *coros[3];
    struct rill_coro *coro;

    CHECK_INT(rill_coro_pool_new(&options, &pool), 0);
    CHECK_INT(fake.calls[MAP], 0);
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(rill_coro_create(pool, body_shallow, NULL, &coros[i]), 0);
    }
    rill_coro_destroy(coros[0]);
    rill_coro_destroy(coros[2]);
    rill_coro_destroy(coros[1]);
    for (size_t i = 0; i < 3; i++) {
        static const size_t want[] = {1, 2, 0};

        CHECK_INT(rill_coro_create(pool, body_shallow, NULL, &coro), 0);
        CHECK(coro == coros[want[i]]);
    }
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.live, 3);
    CHECK_INT((long long)stats.peak, 3);
    CHECK_INT((long long)stats.free_stacks, 0);
    CHECK_INT((long long)stats.slabs, 1);
    CHECK_INT((long long)stats.stack_size_bytes, (long long)RILL_CORO_STACK_SIZE_DEFAULT);
    CHECK_INT(fake.calls[MAP], 1);
    /* One install is the probe's. */
    CHECK_INT(fake.calls[INSTALL], 4);
    CHECK_INT(fake.calls[PROTECT], 0);
    rill_coro_pool_free(pool);
    printf("reuse: last in, first out\n");
}

/* ---- memory given back ---- */

static void run_wave(struct rill_coro_pool *pool, rill_coro_fn *fn)
{
    struct rill_coro *coros[100];

    for (size_t i = 0; i < 100; i++) {
        CHECK_INT(rill_coro_create(pool, fn, NULL, &coros[i]), 0);
        rill_coro_resume(coros[i], NULL);
    }
    for (size_t i = 100; i > 0; i--) {
        rill_coro_destroy(coros[i - 1]);
    }
}

static void test_given_back(void)
{
    struct fake fake = {0};
    const struct rill_coro_sys sys = fake_sys(&fake);
    const struct rill_coro_pool_options options = {.keep_resident = 10, .sys = &sys};
    const bool watched = TEST_ASAN || TEST_TSAN || TEST_VALGRIND;
    struct rill_coro_pool *pool;

    if (BACKEND_IS_GENERIC && sizeof(ucontext_t) > 2048) {
        printf("SKIP given back: on this machine a ucontext alone is larger than a top page\n");
        return;
    }
    CHECK_INT(rill_coro_pool_new(&options, &pool), 0);
    run_wave(pool, body_shallow);
    run_wave(pool, body_shallow);
    /* Stacks that stayed within their top page cost no call, however many are free. */
    CHECK_INT(fake.calls[RELEASE], watched ? 180 : 0);
    run_wave(pool, body_deep);
    /* While a tool watches, nobody may look how deep a stack was: each counts. */
    CHECK_INT(fake.calls[RELEASE], watched ? 270 : 90);
    run_wave(pool, body_shallow);
    CHECK_INT(fake.calls[RELEASE], watched ? 360 : 90);
    CHECK_INT(fake.calls[DISCARD], 0);
    rill_coro_pool_free(pool);
    printf("given back: %d stacks beyond keep_resident 10, %s\n", fake.calls[RELEASE],
           watched ? "in four waves of 100" : "the deep ones of 100");
}

/* ---- trim ---- */

static void test_trim(void)
{
    struct fake fake = {0};
    const struct rill_coro_sys sys = fake_sys(&fake);
    const struct rill_coro_pool_options options = {.sys = &sys};
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;
    struct rill_coro *coros[100];
    int error;
    int discards;

    CHECK_INT(rill_coro_pool_new(&options, &pool), 0);
    rill_coro_pool_trim(pool);
    CHECK_INT(create_up_to(pool, coros, 100, &error), 100);
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.slabs, 4); /* 16, 16, 32, 64 */
    for (size_t i = 0; i < 100; i++) {
        if (i != 20) { /* in the second slab */
            rill_coro_destroy(coros[i]);
        }
    }
    discards = fake.calls[DISCARD];
    rill_coro_pool_trim(pool);
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.slabs, 1);
    CHECK_INT((long long)stats.free_stacks, 15);
    CHECK_INT((long long)stats.live, 1);
    CHECK_INT(fake.calls[UNMAP], 3);
    CHECK_INT(fake.calls[DISCARD] - discards, 15);
    CHECK_INT((long long)stats.mapped_bytes, fake.mapped_bytes);
    /* The survivor goes on, and the pool grows again. */
    rill_coro_resume(coros[20], NULL);
    CHECK(rill_coro_done(coros[20]));
    rill_coro_destroy(coros[20]);
    CHECK_INT(create_up_to(pool, coros, 100, &error), 100);
    for (size_t i = 0; i < 100; i++) {
        rill_coro_destroy(coros[i]);
    }
    /* A system that refuses to unmap keeps its slabs in the pool's books. */
    fake.fail_from[UNMAP] = 1;
    fake.error[UNMAP] = -ENOMEM;
    rill_coro_pool_trim(pool);
    rill_coro_pool_stats(pool, &stats);
    CHECK((long long)stats.mapped_bytes == fake.mapped_bytes && fake.mapped_bytes > 0);
    fake.fail_from[UNMAP] = 0;
    rill_coro_pool_trim(pool);
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT((long long)stats.slabs, 0);
    CHECK_INT((long long)stats.mapped_bytes, 0);
    CHECK_INT((long long)stats.free_stacks, 0);
    CHECK_INT(fake.mapped_bytes, 0);
    CHECK_INT(create_up_to(pool, coros, 1, &error), 1);
    rill_coro_pool_free(pool);
    CHECK_INT(fake.mapped_bytes, 0);
    CHECK_INT(fake.blocks, 0);
    printf("trim: free slabs unmapped, free stacks discarded, live ones untouched\n");
}

/* ---- sizes ---- */

static const struct size {
    int line;
    size_t stack_size_bytes;
    size_t local_size_bytes;
    int want;
    size_t want_pages; /* 0: the default size */
} sizes[] = {
    {.line = __LINE__, .want = 0},
    {.line = __LINE__, .stack_size_bytes = 1, .want_pages = 2},
    {.line = __LINE__, .stack_size_bytes = 2 * 65536 + 1, .want_pages = SIZE_MAX},
    {.line = __LINE__, .local_size_bytes = 2048},
    {.line = __LINE__, .local_size_bytes = 2049, .want = -EINVAL},
    {.line = __LINE__, .stack_size_bytes = SIZE_MAX, .want = -EINVAL},
    {.line = __LINE__, .stack_size_bytes = SIZE_MAX / 100, .want = -EINVAL},
};

static void check_size(const struct size *row)
{
    const struct rill_coro_pool_options options = {.stack_size_bytes = row->stack_size_bytes,
                                                   .local_size_bytes = row->local_size_bytes};
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct rill_coro_pool_stats stats;
    struct rill_coro_pool *pool;
    size_t want = row->want_pages == 0 ? RILL_CORO_STACK_SIZE_DEFAULT : row->want_pages * page;

    if (row->want_pages == SIZE_MAX) {
        want = (row->stack_size_bytes + page - 1) / page * page;
    }
    CHECK_INT_ROW(row->line, rill_coro_pool_new(&options, &pool), row->want);
    if (row->want < 0) {
        CHECK_ROW(row->line, pool == NULL);
        return;
    }
    rill_coro_pool_stats(pool, &stats);
    CHECK_INT_ROW(row->line, (long long)stats.stack_size_bytes, (long long)want);
    CHECK_STR_ROW(row->line, stats.guard, "none");
    rill_coro_pool_free(pool);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        check_failure(&failures[i]);
    }
    printf("failing calls: %zu rows, nothing leaked\n", sizeof(failures) / sizeof(failures[0]));
    test_small_space();
    test_reuse();
    test_given_back();
    test_trim();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check_size(&sizes[i]);
    }
    return check_report("pool_test");
}
