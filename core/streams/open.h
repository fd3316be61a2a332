/* SPDX-License-Identifier: MIT
 *
 * Opening: from a descriptor to a transport whose connection_made was delivered.
 */
#ifndef RILL__OPEN_H
#define RILL__OPEN_H

#include "streams/selector.h"
#include "streams/stream.h"

/* Waits until connection_made was delivered. Cancelled: the transport is closed and
 * *transport, the caller's reference, is dropped. */
int rill__await_made(struct rill_task *task, struct rill__selector *transport);

/* `server_hostname is only meaningful with ssl` and its two relatives. */
int rill__check_no_ssl(const char *server_hostname, struct rill_opt_real handshake_timeout,
                       struct rill_opt_real shutdown_timeout);

/* A stream with the limit of an option, or R-102. */
int rill__open_stream(struct rill_loop *loop, struct rill_opt_int limit,
                      struct rill__stream **stream);

/* A transport with a new protocol, or a pair, over a connected descriptor. On failure the
 * descriptor is closed unless it is the caller's, and the stream is let go. Suspends. */
int rill__connection_over(struct rill_task *task, int fd, bool is_callers,
                          rill_protocol_factory *factory, void *arg,
                          struct rill_transport **transport, struct rill_protocol **protocol);
int rill__pair_over(struct rill_task *task, struct rill__stream *stream, int fd, bool is_callers,
                    struct rill_reader **reader, struct rill_writer **writer);

#endif
