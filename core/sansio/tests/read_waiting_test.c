/* SPDX-License-Identifier: MIT
 *
 * read.c, calls that wait: waking and testing again, two calls at once, cancellation, read-to-EOF's
 * collection, and the quirks that are fixed (section 1.7; ).
 */
#include "rig.h"

static const char text_taken_read[] =
    "read() called while another coroutine is already waiting for incoming data";
static const char text_taken_exactly[] =
    "readexactly() called while another coroutine is already waiting for incoming data";
static const char text_taken_until[] =
    "readuntil() called while another coroutine is already waiting for incoming data";

static const struct rill_bytes crlf = {"\r\n", 2};

/* a wake is not a promise of enough. */
static void test_wake_and_test_again(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 100);

    CHECK_INT(rig_read(&rig, &read, 10), RILL__READ_WAIT);
    rig_feed(&rig, "ab");
    rig_feed(&rig, "cd");
    CHECK_STR(rig.log, "w"); /* one wake for one wait */
    RIG_READS(rig_step(&rig, &read), &read, "abcd");

    CHECK_INT(rig_exactly(&rig, &read, 4), RILL__READ_WAIT);
    rig_feed(&rig, "ab");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    CHECK_STR(rig_left(&rig), "ab"); /* nothing is consumed before all is there */
    rig_feed(&rig, "cde");
    RIG_READS(rig_step(&rig, &read), &read, "abcd");
    CHECK_STR(rig.log, "www");

    CHECK_INT(rig_until(&rig, &read, &crlf, 1), RILL__READ_WAIT);
    rig_feed(&rig, "\r");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    rig_feed(&rig, "\n");
    RIG_READS(rig_step(&rig, &read), &read, "e\r\n");
    rig_cleanup(&rig);
}

/* EOF while waiting. */
static void test_eof_while_waiting(void)
{
    struct rig rig;
    struct rill__read read;
    for (int kind = RILL__READ_SOME; kind <= RILL__READ_LINE; kind++) {
        rig_init(&rig, 100);
        read.kind = (enum rill__read_kind)kind;
        read.n = 5;
        read.separators = &crlf;
        read.separator_count = 1;
        CHECK_INT(rill__read_begin(&rig.reader, &read), RILL__READ_WAIT);
        rill__reader_feed_eof(&rig.reader);
        rill__reader_feed_eof(&rig.reader);
        CHECK_STR(rig.log, "w");
        int rc = rig_step(&rig, &read);
        if (kind == RILL__READ_EXACTLY) {
            RIG_FAILS(rc, &read, RILL_EINCOMPLETE, "0 bytes read on a total of 5 expected bytes");
        } else if (kind == RILL__READ_UNTIL) {
            RIG_FAILS(rc, &read, RILL_EINCOMPLETE,
                      "0 bytes read on a total of undefined expected bytes");
        } else {
            RIG_READS(rc, &read, "");
        }
        CHECK(rig.reader.waiter == NULL);
        rig_cleanup(&rig);
    }
}

/* an exception ends each kind of waiting call; what was buffered stays. */
static void test_exception_while_waiting(void)
{
    struct rig rig;
    struct rill__read read;
    const struct rill_error *error = rill_error_new(RILL_ECONNRESET, "reset");
    for (int kind = RILL__READ_SOME; kind <= RILL__READ_LINE; kind++) {
        const bool collects = kind == RILL__READ_TO_EOF;
        rig_init(&rig, 100);
        read.kind = (enum rill__read_kind)kind;
        read.n = 5;
        read.separators = &crlf;
        read.separator_count = 1;
        if (kind != RILL__READ_SOME) {
            rig_feed(&rig, "abc");
        }
        CHECK_INT(rill__read_begin(&rig.reader, &read), RILL__READ_WAIT);
        rill__reader_set_exception(&rig.reader, error);
        CHECK_INT((long long)rill__reader_buffered(&rig.reader),
                  kind == RILL__READ_SOME || collects ? 0 : 3);
        CHECK_INT(rig_step(&rig, &read), RILL_ECONNRESET);
        CHECK(read.error == error);
        rill_error_unref(read.error);
        CHECK_STR(rig_left(&rig), kind == RILL__READ_SOME ? "" : "abc"); /* Q-17 for read-to-EOF */
        CHECK(rig.reader.waiter == NULL);
        rig_cleanup(&rig);
    }
    rill_error_unref(error);
}

