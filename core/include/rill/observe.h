/* SPDX-License-Identifier: MIT
 *
 * Looking inside without a debugger, and stepping a loop by hand: for conformance harnesses, tests
 * and simulations. Nothing here changes what the streams do.
 */
#ifndef RILL_OBSERVE_H
#define RILL_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/loop.h>
#include <rill/streams.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_reader_state {
    size_t buffered; /* bytes */
    size_t limit;
    bool eof;
    bool paused;  /* the reader asked its transport to pause */
    bool waiting; /* a call waits for data */
};
void rill_observe_reader(const struct rill_reader *reader, struct rill_reader_state *state);

struct rill_writer_state {
    size_t write_buffer; /* bytes queued in user space */
    size_t waiting_drains;
    bool paused; /* between pause_writing and resume_writing */
};
void rill_observe_writer(const struct rill_writer *writer, struct rill_writer_state *state);

/* Keeps the memory of a pair that somebody else owns (a server), so that its state can be looked at
 * later; release lets go. Changes nothing else. Fine after rill_loop_free. */
void rill_observe_hold(struct rill_writer *writer);
void rill_observe_release(struct rill_writer *writer);

enum rill_observed {
    RILL_OBSERVED_PAUSE_READING, /* a stream's reader called T.pause_reading() */
    RILL_OBSERVED_RESUME_READING,
    RILL_OBSERVED_PAUSE_WRITING, /* T called the stream protocol's pause_writing() */
    RILL_OBSERVED_RESUME_WRITING,
};
typedef void rill_observer_fn(void *arg, enum rill_observed what, const struct rill_reader *reader,
                              const struct rill_writer *writer);
/* Called at each of these events of every stream on the loop; NULL: nobody. */
void rill_observe_streams(struct rill_loop *loop, rill_observer_fn *fn, void *arg);

struct rill_loop_state {
    size_t ready;      /* entries that the next turn would run now */
    size_t timers;     /* armed and not cancelled */
    double next_timer; /* its deadline in seconds; infinity: none */
    size_t watchers;   /* descriptors watched */
    size_t tasks;      /* not done */
    size_t transports; /* whose connection is not lost yet */
    size_t jobs;       /* outstanding on helper threads */
    unsigned long long turns;
};
void rill_observe_loop(const struct rill_loop *loop, struct rill_loop_state *state);

/* One turn of the loop without blocking: poll, timers, the entries that were ready. True
 * when something ran. Not while the loop runs. */
bool rill_loop_step(struct rill_loop *loop);

#ifdef __cplusplus
}
#endif

#endif
