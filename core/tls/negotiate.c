/* SPDX-License-Identifier: MIT
 *
 * What client and server agree on through a context's callbacks: the protocol (ALPN), and by the
 * name that the client asks for (SNI) the context itself.
 *
 * OpenSSL may call these for a session whose first context is gone, so they take nothing from an
 * argument of the SSL_CTX: the session knows the context that it has now and keeps it.
 */
#include <string.h>

#include <openssl/err.h>

#include "sansio/memory.h"
#include "tls/context.h"
#include "tls/session.h"

/* The owner of an adopted SSL_CTX may make sessions from it that are none of rill's. */
static const struct rill_error *refuse_adopted(const struct rill_ssl_context *context)
{
    return context->adopted ? rill_error_new(RILL_EVALUE, "an adopted context's callbacks are its "
                                                          "owner's: set them with OpenSSL")
                            : NULL;
}

/* -- ALPN ------------------------------------------------------------------------------------ */

/* The first of the server's that the client has too; none: the handshake goes on without. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *arg)
{
    const struct rill_ssl_object *object = rill__tls_object_of(ssl);
    const struct rill_ssl_context *context = object->context;
    unsigned char *selected;

    (void)arg;
    if (context->alpn_size == 0 ||
        SSL_select_next_proto(&selected, out_size, context->alpn, context->alpn_size, in,
                              in_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

/* What a ClientHello has room for. */
enum { ALPN_MAXIMUM = 65535 - 2 };

/* The protocols as they go over the wire, or NULL with *failure. */
static unsigned char *encode_protocols(const char *const *protocols, size_t count, size_t *size,
                                       const struct rill_error **failure)
{
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(protocols[i]);
        if (length == 0 || length > 255) {
            *failure = rill_error_new(RILL_ESSL, "ALPN protocols must be 1 to 255 in length");
            return NULL;
        }
        *size += 1 + length;
        if (*size > ALPN_MAXIMUM) {
            *failure = rill_error_new(RILL_ESSL, "ALPN protocols must be %d bytes at most in all",
                                      ALPN_MAXIMUM);
            return NULL;
        }
    }
    unsigned char *made = rill__alloc(*size + 1); /* there may be none */
    if (made == NULL) {
        *failure = rill_error_no_memory();
        return NULL;
    }
    unsigned char *next = made;
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(protocols[i]);
        *next++ = (unsigned char)length;
        memcpy(next, protocols[i], length);
        next += length;
    }
    return made;
}

static const struct rill_error *set_protocols(struct rill_ssl_context *context,
                                              const char *const *protocols, size_t count)
{
    const struct rill_error *failure = NULL;
    size_t size;
    unsigned char *made = encode_protocols(protocols, count, &size, &failure);

    if (made == NULL) {
        return failure;
    }
    if (SSL_CTX_set_alpn_protos(context->ctx, made, (unsigned)size) != 0) { /* 0: success */
        rill__free(made);
        return rill_error_no_memory();
    }
    rill__free(context->alpn);
    context->alpn = made;
    context->alpn_size = (unsigned)size;
    if (context->server_side) {
        SSL_CTX_set_alpn_select_cb(context->ctx, select_protocol, NULL);
    }
    return NULL;
}

int rill_ssl_context_set_alpn_protocols(struct rill_ssl_context *context,
                                        const char *const *protocols, size_t count,
                                        const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL && context->server_side) {
        failure = refuse_adopted(context);
    }
    if (failure == NULL) {
        failure = set_protocols(context, protocols, count);
    }
    return rill__ssl_finish(failure, error);
}

/* -- SNI ------------------------------------------------------------------------------------- */

/* Who resumes a session shows no certificate. So a session that was begun under another context,
 * which trusts others or asks nobody, must not go on under one that asks; and the sessions of that
 * one carry a mark of its own, so that neither the contexts that are asked first nor, behind a
 * HelloRetryRequest, another chosen one resumes them. */
static bool forbid_resumption(SSL *ssl, const struct rill_ssl_context *chosen)
{
    return SSL_session_reused(ssl) == 0 &&
           SSL_set_session_id_context(ssl, chosen->id, sizeof chosen->id) == 1 &&
           SSL_SESSION_set1_id_context(SSL_get_session(ssl), chosen->id, sizeof chosen->id) == 1;
}

/* The chosen context demands client certificates or more of them: then so does the session. Python
 * leaves a session's verification as its first context had it; here neither context is weakened. */
static bool add_verification(SSL *ssl, const struct rill_ssl_context *chosen)
{
    const unsigned long strict =
        X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_X509_STRICT;
    const unsigned long flags = X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(chosen->ctx));
    const int mode = SSL_get_verify_mode(ssl) | SSL_CTX_get_verify_mode(chosen->ctx);
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    if ((mode & SSL_VERIFY_PEER) == 0) {
        return true;
    }
    SSL_set_verify(ssl, mode, SSL_CTX_get_verify_callback(chosen->ctx));
    return forbid_resumption(ssl, chosen) &&
           X509_VERIFY_PARAM_set_flags(param, flags & strict) == 1 &&
           ((flags & X509_V_FLAG_PARTIAL_CHAIN) != 0 ||
            X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1);
}

static bool switch_context(struct rill_ssl_object *object, struct rill_ssl_context *chosen)
{
    struct rill_ssl_context *before = object->context;
    const bool demanded = (SSL_get_verify_mode(object->ssl) & SSL_VERIFY_PEER) != 0;

    if (chosen == rill_ssl_default || !chosen->server_side ||
        !rill__ssl_context_assign(object->ssl, chosen)) {
        return false;
    }
    object->context = rill_ssl_context_ref(chosen);
    /* Only the first demands: then its trust judges, not that of one that expects nobody. */
    const bool trusted =
        !demanded || rill_ssl_context_verifies(chosen) ||
        SSL_set1_verify_cert_store(object->ssl, SSL_CTX_get_cert_store(before->ctx)) == 1;
    rill_ssl_context_unref(before);
    return trusted && add_verification(object->ssl, chosen);
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    struct rill_ssl_object *object = rill__tls_object_of(ssl);
    const struct rill_ssl_context *context = object->context;
    struct rill_ssl_context *use = NULL;

    (void)arg;
    if (context->sni == NULL) { /* a switch before: OpenSSL asks the first context once more */
        return SSL_TLSEXT_ERR_OK;
    }
    const int refused = context->sni(object, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
                                     &use, context->sni_arg);
    if (refused != 0) {
        *alert = refused > 0 && refused <= 255 ? refused : SSL_AD_INTERNAL_ERROR;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (use != NULL && use != context && !switch_context(object, use)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

int rill_ssl_context_set_sni_callback(struct rill_ssl_context *context, rill_sni_callback *callback,
                                      void *arg, const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL && !context->server_side) {
        failure = rill_error_new(RILL_EVALUE, "sni_callback cannot be set on TLS_CLIENT context");
    }
    if (failure == NULL) {
        failure = refuse_adopted(context);
    }
    if (failure == NULL) {
        context->sni = callback;
        context->sni_arg = arg;
        int (*const glue)(SSL *, int *, void *) = callback != NULL ? on_server_name : NULL;
        SSL_CTX_set_tlsext_servername_callback(context->ctx, glue);
    }
    return rill__ssl_finish(failure, error);
}
