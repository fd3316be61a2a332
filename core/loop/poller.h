/* SPDX-License-Identifier: MIT
 *
 * The poller seam: wait for descriptors. libev is one implementation (poller_ev.c); a simulated
 * kernel can be another. A descriptor has one watch, with a reader's and a writer's side; what is
 * ready goes on the loop's ready queue in the kernel's order, read before write.
 */
#ifndef RILL__POLLER_H
#define RILL__POLLER_H

#include "loop/loop.h"

/* A watched descriptor. Its entries are queued when it is ready; unwatching takes them back. */
struct rill__watch {
    struct rill_loop *loop;
    int fd;
    void *owner;  /* whoever made the watch */
    bool reading; /* on_readable is wanted */
    bool writing;
    struct rill__entry on_readable;
    struct rill__entry on_writable;
};

struct rill__poller_ops {
    size_t watch_size; /* bytes of a watch of this poller */
    void (*watch_init)(struct rill__poller *poller, struct rill__watch *watch, int fd); /* zeroed */
    void (*watch_changed)(struct rill__poller *poller, struct rill__watch *watch);
    void (*watch_cleanup)(struct rill__poller *poller, struct rill__watch *watch);
    /* Waits up to timeout_s (negative: for ever) and queues what is ready. */
    void (*wait)(struct rill__poller *poller, double timeout_s);
    void (*wake)(struct rill__poller *poller); /* from any thread */
    /* Calls rill__interrupted on the loop at SIGINT; false when it cannot. */
    bool (*catch_sigint)(struct rill__poller *poller, bool on);
    void (*free)(struct rill__poller *poller);
};
struct rill__poller {
    const struct rill__poller_ops *ops;
    struct rill_loop *loop;
    size_t watches; /* with anything wanted */
    size_t writing; /* with on_writable wanted */
    bool more; /* descriptors of the last poll are left for the next turn, which does not wait */
    void (*on_sigint)(void *arg);
    void *on_sigint_arg;
};

/* libev's: `ev` is the application's loop, or NULL for an own one. */
int rill__poller_ev_new(struct rill_loop *loop, struct ev_loop *ev, struct rill__poller **poller);

/* A watch on fd with nothing wanted yet; the descriptor stays the caller's and must outlive it.
 * Either on the heap, or in rill__watch_size(loop) zeroed bytes of the caller's, aligned to
 * max_align_t. */
struct rill__watch *rill__watch_new(struct rill_loop *loop, int fd);
void rill__watch_free(struct rill__watch *watch); /* NULL is fine */
size_t rill__watch_size(const struct rill_loop *loop);
void rill__watch_init(struct rill__watch *watch, struct rill_loop *loop, int fd);
void rill__watch_cleanup(struct rill__watch *watch);
void rill__watch_reading(struct rill__watch *watch, bool on);
void rill__watch_writing(struct rill__watch *watch, bool on);

#endif
