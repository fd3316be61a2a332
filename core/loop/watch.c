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
    rill__watch_reading(watch, false);
    rill__watch_writing(watch, false);
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

static void change(struct rill__watch *watch, bool *what, bool on, struct rill__entry *entry)
{
    struct rill__poller *poller = watch->loop->poller;
    if (*what == on) {
        return;
    }
    poller->watches -= watch->reading || watch->writing;
    poller->writing -= watch->writing;
    *what = on;
    poller->watches += watch->reading || watch->writing;
    poller->writing += watch->writing;
    if (!on) { /* remove_reader cancels the handle, queued or not */
        rill__unready(entry);
    }
    poller->ops->watch_changed(poller, watch);
}

void rill__watch_reading(struct rill__watch *watch, bool on)
{
    change(watch, &watch->reading, on, &watch->on_readable);
}

void rill__watch_writing(struct rill__watch *watch, bool on)
{
    change(watch, &watch->writing, on, &watch->on_writable);
}
