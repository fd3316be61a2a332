/* SPDX-License-Identifier: MIT
 *
 * What tools/bench measures of the reader alone, without a socket: lines out of a full buffer, the
 * search for a separator, and lines that come in pieces of any size to a task that waits for them.
 * Beside a loop on memchr over the same bytes, as one would write it by hand, where there is one.
 * Prints each round's nanoseconds, of a line, of a block or of a byte, as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rill/rill.h>

enum {
    ROUNDS_MAX = 1000,
    BLOCK_BYTES = 64 * 1024,
    BLOCKS = 16, /* of a round */
    HEADER_BYTES = 40,
    SEPARATOR_MAX = 70, /* the longest boundary of MIME */
};

struct run {
    const char *work;
    size_t size; /* of a line or separator */
    size_t limit;
    size_t chunk;
    int rounds;
    size_t sum; /* of what was found, so that no loop can be thought useless */
    char *data;
    size_t data_size;
    char copy[BLOCK_BYTES]; /* a task's stack is too small for it */
    double rill[ROUNDS_MAX];
    double hand[ROUNDS_MAX];
    bool by_hand;
};

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static void must(bool right, const char *what)
{
    if (!right) {
        fprintf(stderr, "bench-reader: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void fill(char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        data[i] = (char)('a' + i % 23);
    }
}

static void fill_with_lines(char *data, size_t size, size_t line)
{
    fill(data, size);
    for (size_t end = line; end <= size; end += line) {
        data[end - 1] = '\n';
    }
}

static struct rill_reader *new_reader(size_t limit)
{
    struct rill_reader *reader;
    must(rill_reader_new((struct rill_opt_int)RILL_SET((int)limit), &reader) == 0, "no reader");
    return reader;
}

/* -- lines out of a full buffer ---------------------------------------------------------------- */

/* copy: NULL, or where each line is copied to. */
static void read_lines(struct run *run, struct rill_reader *reader, size_t count, char *copy)
{
    struct rill_bytes line;
    for (size_t i = 0; i < count; i++) {
        must(rill_reader_readline(reader, &line) == 0 && line.len == run->size, "wrong line");
        if (copy != NULL) {
            memcpy(copy, line.ptr, line.len);
        }
        run->sum += line.len;
    }
}

static void split_by_hand(struct run *run, char *copy)
{
    const char *const end = run->data + run->data_size / run->size * run->size;
    const char *line = run->data;
    const char *newline;
    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (copy != NULL) {
            memcpy(copy, line, (size_t)(newline + 1 - line));
        }
        run->sum += (size_t)(newline + 1 - line);
        line = newline + 1;
    }
}

static void bench_lines(struct run *run, bool copied)
{
    char *const copy = copied ? run->copy : NULL;
    const size_t count = run->data_size / run->size;
    struct rill_reader *const reader = new_reader(BLOCK_BYTES);
    fill_with_lines(run->data, run->data_size, run->size);
    for (int round = 0; round < run->rounds; round++) {
        double rill_ns = 0;
        double hand_ns = 0;
        for (int block = 0; block < BLOCKS; block++) {
            must(rill_reader_feed_data(reader, run->data, count * run->size) == 0, "feed_data");
            const double begin = now_ns();
            read_lines(run, reader, count, copy);
            const double middle = now_ns();
            split_by_hand(run, copy);
            rill_ns += middle - begin;
            hand_ns += now_ns() - middle;
        }
        run->rill[round] = rill_ns / (double)(count * BLOCKS);
        run->hand[round] = hand_ns / (double)(count * BLOCKS);
    }
    rill_reader_free(reader);
}

static void bench_line(struct run *run)
{
    bench_lines(run, false);
}

static void bench_copied(struct run *run)
{
    bench_lines(run, true);
}

/* -- a separator behind header-like text ------------------------------------------------------- */

/* An empty line, or a boundary behind a line's end. */
static void make_separator(char *separator, size_t size)
{
    static const char boundary[] =
        "\r\n------------------------------------------------------------";
    memset(separator, 'B', size);
    memcpy(separator, boundary, size < sizeof boundary ? size : sizeof boundary - 1);
    if (size == 4) {
        memcpy(separator, "\r\n\r\n", 4);
    }
}

/* From one possible begin to the next, by memchr. */
static const char *find_by_hand(const char *data, const char *end, const char *separator,
                                size_t size)
{
    while ((size_t)(end - data) >= size) {
        data = memchr(data, separator[0], (size_t)(end - data) - size + 1);
        if (data == NULL || memcmp(data, separator, size) == 0) {
            return data;
        }
        data++;
    }
    return NULL;
}

