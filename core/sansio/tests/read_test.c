/* SPDX-License-Identifier: MIT
 *
 * read.c, one call at a time: every worked case of the specification (R-1U, R-1V) and the rules of
 * sections 1.2 to 1.6 and 1.8, each with the input at once, byte by byte, ending at an unmapped
 * page, and arriving while the call waits.
 */
#include <limits.h>

#include "rig.h"

enum { BIG = 1000 };

static const char text_found[] = "Separator is found, but chunk is longer than limit";
static const char text_not_found[] = "Separator is not found, and chunk exceed the limit";

struct row {
    int line;
    enum rill__read_kind kind;
    long long n;
    const char *separators[3];
    size_t limit;
    const char *input;
    bool eof;
    int want;                 /* 0, RILL__READ_WAIT or an error's code */
    const char *want_read;    /* the result, or the error's partial */
    const char *want_text;    /* the error's */
    long long want_expected;  /* the IncompleteReadError's */
    size_t want_consumed;     /* the LimitOverrunError's */
    const char *want_left;    /* NULL: the input, untouched */
    const char *want_log;     /* pause and resume, when the input comes at once before the call */
    size_t want_drip_overrun; /* the limit error comes early with this `consumed` when bytes come
                                 one at a time */
};

/* The parts of a row: the call, ... */
#define UNTIL(...)  .line = __LINE__, .kind = RILL__READ_UNTIL, .separators = {__VA_ARGS__}
#define LINE        .line = __LINE__, .kind = RILL__READ_LINE
#define EXACT(size) .line = __LINE__, .kind = RILL__READ_EXACTLY, .n = (size)
#define SOME(size)  .line = __LINE__, .kind = RILL__READ_SOME, .n = (size)
#define ALL         .line = __LINE__, .kind = RILL__READ_TO_EOF
/* ... and what is expected of it. */
#define READS(read, left) .want = 0, .want_read = (read), .want_left = (left)
#define WAITS             .want = RILL__READ_WAIT
#define VALUE(text)       .want = RILL_EVALUE, .want_text = (text)
#define LIMIT(text, at)   .want = RILL_ELIMIT, .want_text = (text), .want_consumed = (at)
/* readline's: a ValueError with the LimitOverrunError behind it. */
#define LINE_LIMIT(text, at) .want = RILL_EVALUE, .want_text = (text), .want_consumed = (at)
#define INCOMPLETE(partial, size, text)                                                            \
    .want = RILL_EINCOMPLETE, .want_read = (partial), .want_expected = (size),                     \
    .want_text = (text), .want_left = ""

