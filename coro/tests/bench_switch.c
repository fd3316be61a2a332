/* SPDX-License-Identifier: MIT
 *
 * What a switch costs, in nanoseconds one way, for 1, 64, 1,024 and 65,536 coroutines, and what it
 * costs to create, run and destroy one whose stack is cached. Beside Boost.Context's jump_fcontext
 * in the same run where that library is found: its stacks are made before the clock starts. Rounds
 * alternate; the median is printed. Not a test.
 */
#define _GNU_SOURCE
#include <rill/coro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define STRIDE (RILL_CORO_STACK_SIZE_DEFAULT + 4096)

enum { ROUNDS = 101, COUNT_MAX = 65536 };

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- rill ---- */

static void *echo_for_ever(struct rill_coro *self, void *arg, void *value)
{
    (void)arg;
    for (;;) {
        value = rill_coro_suspend(self, value);
    }
    return NULL;
}

static void *once(struct rill_coro *self, void *arg, void *value)
{
    (void)self;
    (void)arg;
    return value;
}

struct ring {
    struct rill_coro **coros;
    size_t count;
    size_t left; /* transfers still to do */
};

struct place {
    struct ring *ring;
    size_t next;
};

static void *pass_on(struct rill_coro *self, void *arg, void *value)
{
    const struct place *const place = arg;
    struct ring *const ring = place->ring;
    struct rill_coro *const next = ring->coros[place->next];

    for (;;) {
        value = ring->left-- == 0 ? rill_coro_suspend(self, value)
                                  : rill_coro_transfer(self, next, value);
    }
    return NULL;
}

static double rill_pairs(struct rill_coro *const *coros, size_t count, size_t switches)
{
    const double start = now_ns();

    for (size_t done = 0; done < switches;) {
        for (size_t i = 0; i < count; i++) {
            rill_coro_resume(coros[i], NULL);
        }
        done += 2 * count;
    }
    return (now_ns() - start) / (double)switches;
}

static double rill_ring(struct ring *ring, size_t switches)
{
    const double start = now_ns();

    ring->left = switches;
    rill_coro_resume(ring->coros[0], NULL);
    return (now_ns() - start) / (double)switches;
}

static double rill_life(struct rill_coro_pool *pool, size_t times)
{
    const double start = now_ns();

    for (size_t i = 0; i < times; i++) {
        struct rill_coro *coro;

        if (rill_coro_create(pool, once, NULL, &coro) < 0) {
            abort();
        }
        rill_coro_resume(coro, NULL);
        rill_coro_destroy(coro);
    }
    return (now_ns() - start) / (double)times;
}

/* ---- Boost.Context, whose header is C++ only; the two calls are C ---- */

struct boost_transfer {
    void *context;
    void *data;
};

#if defined(HAVE_BOOST_CONTEXT)
enum { BOOST_HERE = 1 };
struct boost_transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t size, void (*fn)(struct boost_transfer));
#else
enum { BOOST_HERE = 0 };

static struct boost_transfer jump_fcontext(void *to, void *data)
{
    (void)to;
    return (struct boost_transfer){.data = data};
}

static void *make_fcontext(void *top, size_t size, void (*fn)(struct boost_transfer))
{
    (void)size;
    (void)fn;
    return top;
}
#endif

static void boost_echo(struct boost_transfer from)
{
    for (;;) {
        from = jump_fcontext(from.context, from.data);
    }
}

static double boost_pairs(void **contexts, size_t count, size_t switches)
{
    const double start = now_ns();

    for (size_t done = 0; done < switches;) {
        for (size_t i = 0; i < count; i++) {
            contexts[i] = jump_fcontext(contexts[i], NULL).context;
        }
        done += 2 * count;
    }
    return (now_ns() - start) / (double)switches;
}

/* The ring by Boost: whoever is jumped to writes down where its predecessor is, as its interface
 * asks. */
struct boost_ring {
    void **contexts;
    void *starter;
    size_t count;
    size_t left;
    size_t at; /* who runs */
};

static void boost_pass_on(struct boost_transfer from)
{
    struct boost_ring *const ring = from.data;
    const size_t self = ring->at;
    const size_t next = self + 1 == ring->count ? 0 : self + 1;
    const size_t previous = self == 0 ? ring->count - 1 : self - 1;

    if (ring->starter == NULL) {
        ring->starter = from.context;
    } else {
        ring->contexts[previous] = from.context;
    }
    for (;;) {
        if (ring->left-- == 0) {
            ring->at = self;
            from = jump_fcontext(ring->starter, ring);
            ring->starter = from.context;
        } else {
            ring->at = next;
            from = jump_fcontext(ring->contexts[next], ring);
            ring->contexts[previous] = from.context;
        }
    }
}

static double boost_rings(struct boost_ring *ring, size_t switches)
{
    const double start = now_ns();

    ring->left = switches;
    ring->at = 0;
    ring->contexts[0] = jump_fcontext(ring->contexts[0], ring).context;
    return (now_ns() - start) / (double)switches;
}

