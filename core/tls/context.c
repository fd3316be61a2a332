/* SPDX-License-Identifier: MIT
 *
 * ssl.SSLContext: what ssl.create_default_context() of CPython 3.13 sets, and what can be changed
 * of it. Each result of OpenSSL's is looked at: a setting that cannot be made fails the call.
 */
#include "tls/context.h"

#include <stdint.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "sansio/memory.h"
#include "tls/engine.h"
#include "tls/error.h"

/* What rill_ssl_default points to: an address that no context has. Nobody writes to it. */
static const struct rill_ssl_context standing_for_default = {.server_side = false};

struct rill_ssl_context *const rill_ssl_default =
    (struct rill_ssl_context *)&standing_for_default; /* NOLINT: never written */

static const char default_ciphers[] = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:"
                                      "!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

/* Sessions are resumed by the servers that made them. */
static const unsigned char session_id_context[] = "rill";

enum { VERIFY_REQUIRED = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };

/* -- what all calls share -------------------------------------------------------------------- */

int rill__ssl_finish(const struct rill_error *failure, const struct rill_error **error)
{
    const int result = failure != NULL ? failure->code : 0;

    ERR_clear_error();
    if (error != NULL) {
        *error = failure;
    } else {
        rill_error_unref(failure);
    }
    return result;
}

const struct rill_error *rill__ssl_context_refuse(const struct rill_ssl_context *context,
                                                  enum rill__ssl_side side)
{
    ERR_clear_error(); /* what the caller's own use of OpenSSL left is no error of ours */
    if (context == rill_ssl_default) {
        return rill_error_new(RILL_EVALUE, "rill_ssl_default cannot be changed: make a context");
    }
    if (side == RILL__SSL_SERVER && !context->server_side) {
        return rill_error_new(RILL_EVALUE, "a client's context: only a server's has this setting");
    }
    return NULL;
}

/* -- life ------------------------------------------------------------------------------------ */

/* Takes over the caller's reference to `ctx`, also when it fails. */
static const struct rill_error *wrap(SSL_CTX *ctx, bool server_side,
                                     struct rill_ssl_context **context)
{
    struct rill_ssl_context *made = rill__alloc_zeroed(sizeof *made);

    if (made == NULL || pthread_mutex_init(&made->chain_lock, NULL) != 0) {
        rill__free(made);
        SSL_CTX_free(ctx);
        return rill_error_no_memory();
    }
    if (RAND_bytes(made->id, sizeof made->id) != 1) {
        pthread_mutex_destroy(&made->chain_lock);
        rill__free(made);
        SSL_CTX_free(ctx);
        return rill__tls_error_of_queue();
    }
    made->ctx = ctx;
    made->server_side = server_side;
    atomic_init(&made->references, 1);
    *context = made;
    return NULL;
}

static bool set_defaults(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

    SSL_CTX_set_options(ctx, (SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_SSLv3 |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_SINGLE_DH_USE | SSL_OP_SINGLE_ECDH_USE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* an idle session keeps no record buffers */
    SSL_CTX_set_post_handshake_auth(ctx, 0);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_CTX_set_cipher_list(ctx, default_ciphers) == 1 &&
           SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_session_id_context(ctx, session_id_context, sizeof session_id_context) ==
               1 &&
           X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST |
                                                  X509_V_FLAG_PARTIAL_CHAIN |
                                                  X509_V_FLAG_X509_STRICT) == 1;
}

static const struct rill_error *make(bool server_side, struct rill_ssl_context **context)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(server_side ? TLS_server_method() : TLS_client_method());
    if (ctx == NULL || !set_defaults(ctx)) {
        SSL_CTX_free(ctx);
        return rill__tls_error_of_queue();
    }
    /* Said in both cases: the machine's openssl.cnf may have chosen another mode. */
    SSL_CTX_set_verify(ctx, server_side ? SSL_VERIFY_NONE : VERIFY_REQUIRED, NULL);
    return wrap(ctx, server_side, context);
}

int rill_ssl_context_new_client(struct rill_ssl_context **context, const struct rill_error **error)
{
    *context = NULL;
    return rill__ssl_finish(make(false, context), error);
}

int rill_ssl_context_new_server(struct rill_ssl_context **context, const struct rill_error **error)
{
    *context = NULL;
    return rill__ssl_finish(make(true, context), error);
}

int rill_ssl_context_adopt(struct ssl_ctx_st *adopted, bool server_side,
                           struct rill_ssl_context **context, const struct rill_error **error)
{
    const struct rill_error *failure;

