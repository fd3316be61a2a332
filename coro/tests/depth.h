/* SPDX-License-Identifier: MIT
 *
 * The part of depth_test that needs OpenSSL, so that the rest is built without.
 */
#ifndef RILL_CORO_TESTS_DEPTH_H
#define RILL_CORO_TESTS_DEPTH_H

/* Both sides of a whole TLS 1.3 handshake over memory, with a certificate made on the spot,
 * verified, and a record each way. Returns 0, a negative number that says which step failed, or 1
 * when there is no OpenSSL here. */
int depth_tls_handshake(void);

#endif
