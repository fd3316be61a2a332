/* SPDX-License-Identifier: MIT
 *
 * For people who fuzz their own code that reads from a rill stream: one call that plays the bytes
 * of a fuzzer to a handler, over a connection in memory and in virtual time. It uses rill's public
 * headers only: copy this file and rill_fuzz.c, or link rill::fuzz. docs/fuzzing.md begins with a
 * whole program.
 *
 * An input is DATA, or DATA, a byte 0xFF and a PLAN: what stands behind the last 0xFF. DATA is what
 * the peer sends; without a plan in one chunk, and then it ends its side. So a capture of real
 * traffic is a seed as it stands. Each byte of a plan is one step; what of DATA is left behind them
 * follows in one chunk. A step's kind is its value modulo 8, its number n the next four bits; with
 * the topmost bit the next step does not wait until the handler has nothing more to do.
 *
 *     0, 1   a chunk of n + 1 bytes           4   2^(n - 4) seconds pass
 *     2      a chunk of 16 * (n + 1) bytes    5   n even: the peer stops reading, odd: reads on
 *     3      n + 1 bytes, one at a time       7   the handler's task is cancelled
 *     6      n modulo 4: the peer ends its side, resets, closes, or says nothing ever again
 */
#ifndef RILL_FUZZ_H
#define RILL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/option.h>
#include <rill/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A zeroed struct means "nothing given". */
struct rill_fuzz_options {
    struct rill_opt_int limit; /* bytes, of the reader: as in rill_connection_options */
    /* Plays an input whose plan does nothing but cut a second time, with DATA in one chunk: what
     * the handler returns and writes must not depend on how the network cut what it got. */
    bool compare_whole;
};

/* Plays one input to handler(reader, writer, arg), which is what rill_start_server takes, too: it
 * runs as a task and owns neither reader nor writer. Returns what it returned (of the run by the
 * plan), or RILL_ENOMEM. options may be NULL. Not in a task.
 *
 * Ends the process, by abort() in a function of that name, when the handler
 *
 *     rill_fuzz_never_ended    waits although nothing will come: the peer has ended its side, reads
 *                              what is written, and every timer has run; or ignores being cancelled
 *     rill_fuzz_spins          ran 100,000 turns of the loop without an end
 *     rill_fuzz_left_behind    ended, and tasks, timers or connections that it made are still there
 *     rill_fuzz_cuts_matter    did something else when all came in one chunk (compare_whole)
 *
 * With RILL_FUZZ_TRACE in the environment every step is told on stderr before it is taken. */
int rill_fuzz_run(const void *data, size_t size, rill_client_connected_task *handler, void *arg,
                  const struct rill_fuzz_options *options);

#ifdef __cplusplus
}
#endif

#endif
