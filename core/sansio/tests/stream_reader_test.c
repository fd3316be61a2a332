/* SPDX-License-Identifier: MIT
 *
 * stream_reader.c: feeding, EOF, exceptions, pausing (specification section 1.1, R-161 to R-165).
 */
#include "rig.h"

#include "sansio/memory.h"

static struct rig_allocator *allocator;

static void test_limit(void)
{
    CHECK(rill__reader_check_limit(1) == NULL);
    const long long refused[] = {0, -1};
    for (size_t i = 0; i < 2; i++) {
        const struct rill_error *error = rill__reader_check_limit(refused[i]);
        CHECK_INT(error->code, RILL_EVALUE);
        CHECK_STR(error->text, "Limit cannot be <= 0"); /* */
        rill_error_unref(error);
    }
}

/* */
static void test_new_reader(void)
{
    struct rig rig;
    rig_init(&rig, RILL__LIMIT_DEFAULT);
    CHECK_INT((long long)rig.reader.limit, 65536);
    CHECK_INT((long long)rill__reader_buffered(&rig.reader), 0);
    CHECK(!rig.reader.eof && !rig.reader.paused && rig.reader.waiter == NULL);
    CHECK(rig.reader.exception == NULL && !rill__reader_at_eof(&rig.reader));
    rig_cleanup(&rig);
}

/* */
static void test_feed(void)
{
    struct rig rig;
    struct rill__read read;
    const struct rill_error *error = NULL;
    rig_init(&rig, 10);

    rig_feed(&rig, "abc");
    CHECK_STR(rig_left(&rig), "abc");
    CHECK_INT(rill__reader_feed_data(&rig.reader, NULL, 0, &error), 0);
    CHECK(error == NULL);
    rill__reader_feed_eof(&rig.reader);
    rill__reader_feed_eof(&rig.reader);
    CHECK(!rill__reader_at_eof(&rig.reader));
    CHECK_STR(rig_left(&rig), "abc");

    for (size_t size = 0; size < 2; size++) {
        CHECK_INT(rill__reader_feed_data(&rig.reader, "x", size, &error), RILL_EASSERTION);
        CHECK_INT(error->code, RILL_EASSERTION);
        CHECK_STR(error->text, "feed_data after feed_eof");
        rill_error_unref(error);
    }
    CHECK_INT(rill__reader_feed_data(&rig.reader, "x", 1, NULL), RILL_EASSERTION);
    RIG_READS(rig_read(&rig, &read, 10), &read, "abc");
    CHECK(rill__reader_at_eof(&rig.reader));
    CHECK_STR(rig.log, "");
    rig_cleanup(&rig);
}

/* Without memory nothing is fed and nobody woken, whether the caller wants the error or not. */
static void test_feed_without_memory(void)
{
    struct rig rig;
    struct rill__read read;
    const struct rill_error *error = NULL;
    rig_init(&rig, 10);
    CHECK_INT(rig_line(&rig, &read), RILL__READ_WAIT);
    allocator->fail_on = true;
    allocator->fail_at = allocator->calls + 1;
    CHECK_INT(rill__reader_feed_data(&rig.reader, "abc\n", 4, NULL), RILL_ENOMEM);
    CHECK_INT(rill__reader_feed_data(&rig.reader, "abc\n", 4, &error), RILL_ENOMEM);
    CHECK_INT(error->code, RILL_ENOMEM);
    allocator->fail_at = 0;
    CHECK_INT((long long)rill__reader_buffered(&rig.reader), 0);
    CHECK_STR(rig.log, "");
    rig_feed(&rig, "abc\n");
    RIG_READS(rig_step(&rig, &read), &read, "abc\n");
    rig_cleanup(&rig);
}

/* Receiving in place is the same event as feeding a copy. */
static void test_fill_in_place(void)
{
    struct rig rig;
    struct rill__read read;
    char *space;
    size_t size;
    rig_init(&rig, 2);

    CHECK_INT(rig_exactly(&rig, &read, 6), RILL__READ_WAIT);
    CHECK_INT(rill__buffer_space(&rig.reader.buffer, 5, &space, &size), 0);
    CHECK(size >= 5);
    memcpy(space, "abcde", 5);
    rill__reader_filled(&rig.reader, 0);
    CHECK_STR(rig.log, ""); /* */
    rill__reader_filled(&rig.reader, 5);
    CHECK_STR(rig.log, "wp");
    CHECK_INT(rig_step(&rig, &read), RILL__READ_WAIT);
    CHECK_STR(rig.log, "wpr");
    rig_feed(&rig, "f");
    RIG_READS(rig_step(&rig, &read), &read, "abcdef");
    rig_cleanup(&rig);
}

/* what pausing depends on. */
static const struct {
    int line;
    size_t limit;
    bool no_transport;
    int pause_answer;
    const char *feeds[4];
    const char *want_log;
    bool want_paused;
} pauses[] = {
    {.line = __LINE__, .limit = 2, .feeds = {"abcd"}, .want_log = ""},
    {.line = __LINE__, .limit = 2, .feeds = {"abcde"}, .want_log = "p", .want_paused = true},
    {.line = __LINE__, .limit = 2, .feeds = {"abcd", "e"}, .want_log = "p", .want_paused = true},
    {.line = __LINE__,
     .limit = 2,
     .feeds = {"abcde", "f", "g"},
     .want_log = "p",
     .want_paused = true},
    {.line = __LINE__, .limit = 1, .feeds = {"a", "b"}, .want_log = ""},
    {.line = __LINE__, .limit = 1, .feeds = {"a", "bc"}, .want_log = "p", .want_paused = true},
    {.line = __LINE__, .limit = 2, .no_transport = true, .feeds = {"abcdefgh"}, .want_log = ""},
    {.line = __LINE__,
     .limit = 2,
     .pause_answer = RILL_ENOTIMPLEMENTED,
     .feeds = {"abcde", "f", "g"},
     .want_log = "p"},
    {.line = __LINE__, .limit = (size_t)-1, .feeds = {"abcdefgh"}, .want_log = ""},
};

