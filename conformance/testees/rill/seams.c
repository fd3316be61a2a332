/* SPDX-License-Identifier: MIT
 *
 * The clock, which stands still but for the script, and what it takes for the loop to have settled.
 */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "attempts.h"
#include "early.h"
#include "events.h"
#include "peer.h"
#include "server.h"
#include "syscalls.h"

#define BARRIER_SECONDS 3.

enum { RESTLESS_TURNS = 3000 };

double real_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void nap(void)
{
    const struct timespec time = {.tv_nsec = 200000};
    nanosleep(&time, NULL);
}

/* TLS peers that shake hands before their connection is there. */
static bool peers_without_connection_are_quiet(const struct replay *replay)
{
    for (int number = 1; number < PEERS_MAX; number++) {
        struct peer *peer = replay->peers[number];
        if (peer != NULL && peer->wire != NULL && peer->connection == NULL &&
            !peer_is_quiet(peer)) {
            return false;
        }
    }
    return true;
}

static bool peers_are_quiet(struct replay *replay)
{
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if (connection->peer != NULL && !peer_is_quiet(connection->peer)) {
            return false;
        }
    }
    return peers_without_connection_are_quiet(replay);
}

/* True as well after three real seconds: a broken case must not wait for ever. */
static bool bounded(struct replay *replay, bool quiet)
{
    if (quiet) {
        replay->seams.barrier_began = 0;
        return true;
    }
    const double now = real_time();
    if (replay->seams.barrier_began <= 0) {
        replay->seams.barrier_began = now;
    }
    return now - replay->seams.barrier_began > BARRIER_SECONDS;
}

bool kernel_is_quiet(struct replay *replay)
{
    return bounded(replay, peers_are_quiet(replay));
}

static bool barrier_holds(struct replay *replay)
{
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    const bool connecting = replay->connecting > 0 && !attempts_under_way(replay);
    return bounded(replay, state.jobs == 0 && !connecting && !servers_accept(replay) &&
                               peers_are_quiet(replay));
}

/* Whether the loop has polled since the last time and found nothing. It had nothing to run then, so
 * that turn was empty, and no callback of a descriptor made a call on it. */
static bool polled_in_vain(struct replay *replay)
{
    struct seams *seams = &replay->seams;
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    const bool in_vain =
        state.turns == seams->seen_turns + 1 && seams->activity == seams->seen_activity;
    seams->seen_turns = state.turns;
    seams->seen_activity = seams->activity;
    return in_vain;
}

/* The script goes on: the loop has settled, or never will. */
static void resume_driver(struct replay *replay)
{
    struct rill_loop_state state;
    replay->seams.seen_turns = 0; /* what the operation does is followed by a poll */
    rill_coro_resume(replay->driver, NULL);
    attempts_ripen(replay); /* the poll that follows sees what time has brought */
    rill_observe_loop(replay->loop, &state);
    replay->seams.resumed_turns = state.turns;
}

/* Whether the loop has been turning for so long that it will never settle. */
static bool is_restless(const struct replay *replay)
{
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    return !replay->finishing && state.turns - replay->seams.resumed_turns > RESTLESS_TURNS;
}

static void tell_restless(struct replay *replay)
{
    if (replay->seams.restless_step != replay->step) {
        replay->seams.restless_step = replay->step;
        emit(replay, json_pack("{s:s}", "ev", "restless"));
    }
    resume_driver(replay);
}

static void restless(void *arg)
{
    struct replay *replay = arg;
    replay->seams.restless_called = false;
    if (is_restless(replay)) {
        tell_restless(replay);
    }
}

/* The loop asks for the time in every turn, also when something is ready in every turn and it never
 * sleeps: then the script goes on in a callback of its own. */
static double virtual_now(void *arg)
{
    struct replay *replay = arg;
    if (replay->loop != NULL && !replay->seams.restless_called && is_restless(replay)) {
        replay->seams.restless_called = true;
        rill_call_soon(replay->loop, restless, replay, NULL);
    }
    return replay->seams.now;
}

/* What TLS peers do by themselves; what they did is followed by a poll. */
static bool peers_move(struct replay *replay)
{
    const bool accepted = early_accept(replay);
    const bool moved = peers_pump(replay) || accepted;
    if (moved) {
        replay->seams.seen_turns = 0;
    }
    return moved;
}

/* The run's own shutdown may wait for a helper thread, but for no timer: time stands still. */
static void wait_for_the_end(struct replay *replay)
{
    if (peers_move(replay)) {
        return;
    }
    nap();
    if (real_time() - replay->seams.finishing_since > BARRIER_SECONDS) {
        fprintf(stderr, "rill-testee: the run does not end: something still waits\n");
        exit(EXIT_FAILURE);
    }
}

/* The loop would sleep now. Answers 0 every time: it polls once, with timeout zero, and goes on. */
static int would_sleep(void *arg, double until)
{
    struct replay *replay = arg;
    (void)until; /* time moves by the script alone */
    if (is_restless(replay)) {
        tell_restless(replay);
        return 0;
    }
    const bool held = replay->seams.barrier_held;
    replay->seams.barrier_held = false;
    if (!polled_in_vain(replay)) {
        return 0;
    }
    if (replay->finishing) {
        wait_for_the_end(replay);
        return 0;
    }
    if (peers_move(replay)) {
        return 0;
    }
    if (!barrier_holds(replay)) {
        nap();
        return 0;
    }
    if (!held) {
        replay->seams.barrier_held = true; /* the poll that follows sees what came meanwhile */
        return 0;
    }
    resume_driver(replay);
    return 0;
}

void seams_init(struct replay *replay)
{
    syscalls_init(replay);
    replay->seams.clock =
        (struct rill_clock){.now = virtual_now, .idle = would_sleep, .arg = replay};
}
