/* SPDX-License-Identifier: MIT
 *
 * What the tests of sansio share: an allocator that counts, fails on request and ends every block
 * at an unmapped page; a reader whose requests are logged as letters; a check that a call aborts
 * with rill's own line.
 */
#ifndef RILL_SANSIO_TEST_RIG_H
#define RILL_SANSIO_TEST_RIG_H

#include <stdbool.h>
#include <stddef.h>

#include <check.h>
#include <rill/alloc.h>

#include "sansio/stream_reader.h"

struct rig_allocator {
    long long live;    /* blocks not yet released */
    long long calls;   /* allocations and reallocations so far */
    long long fail_at; /* the number of the call that fails, counted from 1; 0: none */
    bool fail_on;      /* and all that follow */
    bool guard;        /* end each block at an unmapped page */
};

/* The process's allocator from now on; call it before rill allocates. */
struct rig_allocator *rig_use_allocator(void);

/* `size` bytes that end where an unmapped page begins, and their release. */
char *rig_guarded(size_t size);
void rig_guarded_free(char *bytes, size_t size);

/* Runs the function in a child and answers whether it aborted with a line that holds `what`. */
bool rig_aborts(void (*function)(void), const char *what);

struct rig {
    struct rill__reader reader;
    char log[256];    /* w: wake, p: pause, r: resume; in order */
    int pause_answer; /* what the transport says to pause */
};

static inline void rig_log(struct rig *rig, char what)
{
    size_t length = strlen(rig->log);
    if (length + 1 < sizeof rig->log) {
        rig->log[length] = what;
        rig->log[length + 1] = '\0';
    }
}

static inline int rig_pause(void *arg)
{
    struct rig *rig = arg;
    rig_log(rig, 'p');
    return rig->pause_answer;
}

static inline void rig_resume(void *arg)
{
    struct rig *rig = arg;
    rig_log(rig, 'r');
}

static inline void rig_wake(void *arg, struct rill__read *read)
{
    struct rig *rig = arg;
    CHECK(rig->reader.waiter == read);
    rig_log(rig, 'w');
}

/* With a transport. */
static inline void rig_init(struct rig *rig, size_t limit)
{
    static const struct rill__reader_port port = {rig_pause, rig_resume, rig_wake};
    *rig = (struct rig){.pause_answer = 0};
    rill__reader_init(&rig->reader, limit, &port, rig);
    rig->reader.has_transport = true;
}

static inline void rig_cleanup(struct rig *rig)
{
    rill__reader_cleanup(&rig->reader);
}

static inline void rig_feed(struct rig *rig, const char *text)
{
    CHECK_INT(rill__reader_feed_data(&rig->reader, text, strlen(text), NULL), 0);
}

/* Any bytes as a string; valid until the next call. */
static inline const char *rig_text(struct rill_bytes bytes)
{
    static char text[4096];
    size_t length = bytes.len < sizeof text - 1 ? bytes.len : sizeof text - 1;
    if (length > 0) {
        memcpy(text, bytes.ptr, length);
    }
    text[length] = '\0';
    return text;
}

/* The buffered bytes as a string; valid until the next call. */
static inline const char *rig_left(const struct rig *rig)
{
    return rig_text((struct rill_bytes){rill__buffer_data(&rig->reader.buffer),
                                        rill__reader_buffered(&rig->reader)});
}

/* Runs the call's step when it was woken; otherwise it still waits. */
static inline int rig_step(struct rig *rig, struct rill__read *read)
{
    return read->woken ? rill__read_step(&rig->reader, read) : RILL__READ_WAIT;
}

/* Begin a call of each kind; the struct is the test's and need not be set. */
static inline int rig_read(struct rig *rig, struct rill__read *read, long long n)
{
    read->kind = RILL__READ_SOME;
    read->n = n;
    return rill__read_begin(&rig->reader, read);
}

static inline int rig_to_eof(struct rig *rig, struct rill__read *read)
{
    read->kind = RILL__READ_TO_EOF;
    return rill__read_begin(&rig->reader, read);
}

static inline int rig_exactly(struct rig *rig, struct rill__read *read, long long n)
{
    read->kind = RILL__READ_EXACTLY;
    read->n = n;
    return rill__read_begin(&rig->reader, read);
}

static inline int rig_until(struct rig *rig, struct rill__read *read,
                            const struct rill_bytes *separators, size_t count)
{
    read->kind = RILL__READ_UNTIL;
    read->separators = separators;
    read->separator_count = count;
    return rill__read_begin(&rig->reader, read);
}

static inline int rig_line(struct rig *rig, struct rill__read *read)
{
    read->kind = RILL__READ_LINE;
    return rill__read_begin(&rig->reader, read);
}

static inline void rig_fails_at(const char *file, int line, int rc, struct rill__read *read,
                                int want_code, const char *want_text)
{
    check_int_at(file, line, 0, rc, want_code, "the call's code");
    if (rc < 0) {
        check_int_at(file, line, 0, read->error->code, want_code, "the error's code");
        check_str_at(file, line, 0, read->error->text, want_text, "the error's text");
        rill_error_unref(read->error);
        read->error = NULL;
    }
}

static inline void rig_reads_at(const char *file, int line, int rc, const struct rill__read *read,
                                const char *want)
{
    check_int_at(file, line, 0, rc, 0, "the call is done");
    if (rc == 0) {
        check_str_at(file, line, 0, rig_text(read->result), want, "what it read");
    }
}

/* Check the code and text of a failed call and drop its error; check that a call is done and what
 * it read. */
#define RIG_FAILS(rc, read, code, text)                                                            \
    rig_fails_at(__FILE__, __LINE__, (rc), (read), (code), (text))
#define RIG_READS(rc, read, text) rig_reads_at(__FILE__, __LINE__, (rc), (read), (text))

#endif