static void test_pauses(void)
{
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        struct rig rig;
        rig_init(&rig, pauses[i].limit);
        rig.reader.has_transport = !pauses[i].no_transport;
        rig.pause_answer = pauses[i].pause_answer;
        for (size_t j = 0; j < 4 && pauses[i].feeds[j] != NULL; j++) {
            rig_feed(&rig, pauses[i].feeds[j]);
        }
        CHECK_STR_ROW(pauses[i].line, rig.log, pauses[i].want_log);
        CHECK_INT_ROW(pauses[i].line, rig.reader.paused, pauses[i].want_paused);
        rig_cleanup(&rig);
    }
}

/* */
static void test_exception(void)
{
    struct rig rig;
    struct rill__read read;
    const struct rill_error *first = rill_error_new(RILL_ECONNRESET, "first");
    const struct rill_error *second = rill_error_new(RILL_EUSER, "second");
    rig_init(&rig, 10);
    rig_feed(&rig, "abc");
    rill__reader_feed_eof(&rig.reader);

    rill__reader_set_exception(&rig.reader, first);
    rill__reader_set_exception(&rig.reader, second);
    CHECK(rig.reader.exception == second);
    CHECK_INT(rig_read(&rig, &read, 5), RILL_EUSER);
    CHECK(read.error == second); /* the very object */
    rill_error_unref(read.error);
    CHECK_STR(rig_left(&rig), "abc");
    CHECK(!rill__reader_at_eof(&rig.reader));

    rill__reader_set_exception(&rig.reader, NULL);
    RIG_READS(rig_read(&rig, &read, 5), &read, "abc");
    rill__reader_set_exception(&rig.reader, first);
    rill_error_unref(first);
    rill_error_unref(second);
    rig_cleanup(&rig); /* drops the last reference: the count of live blocks says so */
}

/* A waiter is completed with the exception, once, unless it was woken or cancelled before. */
static void test_exception_and_waiter(void)
{
    struct rig rig;
    struct rill__read read;
    const struct rill_error *error = rill_error_new(RILL_ECONNRESET, "reset");
    rig_init(&rig, 10);

    CHECK_INT(rig_read(&rig, &read, 5), RILL__READ_WAIT);
    rill__reader_set_exception(&rig.reader, error);
    rill__reader_set_exception(&rig.reader, error);
    rig_feed(&rig, "abc"); /* completed already: no second wake */
    CHECK_STR(rig.log, "w");
    RIG_FAILS(rig_step(&rig, &read), &read, RILL_ECONNRESET, "reset");

    rill__reader_set_exception(&rig.reader, NULL);
    CHECK_INT(rig_exactly(&rig, &read, 5), RILL__READ_WAIT);
    rig_feed(&rig, "de");
    rill__reader_set_exception(&rig.reader, error); /* too late for this wait */
    RIG_READS(rig_step(&rig, &read), &read, "abcde");
    RIG_FAILS(rig_read(&rig, &read, 0), &read, RILL_ECONNRESET, "reset");

    rill__reader_set_exception(&rig.reader, NULL);
    CHECK_INT(rig_read(&rig, &read, 5), RILL__READ_WAIT);
    rill__reader_set_exception(&rig.reader, NULL); /* clearing completes nothing */
    CHECK_STR(rig.log, "ww");
    rill__read_cancel_requested(&read);
    rill__reader_set_exception(&rig.reader, error);
    CHECK_STR(rig.log, "ww");
    rill__read_cancelled(&rig.reader, &read);
    rill_error_unref(error);
    rig_cleanup(&rig);
}

static void fill_after_eof(void)
{
    struct rig rig;
    rig_init(&rig, 1);
    rill__reader_feed_eof(&rig.reader);
    rill__reader_filled(&rig.reader, 1);
}

static void limit_of_zero(void)
{
    struct rig rig;
    rig_init(&rig, 0);
}

static void clean_up_under_a_call(void)
{
    struct rig rig;
    struct rill__read read;
    rig_init(&rig, 1);
    (void)rig_line(&rig, &read);
    rig_cleanup(&rig);
}

static void test_invariants(void)
{
    CHECK(rig_aborts(fill_after_eof, "!reader->eof"));
    CHECK(rig_aborts(limit_of_zero, "limit > 0"));
    CHECK(rig_aborts(clean_up_under_a_call, "reader->waiter == NULL"));
}

int main(void)
{
    allocator = rig_use_allocator();
    test_limit();
    test_new_reader();
    test_feed();
    test_feed_without_memory();
    test_fill_in_place();
    test_pauses();
    test_exception();
    test_exception_and_waiter();
    CHECK_INT(allocator->live, 0);
    test_invariants();
    return check_report("stream_reader_test");
}
