/* SPDX-License-Identifier: MIT
 *
 * How long the reader alone takes, without any I/O: lines out of a full buffer, separators in
 * header-like text, feeding a byte at a time. Prints one row per measurement; the best of several
 * rounds, because the others were disturbed.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sansio/search.h"
#include "sansio/stream_reader.h"

enum { TEXT_SIZE = 65536, ROUNDS = 200 };

static int no_pause(void *arg)
{
    (void)arg;
    return 0;
}

static void no_resume(void *arg)
{
    (void)arg;
}

static void no_wake(void *arg, struct rill__read *read)
{
    (void)arg;
    (void)read;
}

static const struct rill__reader_port port = {no_pause, no_resume, no_wake};

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_reader: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void fill_lines(char *text, size_t line)
{
    memset(text, 'x', TEXT_SIZE);
    for (size_t i = line - 1; i < TEXT_SIZE; i += line) {
        text[i] = '\n';
    }
}

/* One pass over a full buffer; the sum keeps the compiler from dropping it, and copies when asked
 * to. */
static double one_pass_ns(struct rill__reader *reader, size_t lines, char *copy)
{
    double start = now_ns();
    size_t sum = 0;
    for (size_t i = 0; i < lines; i++) {
        struct rill__read read;
        read.kind = RILL__READ_LINE;
        int rc = rill__read_begin(reader, &read);
        if (copy != NULL) {
            memcpy(copy, read.result.ptr, read.result.len);
        }
        sum += read.result.len + (size_t)rc;
    }
    double took = now_ns() - start;
    must(sum == TEXT_SIZE, "lines are missing");
    return took;
}

static void bench_lines(size_t line, bool copied)
{
    static char text[TEXT_SIZE];
    static char copy[TEXT_SIZE];
    double best = 1e18;
    struct rill__reader reader;

    fill_lines(text, line);
    rill__reader_init(&reader, RILL__LIMIT_DEFAULT, &port, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        must(rill__reader_feed_data(&reader, text, TEXT_SIZE, NULL) == 0, "no memory");
        best = least(best, one_pass_ns(&reader, TEXT_SIZE / line, copied ? copy : NULL));
    }
    rill__reader_cleanup(&reader);
    double lines = (double)(TEXT_SIZE / line);
    printf("readline line=%zu %s ns_per_line=%.1f GB_per_s=%.2f\n", line,
           copied ? "copied" : "view", best / lines, (double)TEXT_SIZE / best);
}

/* Header lines of `line` bytes, CRLF included; the separator only at the very end. */
static void fill_headers(char *text, size_t line, struct rill_bytes separator)
{
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        text[i] = (char)('a' + i * 7 % 23);
    }
    for (size_t i = line - 2; i + 1 < TEXT_SIZE; i += line) {
        text[i] = '\r';
        text[i + 1] = '\n';
    }
    memcpy(text + TEXT_SIZE - separator.len, separator.ptr, separator.len);
}

static void bench_search(const char *name, struct rill_bytes separator, size_t line)
{
    static char text[TEXT_SIZE];
    double best = 1e18;

    fill_headers(text, line, separator);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        size_t found = rill__search((struct rill_bytes){text, TEXT_SIZE}, 0, separator);
        best = least(best, now_ns() - start);
        must(found == TEXT_SIZE - separator.len, "the separator is not where it is");
    }
    printf("search separator=%s line=%zu GB_per_s=%.2f\n", name, line, (double)TEXT_SIZE / best);
}

/* readuntil over a buffer full of messages of 1 KiB. */
static void bench_messages(void)
{
    static char text[TEXT_SIZE];
    static const struct rill_bytes separator = {"\r\n\r\n", 4};
    enum { MESSAGE = 1024 };
    double best = 1e18;
    struct rill__reader reader;

    for (size_t i = 0; i < TEXT_SIZE; i += 64) {
        memset(text + i, 'h', 62);
        memcpy(text + i + 62, "\r\n", 2);
    }
    for (size_t i = MESSAGE; i <= TEXT_SIZE; i += MESSAGE) {
        memcpy(text + i - 4, "\r\n\r\n", 4);
    }
    rill__reader_init(&reader, RILL__LIMIT_DEFAULT, &port, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        must(rill__reader_feed_data(&reader, text, TEXT_SIZE, NULL) == 0, "no memory");
        double start = now_ns();
        for (size_t i = 0; i < TEXT_SIZE / MESSAGE; i++) {
            struct rill__read read = {
                .kind = RILL__READ_UNTIL, .separators = &separator, .separator_count = 1};
            must(rill__read_begin(&reader, &read) == 0 && read.result.len == MESSAGE, "message");
        }
        best = least(best, now_ns() - start);
    }
    rill__reader_cleanup(&reader);
    printf("readuntil CRLFCRLF message=1024 ns_per_message=%.1f\n", best / (TEXT_SIZE / MESSAGE));
}

/* A line that comes in one byte at a time must cost the same per byte however long it gets. */
static void bench_drip(size_t size, struct rill_bytes separator)
{
    struct rill__reader reader;
    rill__reader_init(&reader, 1U << 30, &port, NULL);
    struct rill__read read = {
        .kind = RILL__READ_UNTIL, .separators = &separator, .separator_count = 1};
    double start = now_ns();
    must(rill__read_begin(&reader, &read) == RILL__READ_WAIT, "drip");
    for (size_t i = 0; i < size; i++) {
        const char *byte =
            i < size - separator.len ? "x" : separator.ptr + separator.len - (size - i);
        must(rill__reader_feed_data(&reader, byte, 1, NULL) == 0, "no memory");
        int rc = rill__read_step(&reader, &read);
        must(rc == (i + 1 < size ? RILL__READ_WAIT : 0), "drip step");
    }
    double took = now_ns() - start;
    rill__reader_cleanup(&reader);
    printf("drip size=%zu separator_length=%zu ns_per_byte=%.1f\n", size, separator.len,
           took / (double)size);
}

int main(void)
{
    bench_lines(16, false);
    bench_lines(16, true);
    bench_lines(64, false);
    bench_lines(64, true);
    bench_lines(1024, false);
    bench_search("LF", rill_bytes_of("\n\n") /* two, so that the lines' own ends do not match */,
                 64);
    bench_search("CRLFCRLF", rill_bytes_of("\r\n\r\n"), 32);
    bench_search("CRLFCRLF", rill_bytes_of("\r\n\r\n"), 64);
    bench_search("CRLFCRLF", rill_bytes_of("\r\n\r\n"), 256);
    bench_search("boundary", rill_bytes_of("\r\n--boundary42--\r\n"), 64);
    bench_search("frequent", rill_bytes_of("aehlabcd"), 64);
    bench_search("absent", rill_bytes_of("\x01\x02"), 64);
    bench_messages();
    bench_drip(4096, rill_bytes_of("\n"));
    bench_drip(262144, rill_bytes_of("\n"));
    bench_drip(262144, rill_bytes_of("\r\n\r\n"));
    return EXIT_SUCCESS;
}