/* the log of pause and resume around waits. */
static void test_resume_before_waiting(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 2);
    rig_feed(&rig, "abcde");
    CHECK_INT(rig_exactly(&rig, &read, 12), RILL__READ_WAIT);
    CHECK_STR(rig.log, "pr");
    rig_feed(&rig, "f");
    CHECK_STR(rig.log, "prwp");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    CHECK_STR(rig.log, "prwpr");
    rig_feed(&rig, "ghijklmno");
    RIG_READS(rig_step(&rig, &read), &read, "abcdefghijkl");
    CHECK_STR(rig_left(&rig), "mno");
    CHECK_STR(rig.log, "prwprwp"); /* limit + 1 are left: still paused */
    RIG_READS(rig_read(&rig, &read, 1), &read, "m");
    CHECK_STR(rig.log, "prwprwpr");
    rig_cleanup(&rig);
}

/* whoever must wait while another waits is refused, with its own name; the first is
 * unaffected. */
static void test_second_waiter(void)
{
    struct rig rig;
    struct rill__read first;
    struct rill__read second;
    rig_init(&rig, 100);
    CHECK_INT(rig_exactly(&rig, &first, 3), RILL__READ_WAIT);
    for (int woken = 0; woken < 2; woken++) { /* woken or not makes no difference */
        RIG_FAILS(rig_exactly(&rig, &second, 9), &second, RILL_ERUNTIME, text_taken_exactly);
        RIG_FAILS(rig_until(&rig, &second, &crlf, 1), &second, RILL_ERUNTIME, text_taken_until);
        RIG_FAILS(rig_line(&rig, &second), &second, RILL_ERUNTIME, text_taken_until);
        RIG_FAILS(rig_to_eof(&rig, &second), &second, RILL_ERUNTIME, text_taken_read);
        if (woken == 0) {
            RIG_FAILS(rig_read(&rig, &second, 9), &second, RILL_ERUNTIME, text_taken_read);
            rig_feed(&rig, "ab");
        }
        RIG_READS(rig_read(&rig, &second, 0), &second, ""); /* */
        CHECK_STR(rig_left(&rig), "ab");
    }
    CHECK_INT(rig_step(&rig, &first), RILL__READ_WAIT);
    rig_feed(&rig, "c");
    RIG_READS(rig_step(&rig, &first), &first, "abc");
    rig_cleanup(&rig);
}

/* another call takes the bytes; the woken one waits again, read(n) too. */
static void test_stolen_bytes(void)
{
    struct rig rig;
    struct rill__read first;
    struct rill__read second;
    rig_init(&rig, 100);

    CHECK_INT(rig_read(&rig, &first, 9), RILL__READ_WAIT);
    rig_feed(&rig, "abc");
    RIG_READS(rig_read(&rig, &second, 9), &second, "abc");
    CHECK_INT(rig_step(&rig, &first), RILL__READ_WAIT);
    rig_feed(&rig, "de");
    CHECK_STR(rig_text(second.result), "abc");
    RIG_READS(rig_step(&rig, &first), &first, "de");
    CHECK_STR(rig_text(second.result), "abc");

    CHECK_INT(rig_line(&rig, &first), RILL__READ_WAIT);
    rig_feed(&rig, "ab\ncd");
    RIG_READS(rig_line(&rig, &second), &second, "ab\n");
    CHECK_INT(rig_step(&rig, &first), RILL__READ_WAIT);
    rig_feed(&rig, "\n");
    RIG_READS(rig_step(&rig, &first), &first, "cd\n");
    rig_cleanup(&rig);
}

/* A call that waits has scanned bytes which another then takes: what is scanned is counted from the
 * new head. CPython's own `offset` is not moved by that, and rill's is the same: a separator before
 * it is overlooked until it moves on. */
