/* SPDX-License-Identifier: MIT
 *
 * The poller seam. There is no option for it: the loop is made with libev's, which is replaced
 * before the first turn.
 */
#include "simulated/kernel.h"

#include <stdlib.h>

#include "loop/poller.h"

struct kernel_poller {
    struct rill__poller base;
    struct kernel *kernel;
};

static void watch_init(struct rill__poller *poller, struct rill__watch *watch, int fd)
{
    watch->loop = poller->loop;
    watch->fd = fd;
}

static void watch_changed(struct rill__poller *poller, struct rill__watch *watch)
{
    (void)poller;
    (void)watch;
}

static void watch_cleanup(struct rill__poller *poller, struct rill__watch *watch)
{
    (void)poller;
    (void)watch;
}

static void poll_now(struct rill__poller *poller, double timeout_s)
{
    (void)poller;
    (void)timeout_s;
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
    free(rill__container(poller, struct kernel_poller, base));
}

static const struct rill__poller_ops ops = {
    .watch_size = sizeof(struct rill__watch),
    .watch_init = watch_init,
    .watch_changed = watch_changed,
    .watch_cleanup = watch_cleanup,
    .wait = poll_now,
    .wake = wake,
    .catch_sigint = catch_sigint,
    .free = free_poller,
};

bool kernel_adopt(struct kernel *kernel, struct rill_loop *loop)
{
    struct kernel_poller *poller = calloc(1, sizeof *poller);
    if (poller == NULL) {
        return false;
    }
    poller->base = (struct rill__poller){.ops = &ops, .loop = loop};
    poller->kernel = kernel;
    loop->poller->ops->free(loop->poller);
    loop->poller = &poller->base;
    return true;
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

void kernel_init(struct kernel *kernel)
{
    *kernel = (struct kernel){0};
}
