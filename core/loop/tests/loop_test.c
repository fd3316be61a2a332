/* SPDX-License-Identifier: MIT
 *
 * The loop's turn, its handles, stop, threads, descriptors, and life inside an
 * application's ev_loop.
 */
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include <ev.h>
#include <rill/observe.h>
#include <sys/socket.h>

#include "virtual.h"

struct step {
    struct trace *trace;
    const char *word;
    struct rill_loop *loop;
    struct step *next; /* queued when this one runs */
};

static void say(void *arg)
{
    struct step *step = arg;
    trace_add(step->trace, step->word);
    if (step->next != NULL) {
        rill_call_soon(step->loop, say, step->next, NULL);
    }
}

static void stop(void *arg)
{
    rill_loop_stop(arg);
}

/* ready, io, timer, then what they scheduled. */
static void check_order(void)
{
    struct virtual_time time = {0};
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &time};
    const struct rill_loop_options options = {.clock = &clock};
    struct trace trace = {0};
    struct rill_loop *loop;
    int fds[2];

    CHECK_INT(rill_loop_new(&options, &loop), 0);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct step after[] = {{&trace, "after-ready", loop, NULL},
                           {&trace, "after-io", loop, NULL},
                           {&trace, "after-timer", loop, NULL}};
    struct step ready = {&trace, "ready", loop, &after[0]};
    struct step io = {&trace, "io", loop, &after[1]};
    struct step timer = {&trace, "timer", loop, &after[2]};
    CHECK_INT(rill_call_at(loop, 0, say, &timer, NULL), 0);
    CHECK_INT(rill_add_reader(loop, fds[0], say, &io), 0);
    CHECK_INT((int)write(fds[1], "x", 1), 1);
    CHECK_INT(rill_call_soon(loop, say, &ready, NULL), 0);
    CHECK(rill_loop_step(loop));
    CHECK_STR(trace.text, "ready io timer");
    CHECK_INT(rill_remove_reader(loop, fds[0]), 1);
    CHECK_INT(rill_remove_reader(loop, fds[0]), 0);
    CHECK(rill_loop_step(loop));
    CHECK_STR(trace.text, "ready io timer after-ready after-io after-timer");
    CHECK(!rill_loop_step(loop));
    rill_loop_free(loop);
    close(fds[0]);
    close(fds[1]);
}

/* Ready descriptors run in the kernel's order, which is that of their becoming ready; libev alone
 * would turn it around. */
static void check_descriptor_order(void)
{
    enum { COUNT = 8 };
    static const char *const words[COUNT] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    struct trace trace = {0};
    struct rill_loop *loop;
    struct step steps[COUNT];
    int fds[COUNT][2];

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        steps[i] = (struct step){&trace, words[i], loop, NULL};
        CHECK_INT(rill_add_reader(loop, fds[i][0], say, &steps[i]), 0);
    }
    rill_loop_step(loop); /* libev registers them */
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT((int)write(fds[(i * 3) % COUNT][1], "x", 1), 1);
    }
    CHECK(rill_loop_step(loop));
    CHECK_STR(trace.text, "0 3 6 1 4 7 2 5");
    for (int i = 0; i < COUNT; i++) {
        rill_remove_reader(loop, fds[i][0]);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    rill_loop_free(loop);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static int sum(const int *numbers, int from, int to)
{
    int all = 0;
    for (int i = from; i < to; i++) {
        all += numbers[i];
    }
    return all;
}

/* Of many descriptors that are ready together sixteen are handled in a turn, in the kernel's order,
 * the rest in the next ones without waiting. Who is watched anew meanwhile is asked for anew. */
static void check_many_descriptors(void)
{
    enum { COUNT = 40, AGAIN = 20 };
    struct rill_loop_state state;
    struct rill_loop *loop;
    int calls[COUNT] = {0};
    int fds[COUNT][2];

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        CHECK_INT(rill_add_reader(loop, fds[i][0], count, &calls[i]), 0);
    }
    rill_loop_step(loop); /* libev registers them */
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT((int)write(fds[i][1], "x", 1), 1);
    }
    CHECK(rill_loop_step(loop));
    CHECK_INT(sum(calls, 0, 16), 16);
    CHECK_INT(sum(calls, 16, COUNT), 0);
    CHECK_INT(rill_remove_reader(loop, fds[AGAIN][0]), 1);
    CHECK_INT(rill_add_reader(loop, fds[AGAIN][0], count, &calls[AGAIN]), 0);
    CHECK(rill_loop_step(loop));
    CHECK_INT(sum(calls, 16, 32), 15);
    CHECK_INT(calls[AGAIN], 0);
    CHECK(rill_loop_step(loop));
    CHECK_INT(sum(calls, 0, COUNT), COUNT - 1);
    for (int step = 0; step < 3; step++) { /* the next poll tells of all of them */
        CHECK(rill_loop_step(loop));
    }
    CHECK_INT(sum(calls, 0, COUNT), 2 * COUNT - 1);
    CHECK_INT(calls[AGAIN], 1);
    for (int i = 0; i < COUNT; i++) {
        rill_remove_reader(loop, fds[i][0]);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    rill_observe_loop(loop, &state);
    CHECK_INT((long long)state.watchers, 0);
    CHECK(!rill_loop_step(loop));
    rill_loop_free(loop);
}