static void test_stolen_scanned_bytes(void)
{
    static const struct rill_bytes newline = {"\n", 1};
    struct rig rig;
    struct rill__read first;
    struct rill__read second;
    rig_init(&rig, 100);
    rig_feed(&rig, "abcdef");
    CHECK_INT(rig_until(&rig, &first, &newline, 1), RILL__READ_WAIT);
    CHECK_INT((long long)first.scanned, 6);
    RIG_READS(rig_read(&rig, &second, 4), &second, "abcd");
    CHECK_INT((long long)first.scanned, 2);
    rig_feed(&rig, "g\nhij\nk");
    RIG_READS(rig_step(&rig, &first), &first, "efg\nhij\n");
    RIG_READS(rig_read(&rig, &second, 4), &second, "k");

    rig_feed(&rig, "abcdef");
    CHECK_INT(rig_line(&rig, &first), RILL__READ_WAIT);
    RIG_READS(rig_exactly(&rig, &second, 6), &second, "abcdef");
    CHECK_INT((long long)first.scanned, 0);
    rig_feed(&rig, "gh");
    CHECK_INT(rig_step(&rig, &first), RILL__READ_WAIT); /* the end lies before the offset */
    rig_feed(&rig, "ijklmn\n");
    RIG_READS(rig_step(&rig, &first), &first, "ghijklmn\n");
    rig_cleanup(&rig);
}

/* cancelling keeps the bytes, wins over data, and frees the slot only when the
 * task has run. */
static void test_cancel(void)
{
    struct rig rig;
    struct rill__read read;
    struct rill__read second;
    rig_init(&rig, 100);

    rig_feed(&rig, "ab");
    CHECK_INT(rig_exactly(&rig, &read, 4), RILL__READ_WAIT);
    rill__read_cancel_requested(&read);
    RIG_FAILS(rig_exactly(&rig, &second, 4), &second, RILL_ERUNTIME, text_taken_exactly);
    rig_feed(&rig, "cd");
    rill__reader_feed_eof(&rig.reader);
    CHECK_STR(rig.log, ""); /* nothing wakes it any more */
    rill__read_cancelled(&rig.reader, &read);
    CHECK_STR(rig_left(&rig), "abcd");
    RIG_READS(rig_exactly(&rig, &second, 4), &second, "abcd");
    rig_cleanup(&rig);

    rig_init(&rig, 100);
    CHECK_INT(rig_read(&rig, &read, 4), RILL__READ_WAIT);
    rig_feed(&rig, "ab");
    rill__read_cancel_requested(&read); /* woken already: the caller knows which comes first */
    CHECK(read.woken);
    rill__read_cancelled(&rig.reader, &read);
    CHECK_STR(rig_left(&rig), "ab");
    RIG_READS(rig_read(&rig, &read, 4), &read, "ab");

    /* A cancellation that was taken back before it was delivered: the step runs as if
     * nothing had been. */
    CHECK_INT(rig_read(&rig, &read, 4), RILL__READ_WAIT);
    rig_feed(&rig, "cd");
    rill__read_cancel_requested(&read);
    RIG_READS(rig_step(&rig, &read), &read, "cd");
    rig_cleanup(&rig);
}

/* An exception was delivered and then the task was cancelled: the error object is let go of. */
static void test_cancel_after_exception(struct rig_allocator *allocator)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 100);
    CHECK_INT(rig_read(&rig, &read, 4), RILL__READ_WAIT);
    const struct rill_error *error = rill_error_new(RILL_EPIPE, "pipe");
    rill__reader_set_exception(&rig.reader, error);
    rill_error_unref(error);
    rill__read_cancelled(&rig.reader, &read);
    CHECK(read.delivered == NULL);
    rill__reader_set_exception(&rig.reader, NULL);
    CHECK_INT(allocator->live, 0);
    rig_cleanup(&rig);
}

/* block by block, each with its resume test, and one view at the end. */
static void test_read_to_eof(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 2);
    rig_feed(&rig, "abcdefg");
    CHECK_STR(rig.log, "p");
    CHECK_INT(rig_to_eof(&rig, &read), RILL__READ_WAIT);
    CHECK_STR(rig.log, "pr");
    CHECK_INT((long long)rill__reader_buffered(&rig.reader), 0);
    rig_feed(&rig, "hijkl");
    CHECK_STR(rig.log, "prwp");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    CHECK_STR(rig.log, "prwpr");
    rig_feed(&rig, "m");
    rill__reader_feed_eof(&rig.reader);
    RIG_READS(rig_step(&rig, &read), &read, "abcdefghijklm");
    CHECK(rill__reader_at_eof(&rig.reader));
    RIG_READS(rig_to_eof(&rig, &read), &read, "");
    rig_cleanup(&rig);
}

/* R-118 inside R-125: an exception set after the wake is seen by the next block's read, which is
 * too late for the first. */
