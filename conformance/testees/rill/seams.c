/* SPDX-License-Identifier: MIT
 *
 * The clock, which stands still but for the script, and the counting system-call table.
 */
#include "seams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

#include "peer.h"
#include "script.h"

#define BARRIER_SECONDS 3.

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

/* -- the system-call table: the kernel's own calls, counted -------------------------------------
 */

static const struct rill_sys *counted(void *arg)
{
    struct replay *replay = arg;
    replay->seams.activity++;
    return rill_sys_kernel();
}

static ssize_t counting_readv(void *arg, int fd, const struct iovec *parts, int count)
{
    struct replay *replay = arg;
    const struct rill_sys *kernel = counted(arg);
    const ssize_t size = kernel->readv(kernel->arg, fd, parts, count);
    if (size > 0 && fd < DESCRIPTORS_MAX) {
        replay->seams.received[fd] += (size_t)size;
    }
    return size;
}

static ssize_t counting_send(void *arg, int fd, const void *data, size_t size)
{
    const struct rill_sys *kernel = counted(arg);
    return kernel->send(kernel->arg, fd, data, size);
}

static ssize_t counting_sendmsg(void *arg, int fd, const struct iovec *parts, int count)
{
    const struct rill_sys *kernel = counted(arg);
    return kernel->sendmsg(kernel->arg, fd, parts, count);
}

static int counting_accept(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    const struct rill_sys *kernel = counted(arg);
    return kernel->accept(kernel->arg, fd, address, length);
}

static int counting_getsockopt(void *arg, int fd, int level, int name, void *value,
                               unsigned *length)
{
    const struct rill_sys *kernel = counted(arg);
    return kernel->getsockopt(kernel->arg, fd, level, name, value, length);
}

static int counting_shutdown_write(void *arg, int fd)
{
    const struct rill_sys *kernel = counted(arg);
    return kernel->shutdown_write(kernel->arg, fd);
}

static int counting_close(void *arg, int fd)
{
    const struct rill_sys *kernel = counted(arg);
    seams_forget(arg, fd);
    return kernel->close(kernel->arg, fd);
}

size_t seams_received(const struct replay *replay, int fd)
{
    return fd >= 0 && fd < DESCRIPTORS_MAX ? replay->seams.received[fd] : 0;
}

void seams_forget(struct replay *replay, int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS_MAX) {
        replay->seams.received[fd] = 0;
    }
}

/* -- settling -----------------------------------------------------------------------------------
 */

/* Whether a peer that connected is neither accepted nor turned away yet. */
static bool accepting(struct replay *replay)
{
    while (replay->accept_count > 0 && peer_turned_away(replay->peers[replay->accept_order[0]])) {
        accept_order_pop(replay);
    }
    return replay->accept_count > 0 && replay->server != NULL &&
           rill_server_is_serving(replay->server);
}

static bool peers_are_quiet(struct replay *replay)
{
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if (connection->peer != NULL && !peer_is_quiet(connection->peer)) {
            return false;
        }
    }
    return true;
}

bool barrier_holds(struct replay *replay)
{
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    if (state.jobs == 0 && replay->connecting == 0 && !accepting(replay) &&
        peers_are_quiet(replay)) {
        replay->seams.barrier_began = 0;
        return true;
    }
    const double now = real_time();
    if (replay->seams.barrier_began <= 0) {
        replay->seams.barrier_began = now;
    }
    return now - replay->seams.barrier_began > BARRIER_SECONDS;
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

static double virtual_now(void *arg)
{
    const struct replay *replay = arg;
    return replay->seams.now;
}

/* The run's own shutdown may wait for a helper thread, but for no timer: time stands still. */
static void wait_for_the_end(const struct replay *replay)
{
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
    if (!polled_in_vain(replay)) {
        return 0;
    }
    if (replay->finishing) {
        wait_for_the_end(replay);
        return 0;
    }
    if (!barrier_holds(replay)) {
        nap();
        return 0;
    }
    replay->seams.seen_turns = 0; /* what the operation does is followed by a poll */
    rill_coro_resume(replay->driver, NULL);
    return 0;
}

void seams_init(struct replay *replay)
{
    struct rill_sys *sys = &replay->seams.sys;
    *sys = *rill_sys_kernel();
    sys->readv = counting_readv;
    sys->send = counting_send;
    sys->sendmsg = counting_sendmsg;
    sys->accept = counting_accept;
    sys->getsockopt = counting_getsockopt;
    sys->shutdown_write = counting_shutdown_write;
    sys->close = counting_close;
    sys->arg = replay;
    replay->seams.clock =
        (struct rill_clock){.now = virtual_now, .idle = would_sleep, .arg = replay};
}
