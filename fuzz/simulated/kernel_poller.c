/* SPDX-License-Identifier: MIT
 *
 * The poller. rill__poller_ev_new stands in for core/loop/poller_ev.c, which the linker then leaves
 * out of the program, and libev with it: a loop makes no system call.
 */
#include "simulated/kernel.h"

#include <stdio.h>
#include <stdlib.h>

#include "loop/poller.h"
#include "sansio/memory.h"

struct kernel_poller {
    struct rill__poller base;
    struct kernel *kernel;
    struct rill__list watches; /* with anything wanted, in the order of their wishes */
};

struct kernel_watch {
    struct rill__watch base;
    struct rill__link link;
};

static struct kernel_poller *of(struct rill__poller *poller)
{
    return rill__container(poller, struct kernel_poller, base);
}

static void watch_init(struct rill__poller *poller, struct rill__watch *watch, int fd)
{
    watch->loop = poller->loop;
    watch->fd = fd;
}

static void watch_changed(struct rill__poller *poller, struct rill__watch *watch)
{
    struct rill__link *link = &rill__container(watch, struct kernel_watch, base)->link;
    const bool wanted = watch->reading || watch->writing;
    if (wanted && !rill__linked(link)) {
        rill__list_append(&of(poller)->watches, link);
        poller->watches++;
    } else if (!wanted && rill__linked(link)) {
        rill__list_remove(link);
        poller->watches--;
    }
}

static void watch_cleanup(struct rill__poller *poller, struct rill__watch *watch)
{
    watch->reading = false;
    watch->writing = false;
    watch_changed(poller, watch);
    rill__unready(&watch->on_readable);
    rill__unready(&watch->on_writable);
}

static bool is_readable(const struct kernel_socket *socket)
{
    if (socket->state == KERNEL_LISTENING) {
        return socket->pending_count > 0;
    }
    return socket->state == KERNEL_CONNECTED && kernel_wire_readable(socket->wire);
}

static bool is_writable(const struct kernel_socket *socket)
{
    if (socket->state == KERNEL_CONNECTING) {
        return socket->decided;
    }
    return socket->state == KERNEL_CONNECTED && kernel_wire_writable(socket->wire);
}

static _Noreturn void invariant_watched_descriptor_is_open(int fd)
{
    (void)fprintf(stderr, "descriptor %d is watched and not open\n", fd);
    abort();
}

/* Level-triggered, read before write. */
static void poll_now(struct rill__poller *poller, double timeout_s)
{
    const struct kernel_poller *self = of(poller);
    const struct rill__link *link = self->watches.head.next;
    (void)timeout_s;
    for (; link != &self->watches.head; link = link->next) {
        struct rill__watch *watch = &rill__container(link, struct kernel_watch, link)->base;
        const struct kernel_socket *socket = kernel_socket_of(self->kernel, watch->fd);
        if (socket == NULL) {
            invariant_watched_descriptor_is_open(watch->fd);
        }
        if (watch->reading && is_readable(socket)) {
            rill__ready(poller->loop, &watch->on_readable);
        }
        if (watch->writing && is_writable(socket)) {
            rill__ready(poller->loop, &watch->on_writable);
        }
    }
}

static void wake(struct rill__poller *poller)
{
    (void)poller;
}

static bool catch_sigint(struct rill__poller *poller, bool on)
{
    (void)poller;
    (void)on;
    return false;
}

static void free_poller(struct rill__poller *poller)
{
    rill__free(rill__container(poller, struct kernel_poller, base));
}

static const struct rill__poller_ops ops = {
    .watch_size = sizeof(struct kernel_watch),
    .watch_init = watch_init,
    .watch_changed = watch_changed,
    .watch_cleanup = watch_cleanup,
    .wait = poll_now,
    .wake = wake,
    .catch_sigint = catch_sigint,
    .free = free_poller,
};

/* The loop's table of system calls says which kernel it is on. */
int rill__poller_ev_new(struct rill_loop *loop, struct ev_loop *ev, struct rill__poller **poller)
{
    struct kernel_poller *self = rill__alloc_zeroed(sizeof *self);
    (void)ev;
    if (self == NULL) {
        return RILL_ENOMEM;
    }
    self->base = (struct rill__poller){.ops = &ops, .loop = loop};
    self->kernel = loop->sys->arg;
    rill__list_init(&self->watches);
    *poller = &self->base;
    return 0;
}

static double now(void *arg)
{
    const struct kernel *kernel = arg;
    return kernel->now;
}

/* The target moves the clock between turns; the loop itself is never run so that it could wait. */
static int idle(void *arg, double until)
{
    (void)arg;
    (void)until;
    return 0;
}

struct rill_clock kernel_clock(struct kernel *kernel)
{
    return (struct rill_clock){.now = now, .idle = idle, .arg = kernel};
}