static const struct row rows[] = {
    /* R-1U-01 to R-1U-14 */
    {UNTIL("\n"), .limit = 3, .input = "123\n", READS("123\n", "")},
    {UNTIL("\n"), .limit = 3, .input = "1234\n", LIMIT(text_found, 4), .want_log = "",
     .want_drip_overrun = 4},
    {UNTIL("\n"), .limit = 3, .input = "123", WAITS},
    {UNTIL("\n"), .limit = 3, .input = "1234", LIMIT(text_not_found, 4), .want_drip_overrun = 4},
    {UNTIL("\n"), .limit = 3, .input = "1234", .eof = true, LIMIT(text_not_found, 4),
     .want_drip_overrun = 4},
    {UNTIL("\n"), .limit = 3, .input = "123", .eof = true,
     INCOMPLETE("123", -1, "3 bytes read on a total of undefined expected bytes")},
    {UNTIL("\r\n"), .limit = 3, .input = "123\r\n", READS("123\r\n", "")},
    {UNTIL("\r\n"), .limit = 3, .input = "1234\r\n", LIMIT(text_found, 4), .want_drip_overrun = 4},
    {UNTIL("\r\n"), .limit = 3, .input = "123\r", WAITS},
    {UNTIL("\r\n"), .limit = 3, .input = "1234\r", LIMIT(text_not_found, 4),
     .want_drip_overrun = 4},
    {UNTIL("\r\n"), .limit = 3, .input = "12345", LIMIT(text_not_found, 4), .want_drip_overrun = 4},
    {UNTIL("abcdef"), .limit = 1, .input = "ab", WAITS},
    {UNTIL("abcdef"), .limit = 1, .input = "ab", .eof = true,
     INCOMPLETE("ab", -1, "2 bytes read on a total of undefined expected bytes")},
    {UNTIL("AAA"), .limit = 100, .input = "some dataAA", .eof = true,
     INCOMPLETE("some dataAA", -1, "11 bytes read on a total of undefined expected bytes")},
    {UNTIL("aaa"), .limit = BIG, .input = "QWEaaXYaaa", READS("QWEaaXYaaa", "")},
    /* R-1V-01 to R-1V-11 */
    {UNTIL("\r", "\r\n"), .limit = BIG, .input = "x\r\ny", READS("x\r", "\ny")},
    {UNTIL("\n", "\r\n"), .limit = BIG, .input = "x\r\ny", READS("x\r\n", "y")},
    {UNTIL("DEF", "BCDE"), .limit = BIG, .input = "ABCDEFG", READS("ABCDE", "FG")},
    {UNTIL("A", "ome dataA"), .limit = 3, .input = "some dataA", LIMIT(text_found, 9)},
    {UNTIL("ome dataA"), .limit = 3, .input = "some dataA", READS("some dataA", ""),
     .want_log = "pr"},
    {UNTIL("Z", "LONGSEP"), .limit = 3, .input = "some data", WAITS, .want_log = "pr"},
    {UNTIL("Z"), .limit = 3, .input = "some data", LIMIT(text_not_found, 9), .want_log = "p",
     .want_drip_overrun = 4},
    {UNTIL("Z", "LONGSEP"), .limit = 1, .input = "dat", WAITS},
    {UNTIL("Z", "LONGSEP"), .limit = 1, .input = "dat", .eof = true,
     INCOMPLETE("dat", -1, "3 bytes read on a total of undefined expected bytes")},
    {UNTIL("A", "long sep"), .limit = BIG, .input = "dataZAaaa", READS("dataZA", "aaa")},
    {UNTIL("XY", "Z"), .limit = BIG, .input = "abcXYdef", READS("abcXY", "def")},
    /* the order of the tuple does not matter; on equal ends the shortest wins, and its start is
       judged */
    {UNTIL("ome dataA", "A"), .limit = 3, .input = "some dataA", LIMIT(text_found, 9)},
    {UNTIL("b", "b"), .limit = BIG, .input = "abab", READS("ab", "ab")},
    {UNTIL("abc", "bc", "c"), .limit = 2, .input = "abcd", READS("abc", "d")},
    {UNTIL("abc", "bc", "c"), .limit = 1, .input = "abcd", LIMIT(text_found, 2)},
    /* */
    {UNTIL(""), .limit = 3, .input = "abc", VALUE("Separator should be at least one-byte string")},
    {UNTIL("ab", ""), .limit = 3, .input = "abc",
     VALUE("Separator should be at least one-byte string")},
    {UNTIL("", "ab"), .limit = 3, .input = "abc",
     VALUE("Separator should be at least one-byte string")},
    {UNTIL(NULL), .limit = 3, .input = "abc",
     VALUE("Separator should contain at least one element")},
    {UNTIL("aaa"), .limit = BIG, .input = "aaaa", READS("aaa", "a")},
    {UNTIL("\n"), .limit = 3, .input = "ab\ncd\n", .eof = true, READS("ab\n", "cd\n")},
    {UNTIL("\n"), .limit = 3, .input = "", .eof = true,
     INCOMPLETE("", -1, "0 bytes read on a total of undefined expected bytes")},
    {UNTIL("\n"), .limit = 1, .input = "a\nbcd", READS("a\n", "bcd"), .want_log = "p"},
    {UNTIL("\n"), .limit = 1, .input = "a\nb", READS("a\n", "b"), .want_log = "pr"},
    {UNTIL("\r\n"), .limit = 1, .input = "a\rb\r\n", LIMIT(text_found, 3), .want_log = "p",
     .want_drip_overrun = 2},
    /* */
    {LINE, .limit = BIG, .input = "ab\r\ncd", READS("ab\r\n", "cd")},
    {LINE, .limit = 3, .input = "\nab", READS("\n", "ab")},
    {LINE, .limit = 3, .input = "abc\n", READS("abc\n", "")},
    {LINE, .limit = 3, .input = "abcd\nefgh", LINE_LIMIT(text_found, 4), .want_left = "efgh",
     .want_log = "p", .want_drip_overrun = 4},
    {LINE, .limit = 3, .input = "abcd\nef", LINE_LIMIT(text_found, 4), .want_left = "ef",
     .want_log = "pr", .want_drip_overrun = 4},
    {LINE, .limit = 3, .input = "abcd", LINE_LIMIT(text_not_found, 4), .want_left = "",
     .want_log = "", .want_drip_overrun = 4},
    {LINE, .limit = 3, .input = "abcdefg", LINE_LIMIT(text_not_found, 7), .want_left = "",
     .want_log = "pr", .want_drip_overrun = 4},
    {LINE, .limit = 3, .input = "abcd", .eof = true, LINE_LIMIT(text_not_found, 4), .want_left = "",
     .want_drip_overrun = 4},
    {LINE, .limit = 3, .input = "abc", WAITS},
    {LINE, .limit = 3, .input = "", WAITS},
    {LINE, .limit = 3, .input = "abc", .eof = true, READS("abc", "")},
    {LINE, .limit = 3, .input = "", .eof = true, READS("", "")},
    /* */
    {SOME(0), .limit = 3, .input = "abc", READS("", "abc")},
    {SOME(0), .limit = 3, .input = "", READS("", "")},
    {SOME(0), .limit = 3, .input = "", .eof = true, READS("", "")},
    {SOME(2), .limit = 3, .input = "", .eof = true, READS("", "")},
    {SOME(2), .limit = 3, .input = "", WAITS},
    {SOME(LLONG_MAX), .limit = 3, .input = "", WAITS},
    {ALL, .limit = 3, .input = "abcdefgh", .eof = true, READS("abcdefgh", ""), .want_log = "pr"},
    {ALL, .limit = 3, .input = "", .eof = true, READS("", "")},
    {SOME(-1), .limit = 3, .input = "abcd", .eof = true, READS("abcd", "")},
    {SOME(LLONG_MIN), .limit = 1, .input = "abcd", .eof = true, READS("abcd", ""),
     .want_log = "pr"},
    /* */
    {EXACT(-1), .limit = 3, .input = "abc", VALUE("readexactly size can not be less than zero")},
    {EXACT(0), .limit = 3, .input = "abc", READS("", "abc")},
    {EXACT(0), .limit = 3, .input = "", .eof = true, READS("", "")},
    {EXACT(2), .limit = 1, .input = "abcd", READS("ab", "cd"), .want_log = "p"},
    {EXACT(3), .limit = 1, .input = "abcd", READS("abc", "d"), .want_log = "pr"},
    {EXACT(4), .limit = 3, .input = "abcd", .eof = true, READS("abcd", "")},
    {EXACT(100), .limit = 2, .input = "abcdefgh", WAITS, .want_log = "pr"},
    {EXACT(5), .limit = 1, .input = "abcd", .eof = true,
     INCOMPLETE("abcd", 5, "4 bytes read on a total of 5 expected bytes"), .want_log = "p"},
    {EXACT(5), .limit = 9, .input = "", .eof = true,
     INCOMPLETE("", 5, "0 bytes read on a total of 5 expected bytes")},
};

