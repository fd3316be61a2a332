/* SPDX-License-Identifier: MIT
 *
 * One case: a loop of its own, a main task that waits, and the driver beside it.
 */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>

#include "connection.h"
#include "events.h"
#include "peer.h"
#include "script.h"
#include "seams.h"
#include "server.h"
#include "tasks.h"

enum { STACK_SIZE = 262144 }; /* a sanitizer's frames are larger */

/* `finish`: the run ends while tasks are pending, and their handles must go before the loop does.
 */
static void drop_handles(struct replay *replay)
{
    records_drop(replay);
    for (struct mark *mark = replay->marks; mark != NULL; mark = mark->next) {
        rill_handle_free(mark->handle);
        mark->handle = NULL;
    }
}

/* Waits for the end of a stream that nobody feeds: an event that needs no timer. */
static int main_task(void *arg)
{
    static const struct rill_opt_int no_limit = {false, 0};
    struct replay *replay = arg;
    struct rill_bytes nothing;

    replay->loop = rill_running_loop();
    rill_loop_set_exception_handler(replay->loop, on_report, replay);
    rill_observe_streams(replay->loop, on_flow, replay);
    int rc = rill_reader_new(no_limit, &replay->gate);
    if (rc == 0) {
        rc = rill_reader_read(replay->gate, 1, &nothing);
        rill_reader_free(replay->gate);
    }
    replay->ending = true;
    drop_handles(replay);
    return rc;
}

static void run_replay(struct replay *replay)
{
    const struct rill_run_options options = {
        .loop = {.clock = &replay->seams.clock,
                 .sys = &replay->seams.sys,
                 .log = on_log,
                 .log_arg = replay,
                 .stack_size_bytes = STACK_SIZE},
        .leave_sigint_alone = true,
    };
    const int rc = rill_run(main_task, replay, &options);
    if (rc < 0) {
        fprintf(stderr, "rill-testee: the run failed: %s\n", rill_error_name(rc));
        exit(EXIT_FAILURE);
    }
}

static void dispose(struct replay *replay)
{
    connections_free(replay);
    rill_server_free(replay->server);
    for (int number = 1; number < PEERS_MAX; number++) {
        if (replay->peers[number] != NULL) {
            replay->peers[number]->ops->dispose(replay->peers[number]);
        }
    }
    server_cleanup(replay);
}

static struct rill_coro_pool *driver_pool(void)
{
    const struct rill_coro_pool_options options = {.stack_size_bytes = STACK_SIZE};
    struct rill_coro_pool *pool = NULL;
    if (rill_coro_pool_new(&options, &pool) != 0) {
        fprintf(stderr, "rill-testee: no memory for the driver\n");
        exit(EXIT_FAILURE);
    }
    return pool;
}

void case_run(const struct testee *testee, const json_t *script)
{
    const struct holdings before = holdings_now(testee->allocations);
    struct replay *replay = calloc(1, sizeof *replay);
    struct rill_coro_pool *pool = driver_pool();

    if (replay == NULL || rill_coro_create(pool, script_drive, replay, &replay->driver) != 0) {
        fprintf(stderr, "rill-testee: no memory for a case\n");
        exit(EXIT_FAILURE);
    }
    replay->wire = &testee->wire;
    replay->script = script;
    replay->listener = -1;
    replay->reserved = -1;
    seams_init(replay);
    run_replay(replay);
    dispose(replay);
    rill_coro_pool_free(pool);
    leaks_of_process(replay, testee->allocations, &before);
    wire_send(replay->wire, json_pack("{s:s, s:i}", "ev", "end", "step", replay->step), true);
    arena_cleanup(&replay->arena);
    free(replay);
}
