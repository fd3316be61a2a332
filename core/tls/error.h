/* SPDX-License-Identifier: MIT
 *
 * OpenSSL's errors as Python's ssl module tells them.
 */
#ifndef RILL__TLS_ERROR_H
#define RILL__TLS_ERROR_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include <rill/error.h>

/* The SSLError for what OpenSSL's error queue holds, newest first as Python takes it, and empties
 * the queue: `[LIBRARY: REASON] text`. */
const struct rill_error *rill__tls_error_of_queue(void);

/* Whether the queue says, anywhere in it, that memory was missing; empties it. */
bool rill__tls_lacked_memory(void);
/* The SSLError with this text, or MemoryError where that was it. */
const struct rill_error *rill__tls_error_saying(const char *text);

/* The same as the first for a failed call on a session, whose result SSL_get_error judged: a failed
 * verification is SSLCertVerificationError with code and text, naming server_hostname where the
 * name did not match. */
const struct rill_error *rill__tls_error_of_session(SSL *ssl, int ssl_error,
                                                    const char *server_hostname);

#endif