/* These depend on how the bytes came: without the drip. */
static const struct row rows_at_once[] = {
    {SOME(100), .limit = 3, .input = "abcdefgh", READS("abcdefgh", ""), .want_log = "pr"},
    {SOME(2), .limit = 3, .input = "abc", READS("ab", "c")},
    {SOME(3), .limit = 3, .input = "abcdefgh", READS("abc", "defgh"), .want_log = "p"},
    {SOME(5), .limit = 3, .input = "abcdefgh", READS("abcde", "fgh"), .want_log = "pr"},
    {SOME(LLONG_MAX), .limit = 3, .input = "abc", .eof = true, READS("abc", "")},
};

enum mode {
    WHOLE,   /* the input at once, then the call */
    BYTES,   /* the input byte by byte, then the call */
    GUARDED, /* the input's last byte is the last one before an unmapped page */
    DRIP,    /* the call, then the input byte by byte, then EOF */
};

/* Fills the block so far that `length` bytes more end where it ends. */
static void fill_block_up_to(struct rig *rig, size_t length)
{
    struct rill__read read;
    char filler[RILL__BUFFER_CAPACITY_MIN];
    const size_t size = sizeof filler - length;
    memset(filler, '\n', sizeof filler);
    CHECK_INT(rill__buffer_append(&rig->reader.buffer, filler, size), 0);
    (void)rig_exactly(rig, &read, (long long)size);
    rig->log[0] = '\0';
    rig->reader.paused = false;
}

