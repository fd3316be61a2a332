/* SPDX-License-Identifier: MIT
 *
 * The loop's inside, as the rest of core sees it. One turn: poll -> queue what is ready ->
 * queue due timers -> run exactly what was queued by then, first in first out.
 */
#ifndef RILL__LOOP_H
#define RILL__LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <rill/loop.h>
#include <rill/observe.h>
#include <rill/sys.h>
#include <rill/task.h>

#include "loop/list.h"
#include "sansio/memory.h"

struct rill__stacks;
struct rill__poller;

/* One call on the ready queue: asyncio's Handle, embedded in whatever it calls back. */
struct rill__entry {
    struct rill__link link;
    void (*run)(struct rill__entry *entry);
};

/* One deadline: asyncio's TimerHandle. When due its entry goes on the ready queue. */
struct rill__timer {
    struct rill__entry entry;
    size_t index; /* in the heap, valid while armed */
    bool armed;
    struct rill_loop *loop;
};

struct rill__timers {
    struct rill__timer_slot *slots; /* a binary heap by deadline, heapq's own algorithm */
    size_t count;
    size_t capacity;
    size_t cancelled; /* slots whose timer was cancelled: removed lazily, as in asyncio */
};

struct rill_loop {
    struct rill__list ready;   /* what the next turn will run */
    struct rill__list current; /* what is left of this turn */
    /* Readiness without a descriptor (memory transports), queued in the I/O phase. */
    struct rill__list io;
    struct rill__timers timers;
    struct rill__poller *poller;
    struct rill_clock clock;
    const struct rill_sys *sys;
    rill_log_fn *log;
    void *log_arg;
    rill_exception_handler *exception_handler;
    void *exception_arg;
    rill_observer_fn *observer;
    void *observer_arg;

    struct rill__stacks *stacks;
    struct rill__list tasks; /* not done, in the order of creation */
    size_t task_count;
    unsigned long long task_names;
    struct rill_task *current_task;

    struct rill__descriptor *descriptors; /* by number: who uses it */
    size_t descriptor_count;
    struct rill__list servers; /* that listen: each a struct rill__open */
    /* Server pairs whose handler has not ended: each a struct rill__open. */
    struct rill__list handlers;
    struct rill__list transports; /* whose connection is not lost yet: each a struct rill__open */
    size_t transport_count;
    struct rill__spares blocks; /* for its readers */
    char *spare; /* what a receive does not fit into its reader goes here: one block for the whole
                    loop */
    bool room_lent; /* what is behind that is being sent */

    pthread_mutex_t lock;         /* guards `threadsafe` */
    struct rill__list threadsafe; /* entries from other threads */
    atomic_bool has_threadsafe;   /* spares every other turn the lock */
    struct rill__workers *workers;
    size_t jobs;

    const struct rill_error *callback_error; /* the last failure outside a task */
    unsigned long long turns;
    unsigned fair_calls;
    double slow_callback_s;
    bool debug;
    bool running;
    bool stopping;
    bool fed;     /* all that the last turn did was to feed readers */
    bool adopted; /* inside the application's ev_loop */
};

#define RILL__SPARE_SIZE ((size_t)262144)           /* one data event of at most this */
#define RILL__ROOM_SIZE  ((size_t)4 * 16384 + 2048) /* behind it: four TLS records to be sent */

/* Queues an entry for the next turn; nothing when it is queued already. */
void rill__ready(struct rill_loop *loop, struct rill__entry *entry);

/* Queues an entry in the I/O phase of the next turn, as a descriptor's readiness would. */
void rill__ready_io(struct rill_loop *loop, struct rill__entry *entry);

/* Takes an entry back, wherever it is queued. */
void rill__unready(struct rill__entry *entry);

/* From any thread: the entry goes on the ready queue and the loop wakes up. */
void rill__ready_threadsafe(struct rill_loop *loop, struct rill__entry *entry);

/* Arms a timer, which must not be armed; one for NaN is due at once. 0 or RILL_ENOMEM. */
int rill__timer_start(struct rill_loop *loop, struct rill__timer *timer, double when_s);

/* Disarms it, also when it is already due and queued. */
void rill__timer_stop(struct rill__timer *timer);

/* asyncio's logger. */
void rill__log(struct rill_loop *loop, enum rill_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The descriptor belongs to a transport from now on (or no longer). RILL_ERUNTIME when it already
 * does, RILL_ENOMEM. */
int rill__descriptor_claim(struct rill_loop *loop, int fd, const struct rill_error **error);
void rill__descriptor_release(struct rill_loop *loop, int fd);
void rill__descriptors_cleanup(struct rill_loop *loop);

/* `module.Class: text` to stderr, as the last line of a traceback. */
void rill__print_error(int code, const char *text);

/* A failure in a callback of the loop's: the exception handler gets `message`. Takes the error. */
void rill__report_callback(struct rill_loop *loop, const char *message,
                           const struct rill_error *error);

/* asyncio's _fatal_error: what is no OSError goes to the exception handler, an OSError to the log
 * in debug mode. */
void rill__report_fatal(struct rill_loop *loop, const struct rill_exception_context *context);

/* A transport whose connection is not lost yet, as the loop knows it: rill_loop_free calls drop,
 * which closes the socket without a flush. */
struct rill__open {
    struct rill__link link;
    void (*drop)(struct rill__open *open);
};
void rill__open_add(struct rill_loop *loop, struct rill__open *open);
void rill__open_remove(struct rill_loop *loop, struct rill__open *open);

/* One turn; blocks in the poll only if it may and nothing is ready. The halves are for a loop
 * inside an application's. */
void rill__turn(struct rill_loop *loop, bool may_block);
double rill__turn_before_poll(struct rill_loop *loop);
void rill__turn_after_poll(struct rill_loop *loop);

/* Sets the thread's running loop, returns the one before. */
struct rill_loop *rill__set_running_loop(struct rill_loop *loop);

/* The running loop and task of a call that must be made in a task, or an error: `no running event
 * loop`. */
int rill__require_task(struct rill_task **task);

#endif
