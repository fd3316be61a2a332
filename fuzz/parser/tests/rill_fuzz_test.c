/* SPDX-License-Identifier: MIT
 *
 * rill_fuzz_run: what each step of a plan does to a handler, and that each thing that a handler
 * must not do ends the process by the function of its name.
 */
#include "rill_fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rill/rill.h>

#include "check.h"

#define BYTES(text) (text), sizeof(text) - 1 /* with NULs inside */

/* What a handler saw, to be compared. */
struct seen {
    char text[256];
    size_t len;
};

static void note(struct seen *seen, const char *data, size_t size)
{
    if (seen->len + size < sizeof seen->text) {
        memcpy(seen->text + seen->len, data, size);
        seen->len += size;
    }
}

/* -- handlers as they should be -------------------------------------------------------------- */

/* Notes every read as `[bytes]`, then how it ended. */
static int note_reads(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data = {0};
    int rc;
    (void)writer;
    while ((rc = rill_reader_read(reader, 1000, &data)) == 0 && data.len > 0) {
        note(arg, "[", 1);
        note(arg, data.ptr, data.len);
        note(arg, "]", 1);
    }
    note(arg, rill_error_name(rc), rc < 0 ? strlen(rill_error_name(rc)) : 0);
    return rc;
}

/* Waits at most ten seconds for its first byte. */
static int wait_a_while(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_timeout scope;
    struct rill_bytes data;
    (void)writer;
    (void)arg;
    rill_timeout_enter(&scope, 10.0);
    return rill_timeout_exit(&scope, rill_reader_readexactly(reader, 1, &data));
}

/* Answers more than the peer takes while it does not read. */
static int answer_much(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    static const char much[100000];
    struct rill_bytes data;
    struct rill_timeout scope;
    int rc = rill_reader_readexactly(reader, 2, &data);
    if (rc < 0) {
        return rc;
    }
    rill_writer_write(writer, much, sizeof much);
    rill_timeout_enter(&scope, 5.0);
    rc = rill_timeout_exit(&scope, rill_writer_drain(writer));
    note(arg, rc < 0 ? "late" : "taken", rc < 0 ? 4 : 5);
    return rc;
}

static const struct played {
    int line;
    rill_client_connected_task *handler;
    struct rill_bytes input;
    int want_result;
    const char *want_seen;
} plays[] = {
    /* No plan. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello")},
     .want_result = 0,
     .want_seen = "[hello]"},
    /* No input. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("")},
     .want_result = 0,
     .want_seen = ""},
    /* Chunks, the rest behind them. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x08\x01")},
     .want_result = 0,
     .want_seen = "[he][l][lo]"},
    /* Single bytes. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x13")},
     .want_result = 0,
     .want_seen = "[h][e][l][lo]"},
    /* A large chunk. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("0123456789abcdef!\xff\x02")},
     .want_result = 0,
     .want_seen = "[0123456789abcdef][!]"},
    /* The next step does not wait. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("ab\xff\xb8\x3f")},
     .want_result = RILL_ECANCELLED,
     .want_seen = "CancelledError"},
    /* End. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x00\x06\x00")},
     .want_result = 0,
     .want_seen = "[h]"},
    /* Reset. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x00\x0e")},
     .want_result = RILL_ECONNRESET,
     .want_seen = "[h]ConnectionResetError"},
    /* Close. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x00\x16")},
     .want_result = 0,
     .want_seen = "[h]"},
    /* Cancel. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x00\x07")},
     .want_result = RILL_ECANCELLED,
     .want_seen = "[h]CancelledError"},
    /* Silence, and no deadline. */
    {.line = __LINE__,
     .handler = note_reads,
     .input = {BYTES("hello\xff\x00\x1e")},
     .want_result = RILL_ECANCELLED,
     .want_seen = "[h]CancelledError"},
    /* Silence, and a deadline. */
    {.line = __LINE__,
     .handler = wait_a_while,
     .input = {BYTES("\xff\x1e")},
     .want_result = RILL_ETIMEOUT,
     .want_seen = ""},
    /* Four seconds are not ten. */
    {.line = __LINE__,
     .handler = wait_a_while,
     .input = {BYTES("a\xff\x34")},
     .want_result = 0,
     .want_seen = ""},
    /* Sixteen are. */
    {.line = __LINE__,
     .handler = wait_a_while,
     .input = {BYTES("a\xff\x44")},
     .want_result = RILL_ETIMEOUT,
     .want_seen = ""},
    /* The peer reads. */
    {.line = __LINE__,
     .handler = answer_much,
     .input = {BYTES("ab")},
     .want_result = 0,
     .want_seen = "taken"},
    /* The peer reads again in time. */
    {.line = __LINE__,
     .handler = answer_much,
     .input = {BYTES("ab\xff\x05\x08\x2c\x0d")},
     .want_result = 0,
     .want_seen = "taken"},
    /* The peer does not read. */
    {.line = __LINE__,
     .handler = answer_much,
     .input = {BYTES("ab\xff\x05\x08\x44")},
     .want_result = RILL_ETIMEOUT,
     .want_seen = "late"},
};