static void feed_bytes(struct rig *rig, const char *input)
{
    for (const char *byte = input; *byte != '\0'; byte++) {
        CHECK_INT(rill__reader_feed_data(&rig->reader, byte, 1, NULL), 0);
    }
}

static int begin(struct rig *rig, const struct row *row, struct rill__read *read,
                 struct rill_bytes separators[3])
{
    size_t count = 0;
    while (count < 3 && row->separators[count] != NULL) {
        separators[count] = rill_bytes_of(row->separators[count]);
        count++;
    }
    read->kind = row->kind;
    read->n = row->n;
    read->separators = separators;
    read->separator_count = count;
    if (row->kind == RILL__READ_LINE && rill__read_line_now(&rig->reader, &read->result)) {
        return 0;
    }
    return rill__read_begin(&rig->reader, read);
}

static int drip(struct rig *rig, const struct row *row, struct rill__read *read, int rc)
{
    for (const char *byte = row->input; *byte != '\0'; byte++) {
        CHECK_INT(rill__reader_feed_data(&rig->reader, byte, 1, NULL), 0);
        rc = rc == RILL__READ_WAIT ? rig_step(rig, read) : rc;
    }
    if (row->eof) {
        rill__reader_feed_eof(&rig->reader);
        rc = rc == RILL__READ_WAIT ? rig_step(rig, read) : rc;
    }
    return rc;
}

static int play(struct rig *rig, const struct row *row, enum mode mode, struct rill__read *read,
                struct rill_bytes separators[3])
{
    if (mode == DRIP) {
        return drip(rig, row, read, begin(rig, row, read, separators));
    }
    if (mode == GUARDED) {
        fill_block_up_to(rig, strlen(row->input));
    }
    if (mode == BYTES) {
        feed_bytes(rig, row->input);
    } else {
        rig_feed(rig, row->input);
    }
    CHECK(mode != GUARDED || rig->reader.buffer.tail == rig->reader.buffer.capacity ||
          row->input[0] == '\0');
    if (row->eof) {
        rill__reader_feed_eof(&rig->reader);
    }
    return begin(rig, row, read, separators);
}

static void check_error(const struct row *row, const struct rill_error *error, bool early)
{
    const size_t consumed = early ? row->want_drip_overrun : row->want_consumed;
    const struct rill_error *limit = row->want == RILL_EVALUE ? error->cause : error;
    CHECK_INT_ROW(row->line, error->code, row->want);
    CHECK_STR_ROW(row->line, error->text, early ? text_not_found : row->want_text);
    if (row->want == RILL_EINCOMPLETE) {
        CHECK_STR_ROW(row->line, rig_text(error->partial), row->want_read);
        CHECK_INT_ROW(row->line, error->expected, row->want_expected);
    }
    /* readline's ValueError has the LimitOverrunError behind it; it has no `consumed` of
     * its own. */
    CHECK_ROW(row->line, row->want_consumed == 0 || limit != NULL);
    if (row->want_consumed > 0 && limit != NULL) {
        CHECK_INT_ROW(row->line, limit->code, RILL_ELIMIT);
        CHECK_INT_ROW(row->line, (long long)limit->consumed, (long long)consumed);
    }
}