static void test_read_to_eof_exception_after_wake(void)
{
    struct rig rig;
    struct rill__read read;
    const struct rill_error *error = rill_error_new(RILL_ECONNRESET, "reset");
    rig_init(&rig, 2);
    rig_feed(&rig, "ab");
    CHECK_INT(rig_to_eof(&rig, &read), RILL__READ_WAIT);
    rig_feed(&rig, "cdefg");
    rill__reader_set_exception(&rig.reader, error);
    RIG_FAILS(rig_step(&rig, &read), &read, RILL_ECONNRESET, "reset");
    CHECK_STR(rig.log, "wp"); /* one block of two left three: no resume */
    CHECK_STR(rig_left(&rig), "abcdefg");

    rill__reader_set_exception(&rig.reader, NULL);
    RIG_READS(rig_read(&rig, &read, 3), &read, "abc"); /* put back means readable again */
    rill_error_unref(error);
    rig_cleanup(&rig);
}

/* Q-18 with an exception set after the wake: waiting again would be for ever, so the exception is
 * tested again. */
static void test_exception_before_waiting_again(void)
{
    struct rig rig;
    struct rill__read read;
    struct rill__read other;
    const struct rill_error *error = rill_error_new(RILL_ECONNRESET, "reset");
    for (int to_eof = 0; to_eof < 2; to_eof++) {
        rig_init(&rig, 10);
        rig_feed(&rig, "ab");
        CHECK_INT(to_eof ? rig_to_eof(&rig, &read) : rig_read(&rig, &read, 0), to_eof);
        if (!to_eof) {
            RIG_READS(rig_read(&rig, &read, 5), &read, "ab");
            CHECK_INT(rig_read(&rig, &read, 5), RILL__READ_WAIT);
        }
        rig_feed(&rig, "cd");
        RIG_READS(rig_read(&rig, &other, 5), &other, "cd");
        rill__reader_set_exception(&rig.reader, error);
        RIG_FAILS(rig_step(&rig, &read), &read, RILL_ECONNRESET, "reset");
        CHECK_STR(rig_left(&rig), to_eof ? "ab" : "");
        rig_cleanup(&rig);
    }
    rill_error_unref(error);
}

/* cancelled while it collected: all goes back, in order, and reading goes on. */
static void test_read_to_eof_cancelled(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 2);
    rig_feed(&rig, "abc");
    CHECK_INT(rig_to_eof(&rig, &read), RILL__READ_WAIT);
    rig_feed(&rig, "de");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    rig_feed(&rig, "fgh");
    rill__read_cancel_requested(&read);
    rill__read_cancelled(&rig.reader, &read);
    CHECK_STR(rig_left(&rig), "abcdefgh");
    CHECK_STR(rig.log, "ww");
    rig_feed(&rig, "i");
    CHECK_STR(rig.log, "wwp"); /* nine are more than twice two */
    rill__reader_feed_eof(&rig.reader);
    RIG_READS(rig_to_eof(&rig, &read), &read, "abcdefghi");
    rig_cleanup(&rig);
}

/* R-171 beside a read-to-EOF: each takes its own, neither view moves. */
static void test_steal_from_read_to_eof(void)
{
    struct rig rig;
    struct rill__read all;
    struct rill__read other;
    rig_init(&rig, 3);
    rig_feed(&rig, "abc");
    CHECK_INT(rig_to_eof(&rig, &all), RILL__READ_WAIT);
    rig_feed(&rig, "defg");
    RIG_READS(rig_exactly(&rig, &other, 2), &other, "de");
    CHECK_INT(rig_step(&rig, &all), RILL__READ_WAIT);
    for (int i = 0; i < 3000; i++) {
        rig_feed(&rig, "x");
    }
    CHECK_STR(rig_text(other.result), "de");
    CHECK_INT(rig_read(&rig, &other, 2999), 0);
    rill__reader_feed_eof(&rig.reader);
    RIG_READS(rig_step(&rig, &all), &all, "abcfgx");
    CHECK_INT((long long)other.result.len, 2999);
    CHECK(other.result.ptr[0] == 'x' && other.result.ptr[2998] == 'x');
    rig_cleanup(&rig);
}

