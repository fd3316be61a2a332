/* SPDX-License-Identifier: MIT
 *
 * What rill offers beside asyncio (specification 10.2): each with the row it answers. None of it
 * changes anything until it is asked for.
 */
#include <stdint.h>
#include <string.h>

#include <rill/observe.h>

#include "../../loop/tests/virtual.h"

struct pair {
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;
};

static void open_pair(struct pair *pair, long long limit, const struct rill_memory_options *memory)
{
    const struct rill_connection_options options = {.limit = RILL_SET(limit)};
    CHECK_INT(
        rill_open_memory_connection(&options, memory, &pair->reader, &pair->writer, &pair->peer),
        0);
}

static void close_pair(struct pair *pair)
{
    rill_writer_free(pair->writer);
    rill_memory_peer_free(pair->peer);
}

static void turns(int count)
{
    while (count-- > 0) {
        CHECK_INT(rill_sleep(0), 0);
    }
}

static bool is(struct rill_bytes got, const char *want)
{
    return got.len == strlen(want) && memcmp(got.ptr, want, got.len) == 0;
}

static int skip_line(void *arg) /* */
{
    struct pair pair;
    struct rill_bytes line;

    (void)arg;
    open_pair(&pair, 4, NULL);
    CHECK_INT(rill_memory_peer_send(pair.peer, "0123456789", 10), 0);
    CHECK_INT(rill_memory_peer_send(pair.peer, "0123456789\nok\n", 14), 0);
    CHECK_INT(rill_reader_skip_line(pair.reader), 0);
    CHECK_INT(rill_reader_readline(pair.reader, &line), 0);
    CHECK(is(line, "ok\n"));
    CHECK_INT(rill_memory_peer_send(pair.peer, "tail", 4), 0);
    rill_memory_peer_shutdown_write(pair.peer);
    CHECK_INT(rill_reader_skip_line(pair.reader), 0);
    CHECK(rill_reader_at_eof(pair.reader));
    close_pair(&pair);
    return 0;
}

static int leftover(void *arg) /* what a stored error hides */
{
    struct pair pair;
    struct rill_bytes data;

    (void)arg;
    open_pair(&pair, 100, NULL);
    CHECK_INT(rill_memory_peer_send(pair.peer, "early answer", 12), 0);
    rill_memory_peer_reset(pair.peer);
    turns(4);
    CHECK_INT(rill_reader_read(pair.reader, 5, &data), RILL_ECONNRESET);
    CHECK(is(rill_reader_leftover(pair.reader), "early answer"));
    close_pair(&pair);
    return 0;
}

static int real_error(void *arg) /* what is behind `Connection lost` */
{
    struct pair pair;

    (void)arg;
    open_pair(&pair, 100, NULL);
    rill_memory_peer_close(pair.peer);
    turns(3); /* FIN is seen, the connection is still there for writing */
    CHECK_INT(rill_writer_write(pair.writer, "x", 1), 0);
    CHECK_INT(rill_writer_drain(pair.writer), RILL_ECONNRESET);
    const struct rill_error *error = rill_writer_error(pair.writer);
    CHECK_STR(error->text, "Connection lost");
    CHECK_INT(error->os_errno, 0);
    CHECK(error->cause != NULL && error->cause->code == RILL_EPIPE);
    CHECK(rill_reader_exception(pair.reader) == error->cause); /* one object */
    close_pair(&pair);
    return 0;
}