static double boost_life(char *top, size_t times)
{
    const double start = now_ns();

    for (size_t i = 0; i < times; i++) {
        jump_fcontext(make_fcontext(top, RILL_CORO_STACK_SIZE_DEFAULT, boost_echo), NULL);
    }
    return (now_ns() - start) / (double)times;
}

/* ---- the report ---- */

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), ascending);
    return values[ROUNDS / 2];
}

static void print_row(const char *work, size_t count, double *rill, double *boost)
{
    double ratios[ROUNDS];

    if (!BOOST_HERE) {
        printf("%-20s N=%-6zu rill %7.2f ns\n", work, count, median(rill));
        return;
    }
    for (int i = 0; i < ROUNDS; i++) {
        ratios[i] = rill[i] / boost[i];
    }
    printf("%-20s N=%-6zu rill %7.2f ns  boost %7.2f ns  ratio %.2f\n", work, count, median(rill),
           median(boost), median(ratios));
}

static double rounds_rill[ROUNDS];
static double rounds_boost[ROUNDS];

static void bench_pairs(struct rill_coro_pool *pool, char *boost_stacks, size_t count)
{
    const size_t switches = count > 10000 ? 2 * count : 100 * 1000 / count * count;
    struct rill_coro **const coros = calloc(count, sizeof(struct rill_coro *));
    void **const contexts = calloc(count, sizeof(void *));

    if (coros == NULL || contexts == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        contexts[i] = make_fcontext(boost_stacks + (i + 1) * STRIDE, STRIDE - 4096, boost_echo);
        if (rill_coro_create(pool, echo_for_ever, NULL, &coros[i]) < 0) {
            abort();
        }
    }
    for (int round = -1; round < ROUNDS; round++) {
        const double rill = rill_pairs(coros, count, switches);
        const double boost = BOOST_HERE ? boost_pairs(contexts, count, switches) : 0;

        rounds_rill[round < 0 ? 0 : round] = rill;
        rounds_boost[round < 0 ? 0 : round] = boost;
    }
    print_row("resume and suspend", count, rounds_rill, rounds_boost);
    for (size_t i = 0; i < count; i++) {
        rill_coro_destroy(coros[i]);
    }
    free(coros);
    free(contexts);
}

static void bench_ring(struct rill_coro_pool *pool, char *boost_stacks, size_t count)
{
    const size_t switches = count > 10000 ? 2 * count : 100 * 1000 / count * count;
    struct ring ring = {.coros = calloc(count, sizeof(struct rill_coro *)), .count = count};
    struct boost_ring boost_ring = {.contexts = calloc(count, sizeof(void *)), .count = count};
    struct place *const places = calloc(count, sizeof(struct place));

    if (ring.coros == NULL || boost_ring.contexts == NULL || places == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct place){.ring = &ring, .next = (i + 1) % count};
        boost_ring.contexts[i] =
            make_fcontext(boost_stacks + (i + 1) * STRIDE, STRIDE - 4096, boost_pass_on);
        if (rill_coro_create(pool, pass_on, &places[i], &ring.coros[i]) < 0) {
            abort();
        }
    }
    for (int round = -1; round < ROUNDS; round++) {
        const double rill = rill_ring(&ring, switches);
        const double boost = BOOST_HERE ? boost_rings(&boost_ring, switches) : 0;

        rounds_rill[round < 0 ? 0 : round] = rill;
        rounds_boost[round < 0 ? 0 : round] = boost;
    }
    print_row("transfer in a ring", count, rounds_rill, rounds_boost);
    for (size_t i = 0; i < count; i++) {
        rill_coro_destroy(ring.coros[i]);
    }
    free(ring.coros);
    free(boost_ring.contexts);
    free(places);
}

int main(void)
{
    static const size_t counts[] = {1, 64, 1024, COUNT_MAX};
    const size_t length = STRIDE * COUNT_MAX;
    char *const boost_stacks = mmap(NULL, length, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct rill_coro_pool *pool;
    double rill[ROUNDS];
    double boost[ROUNDS];
    volatile double one = 1;
    volatile long double one_long = 1;

    if (boost_stacks == MAP_FAILED || rill_coro_pool_new(NULL, &pool) < 0) {
        return EXIT_FAILURE;
    }
    (void)madvise(boost_stacks, length, MADV_NOHUGEPAGE);
    /* On some machines saving the floating-point control words costs 80 ns until the process has
     * computed something: that would be said of Boost.Context alone. */
    one = one / 3;
    one_long = one_long / 3;
    printf("medians of %d rounds, one way%s\n", ROUNDS,
           BOOST_HERE ? "; ratio: median of rill/boost in the same round"
                      : "; Boost.Context is not here");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        bench_pairs(pool, boost_stacks, counts[i]);
        if (counts[i] > 1) {
            bench_ring(pool, boost_stacks, counts[i]);
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        rill[round] = rill_life(pool, 50 * 1000);
        boost[round] = BOOST_HERE ? boost_life(boost_stacks + STRIDE, 50 * 1000) : 0;
    }
    print_row("create, run, destroy", 1, rill, boost);
    rill_coro_pool_free(pool);
    (void)munmap(boost_stacks, length);
    return EXIT_SUCCESS;
}