    *context = NULL;
    ERR_clear_error();
    if (SSL_CTX_up_ref(adopted) != 1) {
        return rill__ssl_finish(rill__tls_error_of_queue(), error);
    }
    failure = wrap(adopted, server_side, context);
    if (failure == NULL) {
        SSL_CTX_set_mode(adopted, SSL_MODE_RELEASE_BUFFERS);
        (*context)->adopted = true;
    }
    return rill__ssl_finish(failure, error);
}

struct rill_ssl_context *rill_ssl_context_ref(struct rill_ssl_context *context)
{
    if (context != NULL && context != rill_ssl_default) {
        atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    }
    return context;
}

void rill_ssl_context_unref(struct rill_ssl_context *context)
{
    if (context == NULL || context == rill_ssl_default ||
        atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    SSL_CTX_free(context->ctx);
    ERR_clear_error();
    pthread_mutex_destroy(&context->chain_lock);
    rill__free(context->alpn);
    rill__free(context);
}

struct rill_ssl_context *rill__ssl_context_for(struct rill_ssl_context *given,
                                               const struct rill_error **error)
{
    struct rill_ssl_context *made;

    *error = NULL;
    if (given != rill_ssl_default) {
        return rill_ssl_context_ref(given);
    }
    if (rill_ssl_context_new_client(&made, error) == 0 &&
        rill_ssl_context_load_default_certs(made, error) < 0) {
        rill_ssl_context_unref(made);
        made = NULL;
    }
    return made;
}

SSL *rill__ssl_context_session(struct rill_ssl_context *context)
{
    pthread_mutex_lock(&context->chain_lock);
    SSL *ssl = SSL_new(context->ctx);
    pthread_mutex_unlock(&context->chain_lock);
    return ssl;
}

bool rill__ssl_context_assign(SSL *ssl, struct rill_ssl_context *context)
{
    pthread_mutex_lock(&context->chain_lock);
    const bool assigned = SSL_set_SSL_CTX(ssl, context->ctx) == context->ctx;
    pthread_mutex_unlock(&context->chain_lock);
    return assigned;
}

/* -- settings -------------------------------------------------------------------------------- */

/* Never without authentication or encryption, whatever the list says: a peer without certificate
 * would pass where one is required. */
static const struct rill_error *set_ciphers(SSL_CTX *ctx, const char *ciphers)
{
    static const char never[] = ":!aNULL:!eNULL";
    const size_t length = strlen(ciphers);
    char *list = rill__alloc(length + sizeof never);

    if (list == NULL) {
        return rill_error_no_memory();
    }
    memcpy(list, ciphers, length);
    memcpy(list + length, never, sizeof never);
    const bool selected = SSL_CTX_set_cipher_list(ctx, list) == 1;
    rill__free(list);
    return selected ? NULL : rill__tls_error_saying("No cipher can be selected.");
}

int rill_ssl_context_set_ciphers(struct rill_ssl_context *context, const char *ciphers,
                                 const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL) {
        failure = set_ciphers(context->ctx, ciphers);
    }
    return rill__ssl_finish(failure, error);
}

static bool has_tls_1_3_cipher(const SSL_CTX *ctx)
{
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        if (strcmp(SSL_CIPHER_get_version(sk_SSL_CIPHER_value(ciphers, i)), "TLSv1.3") == 0) {
            return true;
        }
    }
    return false;
}

/* OpenSSL passes over names that it does not know, and would leave a context without any. */
static bool selects_ciphersuites(const char *ciphersuites)
{
    SSL_CTX *trial = SSL_CTX_new(TLS_method());
    const bool selects = trial != NULL && SSL_CTX_set_ciphersuites(trial, ciphersuites) == 1 &&
                         has_tls_1_3_cipher(trial);

    SSL_CTX_free(trial);
    return selects;
}

int rill_ssl_context_set_ciphersuites(struct rill_ssl_context *context, const char *ciphersuites,
                                      const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL && (!selects_ciphersuites(ciphersuites) ||
                            SSL_CTX_set_ciphersuites(context->ctx, ciphersuites) != 1)) {
        failure = rill__tls_error_saying("No cipher suite can be selected.");
    }
    return rill__ssl_finish(failure, error);
}

/* 0: none of ours. */
static int protocol_version(enum rill_tls_version version)
{
    return version == RILL_TLS_1_2 ? TLS1_2_VERSION : version == RILL_TLS_1_3 ? TLS1_3_VERSION : 0;
}

static const struct rill_error *set_versions(SSL_CTX *ctx, enum rill_tls_version minimum,
                                             enum rill_tls_version maximum)
{
    const int low = protocol_version(minimum);
    const int high = protocol_version(maximum);