static int read_all_max(void *arg) /* */
{
    struct pair pair;
    struct rill_bytes data;

    (void)arg;
    open_pair(&pair, 4, NULL);
    rill_reader_set_read_all_max(pair.reader, (struct rill_opt_int)RILL_SET(8));
    CHECK_INT(rill_memory_peer_send(pair.peer, "0123456789", 10), 0);
    CHECK_INT(rill_reader_read(pair.reader, -1, &data), RILL_ELIMIT);
    CHECK_STR(rill_task_error()->text, "Read to EOF exceeds its bound of 8 bytes");
    CHECK_INT(rill_reader_readexactly(pair.reader, 10, &data), 0); /* nothing is lost */
    CHECK(is(data, "0123456789"));
    CHECK_INT(rill_memory_peer_send(pair.peer, "12345678", 8), 0);
    rill_memory_peer_shutdown_write(pair.peer);
    CHECK_INT(rill_reader_read(pair.reader, -1, &data), 0); /* the bound itself is fine */
    CHECK(is(data, "12345678"));
    rill_reader_set_read_all_max(pair.reader, (struct rill_opt_int){0});
    close_pair(&pair);
    return 0;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static int write_borrowed(void *arg) /* */
{
    const struct rill_memory_options window = {.window = RILL_SET(4)};
    char lent[] = "lent-bytes";
    struct pair pair;
    int done = 0;

    (void)arg;
    open_pair(&pair, 100, &window);
    CHECK_INT(rill_writer_write_borrowed(pair.writer, "abcd", 4, count, &done), 0);
    CHECK_INT(done, 1); /* went at once */
    CHECK_INT(rill_writer_write(pair.writer, "copy1", 5), 0);
    CHECK_INT(rill_writer_write_borrowed(pair.writer, lent, 10, count, &done), 0);
    CHECK_INT(rill_writer_write(pair.writer, "copy2", 5), 0);
    CHECK_INT(rill_writer_write_borrowed(pair.writer, "", 0, count, &done), 0);
    CHECK_INT(done, 2);
    lent[0] = 'L'; /* referenced, not copied */
    struct rill_writer_state state;
    rill_observe_writer(pair.writer, &state);
    CHECK_INT((long long)state.write_buffer, 20);
    for (int i = 0; i < 24; i++) {
        rill_memory_peer_set_window(pair.peer, (struct rill_opt_int)RILL_SET(5 + i));
        turns(2);
    }
    CHECK(is(rill_memory_peer_received(pair.peer), "abcdcopy1Lent-bytescopy2"));
    CHECK_INT(done, 3);

    CHECK_INT(rill_writer_write_borrowed(pair.writer, lent, 10, count, &done), 0);
    rill_transport_abort(
        rill_writer_transport(pair.writer)); /* given back, also when nothing is sent */
    CHECK_INT(done, 4);
    CHECK_INT(rill_writer_write_borrowed(pair.writer, lent, 10, count, &done), 0);
    CHECK_INT(rill_writer_write_borrowed(pair.writer, lent, 10, NULL, NULL), 0);
    CHECK_INT(done, 5); /* a lost write is dropped, and given back */
    close_pair(&pair);
    return 0;
}

/* Each piece that comes back lends the next one. */
struct lender {
    struct pair pair;
    int lent;
    int given_back;
};

static void lend_next(void *arg)
{
    struct lender *lender = arg;
    lender->given_back++;
    if (lender->lent < 5) {
        lender->lent++;
        CHECK_INT(rill_writer_write_borrowed(lender->pair.writer, "0123456789", 10, lend_next, arg),
                  0);
    }
}

/* Leaves a piece lent when the loop goes; the pair's memory is held for the callbacks. */
static int lent_at_the_end(void *arg)
{
    const struct rill_memory_options window = {.window = RILL_SET(4)};
    struct lender *lender = arg;

    open_pair(&lender->pair, 100, &window);
    lender->lent = 1;
    CHECK_INT(rill_writer_write_borrowed(lender->pair.writer, "0123456789", 10, lend_next, lender),
              0);
    CHECK_INT(lender->given_back, 0);
    rill_observe_hold(lender->pair.writer);
    return 0;
}

static int borrowed_after_eof(void *arg)
{
    struct pair pair;
    int done = 0;

    (void)arg;
    open_pair(&pair, 100, NULL);
    CHECK_INT(rill_writer_write_eof(pair.writer), 0);
    CHECK_INT(rill_writer_write_borrowed(pair.writer, "x", 1, count, &done), RILL_ERUNTIME);
    CHECK_STR(rill_writer_error(pair.writer)->text, "Cannot call write() after write_eof()");
    CHECK_INT(done, 0);
    close_pair(&pair);
    return 0;
}

static int close_timeout(void *arg) /* */
{
    const struct rill_memory_options window = {.window = RILL_SET(1)};
    struct virtual_time *time = arg;
    struct pair pair;

    open_pair(&pair, 100, &window);
    rill_writer_set_close_timeout(pair.writer, (struct rill_opt_real)RILL_SET(5));
    CHECK_INT(rill_writer_write(pair.writer, "stalled", 7), 0);
    const double before = time->now;
    rill_writer_close(pair.writer);
    rill_writer_close(pair.writer);
    CHECK_INT(rill_writer_wait_closed(pair.writer), 0);
    CHECK(time->now >= before + 5 && time->now < before + 6);
    close_pair(&pair);

    open_pair(&pair, 100, &window); /* also behind a close of the transport */
    rill_writer_set_close_timeout(pair.writer, (struct rill_opt_real)RILL_SET(5));
    CHECK_INT(rill_writer_write(pair.writer, "stalled", 7), 0);
    const double again = time->now;
    rill_transport_close(rill_writer_transport(pair.writer));
    rill_writer_close(pair.writer);
    CHECK_INT(rill_writer_wait_closed(pair.writer), 0);
    CHECK(time->now >= again + 5 && time->now < again + 6);
    close_pair(&pair);

    open_pair(&pair, 100, NULL); /* not needed: the deadline goes with the connection */
    rill_writer_set_close_timeout(pair.writer, (struct rill_opt_real)RILL_SET(5));
    rill_writer_close(pair.writer);
    CHECK_INT(rill_writer_wait_closed(pair.writer), 0);
    CHECK(time->now < again + 6);
    struct rill_loop_state state;
    rill_observe_loop(rill_running_loop(), &state);
    CHECK_INT((long long)state.timers, 0);
    close_pair(&pair);
    return 0;
}

static int count_turns(void *arg)
{
    int *turns_seen = arg;
    for (;;) {
        const int rc = rill_sleep(0);
        if (rc < 0) {
            return rc;
        }
        ++*turns_seen;
    }
}

/* Reads ten buffered lines; how often did another task get its turn meanwhile? */
static int read_ten(void *arg)
{
    struct pair pair;
    struct rill_bytes line;
    struct rill_task *other;
    int *turns_seen = arg;

    open_pair(&pair, 100, NULL);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(rill_memory_peer_send(pair.peer, "a\n", 2), 0);
    }
    turns(12);
    CHECK_INT(rill_task_create(count_turns, turns_seen, NULL, &other), 0);
    turns(2);
    *turns_seen = 0;
    for (int i = 0; i < 10; i++) {
        CHECK_INT(rill_reader_readline(pair.reader, &line), 0);
        CHECK(is(line, "a\n"));
    }
    const int seen = *turns_seen;
    rill_task_cancel(other);
    CHECK_INT(rill_task_await(other), RILL_ECANCELLED);
    rill_task_free(other);
    close_pair(&pair);
    *turns_seen = seen;
    return 0;
}