static void check_left(const struct rig *rig, const struct row *row, bool early)
{
    const char *want = row->want_left != NULL ? row->want_left : row->input;
    if (early) { /* readline dropped what was there by then; readuntil dropped nothing */
        want = row->kind == RILL__READ_LINE ? row->input + row->want_drip_overrun : row->input;
    }
    CHECK_STR_ROW(row->line, rig_left(rig), want);
}

static void check_row(const struct row *row, enum mode mode)
{
    struct rig rig;
    struct rill__read read;
    struct rill_bytes separators[3];
    const bool early = mode == DRIP && row->want_drip_overrun > 0;

    rig_init(&rig, row->limit);
    int rc = play(&rig, row, mode, &read, separators);
    CHECK_INT_ROW(row->line, rc, row->want);
    if (rc == 0) {
        CHECK_ROW(row->line, row->want_read != NULL);
        CHECK_STR_ROW(row->line, rig_text(read.result), row->want_read);
    } else if (rc < 0) {
        check_error(row, read.error, early);
        rill_error_unref(read.error);
    }
    check_left(&rig, row, early);
    if (mode == WHOLE && row->want_log != NULL) {
        CHECK_STR_ROW(row->line, rig.log, row->want_log);
    }
    CHECK_INT_ROW(row->line, rig.reader.waiter != NULL, rc == RILL__READ_WAIT);
    if (rc == RILL__READ_WAIT) {
        rill__read_cancelled(&rig.reader, &read);
    }
    rig_cleanup(&rig);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_row(&rows[i], WHOLE);
        check_row(&rows[i], BYTES);
        check_row(&rows[i], GUARDED);
        check_row(&rows[i], DRIP);
    }
    for (size_t i = 0; i < sizeof rows_at_once / sizeof rows_at_once[0]; i++) {
        check_row(&rows_at_once[i], WHOLE);
        check_row(&rows_at_once[i], BYTES);
        check_row(&rows_at_once[i], GUARDED);
    }
}

/* Section 1.2: what is tested before the exception, and what after it. */
static void test_order_of_checks(void)
{
    static const struct rill_bytes newline = {"\n", 1};
    static const struct rill_bytes empty = {"", 0};
    struct rig rig;
    struct rill__read read;
    const struct rill_error *error = rill_error_new(RILL_ECONNRESET, "reset");

    rig_init(&rig, 3);
    rig_feed(&rig, "a\nb");
    rill__reader_feed_eof(&rig.reader);
    rill__reader_set_exception(&rig.reader, error);
    RIG_FAILS(rig_exactly(&rig, &read, -1), &read, RILL_EVALUE,
              "readexactly size can not be less than zero");
    RIG_FAILS(rig_until(&rig, &read, &empty, 1), &read, RILL_EVALUE,
              "Separator should be at least one-byte string");
    RIG_FAILS(rig_until(&rig, &read, NULL, 0), &read, RILL_EVALUE,
              "Separator should contain at least one element");
    RIG_FAILS(rig_read(&rig, &read, 0), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_read(&rig, &read, 1), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_read(&rig, &read, -1), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_to_eof(&rig, &read), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_exactly(&rig, &read, 0), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_exactly(&rig, &read, 1), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_until(&rig, &read, &newline, 1), &read, RILL_ECONNRESET, "reset");
    RIG_FAILS(rig_line(&rig, &read), &read, RILL_ECONNRESET, "reset");
    CHECK_STR(rig_left(&rig), "a\nb");
    CHECK_STR(rig.log, "");
    rill_error_unref(error);
    rig_cleanup(&rig);
}

/* the same error again; then readexactly(consumed) and on without splitting a separator.
 * no resume. */