static void fill(int fd)
{
    static const char block[4096];
    while (send(fd, block, sizeof block, MSG_DONTWAIT) > 0) {
    }
}

/* Input that nobody wants any more takes nobody's place among the sixteen. */
static void check_unwanted_in_front(void)
{
    enum { UNWANTED = 16, COUNT = UNWANTED + 1 };
    struct rill_loop *loop;
    int wanted = 0;
    int never = 0;
    int fds[COUNT][2];

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        CHECK_INT(rill_add_reader(loop, fds[i][0], count, i < UNWANTED ? &never : &wanted), 0);
        if (i < UNWANTED) {
            fill(fds[i][0]);
            CHECK_INT(rill_add_writer(loop, fds[i][0], count, &never), 0);
        }
    }
    rill_loop_step(loop); /* libev registers them */
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(i < UNWANTED ? rill_remove_reader(loop, fds[i][0]) : 1, 1);
        CHECK_INT((int)write(fds[i][1], "x", 1), 1);
    }
    CHECK(rill_loop_step(loop));
    CHECK_INT(wanted, 1);
    CHECK_INT(never, 0);
    for (int i = 0; i < COUNT; i++) {
        rill_remove_reader(loop, fds[i][0]);
        rill_remove_writer(loop, fds[i][0]);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    rill_loop_free(loop);
}

/* Read before write on one descriptor, whichever was asked for first. */
static void check_read_before_write(void)
{
    struct trace trace = {0};
    struct rill_loop *loop;
    int fds[2];

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct step read = {&trace, "read", loop, NULL};
    struct step written = {&trace, "write", loop, NULL};
    CHECK_INT(rill_add_writer(loop, fds[0], say, &written), 0);
    CHECK_INT(rill_add_reader(loop, fds[0], say, &read), 0);
    CHECK_INT((int)write(fds[1], "x", 1), 1);
    CHECK(rill_loop_step(loop));
    CHECK_STR(trace.text, "read write");
    CHECK_INT(rill_remove_writer(loop, fds[0]), 1);
    CHECK_INT(rill_remove_reader(loop, fds[0]), 1);
    rill_loop_free(loop);
    close(fds[0]);
    close(fds[1]);
}

/* Input that nobody wants is left alone for as long as it lasts, and is there when it is wanted
 * again: at once, or after the poller has told the kernel. */
