/* SPDX-License-Identifier: MIT
 *
 * OpenSSL's errors as Python's ssl module tells them.
 */
#ifndef RILL__TLS_ERROR_H
#define RILL__TLS_ERROR_H

#include <openssl/ssl.h>

#include <rill/error.h>

/* The SSLError for what OpenSSL's error queue holds, newest first as Python takes it, and empties
 * the queue: `[LIBRARY: REASON] text`. */
const struct rill_error *rill__tls_error_of_queue(void);

/* The same for a failed call on a session, whose result SSL_get_error judged: a failed verification
 * is SSLCertVerificationError with code and text, naming server_hostname where the name did not
 * match. */
const struct rill_error *rill__tls_error_of_session(SSL *ssl, int ssl_error,
                                                    const char *server_hostname);

#endif
