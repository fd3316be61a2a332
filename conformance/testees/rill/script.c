/* SPDX-License-Identifier: MIT
 *
 * The driver: the script of a case from top to bottom.
 */
#include "script.h"

#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "attempts.h"
#include "connection.h"
#include "events.h"
#include "faults.h"
#include "leaks.h"
#include "peer.h"
#include "place.h"
#include "seams.h"
#include "server.h"
#include "tasks.h"

enum { CANCEL_TRIES = 3 }; /* a task may swallow a cancellation */

void settle(struct replay *replay)
{
    rill_coro_suspend(replay->driver, NULL);
}

static void run_is_finishing(struct replay *replay)
{
    replay->finishing = true;
    replay->seams.finishing_since = real_time();
}

void finish_main(struct replay *replay)
{
    run_is_finishing(replay);
    rill_reader_feed_eof(replay->gate);
}

static int connection_argument(const json_t *operation)
{
    const json_t *number = json_object_get(operation, "conn");
    return number != NULL ? (int)json_integer_value(number) : 1;
}

static void do_app(struct replay *replay, const json_t *operation)
{
    const struct at at = {.replay = replay, .mark = "", .number = connection_argument(operation)};
    task_start(&at, text_argument(operation, "task"), json_object_get(operation, "calls"));
}

/* The next moment at which something happens by itself; infinity: none. */
static double next_moment(const struct replay *replay)
{
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    const double timer = state.timers > 0 ? state.next_timer : INFINITY;
    return fmin(timer, attempts_next(replay));
}

/* Time moves from moment to moment, and what is due there runs before it moves on. */
static void do_clock(struct replay *replay, const json_t *operation)
{
    double *now = &replay->seams.now;
    const double target = *now + json_number_value(json_object_get(operation, "seconds"));
    double moment;
    while ((moment = next_moment(replay)) <= target) {
        *now = fmax(*now, moment);
        settle(replay);
    }
    *now = target;
}

static void do_peer(struct replay *replay, const json_t *operation)
{
    const int number = connection_argument(operation);
    if (strcmp(json_string_value(json_object_get(operation, "do")), "connect") == 0) {
        const json_t *server = json_object_get(operation, "server");
        server_connect_peer(replay, number, (int)json_integer_value(server),
                            json_is_true(json_object_get(operation, "plain")));
    } else {
        peer_operation(replay, number, operation);
    }
}

/* The last operation: nobody resumes the driver after it. */
static void do_finish(struct replay *replay, const json_t *operation)
{
    struct ending *ending = &replay->ending_as;
    ending->value = json_object_get(operation, "value");
    ending->error = json_object_get(operation, "error");
    ending->told = ending->value != NULL || ending->error != NULL;
    finish_main(replay);
    settle(replay);
}

/* The same by Ctrl-C. */
static void do_interrupt(struct replay *replay, const json_t *operation)
{
    replay->ending_as.told = true;
    replay->ending_as.swallow = json_is_true(json_object_get(operation, "swallow"));
    run_is_finishing(replay);
    raise(SIGINT);
    settle(replay);
}

static void do_operation(struct replay *replay, const json_t *operation)
{
    const char *name = json_string_value(json_object_get(operation, "op"));
    if (strcmp(name, "app") == 0) {
        do_app(replay, operation);
    } else if (strcmp(name, "clock") == 0) {
        do_clock(replay, operation);
    } else if (strcmp(name, "peer") == 0) {
        do_peer(replay, operation);
    } else if (strcmp(name, "fault") == 0) {
        fault_operation(replay, operation);
    } else if (strcmp(name, "file") == 0) {
        place_operation(replay, operation);
    } else if (strcmp(name, "finish") == 0) {
        do_finish(replay, operation);
    } else {
        do_interrupt(replay, operation);
    }
}

static void after_operation(struct replay *replay, const json_t *operation)
{
    const json_t *wanted = json_object_get(operation, "settle");
    if (wanted == NULL || json_is_true(wanted)) {
        settle(replay);
        emit_states(replay);
        return;
    }
    while (!kernel_is_quiet(replay)) {
        nap();
    }
}

static void tell_pending(struct replay *replay)
{
    json_t *names = json_array();
    for (const struct record *record = replay->records; record != NULL; record = record->next) {
        if (record_waits(record)) {
            json_array_append_new(names, json_string(record->name));
        }
    }
    emit(replay, json_pack("{s:s, s:o}", "ev", "pending", "tasks", names));
}

static void cancel_tasks(struct replay *replay)
{
    for (struct record *record = replay->records; record != NULL; record = record->next) {
        for (int i = 0; i < CANCEL_TRIES && record_waits(record); i++) {
            rill_task_cancel(record->task);
            settle(replay);
        }
    }
}

static void cancel_marks(struct replay *replay)
{
    for (struct mark *mark = replay->marks; mark != NULL; mark = mark->next) {
        if (mark->handle != NULL) {
            rill_handle_cancel(mark->handle);
            rill_handle_free(mark->handle);
            mark->handle = NULL;
        }
    }
}

/* What the peers got and who still waits; then everything is closed, unseen, for the leak checks.
 */
static void end_of_script(struct replay *replay)
{
    emit_step(replay);
    for (int number = 1; number < PEERS_MAX; number++) {
        if (replay->peers[number] != NULL) {
            peer_read(replay, number, SIZE_MAX, false);
        }
    }
    tell_pending(replay);
    replay->muted = true;
    cancel_tasks(replay);
    cancel_marks(replay);
    peers_cut_early(replay);
    connections_abort(replay);
    servers_close(replay);
    settle(replay);
    leaks_of_loop(replay);
    finish_main(replay);
}

void *script_drive(struct rill_coro *self, void *arg, void *value)
{
    struct replay *replay = arg;
    const json_t *operations = json_object_get(replay->script, "ops");
    (void)self;
    (void)value;
    if (set_up_carrier(replay) == CARRIER_UNIX) {
        place_open(replay);
    }
    const size_t count = set_up(replay) ? json_array_size(operations) : 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *operation = json_array_get(operations, i);
        emit_step(replay);
        do_operation(replay, operation);
        after_operation(replay, operation);
    }
    end_of_script(replay);
    return NULL;
}
