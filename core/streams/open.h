/* SPDX-License-Identifier: MIT
 *
 * Opening: from a descriptor to a transport whose connection_made was delivered.
 */
#ifndef RILL__OPEN_H
#define RILL__OPEN_H

#include "streams/selector.h"
#include "streams/ssl_protocol.h"
#include "streams/stream.h"

/* Waits until connection_made was delivered. Cancelled: the transport is closed and
 * *transport, the caller's reference, is dropped. */
int rill__await_made(struct rill_task *task, struct rill__selector *transport);

/* Waits until the handshake has ended: 0, RILL_ECANCELLED, or its error, which is the task's. The
 * layer becomes `stream`'s transport at that moment, unless it is NULL. */
int rill__await_handshake(struct rill_task *task, struct rill__ssl *layer,
                          struct rill__stream *stream);

/* `server_hostname is only meaningful with ssl` and its two relatives, when
 * there is no ssl. */
int rill__check_no_ssl(const struct rill_ssl_context *ssl, const char *server_hostname,
                       struct rill_opt_real handshake_timeout,
                       struct rill_opt_real shutdown_timeout);

/* That, behind R-522. */
int rill__check_ssl(const char *host, const struct rill_connection_options *options);

/* A stream with the limit of an option, or R-102. */
int rill__open_stream(struct rill_loop *loop, struct rill_opt_int limit,
                      struct rill__stream **stream);

/* A connected descriptor, and what is to become of it. */
struct rill__connection {
    int fd;
    bool is_callers; /* on a failure before the transport exists it stays open */
    struct rill__ssl_params ssl; /* context NULL: plain */
};

/* Fails, and closes the descriptor unless it is the caller's. Takes over the reference. */
int rill__give_up(struct rill_loop *loop, const struct rill__connection *connection,
                  const struct rill_error *error);

/* A layer of TLS over the descriptor, its handshake done. *transport is then the caller's
 * reference. *protocol_given: the protocol will hear of the end. */
int rill__tls_over(struct rill_task *task, const struct rill__connection *connection,
                   struct rill_protocol *protocol, bool *protocol_given,
                   struct rill_transport **transport);
/* The handshake of a layer whose transport below was made. */
int rill__secure(struct rill_task *task, struct rill__ssl *layer,
                 struct rill_transport **transport);

/* A transport with a new protocol, or a pair, over a connected descriptor. On failure the stream
 * is let go. Suspends. */
int rill__connection_over(struct rill_task *task, const struct rill__connection *connection,
                          rill_protocol_factory *factory, void *arg,
                          struct rill_transport **transport, struct rill_protocol **protocol);
int rill__pair_over(struct rill_task *task, const struct rill__connection *connection,
                    struct rill__stream *stream, struct rill_reader **reader,
                    struct rill_writer **writer);

/* The RuntimeError of a call that start_tls in progress forbids. */
const struct rill_error *rill__upgrade_in_progress(void);

#endif
