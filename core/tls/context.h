/* SPDX-License-Identifier: MIT
 *
 * A context from the inside.
 */
#ifndef RILL__TLS_CONTEXT_H
#define RILL__TLS_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

#include <rill/tls.h>

struct rill_ssl_context {
    SSL_CTX *ctx;
    pthread_mutex_t chain_lock; /* see rill__ssl_context_session */
    atomic_size_t references;
    unsigned char id[16]; /* random: marks the sessions of this context */
    bool server_side;
    bool skips_hostname; /* check_hostname = False */
    bool strict_end;
    bool adopted;
    rill_sni_callback *sni;
    void *sni_arg;
    unsigned char *alpn; /* each protocol after its length, as on the wire */
    unsigned alpn_size;
};

/* SSL_new(context->ctx). OpenSSL copies the certificates of a context into each session and then
 * never looks at the context's again, counts them, and locks none of this: so a chain may be
 * reloaded beside running sessions, but not beside one that is being made. NULL: see OpenSSL's
 * queue. */
SSL *rill__ssl_context_session(struct rill_ssl_context *context);

/* SSL_set_SSL_CTX(ssl, context->ctx), likewise. False: see OpenSSL's queue. */
bool rill__ssl_context_assign(SSL *ssl, struct rill_ssl_context *context);

/* Which contexts a call is for; NULL, or the ValueError for another one. */
enum rill__ssl_side { RILL__SSL_EITHER, RILL__SSL_CLIENT, RILL__SSL_SERVER };
const struct rill_error *rill__ssl_context_refuse(const struct rill_ssl_context *context,
                                                  enum rill__ssl_side side);

/* The end of a call of rill/tls.h: takes over `failure`, NULL when there is none, and gives it to
 * *error unless `error` is NULL. Empties OpenSSL's queue. The call's result. */
int rill__ssl_finish(const struct rill_error *failure, const struct rill_error **error);

#endif