static void fairness(unsigned fair_calls, int want_turns) /* */
{
    const struct rill_run_options options = {.loop.fair_calls = fair_calls};
    int turns_seen = 0;
    CHECK_INT(rill_run(read_ten, &turns_seen, &options), 0);
    CHECK_INT(turns_seen, want_turns);
}

static int stay(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data;
    (void)writer;
    (void)arg;
    return rill_reader_read(reader, -1, &data);
}

static int wait_closed_for(void *arg) /* */
{
    struct rill_server *server;
    struct rill_address address;
    struct rill_reader *reader;
    struct rill_writer *writer;
    char port[8];

    (void)arg;
    CHECK_INT(rill_start_server(stay, NULL, "127.0.0.1", NULL, NULL, &server), 0);
    CHECK(rill_server_sockname(server, 0, &address));
    snprintf(port, sizeof port, "%d", address.port);
    CHECK_INT(rill_open_connection("127.0.0.1", port, NULL, &reader, &writer), 0);
    CHECK_INT(rill_writer_write(writer, "x", 1), 0);
    CHECK_INT(rill_sleep(0.01), 0);
    rill_server_close(server);
    CHECK_INT(rill_server_wait_closed_for(server, 0.01), RILL_ETIMEOUT);
    rill_writer_free(writer);
    CHECK_INT(rill_server_wait_closed_for(server, 1000), 0);
    rill_server_free(server);
    return 0;
}

struct slow {
    struct virtual_time *time;
    char text[128];
    int logs;
};

static void take_log(void *arg, enum rill_log_level level, const char *text,
                     const struct rill_error *exception)
{
    (void)exception;
    struct slow *slow = arg;
    if (level == RILL_LOG_WARNING) {
        slow->logs++;
        snprintf(slow->text, sizeof slow->text, "%s", text);
    }
}

static void take_long(void *arg)
{
    struct slow *slow = arg;
    slow->time->now += 0.25;
}

static int debug_mode(void *arg)
{
    struct rill_loop *loop = rill_running_loop();
    struct slow *slow = arg;

    CHECK(rill_loop_get_debug(loop));
    CHECK_INT(rill_call_soon(loop, take_long, slow, NULL), 0);
    turns(2);
    CHECK_INT(slow->logs, 1);
    CHECK_STR(slow->text, "Executing <Handle> took 0.250 seconds");
    rill_loop_set_slow_callback_duration(loop, 1);
    CHECK_INT(rill_call_soon(loop, take_long, slow, NULL), 0);
    turns(2);
    CHECK_INT(slow->logs, 1);
    rill_loop_set_debug(loop, false);
    rill_loop_set_slow_callback_duration(loop, 0.1);
    CHECK_INT(rill_call_soon(loop, take_long, slow, NULL), 0);
    turns(2);
    CHECK_INT(slow->logs, 1);
    return 0;
}

int main(void)
{
    static rill_task_fn *const rows[] = {skip_line,    leftover,       real_error,
                                         read_all_max, write_borrowed, borrowed_after_eof,
                                         close_timeout};
    struct virtual_time time = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_INT(run_virtual(rows[i], &time, &time), 0);
    }
    struct lender lender = {0};
    CHECK_INT(run_virtual(lent_at_the_end, &lender, &time), 0);
    CHECK_INT(lender.given_back, lender.lent);
    close_pair(&lender.pair);
    rill_observe_release(lender.pair.writer);
    fairness(0, 0);
    fairness(4, 2);
    CHECK_INT(rill_run(wait_closed_for, NULL, NULL), 0);

    struct slow slow = {.time = &time};
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &time};
    const struct rill_run_options options = {
        .loop = {.clock = &clock, .log = take_log, .log_arg = &slow, .debug = RILL_SET(1)}};
    CHECK_INT(rill_run(debug_mode, &slow, &options), 0);
    return check_report("offers");
}