/* -- handlers as they should not be ---------------------------------------------------------- */

static int nothing(void *arg)
{
    (void)arg;
    return rill_sleep(1000.0);
}

static void ignore(void *arg)
{
    (void)arg;
}

/* Waits for a task that waits for it. */
static int wait_for_ever(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data;
    (void)writer;
    (void)arg;
    while (rill_reader_read(reader, 10, &data) == RILL_ECANCELLED) {
        /* does not let itself be cancelled */
    }
    return 0;
}

static int spin(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)reader;
    (void)writer;
    (void)arg;
    while (rill_sleep(0) == 0) {
        /* for ever */
    }
    return 0;
}

static int leave_a_task(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)reader;
    (void)writer;
    return rill_task_create(nothing, arg, NULL, NULL);
}

static int leave_a_timer(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    (void)reader;
    (void)writer;
    return rill_call_later(rill_running_loop(), 5.0, ignore, arg, NULL);
}

static int count_reads(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data = {0};
    int reads = 0;
    (void)writer;
    (void)arg;
    while (rill_reader_read(reader, 1000, &data) == 0 && data.len > 0) {
        reads++;
    }
    return reads;
}

static int echo_reads(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data = {0};
    (void)arg;
    while (rill_reader_read(reader, 1000, &data) == 0 && data.len > 0) {
        rill_writer_write(writer, ".", 1);
    }
    return 0;
}

static const struct ended {
    int line;
    rill_client_connected_task *handler;
    struct rill_bytes input;
    const char *want_text;
} ends[] = {
    /* Ignores being cancelled. */
    {.line = __LINE__,
     .handler = wait_for_ever,
     .input = {BYTES("\xff\x1e")},
     .want_text = "nothing will come any more"},
    /* Spins. */
    {.line = __LINE__, .handler = spin, .input = {BYTES("a")}, .want_text = "no end of it"},
    /* A task is left. */
    {.line = __LINE__, .handler = leave_a_task, .input = {BYTES("")}, .want_text = "tasks=1"},
    /* A timer is left. */
    {.line = __LINE__, .handler = leave_a_timer, .input = {BYTES("")}, .want_text = "timers=1"},
    /* The result depends on cuts. */
    {.line = __LINE__,
     .handler = count_reads,
     .input = {BYTES("ab\xff\x00")},
     .want_text = "in one chunk: result=1"},
    /* What is written depends on cuts. */
    {.line = __LINE__,
     .handler = echo_reads,
     .input = {BYTES("ab\xff\x00")},
     .want_text = "written=2 bytes: .."},
};

static const struct rill_fuzz_options compared = {.compare_whole = true};

static void test_plays(void)
{
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        const struct played *row = &plays[i];
        struct seen seen = {0};
        const int result = rill_fuzz_run(row->input.ptr, row->input.len, row->handler, &seen, NULL);
        CHECK_INT_ROW(row->line, result, row->want_result);
        CHECK_STR_ROW(row->line, seen.text, row->want_seen);
    }
}

/* In a process of its own, which ends; its stderr comes back. */
static int end_of(const struct ended *row, char *text, size_t size)
{
    int ends_of_pipe[2];
    int status = 0;
    if (pipe(ends_of_pipe) != 0) {
        return 0;
    }
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends_of_pipe[1], STDERR_FILENO);
        (void)rill_fuzz_run(row->input.ptr, row->input.len, row->handler, NULL, &compared);
        _exit(0);
    }
    close(ends_of_pipe[1]);
    size_t used = 0;
    for (ssize_t got = 1; got > 0 && used + 1 < size;) {
        got = read(ends_of_pipe[0], text + used, size - used - 1);
        used += got > 0 ? (size_t)got : 0;
    }
    text[used] = '\0';
    close(ends_of_pipe[0]);
    waitpid(pid, &status, 0);
    return status;
}

static void test_ends(void)
{
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char text[4096];
        const int status = end_of(&ends[i], text, sizeof text);
        CHECK_ROW(ends[i].line, status != 0);
        CHECK_ROW(ends[i].line, strstr(text, ends[i].want_text) != NULL);
    }
}

static void test_same_for_every_cut(void)
{
    struct seen seen = {0};
    CHECK(rill_fuzz_run("hello\xff\x08", 7, wait_a_while, &seen, &compared) == 0);
}

static void test_limit_is_the_readers(void)
{
    const struct rill_fuzz_options options = {.limit = RILL_SET(0)};
    struct seen seen = {0};
    CHECK(rill_fuzz_run("a", 1, note_reads, &seen, &options) == RILL_EVALUE);
    CHECK(seen.len == 0);
}

int main(void)
{
    test_plays();
    test_ends();
    test_same_for_every_cut();
    test_limit_is_the_readers();
    return check_report("rill_fuzz_test");
}
