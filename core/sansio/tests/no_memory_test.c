/* SPDX-License-Identifier: MIT
 *
 * Every allocation of a scenario fails, once and from then on: the call says RILL_ENOMEM, nothing
 * is lost or changed, and the same call again, with memory, does what it would have done.
 */
#include "rig.h"

static struct rig_allocator *allocator;

/* What a scenario did, to be compared with the run in which nothing failed. */
struct transcript {
    char text[32768];
    size_t length;
    int failures;
};

static void note(struct transcript *transcript, const char *text)
{
    const size_t room = sizeof transcript->text - transcript->length;
    const int wanted = snprintf(transcript->text + transcript->length, room, "%s;", text);
    CHECK(wanted > 0 && (size_t)wanted < room);
    transcript->length += strlen(transcript->text + transcript->length);
}

static void heal(struct transcript *transcript)
{
    transcript->failures++;
    allocator->fail_at = 0;
}

static void feed(struct rig *rig, struct transcript *transcript, const char *text)
{
    char before[4096];
    snprintf(before, sizeof before, "%s", rig_left(rig));
    char log[sizeof rig->log];
    snprintf(log, sizeof log, "%s", rig->log);

    const struct rill_error *error = NULL;
    if (rill__reader_feed_data(&rig->reader, text, strlen(text), &error) == RILL_ENOMEM) {
        CHECK_INT(error->code, RILL_ENOMEM);
        rill_error_unref(error);
        CHECK_STR(rig_left(rig), before);
        CHECK_STR(rig->log, log);
        heal(transcript);
        rig_feed(rig, text);
    }
}

/* Notes how the call ended and answers whether it ended for want of memory. */
static bool outcome(struct rig *rig, struct transcript *transcript, int rc, struct rill__read *read)
{
    if (rc == RILL_ENOMEM) {
        CHECK_INT(read->error->code, RILL_ENOMEM);
        rill_error_unref(read->error);
        CHECK(rig->reader.waiter != read);
        return true;
    }
    if (rc < 0) {
        note(transcript, read->error->text);
        note(transcript, rig_text(read->error->partial));
        note(transcript, read->error->cause != NULL ? read->error->cause->text : "");
        rill_error_unref(read->error);
    } else {
        note(transcript, rc == 0 ? rig_text(read->result) : "waits");
    }
    note(transcript, rig_left(rig));
    note(transcript, rig->log);
    return false;
}

static void call(struct rig *rig, struct transcript *transcript, struct rill__read *read)
{
    char before[4096];
    snprintf(before, sizeof before, "%s", rig_left(rig));
    if (outcome(rig, transcript, rill__read_begin(&rig->reader, read), read)) {
        CHECK_STR(rig_left(rig), before);
        heal(transcript);
        CHECK(!outcome(rig, transcript, rill__read_begin(&rig->reader, read), read));
    }
}

/* A step that fails has ended its call; what it would have taken is still there, so beginning again
 * takes it. */
static void step(struct rig *rig, struct transcript *transcript, struct rill__read *read)
{
    char before[4096];
    snprintf(before, sizeof before, "%s", rig_left(rig));
    if (outcome(rig, transcript, rig_step(rig, read), read)) {
        CHECK_STR(rig_left(rig), before);
        heal(transcript);
        CHECK(!outcome(rig, transcript, rill__read_begin(&rig->reader, read), read));
    }
}

static const char a_hundred[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "012345678901234567890123456789";

static const struct rill_bytes newline = {"\n", 1};

/* Errors of every kind, with and without a wait. */
static void errors_scenario(struct rig *rig, struct transcript *transcript)
{
    struct rill__read read = {.kind = RILL__READ_EXACTLY, .n = -1};
    struct rill__read line = {.kind = RILL__READ_LINE};
    struct rill__read until = {
        .kind = RILL__READ_UNTIL, .separators = &newline, .separator_count = 1};
    struct rill__read exactly = {.kind = RILL__READ_EXACTLY, .n = 5000};
    struct rill__read second = {.kind = RILL__READ_SOME, .n = 3};

    call(rig, transcript, &read);
    feed(rig, transcript, a_hundred);
    call(rig, transcript, &until);
    call(rig, transcript, &line);
    feed(rig, transcript, "more\nthan that");
    feed(rig, transcript, a_hundred);
    feed(rig, transcript, "\nleft");
    call(rig, transcript, &line);
    call(rig, transcript, &line);
    call(rig, transcript, &exactly);
    note(transcript, rig_left(rig));
    call(rig, transcript, &until);
    rill__reader_feed_eof(&rig->reader);
    step(rig, transcript, &exactly);
    call(rig, transcript, &until);
    call(rig, transcript, &second);
    const struct rill_error *error = NULL;
    CHECK_INT(rill__reader_feed_data(&rig->reader, "x", 1, &error), RILL_EASSERTION);
    CHECK(error->code == RILL_EASSERTION || error->code == RILL_ENOMEM);
    rill_error_unref(error);
}

/* Views that pin blocks, growth, and reads beside a read-to-EOF. */
static void views_scenario(struct rig *rig, struct transcript *transcript)
{
    struct rill__read all = {.kind = RILL__READ_TO_EOF};
    struct rill__read other = {.kind = RILL__READ_SOME, .n = 30};
    struct rill__read line = {.kind = RILL__READ_LINE};

    feed(rig, transcript, "a line\n");
    call(rig, transcript, &line);
    for (int i = 0; i < 15; i++) {
        feed(rig, transcript, a_hundred);
        CHECK_STR(rig_text(line.result), "a line\n");
    }
    call(rig, transcript, &all);
    feed(rig, transcript, a_hundred);
    call(rig, transcript, &other);
    step(rig, transcript, &all);
    for (int i = 0; i < 15; i++) {
        feed(rig, transcript, a_hundred);
    }
    CHECK_INT((long long)other.result.len, 30);
    CHECK(memcmp(other.result.ptr, a_hundred, 30) == 0);
    rill__reader_feed_eof(&rig->reader);
    struct rill__read second = {.kind = RILL__READ_TO_EOF};
    other.n = 10;
    call(rig, transcript, &other);
    call(rig, transcript, &second);
    step(rig, transcript, &all);
    CHECK_INT((long long)all.result.len, 1570);
}

static void play(void (*scenario)(struct rig *rig, struct transcript *transcript),
                 struct transcript *transcript)
{
    struct rig rig;
    rig_init(&rig, 20);
    memset(transcript, 0, sizeof *transcript);
    scenario(&rig, transcript);
    rig_cleanup(&rig);
    allocator->fail_at = 0;
    CHECK_INT(allocator->live, 0);
}

static void sweep(void (*scenario)(struct rig *rig, struct transcript *transcript))
{
    static struct transcript want;
    static struct transcript got;
    const long long before = allocator->calls;
    play(scenario, &want);
    const long long calls = allocator->calls - before;

    CHECK(calls > 5 && want.failures == 0);
    for (int on = 0; on < 2; on++) {
        allocator->fail_on = on != 0;
        for (long long i = 1; i <= calls; i++) {
            allocator->fail_at = allocator->calls + i;
            play(scenario, &got);
            CHECK_STR(got.text, want.text);
        }
    }
}

int main(void)
{
    allocator = rig_use_allocator();
    sweep(errors_scenario);
    sweep(views_scenario);
    return check_report("no_memory_test");
}
