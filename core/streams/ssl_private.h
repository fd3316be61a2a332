/* SPDX-License-Identifier: MIT
 *
 * What the three files of the TLS layer share: ssl_protocol.c, ssl_data.c, ssl_shutdown.c.
 */
#ifndef RILL__SSL_PRIVATE_H
#define RILL__SSL_PRIVATE_H

#include "streams/ssl_protocol.h"

#define RILL__SSL_WRITE_HIGH_WATER ((size_t)512 * 1024) /* */
#define RILL__SSL_READ_HIGH_WATER  ((size_t)256 * 1024) /* */

/* asyncio's _fatal_error. Takes over the reference. */
void rill__ssl_fatal(struct rill__ssl *self, const struct rill_error *error, const char *message);
/* Takes over the reference. */
void rill__ssl_force_close_below(struct rill__ssl *self, const struct rill_error *error);
/* The layer's one timer, set anew. */
void rill__ssl_set_timer(struct rill__ssl *self, double seconds);

/* Hands ciphertext down; the second looks at the water marks as well. */
void rill__ssl_send_outgoing(struct rill__ssl *self);
void rill__ssl_process_outgoing(struct rill__ssl *self);
/* What was written before the session could take it. */
void rill__ssl_push_backlog(struct rill__ssl *self);
/* Delivers what is decryptable, unless the protocol above has paused. */
void rill__ssl_do_read(struct rill__ssl *self);
void rill__ssl_run_resume(struct rill__entry *entry);
/* Pauses or resumes the layer below by what it brought and nobody took. */
void rill__ssl_control_reading(struct rill__ssl *self);

/* asyncio's _do_flush and _do_shutdown. */
void rill__ssl_do_flush(struct rill__ssl *self);
void rill__ssl_do_shutdown(struct rill__ssl *self);
void rill__ssl_call_eof_received(struct rill__ssl *self);
void rill__ssl_run_close_below(struct rill__entry *entry);
/* The shutdown's time begins, or begins anew because something moved. */
void rill__ssl_start_shutdown_timer(struct rill__ssl *self);

#endif
