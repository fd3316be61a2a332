/* SPDX-License-Identifier: MIT
 *
 * A context from the inside.
 */
#ifndef RILL__TLS_CONTEXT_H
#define RILL__TLS_CONTEXT_H

#include <stdatomic.h>

#include <openssl/ssl.h>

#include <rill/tls.h>

struct rill_ssl_context {
    SSL_CTX *ctx;
    atomic_size_t references;
    bool server_side;
    bool checks_hostname;
    bool strict_end;
    bool adopted;
    rill_sni_callback *sni;
    void *sni_arg;
};

#endif
