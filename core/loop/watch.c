/* SPDX-License-Identifier: MIT
 *
 * Watched descriptors: the poller's watches for transports, and add_reader and its relatives for
 * callers.
 */
#include "loop/poller.h"

#include "sansio/memory.h"

size_t rill__watch_size(const struct rill_loop *loop)
{
    return loop->poller->ops->watch_size;
}

void rill__watch_init(struct rill__watch *watch, struct rill_loop *loop, int fd)
{
    loop->poller->ops->watch_init(loop->poller, watch, fd);
}

void rill__watch_cleanup(struct rill__watch *watch)
{
    watch->loop->poller->ops->watch_cleanup(watch->loop->poller, watch);
}

struct rill__watch *rill__watch_new(struct rill_loop *loop, int fd)
{
    struct rill__watch *watch = rill__alloc_zeroed(rill__watch_size(loop));
    if (watch != NULL) {
        rill__watch_init(watch, loop, fd);
    }
    return watch;
}

void rill__watch_free(struct rill__watch *watch)
{
    if (watch != NULL) {
        rill__watch_cleanup(watch);
        rill__free(watch);
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
