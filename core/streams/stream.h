/* SPDX-License-Identifier: MIT
 *
 * A stream: reader, writer and the protocol between them and the transport (asyncio's
 * StreamReaderProtocol), one allocation.
 */
#ifndef RILL__STREAM_H
#define RILL__STREAM_H

#include <rill/server.h>
#include <rill/streams.h>

#include "loop/tasks.h"
#include "sansio/flow_control.h"
#include "sansio/stream_reader.h"

struct rill__stream;

struct rill_reader {
    struct rill__reader core;
    struct rill_loop *loop;
    struct rill__stream *stream; /* NULL: made by hand */
    struct rill_transport
        *transport; /* what pause and resume act on; a reference when made by hand */
    const struct rill_error *error;
};

struct rill_writer {
    struct rill__stream *stream;
    const struct rill_error *error;
};

/* What a server does with a new connection. */
struct rill__connected {
    rill_client_connected_task *task;
    rill_client_connected_cb *plain;
    void *arg;
};

/* Held by two: the transport, as its protocol, until connection_lost; and the pair's owner (the
 * caller, or the server while the handler runs). */
struct rill__stream {
    struct rill_protocol protocol;
    struct rill_task
        *home; /* whose room this is in: the server's for the handler; NULL: the heap */
    struct rill_reader reader;
    struct rill_writer writer;
    struct rill_loop *loop;
    struct rill_transport *transport; /* a reference, from connection_made on */
    struct rill__flow flow;
    bool over_ssl;  /* asyncio's _over_ssl */
    bool upgrading; /* start_tls is in progress */
    bool held_by_transport;
    bool held_by_owner;
    struct rill__list drains;  /* waits of drain */
    struct rill__list closers; /* waits of wait_closed */
    size_t waiting_drains;
    const struct rill_error *lost_error;
    struct rill__connected connected;
    struct rill_task *handler; /* the server's handler task while it runs */
    struct rill__entry handler_done;
    struct rill__open handler_open;     /* in the loop's list while the handler runs */
    struct rill_opt_real close_timeout; /* of rill_writer_close */
    struct rill__timer close_timer;
    size_t observers; /* rill_observe_hold */
};

/* A stream with one holder, the owner. limit was checked. home: rill__room_alloc's. NULL: no
 * memory. */
struct rill__stream *rill__stream_new(struct rill_loop *loop, size_t limit, struct rill_task *home);

/* A stream's: no code but rill's own runs when bytes come. */
bool rill__is_stream(const struct rill_protocol *protocol);

/* The stream's protocol goes to a transport, which holds it from now on. */
struct rill_protocol *rill__stream_protocol(struct rill__stream *stream);
void rill__stream_release_owner(struct rill__stream *stream);
void rill__stream_release_transport(struct rill__stream *stream);
void rill__stream_release_observer(struct rill__stream *stream);

/* The server's part of connection_made: starts the handler (6.4). */
void rill__stream_call_connected(struct rill__stream *stream);

/* A handler that has ended well and only waits to be told lets go of the pair: the connection is
 * lost, nobody has the pair any more. */
void rill__stream_settle_handler(struct rill__stream *stream);

void rill__reader_init_pair(struct rill_reader *reader, struct rill_loop *loop,
                            struct rill__stream *stream, size_t limit);
void rill__reader_cleanup_pair(struct rill_reader *reader);

/* Remembers a failure on the object and in the running task; returns its code. Takes the reference.
 */
int rill__fail_on(const struct rill_error **kept, const struct rill_error *error);

/* The limit of an option: default, or the ValueError of R-102 through rill__fail. */
int rill__limit_of(struct rill_opt_int option, size_t *limit);

void rill__observe(struct rill_loop *loop, enum rill_observed what,
                   const struct rill_reader *reader, const struct rill_writer *writer);

#endif
