/* SPDX-License-Identifier: MIT
 *
 * The transport of sections 3 and 4: asyncio's _SelectorSocketTransport as a state machine over an
 * endpoint. A socket and a memory pipe are two endpoints of the same machine, so what holds for one
 * holds for the other.
 */
#ifndef RILL__SELECTOR_H
#define RILL__SELECTOR_H

#include <rill/transport.h>

#include "loop/tasks.h"
#include "sansio/flow_control.h"
#include "streams/write_queue.h"

struct rill__endpoint;
struct rill__name;

/* Results: >= 0, or -errno. */
struct rill__endpoint_ops {
    /* Into space, then spare; 0: end of input. */
    ssize_t (*receive)(struct rill__endpoint *self, char *space, size_t size, char *spare,
                       size_t spare_size);
    ssize_t (*send)(struct rill__endpoint *self, const struct rill_bytes *parts, size_t count);
    int (*shutdown_write)(struct rill__endpoint *self);
    /* While on, rill__selector_readable (_writable) is called in each turn in which it is ready. */
    void (*watch_reading)(struct rill__endpoint *self, bool on);
    void (*watch_writing)(struct rill__endpoint *self, bool on);
    /* Once; nothing is called afterwards but get_extra_info and destroy. */
    void (*close)(struct rill__endpoint *self);
    void (*get_extra_info)(struct rill__endpoint *self, const char *name,
                           struct rill_extra_info *info);
    void (*destroy)(struct rill__endpoint *self);
};
struct rill__endpoint {
    const struct rill__endpoint_ops *ops;
    struct rill__selector *transport;
};

/* What each receive and send looks at comes first: with many connections the time goes into
 * fetching it, line by line, from a far cache. */
struct rill__selector {
    struct rill_transport base;
    struct rill__endpoint *endpoint;
    struct rill_protocol *protocol;
    size_t expected;      /* bytes of the next receive: decides where they go */
    unsigned lost_writes; /* asyncio's _conn_lost: non-zero once the loss is scheduled */
    bool closing;
    bool paused;                    /* pause_reading */
    bool eof;                       /* write_eof was called */
    bool saw_eof;                   /* the peer's end of input was delivered */
    bool gone;                      /* connection_lost was delivered, the endpoint is closed */
    struct rill__write_queue queue; /* what the kernel did not take yet */
    struct rill__open open;         /* in the loop's list until the connection is lost */
    struct rill__water water;
    struct rill__entry start; /* connection_made, start reading, complete the opener */
    struct rill__entry lost;  /* connection_lost */
    const struct rill_error *lost_error;
    struct rill__wait *opener;
    void (*on_lost)(void *arg,
                    struct rill_transport *transport); /* the server's bookkeeping */
    void *on_lost_arg;
    struct rill__link client; /* in the server's list */
};

/* Makes a transport in zeroed memory and schedules connection_made. The endpoint owns that memory:
 * its destroy frees both. One reference is the caller's. */
void rill__selector_init(struct rill__selector *transport, struct rill_loop *loop,
                         struct rill__endpoint *endpoint, struct rill_protocol *protocol);
void rill__selector_cleanup(struct rill__selector *transport); /* for the endpoint's destroy */

void rill__selector_readable(struct rill__selector *transport);
void rill__selector_writable(struct rill__selector *transport);

/* A transport over a connected, non-blocking stream socket. accepted: the peer's name, of a socket
 * whose TCP_NODELAY is as it should be; NULL: the kernel is asked for both names and told. home: of
 * its memory. The descriptor is the transport's on success and stays the caller's on failure: a
 * code with *error. */
int rill__socket_transport_new(struct rill_loop *loop, int fd, const struct rill__name *accepted,
                               struct rill_task *home, struct rill_protocol *protocol,
                               struct rill__selector **transport, const struct rill_error **error);

#endif
