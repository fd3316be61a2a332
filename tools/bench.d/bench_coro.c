/* SPDX-License-Identifier: MIT
 *
 * What tools/bench measures of the coroutines alone: a switch among N of them, create, run and
 * destroy with a cached stack, and the memory of many that live. Beside Boost.Context's
 * jump_fcontext in the same run, where that library is found: its stacks are made before the clock
 * starts, and it keeps no record of a coroutine. Prints each round's nanoseconds as JSON.
 */
#define _GNU_SOURCE
#include <rill/coro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define STRIDE (RILL_CORO_STACK_SIZE_DEFAULT + 4096)

enum { ROUNDS_MAX = 1000, COUNT_MAX = 65536, LIVES = 20 * 1000 };

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

/* ---- the works ---- */

struct run {
    struct rill_coro_pool *pool;
    char *boost_stacks;
    size_t count;
    int rounds;
    double rill[ROUNDS_MAX];
    double boost[ROUNDS_MAX];
};

static void *allocate(size_t count, size_t size)
{
    void *const memory = calloc(count, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

static void create(struct run *run, rill_coro_fn *fn, void *arg, struct rill_coro **coro)
{
    if (rill_coro_create(run->pool, fn, arg, coro) < 0) {
        abort();
    }
}

static void *boost_top(const struct run *run, size_t i)
{
    return run->boost_stacks + (i + 1) * STRIDE;
}

/* A round of so many: whole turns, some hundred microseconds at least. */
static size_t switches_of(size_t count)
{
    return count > 10000 ? 2 * count : 100 * 1000 / count * count;
}

/* The first round is not counted: it touches the memory. */
static void bench_pairs(struct run *run)
{
    const size_t switches = switches_of(run->count);
    struct rill_coro **const coros = allocate(run->count, sizeof(struct rill_coro *));
    void **const contexts = allocate(run->count, sizeof(void *));

    for (size_t i = 0; i < run->count; i++) {
        contexts[i] = make_fcontext(boost_top(run, i), STRIDE - 4096, boost_echo);
        create(run, echo_for_ever, NULL, &coros[i]);
    }
    for (int round = -1; round < run->rounds; round++) {
        const int at = round < 0 ? 0 : round;

        run->rill[at] = rill_pairs(coros, run->count, switches);
        run->boost[at] = BOOST_HERE ? boost_pairs(contexts, run->count, switches) : 0;
    }
    for (size_t i = 0; i < run->count; i++) {
        rill_coro_destroy(coros[i]);
    }
    free(coros);
    free(contexts);
}

static void bench_ring(struct run *run)
{
    const size_t switches = switches_of(run->count);
    struct ring ring = {.coros = allocate(run->count, sizeof(struct rill_coro *)),
                        .count = run->count};
    struct boost_ring boost_ring = {.contexts = allocate(run->count, sizeof(void *)),
                                    .count = run->count};
    struct place *const places = allocate(run->count, sizeof(struct place));

    for (size_t i = 0; i < run->count; i++) {
        places[i] = (struct place){.ring = &ring, .next = (i + 1) % run->count};
        boost_ring.contexts[i] = make_fcontext(boost_top(run, i), STRIDE - 4096, boost_pass_on);
        create(run, pass_on, &places[i], &ring.coros[i]);
    }
    for (int round = -1; round < run->rounds; round++) {
        const int at = round < 0 ? 0 : round;

        run->rill[at] = rill_ring(&ring, switches);
        run->boost[at] = BOOST_HERE ? boost_rings(&boost_ring, switches) : 0;
    }
    for (size_t i = 0; i < run->count; i++) {
        rill_coro_destroy(ring.coros[i]);
    }
    free(ring.coros);
    free(boost_ring.contexts);
    free(places);
}

static void bench_life(struct run *run)
{
    for (int round = -1; round < run->rounds; round++) {
        const int at = round < 0 ? 0 : round;

        run->rill[at] = rill_life(run->pool, LIVES);
        run->boost[at] = BOOST_HERE ? boost_life(boost_top(run, 0), LIVES) : 0;
    }
}

/* In KiB, of a line of /proc/self/status. */
static double status_kib(const char *key)
{
    FILE *const file = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            kib = strtod(line + strlen(key), NULL);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

/* So many at once, each of which has run; what they hold of memory, page tables included. */
static void print_alive(struct run *run)
{
    const double before_kib = status_kib("VmRSS:") + status_kib("VmPTE:");
    struct rill_coro **const coros = allocate(run->count, sizeof(struct rill_coro *));
    struct rill_coro_pool_stats stats;

    for (size_t i = 0; i < run->count; i++) {
        create(run, echo_for_ever, NULL, &coros[i]);
        rill_coro_resume(coros[i], NULL);
    }
    rill_coro_pool_stats(run->pool, &stats);
    printf("{\"alive\": %zu, \"unguarded\": %zu, \"guard\": \"%s\", \"bytes\": %.0f}\n", stats.live,
           stats.unguarded, stats.guard,
           1024 * (status_kib("VmRSS:") + status_kib("VmPTE:") - before_kib));
    free(coros);
}

static void print_rounds(const char *name, const double *values, int count)
{
    printf("\"%s\": [", name);
    for (int i = 0; i < count; i++) {
        printf("%s%.4f", i == 0 ? "" : ", ", values[i]);
    }
    printf("]");
}

static void print_run(const struct run *run)
{
    printf("{");
    print_rounds("rill", run->rill, run->rounds);
    if (BOOST_HERE) {
        printf(", ");
        print_rounds("boost", run->boost, run->rounds);
    }
    printf("}\n");
}

static struct run *make_run(size_t count, int rounds)
{
    struct run *const run = allocate(1, sizeof(*run));
    volatile double one = 1;
    volatile long double one_long = 1;

    run->count = count;
    run->rounds = rounds;
    run->boost_stacks = mmap(NULL, STRIDE * COUNT_MAX, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (run->boost_stacks == MAP_FAILED || rill_coro_pool_new(NULL, &run->pool) < 0) {
        abort();
    }
    (void)madvise(run->boost_stacks, STRIDE * COUNT_MAX, MADV_NOHUGEPAGE);
    /* On some machines saving the floating-point control words costs 80 ns until the process has
     * computed something: that would be said of Boost.Context alone. */
    one = one / 3;
    one_long = one_long / 3;
    return run;
}

static void free_run(struct run *run)
{
    rill_coro_pool_free(run->pool);
    (void)munmap(run->boost_stacks, STRIDE * COUNT_MAX);
    free(run);
}

struct work {
    const char *name;
    void (*bench)(struct run *run); /* NULL: memory, of any number */
};

int main(int argc, char **argv)
{
    static const struct work works[] = {
        {"pairs", bench_pairs}, {"ring", bench_ring}, {"life", bench_life}, {"alive", NULL}};
    const size_t count = argc == 4 ? (size_t)strtoul(argv[2], NULL, 10) : 0;
    const int rounds = argc == 4 ? atoi(argv[3]) : 0;

    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]) && count > 0 && rounds > 0; i++) {
        const struct work *const work = &works[i];

        if (strcmp(argv[1], work->name) == 0 && rounds <= ROUNDS_MAX &&
            (count <= COUNT_MAX || work->bench == NULL)) {
            struct run *const run = make_run(count, rounds);

            if (work->bench == NULL) {
                print_alive(run);
            } else {
                work->bench(run);
                print_run(run);
            }
            free_run(run);
            return EXIT_SUCCESS;
        }
    }
    fprintf(stderr, "usage: %s pairs|ring|life|alive COROUTINES ROUNDS\n", argv[0]);
    return 2;
}
