/* SPDX-License-Identifier: MIT
 *
 * A TLS session without a socket and without waiting: ciphertext in, plaintext out, and the
 * reverse. OpenSSL reads from the bytes that were fed and writes to a buffer; the caller carries
 * both. Every call leaves OpenSSL's error queue empty (but for a read that gives data: it leaves
 * there what it found). What it finds there changes no result, but for somebody else's report of
 * lacking memory, which a failing call takes for its own.
 */
#ifndef RILL__TLS_ENGINE_H
#define RILL__TLS_ENGINE_H

#include <rill/tls.h>

#include "sansio/buffer.h"

/* Each error's object is the caller's reference. */
enum rill__tls_result {
    RILL__TLS_OK,
    RILL__TLS_WANT,   /* nothing more without input */
    RILL__TLS_CLOSED, /* read: the peer's close_notify came */
    RILL__TLS_FAILED, /* *error says why; the outgoing bytes may hold an alert */
};

/* server_hostname: for SNI and the name check, NULL or "": none; an address is checked against the
 * certificate's addresses and never sent. A context that checks names and gets none is
 * RILL_EVALUE `check_hostname requires server_hostname` unless skip_hostname is set. NULL:
 * *error says why. */
struct rill_ssl_object *rill__tls_new(struct rill_ssl_context *context, bool server_side,
                                      const char *server_hostname, bool skip_hostname,
                                      const struct rill_error **error);
void rill__tls_free(struct rill_ssl_object *object); /* NULL is fine */

/* Ciphertext that came: read by the calls below from here, without a copy, until rill__tls_settle,
 * which keeps what they have not taken. An earlier feed must be settled. */
void rill__tls_feed(struct rill_ssl_object *object, struct rill_bytes data);
/* 0 or RILL_ENOMEM. */
int rill__tls_settle(struct rill_ssl_object *object);
/* Bytes that came and OpenSSL has not taken (asyncio's incoming.pending; R-841). */
size_t rill__tls_incoming(const struct rill_ssl_object *object);

enum rill__tls_result rill__tls_handshake(struct rill_ssl_object *object,
                                          const struct rill_error **error);
/* OK: *count > 0 bytes of plaintext are in space. */
enum rill__tls_result rill__tls_read(struct rill_ssl_object *object, char *space, size_t size,
                                     size_t *count, const struct rill_error **error);
/* Whether another read could give something without more input: spares a call that cannot. */
bool rill__tls_may_have_more(const struct rill_ssl_object *object);
/* OK: *count bytes were encrypted, all of them as a rule. */
enum rill__tls_result rill__tls_write(struct rill_ssl_object *object, struct rill_bytes data,
                                      size_t *count, const struct rill_error **error);
/* The calls between these two put ciphertext into `room`, as far as it fits; what does not is
 * outgoing, behind it. Nothing may be outgoing before. How many bytes are in the room. */
void rill__tls_lend_room(struct rill_ssl_object *object, char *room, size_t size);
size_t rill__tls_return_room(struct rill_ssl_object *object);
/* Sends close_notify at its first call. OK: the peer's has come too. WANT: it has not. Application
 * data that comes instead is discarded. */
enum rill__tls_result rill__tls_shutdown(struct rill_ssl_object *object,
                                         const struct rill_error **error);

/* How much ciphertext waits to be taken. */
size_t rill__tls_outgoing(const struct rill_ssl_object *object);
/* Moves the ciphertext to be sent into an empty buffer of the caller's, who cleans it up. */
void rill__tls_take_outgoing(struct rill_ssl_object *object, struct rill__buffer *outgoing);

/* What `.ssl =` of a connection stands for: the context itself, or for rill_ssl_default a new one
 * with the system's certificates. A reference of the caller's; NULL: *error says why. */
struct rill_ssl_context *rill__ssl_context_for(struct rill_ssl_context *given,
                                               const struct rill_error **error);

bool rill__tls_is_strict(const struct rill_ssl_object *object);

/* SSLEOFError of a stream that ended without close_notify, for strict contexts. */
const struct rill_error *rill__tls_truncated(void);

#endif