static void check_unwanted_input(void)
{
    static const struct row {
        int idle_steps;
        const char *want;
    } rows[] = {{0, "write read write"},
                {1, "write write read write"},
                {2, "write write write read write"},
                {4, "write write write write write read write"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rill_loop_state state;
        struct trace trace = {0};
        struct rill_loop *loop;
        int fds[2];

        CHECK_INT(rill_loop_new(NULL, &loop), 0);
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        struct step read = {&trace, "read", loop, NULL};
        struct step written = {&trace, "write", loop, NULL};
        CHECK_INT(rill_add_reader(loop, fds[0], say, &read), 0);
        CHECK_INT(rill_add_writer(loop, fds[0], say, &written), 0);
        CHECK_INT(rill_remove_reader(loop, fds[0]), 1);
        CHECK_INT((int)write(fds[1], "x", 1), 1);
        for (int step = 0; step <= rows[i].idle_steps; step++) {
            CHECK(rill_loop_step(loop));
        }
        rill_observe_loop(loop, &state);
        CHECK_INT((long long)state.watchers, 1);
        CHECK_INT(rill_add_reader(loop, fds[0], say, &read), 0);
        CHECK(rill_loop_step(loop));
        CHECK_STR(trace.text, rows[i].want);
        CHECK_INT(rill_remove_writer(loop, fds[0]), 1);
        CHECK_INT(rill_remove_reader(loop, fds[0]), 1);
        rill_observe_loop(loop, &state);
        CHECK_INT((long long)state.watchers, 0);
        CHECK(!rill_loop_step(loop));
        rill_loop_free(loop);
        close(fds[0]);
        close(fds[1]);
    }
}

static void check_handles(void)
{
    struct virtual_time time = {0};
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &time};
    const struct rill_loop_options options = {.clock = &clock};
    struct trace trace = {0};
    struct rill_handle *soon;
    struct rill_handle *later;
    struct rill_loop *loop;

    CHECK_INT(rill_loop_new(&options, &loop), 0);
    struct step never = {&trace, "never", loop, NULL};
    struct step once = {&trace, "once", loop, NULL};
    CHECK_INT(rill_call_soon(loop, say, &never, &soon), 0);
    CHECK_INT(rill_call_later(loop, 1, say, &never, &later), 0);
    CHECK(!rill_handle_cancelled(soon));
    rill_handle_cancel(soon);
    rill_handle_cancel(soon);
    rill_handle_cancel(later);
    CHECK(rill_handle_cancelled(soon) && rill_handle_cancelled(later));
    rill_handle_free(soon);
    rill_handle_free(later);
    CHECK_INT(rill_call_later(loop, 2, say, &once, &later), 0);
    CHECK_INT(rill_call_later(loop, 3, stop, loop, NULL), 0);
    CHECK_INT(rill_call_later(loop, 9, say, &never, NULL), 0); /* dropped with the loop */
    CHECK_INT(rill_loop_run_forever(loop), 0);
    CHECK_STR(trace.text, "once");
    CHECK(time.now >= 3 && time.now < 9);
    rill_handle_cancel(later); /* fine after it ran */
    rill_handle_free(later);
    rill_handle_free(NULL);
    rill_loop_free(loop);
}

struct foreign {
    struct rill_loop *loop;
    struct step *step;
};

static void *from_thread(void *arg)
{
    struct foreign *foreign = arg;
    rill_call_soon_threadsafe(foreign->loop, say, foreign->step);
    rill_call_soon_threadsafe(foreign->loop, stop, foreign->loop);
    return NULL;
}