static void test_limit_error_repeats(void)
{
    static const struct rill_bytes crlf = {"\r\n", 2};
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 3);
    rig_feed(&rig, "12345678\r");
    for (int i = 0; i < 2; i++) {
        CHECK_INT(rig_until(&rig, &read, &crlf, 1), RILL_ELIMIT);
        CHECK_INT((long long)read.error->consumed, 8);
        rill_error_unref(read.error);
    }
    CHECK_STR(rig.log, "p");
    RIG_READS(rig_exactly(&rig, &read, 8), &read, "12345678");
    CHECK_STR(rig.log, "pr");
    rig_feed(&rig, "\nrest");
    RIG_READS(rig_until(&rig, &read, &crlf, 1), &read, "\r\n");
    CHECK_STR(rig_left(&rig), "rest");
    rig_cleanup(&rig);
}

/* an incomplete read leaves the transport paused; the next read resumes it, even of
 * nothing. */
static void test_incomplete_leaves_paused(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 1);
    rig_feed(&rig, "abcd");
    rill__reader_feed_eof(&rig.reader);
    RIG_FAILS(rig_exactly(&rig, &read, 9), &read, RILL_EINCOMPLETE,
              "4 bytes read on a total of 9 expected bytes");
    CHECK(rig.reader.paused && rill__reader_at_eof(&rig.reader));
    RIG_READS(rig_read(&rig, &read, 0), &read, "");
    CHECK_STR(rig.log, "p");
    RIG_READS(rig_to_eof(&rig, &read), &read, "");
    CHECK_STR(rig.log, "pr");
    rig_cleanup(&rig);
}

/* the tail of a line that was thrown away looks like a line. */
static void test_tail_of_long_line(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 3);
    rig_feed(&rig, "abcde");
    RIG_FAILS(rig_line(&rig, &read), &read, RILL_EVALUE, text_not_found);
    rig_feed(&rig, "f\nxy\n");
    RIG_READS(rig_line(&rig, &read), &read, "f\n");
    RIG_READS(rig_line(&rig, &read), &read, "xy\n");
    rig_cleanup(&rig);
}

/* A view is valid until the next call begins, whatever arrives meanwhile. */
static void test_view_outlives_feeding(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, BIG);
    rig_feed(&rig, "a line\nmore");
    RIG_READS(rig_line(&rig, &read), &read, "a line\n");
    for (int i = 0; i < 5000; i++) {
        rig_feed(&rig, "x");
    }
    CHECK_STR(rig_text(read.result), "a line\n");
    rig_cleanup(&rig);
}

/* The short way declines whatever is not an ordinary, complete line. */
static void test_line_now_declines(void)
{
    struct rig rig;
    struct rill_bytes line;
    rig_init(&rig, 4);
    CHECK(!rill__read_line_now(&rig.reader, &line)); /* nothing there */
    CHECK_INT(rill__reader_feed_data(&rig.reader, "ab", 2, NULL), 0);
    CHECK(!rill__read_line_now(&rig.reader, &line)); /* incomplete */
    CHECK_INT(rill__reader_feed_data(&rig.reader, "c\n", 2, NULL), 0);
    const struct rill_error *error = rill_error_new(RILL_EVALUE, "x");
    rill__reader_set_exception(&rig.reader, error);
    CHECK(!rill__read_line_now(&rig.reader, &line)); /* */
    rill__reader_set_exception(&rig.reader, NULL);
    CHECK(rill__read_line_now(&rig.reader, &line));
    CHECK(line.len == 4 && memcmp(line.ptr, "abc\n", 4) == 0);
    CHECK_INT(rill__reader_feed_data(&rig.reader, "abcde\n", 6, NULL), 0);
    CHECK(!rill__read_line_now(&rig.reader, &line)); /* over the limit */
    CHECK_INT((long long)rill__reader_buffered(&rig.reader), 6);
    rill_error_unref(error);
    rig_cleanup(&rig);
}

int main(void)
{
    struct rig_allocator *allocator = rig_use_allocator();
    test_line_now_declines();
    allocator->guard = true;
    test_rows();
    test_order_of_checks();
    test_limit_error_repeats();
    test_incomplete_leaves_paused();
    test_tail_of_long_line();
    test_view_outlives_feeding();
    CHECK_INT(allocator->live, 0);
    return check_report("read_test");
}
