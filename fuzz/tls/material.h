/* SPDX-License-Identifier: MIT
 *
 * What handshakes are made of: certificates with their keys, contexts of rill in the variants that
 * differ in what they check and offer, and one of OpenSSL for the peer in either role. Made once,
 * and never changed by a run.
 */
#ifndef FUZZ_TLS_MATERIAL_H
#define FUZZ_TLS_MATERIAL_H

#include <openssl/ssl.h>

#include <rill/tls.h>

/* What the peer shows. */
enum identity {
    IDENTITY_SERVER, /* localhost, signed by the authority that rill trusts */
    IDENTITY_CLIENT,
    IDENTITY_EXPIRED,
    IDENTITY_OTHER_NAME,
    IDENTITY_SELF_SIGNED,
    IDENTITIES,
};

enum client_kind {
    CLIENT_PLAIN,     /* trusts the authority, checks names */
    CLIENT_STRICT,    /* the same; a missing close_notify is an error */
    CLIENT_ALPN,      /* offers h2 and http/1.1 */
    CLIENT_DISTRUST,  /* trusts nobody */
    CLIENT_ANY_NAME,  /* checks no name */
    CLIENT_UNCHECKED, /* checks nothing */
    CLIENT_SHOWS,     /* has a certificate of its own */
    CLIENT_OLD,       /* TLS 1.2 and no more */
    CLIENT_ADOPTED,   /* an SSL_CTX of somebody else's, with another group first */
    CLIENTS,
};

enum server_kind {
    SERVER_PLAIN,
    SERVER_STRICT,
    SERVER_ALPN,     /* h2 and http/1.1 */
    SERVER_OPTIONAL, /* a client may show a certificate */
    SERVER_REQUIRED, /* it must; and as SERVER_SNI */
    SERVER_SNI,      /* by the name: another context, or an alert; P-256 alone */
    SERVER_OLD,      /* TLS 1.2 and no more */
    SERVER_ADOPTED,  /* P-256 alone: X25519 first means a HelloRetryRequest */
    SERVER_BARE,     /* without a certificate */
    SERVERS,
};

struct material {
    X509 *certificates[IDENTITIES];
    EVP_PKEY *keys[IDENTITIES];
    X509 *authority;
    struct rill_ssl_context *clients[CLIENTS];
    struct rill_ssl_context *servers[SERVERS];
    SSL_CTX *peer;
};

/* The one of this process, made at the first call. A part that cannot be made ends the process. */
const struct material *material_get(void);

/* Names that SERVER_SNI answers to in ways of its own. */
#define NAME_REQUIRED "required.test" /* SERVER_REQUIRED */
#define NAME_OPTIONAL "optional.test"
#define NAME_ALPN     "alpn.test"
#define NAME_REFUSED  "refused.test" /* the alert unrecognized_name */
#define NAME_BROKEN   "broken.test"  /* a number that is no alert */
#define NAME_CLIENT   "client.test"  /* a client's context: none to go on with */
#define NAME_DEFAULT  "default.test" /* rill_ssl_default, which is none either */
#define NAME_ABOVE    "above.test"   /* a number above all alerts */

#endif