static void bench_separator(struct run *run)
{
    char separator[SEPARATOR_MAX];
    struct rill_bytes found;
    struct rill_reader *const reader = new_reader(BLOCK_BYTES);
    make_separator(separator, run->size);
    fill(run->data, run->data_size);
    for (size_t line = HEADER_BYTES; line < run->data_size - 2 * SEPARATOR_MAX;
         line += HEADER_BYTES) {
        memcpy(run->data + line - 2, "\r\n", 2);
    }
    memcpy(run->data + run->data_size - run->size, separator, run->size);
    for (int round = 0; round < run->rounds; round++) {
        double rill_ns = 0;
        double hand_ns = 0;
        for (int block = 0; block < BLOCKS; block++) {
            must(rill_reader_feed_data(reader, run->data, run->data_size) == 0, "feed_data");
            const double begin = now_ns();
            must(rill_reader_readuntil(reader, (struct rill_bytes){separator, run->size}, &found) ==
                         0 &&
                     found.len == run->data_size,
                 "wrong message");
            const double middle = now_ns();
            must(find_by_hand(run->data, run->data + run->data_size, separator, run->size) ==
                     run->data + run->data_size - run->size,
                 "wrong place");
            rill_ns += middle - begin;
            hand_ns += now_ns() - middle;
        }
        run->rill[round] = rill_ns / BLOCKS;
        run->hand[round] = hand_ns / BLOCKS;
    }
    rill_reader_free(reader);
}

/* -- lines in pieces, to a task that waits ----------------------------------------------------- */

struct consumer {
    struct rill_reader *reader;
    size_t line; /* bytes */
    size_t sum;
};

static int consume(void *arg)
{
    struct consumer *const self = arg;
    struct rill_bytes line;
    do {
        const int rc = rill_reader_readline(self->reader, &line);
        if (rc < 0) {
            return rc;
        }
        must(line.len == self->line || line.len == 0, "wrong line");
        self->sum += line.len;
    } while (line.len > 0);
    return 0;
}

/* A turn of the loop for each piece, as a socket would give it. */
static void feed_all(const struct run *run, struct rill_reader *reader)
{
    for (size_t fed = 0; fed < run->data_size; fed += run->chunk) {
        const size_t rest = run->data_size - fed;
        must(rill_reader_feed_data(reader, run->data + fed,
                                   rest < run->chunk ? rest : run->chunk) == 0 &&
                 rill_sleep(0) == 0,
             "feed_data");
    }
    rill_reader_feed_eof(reader);
}

static void bench_feed(struct run *run)
{
    fill_with_lines(run->data, run->data_size, run->size);
    for (int round = 0; round < run->rounds; round++) {
        struct consumer consumer = {.reader = new_reader(run->limit), .line = run->size};
        struct rill_task *task;
        must(rill_task_create(consume, &consumer, NULL, &task) == 0 && rill_sleep(0) == 0,
             "no task");
        const double begin = now_ns();
        feed_all(run, consumer.reader);
        const int rc = rill_task_await(task);
        run->rill[round] = (now_ns() - begin) / (double)run->data_size;
        must(rc == 0 && consumer.sum == run->data_size, "not all lines came");
        run->sum += consumer.sum;
        rill_task_free(task);
        rill_reader_free(consumer.reader);
    }
}

/* -- the works --------------------------------------------------------------------------------- */

static void print_rounds(const char *name, const double *values, int count)
{
    printf("\"%s\": [", name);
    for (int i = 0; i < count; i++) {
        printf("%s%.4f", i == 0 ? "" : ", ", values[i]);
    }
    printf("]");
}

struct work {
    const char *name;
    void (*bench)(struct run *run);
    bool by_hand;
};

static const struct work works[] = {{"line", bench_line, true},
                                    {"copied", bench_copied, true},
                                    {"separator", bench_separator, true},
                                    {"feed", bench_feed, false}};

static const struct work *work_of(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(works[i].name, name) == 0) {
            return &works[i];
        }
    }
    return NULL;
}

static int bench(void *arg)
{
    struct run *const run = arg;
    work_of(run->work)->bench(run);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 7 || work_of(argv[1]) == NULL) {
        fprintf(stderr,
                "usage: %s line|copied|separator|feed ROUNDS SIZE LIMIT CHUNK TOTAL\n"
                "LIMIT, CHUNK and TOTAL bytes: of feed\n",
                argv[0]);
        return 2;
    }
    struct run *const run = calloc(1, sizeof *run);
    must(run != NULL, "out of memory");
    run->work = argv[1];
    run->rounds = atoi(argv[2]);
    run->size = (size_t)strtoul(argv[3], NULL, 10);
    run->limit = (size_t)strtoul(argv[4], NULL, 10);
    run->chunk = (size_t)strtoul(argv[5], NULL, 10);
    run->by_hand = work_of(argv[1])->by_hand;
    run->data_size = run->by_hand ? BLOCK_BYTES : (size_t)strtoul(argv[6], NULL, 10);
    must(run->rounds > 0 && run->rounds <= ROUNDS_MAX && run->size > 0 &&
             run->size <= BLOCK_BYTES * 256 &&
             (run->by_hand || (run->chunk > 0 && run->data_size % run->size == 0)),
         "wrong arguments");
    run->data = malloc(run->data_size);
    must(run->data != NULL, "out of memory");
    const int rc = rill_main(bench, run);
    printf("{");
    print_rounds("rill", run->rill, run->rounds);
    if (run->by_hand) {
        printf(", ");
        print_rounds("hand", run->hand, run->rounds);
    }
    printf(", \"bytes\": %zu}\n", run->sum);
    free(run->data);
    free(run);
    return rc;
}