    if (low == 0 || high == 0) {
        return rill_error_new(RILL_EVALUE, "Unsupported TLS/SSL version %d",
                              (int)(low == 0 ? minimum : maximum));
    }
    if (low > high) {
        return rill_error_new(RILL_EVALUE, "minimum_version must not be above maximum_version");
    }
    return SSL_CTX_set_min_proto_version(ctx, low) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, high) == 1
               ? NULL
               : rill__tls_error_of_queue();
}

int rill_ssl_context_set_versions(struct rill_ssl_context *context, enum rill_tls_version minimum,
                                  enum rill_tls_version maximum, const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL) {
        failure = set_versions(context->ctx, minimum, maximum);
    }
    return rill__ssl_finish(failure, error);
}

static const struct verify_flag {
    unsigned ours;
    unsigned long theirs;
} verify_flags[] = {
    {RILL_SSL_VERIFY_CRL_CHECK_LEAF, X509_V_FLAG_CRL_CHECK},
    {RILL_SSL_VERIFY_CRL_CHECK_CHAIN, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL},
    {RILL_SSL_VERIFY_X509_STRICT, X509_V_FLAG_X509_STRICT},
    {RILL_SSL_VERIFY_X509_PARTIAL_CHAIN, X509_V_FLAG_PARTIAL_CHAIN},
};

static const struct rill_error *set_verify_flags(SSL_CTX *ctx, unsigned flags)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    unsigned long set = X509_V_FLAG_TRUSTED_FIRST;
    unsigned long known = 0;
    unsigned ours = 0;

    for (size_t i = 0; i < sizeof verify_flags / sizeof verify_flags[0]; i++) {
        ours |= verify_flags[i].ours;
        known |= verify_flags[i].theirs;
        set |= (flags & verify_flags[i].ours) != 0 ? verify_flags[i].theirs : 0;
    }
    if ((flags & ~ours) != 0) {
        return rill_error_new(RILL_EVALUE, "%u is not a valid rill_ssl_verify_flags", flags);
    }
    return X509_VERIFY_PARAM_set_flags(param, set) == 1 &&
                   X509_VERIFY_PARAM_clear_flags(param, known & ~set) == 1
               ? NULL
               : rill__tls_error_of_queue();
}

int rill_ssl_context_set_verify_flags(struct rill_ssl_context *context, unsigned flags,
                                      const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL) {
        failure = set_verify_flags(context->ctx, flags);
    }
    return rill__ssl_finish(failure, error);
}

int rill_ssl_context_verify_client(struct rill_ssl_context *context,
                                   enum rill_ssl_client_certificate mode,
                                   const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_SERVER);

    if (failure == NULL && mode != RILL_SSL_CERT_OPTIONAL && mode != RILL_SSL_CERT_REQUIRED) {
        failure = rill_error_new(RILL_EVALUE, "invalid value for verify_mode");
    }
    if (failure == NULL) {
        SSL_CTX_set_verify(context->ctx,
                           mode == RILL_SSL_CERT_REQUIRED ? VERIFY_REQUIRED : SSL_VERIFY_PEER,
                           SSL_CTX_get_verify_callback(context->ctx));
    }
    return rill__ssl_finish(failure, error);
}

static bool is_a_clients(const struct rill_ssl_context *context)
{
    return context != rill_ssl_default && !context->server_side;
}

void rill_ssl_context_set_strict_end(struct rill_ssl_context *context, bool strict)
{
    if (context != rill_ssl_default) {
        context->strict_end = strict;
    }
}

void rill_ssl_context_insecure_skip_hostname(struct rill_ssl_context *context)
{
    if (is_a_clients(context)) {
        context->skips_hostname = true;
    }
}

void rill_ssl_context_insecure_skip_verification(struct rill_ssl_context *context)
{
    if (is_a_clients(context)) {
        context->skips_hostname = true;
        SSL_CTX_set_verify(context->ctx, SSL_VERIFY_NONE,
                           SSL_CTX_get_verify_callback(context->ctx));
    }
}

/* -- questions ------------------------------------------------------------------------------- */

bool rill_ssl_context_is_server(const struct rill_ssl_context *context)
{
    return context->server_side;
}

bool rill_ssl_context_verifies(const struct rill_ssl_context *context)
{
    return context == rill_ssl_default ||
           (SSL_CTX_get_verify_mode(context->ctx) & SSL_VERIFY_PEER) != 0;
}

bool rill_ssl_context_checks_hostname(const struct rill_ssl_context *context)
{
    return !context->server_side && !context->skips_hostname && rill_ssl_context_verifies(context);
}
