/* SPDX-License-Identifier: MIT
 *
 * One case: a loop of its own, a main task that waits, and the driver beside it.
 */
#include "case.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempts.h"
#include "backend.h"
#include "calls.h"
#include "connection.h"
#include "events.h"
#include "listeners.h"
#include "names.h"
#include "peer.h"
#include "place.h"
#include "script.h"
#include "seams.h"
#include "server.h"
#include "tasks.h"

enum {
    STACK_SIZE = 262144, /* a sanitizer's frames are larger */
    SWALLOWED_VALUE = 5, /* PROTOCOL.md, section 5 */
};

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

/* What main returns, as the script's last operation said. */
static int end_of_main(struct replay *replay, int rc)
{
    struct ending *ending = &replay->ending_as;
    if (rc == RILL_ECANCELLED && ending->swallow) {
        return SWALLOWED_VALUE;
    }
    if (rc == 0 && ending->error != NULL) {
        ending->raised = error_of_call(ending->error);
        return rill_task_fail(rill_error_ref(ending->raised));
    }
    return rc == 0 ? (int)json_integer_value(ending->value) : rc;
}

/* Waits for the end of a stream that nobody feeds: an event that needs no timer. */
static int main_task(void *arg)
{
    static const struct rill_opt_int no_limit = {false, 0};
    struct replay *replay = arg;
    struct rill_bytes nothing;

    replay->loop = rill_running_loop();
    if (!reports_by_default(replay)) {
        rill_loop_set_exception_handler(replay->loop, on_report, replay);
    }
    rill_observe_streams(replay->loop, on_flow, replay);
    int rc = rill_reader_new(no_limit, &replay->gate);
    if (rc == 0) {
        rc = rill_reader_read(replay->gate, 1, &nothing);
        rill_reader_free(replay->gate);
    }
    replay->ending = true;
    drop_handles(replay);
    return end_of_main(replay, rc);
}

/* rill_run gives the code; text and fields are those of the error which main failed with. */
static void tell_run(const struct replay *replay, int rc)
{
    const struct rill_error *raised = replay->ending_as.raised;
    json_t *event = json_pack("{s:s}", "ev", "ran");
    if (rc < 0 && raised != NULL && raised->code == rc) {
        add_error(event, raised);
    } else if (rc < 0) {
        json_object_set_new(event, "class", json_string(class_of_code(rc)));
        json_object_set_new(event, "text", json_string(""));
    } else if (json_is_integer(replay->ending_as.value) || replay->ending_as.swallow) {
        json_object_set_new(event, "value", json_integer(rc));
    }
    emit(replay, event);
}

/* Whether Ctrl-C is what the script ends with; otherwise it is the user's, who wants to leave. */
static bool ends_by_interrupt(const struct replay *replay)
{
    const json_t *operations = json_object_get(replay->script, "ops");
    const size_t count = json_array_size(operations);
    const json_t *last = count > 0 ? json_array_get(operations, count - 1) : NULL;
    const char *name = json_string_value(json_object_get(last, "op"));
    return name != NULL && strcmp(name, "interrupt") == 0;
}

static void run_replay(struct replay *replay)
{
    const struct rill_run_options options = {
        .loop = {.clock = &replay->seams.clock,
                 .sys = &replay->seams.sys,
                 .log = on_log,
                 .log_arg = replay,
                 .debug = {true, json_is_true(json_object_get(replay->script, "debug"))},
                 .stack_size_bytes = STACK_SIZE},
        .leave_sigint_alone = !ends_by_interrupt(replay),
    };
    if (!options.leave_sigint_alone) {
        signal(SIGINT, SIG_DFL); /* whatever this process inherited */
    }
    const int rc = rill_run(main_task, replay, &options);
    if (replay->ending_as.told) {
        tell_run(replay, rc);
    } else if (rc < 0) {
        fprintf(stderr, "rill-testee: the run failed: %s\n", rill_error_name(rc));
        exit(EXIT_FAILURE);
    }
}

static void dispose(struct replay *replay)
{
    connections_free(replay);
    servers_free(replay);
    for (int number = 1; number < PEERS_MAX; number++) {
        if (replay->peers[number] != NULL) {
            replay->peers[number]->ops->dispose(replay->peers[number]);
        }
    }
    attempts_cleanup(replay);
    listeners_cleanup(replay);
    place_cleanup(replay);
    errors_told_cleanup(replay);
    rill_error_unref(replay->ending_as.raised);
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
    replay->backend = backend_named(json_string_value(json_object_get(script, "backend")));
    replay->contexts = testee->contexts;
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
