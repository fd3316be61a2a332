/* SPDX-License-Identifier: MIT
 *
 * The event loop: asyncio's loop, on libev. A first-in-first-out ready queue, a timer heap with
 * heapq's own order, and libev for descriptors. One loop per thread; but for
 * rill_call_soon_threadsafe nothing here may be called from another thread. No call in this header
 * suspends.
 */
#ifndef RILL_LOOP_H
#define RILL_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/error.h>
#include <rill/log.h>
#include <rill/option.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_loop;
struct rill_handle; /* asyncio.Handle and TimerHandle */
struct rill_task;
struct rill_transport;
struct rill_sys;
struct ev_loop;

typedef void rill_callback(void *arg);

/* The clock seam. `now` gives seconds of a monotonic clock. Where `idle` is given the loop never
 * blocks while it waits for time: it calls idle(arg, until) instead, `until` being the next
 * deadline, or infinity when there is none; idle moves the clock, or returns non-zero to let the
 * loop block in the kernel after all. */
struct rill_clock {
    double (*now)(void *arg);
    int (*idle)(void *arg, double until);
    void *arg;
    double resolution_s; /* a timer is due when its deadline < now + resolution; 0: 1e-9 */
};

/* What a loop's exception handler gets. Pointers are valid during the call; NULL: the key
 * is absent. */
struct rill_exception_context {
    const char *message;
    const struct rill_error *exception;
    struct rill_task *task;
    struct rill_transport *transport;
    const void *protocol;
    int socket; /* descriptor; has_socket says whether the key is there */
    bool has_socket;
    bool has_handle; /* a plain callback failed (key `handle`) */
    bool has_future; /* key `future` */
};
typedef void rill_exception_handler(void *arg, struct rill_loop *loop,
                                    const struct rill_exception_context *context);

/* A zeroed struct means the defaults. */
struct rill_loop_options {
    struct ev_loop *ev;             /* live inside the application's libev loop; NULL: an own one */
    const struct rill_clock *clock; /* copied; NULL: CLOCK_MONOTONIC */
    const struct rill_sys *sys;     /* must outlive the loop and what is still held of its
                                       servers' connections; NULL: the kernel's */
    rill_log_fn *log;               /* NULL: WARNING and above to stderr */
    void *log_arg;
    struct rill_opt_int debug; /* asyncio's debug mode; not given: off */
    /* A task that made so many reads and drains in a row without suspending yields one iteration
     * 0: never, as in asyncio. */
    unsigned fair_calls;
    size_t stack_size_bytes; /* of each task; 0: RILL_CORO_STACK_SIZE_DEFAULT */
};

/* asyncio.new_event_loop(). 0, RILL_ENOMEM or an OSError code. The caller owns *loop. */
int rill_loop_new(const struct rill_loop_options *options, struct rill_loop **loop);

/* loop.close(): tasks that are left are cancelled and get some turns, without a poll, to let go of
 * what they own (Python's GeneratorExit); those that swallow it three times are thrown away with
 * all that only their stacks know, and what they waited on must not be used or freed afterwards.
 * Then queued callbacks, timers and watchers are dropped, and the sockets of transports still open
 * are closed without a flush. Must not be running. NULL is fine. */
void rill_loop_free(struct rill_loop *loop);

/* asyncio.get_running_loop(); NULL where Python raises RuntimeError. */
struct rill_loop *rill_running_loop(void);

/* loop.run_forever(): returns after rill_loop_stop. RILL_ERUNTIME `This event loop is already
 * running` or `Cannot run the event loop while another loop is running`. Not for a loop inside an
 * application's ev_loop: that one is run by ev_run. */
int rill_loop_run_forever(struct rill_loop *loop);

/* loop.stop(): the current turn is finished first. */
void rill_loop_stop(struct rill_loop *loop);

bool rill_loop_is_running(const struct rill_loop *loop);

/* loop.time(), in seconds. */
double rill_loop_time(const struct rill_loop *loop);

/* loop.call_soon(), call_later(), call_at(): queue fn(arg). `handle` may be NULL;
 * otherwise *handle is the caller's until rill_handle_free. 0, RILL_ENOMEM, or RILL_EVALUE for a
 * time that is not a number. */
int rill_call_soon(struct rill_loop *loop, rill_callback *fn, void *arg,
                   struct rill_handle **handle);
int rill_call_later(struct rill_loop *loop, double delay_s, rill_callback *fn, void *arg,
                    struct rill_handle **handle);
int rill_call_at(struct rill_loop *loop, double when_s, rill_callback *fn, void *arg,
                 struct rill_handle **handle);

/* loop.call_soon_threadsafe(): the one call for other threads; wakes the loop. The loop must
 * outlive the call. */
int rill_call_soon_threadsafe(struct rill_loop *loop, rill_callback *fn, void *arg);

/* Handle.cancel(), Handle.cancelled(); a cancelled callback is not called. Idempotent, fine after
 * it ran. */
void rill_handle_cancel(struct rill_handle *handle);
bool rill_handle_cancelled(const struct rill_handle *handle);
/* Lets go of the handle without cancelling. NULL is fine. */
void rill_handle_free(struct rill_handle *handle);

/* loop.add_reader() and its three relatives: fn(arg) in every turn in which fd is readable
 * (writable). A second add replaces the first. The descriptor stays the caller's. 0, RILL_ENOMEM,
 * RILL_EVALUE for a negative number, RILL_EOS `[Errno 9] Bad file descriptor` for one that is not
 * open, or RILL_ERUNTIME `File descriptor N is used by transport ...`. Remove it before you
 * close it. remove_* return 1 when something was removed, else 0. */
int rill_add_reader(struct rill_loop *loop, int fd, rill_callback *fn, void *arg);
int rill_remove_reader(struct rill_loop *loop, int fd);
int rill_add_writer(struct rill_loop *loop, int fd, rill_callback *fn, void *arg);
int rill_remove_writer(struct rill_loop *loop, int fd);

/* loop.set_exception_handler(); NULL puts the default back: one ERROR record, R-014. */
void rill_loop_set_exception_handler(struct rill_loop *loop, rill_exception_handler *handler,
                                     void *arg);
void rill_loop_call_exception_handler(struct rill_loop *loop,
                                      const struct rill_exception_context *context);

/* In debug mode a callback or task step that takes longer is logged (asyncio's
 * slow_callback_duration, 0.1 s). */
void rill_loop_set_slow_callback_duration(struct rill_loop *loop, double seconds);

bool rill_loop_get_debug(const struct rill_loop *loop);
void rill_loop_set_debug(struct rill_loop *loop, bool debug);

#ifdef __cplusplus
}
#endif

#endif
