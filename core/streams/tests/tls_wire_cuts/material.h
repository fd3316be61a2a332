/* SPDX-License-Identifier: MIT
 *
 * What both sides of a handshake are made of: one certificate for localhost, contexts of rill and
 * of OpenSSL, and randomness that is the same in every run, so that a recorded byte is at the same
 * place each time.
 */
#ifndef RILL_TEST_WIRE_MATERIAL_H
#define RILL_TEST_WIRE_MATERIAL_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include <rill/tls.h>

struct material {
    EVP_PKEY *key; /* Ed25519: its signatures have one length */
    X509 *certificate;
    struct rill_ssl_context *client;   /* rill's; trusts the certificate */
    struct rill_ssl_context *strict;   /* the same, and a missing close_notify is an error */
    struct rill_ssl_context *distrust; /* trusts nobody */
    struct rill_ssl_context *server;
    SSL_CTX *peer; /* for both roles; asks for no certificate */
};

/* A part that cannot be made ends the process with OpenSSL's words. */
void material_make(struct material *material);
void material_free(struct material *material);

/* Whose randomness OpenSSL gets from now on: each side has a stream of its own, so that the order
 * in which they move does not matter. */
enum random_side { RANDOM_OF_RILL, RANDOM_OF_PEER };
void random_use(enum random_side side);
void random_restart(void); /* both from their beginning */

#endif