/* Two read-to-EOF at once: the second takes what is there, and keeps it only at EOF. */
static void test_second_read_to_eof(void)
{
    struct rig rig;
    struct rill__read first;
    struct rill__read second;
    rig_init(&rig, 2);
    rig_feed(&rig, "ab");
    CHECK_INT(rig_to_eof(&rig, &first), RILL__READ_WAIT);
    rig_feed(&rig, "cdefg");
    RIG_FAILS(rig_to_eof(&rig, &second), &second, RILL_ERUNTIME, text_taken_read);
    CHECK_STR(rig_left(&rig), "cdefg");
    CHECK_STR(rig.log, "wpr");
    RIG_FAILS(rig_read(&rig, &second, -1), &second, RILL_ERUNTIME, text_taken_read);
    rig_feed(&rig, "h");
    CHECK_STR(rig.log, "wprp");
    rill__reader_feed_eof(&rig.reader);
    RIG_READS(rig_to_eof(&rig, &second), &second, "cdefgh");
    CHECK_STR(rig.log, "wprpr");
    RIG_READS(rig_to_eof(&rig, &second), &second, "");
    RIG_READS(rig_step(&rig, &first), &first, "ab");
    rig_cleanup(&rig);
}

/* A second call that ends by an error which empties the buffer must leave the collected bytes
 * alone. */
static void test_incomplete_beside_read_to_eof(void)
{
    struct rig rig;
    struct rill__read first;
    struct rill__read second;
    rig_init(&rig, 9);
    rig_feed(&rig, "ab");
    CHECK_INT(rig_to_eof(&rig, &first), RILL__READ_WAIT);
    rig_feed(&rig, "cd");
    rill__reader_feed_eof(&rig.reader);
    RIG_FAILS(rig_exactly(&rig, &second, 3), &second, RILL_EINCOMPLETE,
              "2 bytes read on a total of 3 expected bytes");
    RIG_READS(rig_step(&rig, &first), &first, "ab");
    rig_cleanup(&rig);
}

/* However the bytes come, the call's steps look at each of them once: the search goes on where it
 * was. */
static void test_nothing_is_scanned_twice(void)
{
    static const struct rill_bytes separators[] = {{"\r\n\r\n", 4}, {"\n--", 3}};
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 1000);
    CHECK_INT(rig_until(&rig, &read, separators, 2), RILL__READ_WAIT);
    for (size_t i = 1; i <= 500; i++) {
        rig_feed(&rig, "\r");
        CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
        CHECK_INT((long long)read.scanned, i < 3 ? 0 : (long long)i);
        CHECK_INT((long long)read.offset, i < 4 ? 0 : (long long)i - 3);
    }
    rig_feed(&rig, "\n-");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    rig_feed(&rig, "-");
    CHECK_INT(rig_step(&rig, &read), 0);
    CHECK_INT((long long)read.result.len, 503);
    rig_cleanup(&rig);
}

static void step_without_wake(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 9);
    (void)rig_line(&rig, &read);
    (void)rill__read_step(&rig.reader, &read);
}

static void step_of_a_call_that_ended(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 9);
    (void)rig_line(&rig, &read);
    rig_feed(&rig, "\n\n");
    (void)rig_step(&rig, &read);
    (void)rill__read_step(&rig.reader, &read);
}

static void cancel_without_a_call(void)
{
    struct rig rig;
    struct rill__read read = {.kind = RILL__READ_LINE};
    rig_init(&rig, 9);
    rill__read_cancelled(&rig.reader, &read);
}

static void test_invariants(void)
{
    CHECK(rig_aborts(step_without_wake, "read->woken"));
    CHECK(rig_aborts(step_of_a_call_that_ended, "reader->waiter == read"));
    CHECK(rig_aborts(cancel_without_a_call, "reader->waiter == read"));
}

int main(void)
{
    struct rig_allocator *allocator = rig_use_allocator();
    test_wake_and_test_again();
    test_eof_while_waiting();
    test_exception_while_waiting();
    test_resume_before_waiting();
    test_second_waiter();
    test_stolen_bytes();
    test_stolen_scanned_bytes();
    test_cancel();
    test_cancel_after_exception(allocator);
    test_read_to_eof();
    test_read_to_eof_exception_after_wake();
    test_exception_before_waiting_again();
    test_read_to_eof_cancelled();
    test_steal_from_read_to_eof();
    test_second_read_to_eof();
    test_incomplete_beside_read_to_eof();
    test_nothing_is_scanned_twice();
    CHECK_INT(allocator->live, 0);
    test_invariants();
    return check_report("read_waiting_test");
}
