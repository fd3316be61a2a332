/* SPDX-License-Identifier: MIT
 *
 * Watched descriptors: the poller's watches for transports, and add_reader and its relatives for
 * callers.
 */
#include "loop/poller.h"

#include "sansio/memory.h"

struct rill__watch *rill__watch_new(struct rill_loop *loop, int fd)
{
    return loop->poller->ops->watch_new(loop->poller, fd);
}

void rill__watch_free(struct rill__watch *watch)
{
    if (watch != NULL) {
        watch->loop->poller->ops->watch_free(watch->loop->poller, watch);
    }
}

void rill__watch_reading(struct rill__watch *watch, bool on)
{
    if (watch->reading == on) {
        return;
    }
    watch->reading = on;
    if (!on) { /* remove_reader cancels the handle, queued or not */
        rill__unready(&watch->on_readable);
    }
    watch->loop->poller->ops->watch_changed(watch->loop->poller, watch);
}

void rill__watch_writing(struct rill__watch *watch, bool on)
{
    if (watch->writing == on) {
        return;
    }
    watch->writing = on;
    if (!on) {
        rill__unready(&watch->on_writable);
    }
    watch->loop->poller->ops->watch_changed(watch->loop->poller, watch);
}