/* A loop that waits for ever is woken by another thread. */
static void check_threadsafe(void)
{
    struct trace trace = {0};
    struct rill_loop *loop;
    pthread_t thread;

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    struct step step = {&trace, "from-thread", loop, NULL};
    struct foreign foreign = {loop, &step};
    CHECK_INT(pthread_create(&thread, NULL, from_thread, &foreign), 0);
    CHECK_INT(rill_loop_run_forever(loop), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_STR(trace.text, "from-thread");
    rill_loop_free(loop);
}

/* Outside tasks: only the answers. */
static void nested(void *arg)
{
    struct rill_loop *other;
    int *answers = arg;
    answers[0] = rill_loop_run_forever(rill_running_loop());
    CHECK_INT(rill_loop_new(NULL, &other), 0);
    answers[1] = rill_loop_run_forever(other);
    rill_loop_free(other);
    rill_loop_stop(rill_running_loop());
}

/* A descriptor that is not open, and times that are no number (a NaN in the heap would stop every
 * timer behind it). */
static void check_bad_arguments(struct rill_loop *loop, struct step *step)
{
    struct rill_handle *handle;
    const int closed = dup(0);

    close(closed);
    CHECK_INT(rill_add_reader(loop, -1, say, step), RILL_EVALUE);
    CHECK_INT(rill_add_reader(loop, closed, say, step), RILL_EOS);
    CHECK_INT(rill_add_writer(loop, INT_MAX, say, step), RILL_EOS);
    CHECK_INT(rill_remove_reader(loop, 12345), 0);
    CHECK_INT(rill_call_later(loop, NAN, say, step, &handle), RILL_EVALUE);
    CHECK(handle == NULL);
    CHECK_INT(rill_call_at(loop, NAN, say, step, NULL), RILL_EVALUE);
}

static void check_misuse(void)
{
    struct rill_loop *loop;
    int answers[2] = {0};
    struct trace trace = {0};

    CHECK(rill_running_loop() == NULL);
    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    struct step step = {&trace, "x", loop, NULL};
    check_bad_arguments(loop, &step);
    CHECK_INT(rill_call_soon(loop, nested, answers, NULL), 0);
    CHECK_INT(rill_loop_run_forever(loop), 0);
    CHECK_INT(answers[0], RILL_ERUNTIME);
    CHECK_INT(answers[1], RILL_ERUNTIME);
    CHECK(!rill_loop_is_running(loop));
    rill_loop_free(loop);
    rill_loop_free(NULL);
}

struct adopted {
    struct trace *trace;
    int fd;
};

static int adopted_task(void *arg)
{
    struct adopted *adopted = arg;
    const struct rill_connection_options options = {.sock = RILL_SET(adopted->fd)};
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes line;

    trace_add(adopted->trace, "task");
    CHECK_INT(rill_sleep(0.001), 0);
    trace_add(adopted->trace, "slept");
    CHECK_INT(rill_open_connection(NULL, NULL, &options, &reader, &writer), 0);
    CHECK_INT(rill_reader_readline(reader, &line), 0);
    CHECK_INT((long long)line.len, 3);
    trace_add(adopted->trace, "line");
    rill_writer_close(writer);
    CHECK_INT(rill_writer_wait_closed(writer), 0);
    rill_writer_free(writer);
    return 0;
}

static void application_timer(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
    (void)revents;
    CHECK_INT((int)write(*(int *)timer->data, "hi\n", 3), 3);
    ev_timer_stop(ev, timer);
}

/* The application runs ev_run; rill lives inside and lets it return when nothing is left to do. */
static void check_adopted(void)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    const struct rill_loop_options options = {.ev = ev};
    struct trace trace = {0};
    struct rill_loop *loop;
    struct ev_timer timer;
    int fds[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_INT(rill_loop_new(&options, &loop), 0);
    struct adopted adopted = {&trace, fds[0]};
    const struct rill_task_options task_options = {.loop = loop};
    CHECK_INT(rill_task_create(adopted_task, &adopted, &task_options, NULL), 0);
    ev_timer_init(&timer, application_timer, 0.01, 0.);
    timer.data = &fds[1];
    ev_timer_start(ev, &timer);
    ev_run(ev, 0);
    CHECK_STR(trace.text, "task slept line");
    CHECK_INT(rill_loop_run_forever(loop), RILL_ERUNTIME);
    CHECK_INT(rill_loop_run_until_complete(loop, adopted_task, &adopted), RILL_ERUNTIME);
    ev_run(ev, EVRUN_NOWAIT);
    CHECK_STR(trace.text, "task slept line"); /* what was refused does not run later */
    rill_loop_free(loop);
    ev_loop_destroy(ev);
    close(fds[1]);
}

static void check_state(void)
{
    struct rill_loop_state state;
    struct rill_loop *loop;
    struct trace trace = {0};
    struct rill_handle *handle;

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    struct step step = {&trace, "x", loop, NULL};
    CHECK_INT(rill_call_soon(loop, say, &step, NULL), 0);
    CHECK_INT(rill_call_later(loop, 100, say, &step, &handle), 0);
    rill_observe_loop(loop, &state);
    CHECK_INT((long long)state.ready, 1);
    CHECK_INT((long long)state.timers, 1);
    rill_handle_cancel(handle);
    rill_handle_free(handle);
    rill_loop_step(loop);
    rill_observe_loop(loop, &state);
    CHECK_INT((long long)state.ready, 0);
    CHECK_INT((long long)state.timers, 0);
    CHECK(isinf(state.next_timer));
    CHECK_INT((long long)state.turns, 1);
    rill_loop_free(loop);
}

int main(void)
{
    check_order();
    check_descriptor_order();
    check_many_descriptors();
    check_unwanted_in_front();
    check_read_before_write();
    check_unwanted_input();
    check_handles();
    check_threadsafe();
    check_misuse();
    check_adopted();
    check_state();
    return check_report("loop");
}
