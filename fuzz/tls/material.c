/* SPDX-License-Identifier: MIT
 *
 * Certificates from their texts, and the contexts.
 */
#include "material.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "pem.inc"
#include "tls/context.h"

static void need(bool made, const char *what)
{
    if (!made) {
        (void)fprintf(stderr, "cannot make %s\n", what);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

/* -- certificates ----------------------------------------------------------------------------- */

static const char *const identities[IDENTITIES] = {
    [IDENTITY_SERVER] = server_pem,           [IDENTITY_CLIENT] = client_pem,
    [IDENTITY_EXPIRED] = expired_pem,         [IDENTITY_OTHER_NAME] = other_name_pem,
    [IDENTITY_SELF_SIGNED] = self_signed_pem,
};

static X509 *certificate_of(const char *pem)
{
    BIO *const bio = BIO_new_mem_buf(pem, -1);
    X509 *const certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    need(certificate != NULL, "a certificate");
    return certificate;
}

static EVP_PKEY *key_of(const char *pem)
{
    BIO *const bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *const key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    need(key != NULL, "a key");
    return key;
}

/* -- rill's contexts -------------------------------------------------------------------------- */

/* `error` is read behind the call whose argument it is. */
static void fine(int rc, const struct rill_error *const *error, const char *what)
{
    if (rc < 0) {
        (void)fprintf(stderr, "%s: %s\n", what, (*error)->text);
        abort();
    }
}

static void trust(struct rill_ssl_context *context)
{
    const struct rill_error *error = NULL;
    fine(rill_ssl_context_load_verify_locations(context, NULL, NULL, rill_bytes_of(ca_pem), &error),
         &error, "trust");
}

/* Not load_cert_chain: that takes files. */
static void show(const struct material *self, SSL_CTX *ctx, enum identity identity)
{
    need(SSL_CTX_use_cert_and_key(ctx, self->certificates[identity], self->keys[identity], NULL,
                                  1) == 1,
         "a chain");
}

static void offer(struct rill_ssl_context *context)
{
    static const char *const protocols[] = {"h2", "http/1.1"};
    const struct rill_error *error = NULL;
    fine(rill_ssl_context_set_alpn_protocols(context, protocols, 2, &error), &error, "ALPN");
}

static void no_newer(struct rill_ssl_context *context)
{
    const struct rill_error *error = NULL;
    fine(rill_ssl_context_set_versions(context, RILL_TLS_1_2, RILL_TLS_1_2, &error), &error,
         "versions");
}

static void ask(struct rill_ssl_context *context, enum rill_ssl_client_certificate mode)
{
    const struct rill_error *error = NULL;
    fine(rill_ssl_context_verify_client(context, mode, &error), &error, "a demand");
    trust(context);
}

static X509_STORE *store_of_authority(const struct material *self)
{
    X509_STORE *const store = X509_STORE_new();
    need(store != NULL && X509_STORE_add_cert(store, self->authority) == 1, "a store");
    return store;
}

/* An owner's callback that wants to be asked again, which nobody does. */
static int wait_for_name(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *extension;
    size_t size;

    (void)alert;
    (void)arg;
    return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) == 1
               ? SSL_CLIENT_HELLO_RETRY
               : SSL_CLIENT_HELLO_SUCCESS;
}

static struct rill_ssl_context *adopted(const struct material *self, bool server_side)
{
    SSL_CTX *const ctx = SSL_CTX_new(TLS_method());
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;

    need(ctx != NULL && SSL_CTX_set1_groups_list(ctx, server_side ? "P-256" : "P-384:P-256") == 1,
         "an SSL_CTX");
    if (server_side) {
        show(self, ctx, IDENTITY_SERVER);
        SSL_CTX_set_client_hello_cb(ctx, wait_for_name, NULL);
    } else {
        need(X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), "localhost", 0) == 1, "a name");
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_store(ctx, store_of_authority(self));
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    fine(rill_ssl_context_adopt(ctx, server_side, &context, &error), &error, "an adopted context");
    SSL_CTX_free(ctx);
    return context;
}

static struct rill_ssl_context *make_client(const struct material *self, enum client_kind kind)
{
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;

    if (kind == CLIENT_ADOPTED) {
        return adopted(self, false);
    }
    fine(rill_ssl_context_new_client(&context, &error), &error, "a client's context");
    if (kind != CLIENT_DISTRUST) {
        trust(context);
    }
    if (kind == CLIENT_ALPN) {
        offer(context);
    } else if (kind == CLIENT_ANY_NAME) {
        rill_ssl_context_insecure_skip_hostname(context);
    } else if (kind == CLIENT_UNCHECKED) {
        rill_ssl_context_insecure_skip_verification(context);
    } else if (kind == CLIENT_SHOWS) {
        show(self, context->ctx, IDENTITY_CLIENT);
    } else if (kind == CLIENT_OLD) {
        no_newer(context);
    }
    rill_ssl_context_set_strict_end(context, kind == CLIENT_STRICT);
    return context;
}

static int choose_by_name(const struct rill_ssl_object *object, const char *name,
                          struct rill_ssl_context **use, void *arg)
{
    const struct material *const self = arg;

    (void)object;
    if (name == NULL) {
        return 0;
    }
    if (strcmp(name, NAME_REFUSED) == 0) {
        return SSL_AD_UNRECOGNIZED_NAME;
    }
    if (strcmp(name, NAME_BROKEN) == 0 || strcmp(name, NAME_ABOVE) == 0) {
        return strcmp(name, NAME_BROKEN) == 0 ? -1 : 256;
    }
    *use = strcmp(name, NAME_REQUIRED) == 0   ? self->servers[SERVER_REQUIRED]
           : strcmp(name, NAME_OPTIONAL) == 0 ? self->servers[SERVER_OPTIONAL]
           : strcmp(name, NAME_ALPN) == 0     ? self->servers[SERVER_ALPN]
           : strcmp(name, NAME_CLIENT) == 0   ? self->clients[CLIENT_PLAIN]
           : strcmp(name, NAME_DEFAULT) == 0  ? rill_ssl_default
                                              : NULL;
    return 0;
}

static void choose(struct material *self, struct rill_ssl_context *context)
{
    const struct rill_error *error = NULL;
    fine(rill_ssl_context_set_sni_callback(context, choose_by_name, self, &error), &error, "SNI");
}

static struct rill_ssl_context *make_server(struct material *self, enum server_kind kind)
{
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;

    if (kind == SERVER_ADOPTED) {
        return adopted(self, true);
    }
    fine(rill_ssl_context_new_server(&context, &error), &error, "a server's context");
    if (kind != SERVER_BARE) {
        show(self, context->ctx, IDENTITY_SERVER);
    }
    if (kind == SERVER_ALPN) {
        offer(context);
    } else if (kind == SERVER_OPTIONAL) {
        ask(context, RILL_SSL_CERT_OPTIONAL);
        fine(rill_ssl_context_set_verify_flags(context, 0, &error), &error, "flags");
    } else if (kind == SERVER_REQUIRED) {
        ask(context, RILL_SSL_CERT_REQUIRED);
        choose(self, context);
    } else if (kind == SERVER_SNI) {
        choose(self, context);
        need(SSL_CTX_set1_groups_list(context->ctx, "P-256") == 1, "a group");
    } else if (kind == SERVER_OLD) {
        no_newer(context);
    }
    rill_ssl_context_set_strict_end(context, kind == SERVER_STRICT);
    SSL_CTX_set_session_cache_mode(context->ctx, SSL_SESS_CACHE_OFF); /* a run leaves nothing */
    return context;
}

/* -- the peer's ------------------------------------------------------------------------------- */

/* Few choices of its own: a short ClientHello is sooner mutated into something that matters. */
static SSL_CTX *make_peer(void)
{
    SSL_CTX *const ctx = SSL_CTX_new(TLS_method());

    need(ctx != NULL && SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1 &&
             SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0") == 1 &&
             SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1 &&
             SSL_CTX_set_num_tickets(ctx, 0) == 1, /* see forge.h */
         "the peer's context");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return ctx;
}

static void make_all(struct material *self)
{
    for (enum identity identity = 0; identity < IDENTITIES; identity++) {
        self->certificates[identity] = certificate_of(identities[identity]);
        self->keys[identity] = key_of(identities[identity]);
    }
    self->authority = certificate_of(ca_pem);
    for (enum client_kind kind = 0; kind < CLIENTS; kind++) {
        self->clients[kind] = make_client(self, kind);
    }
    for (enum server_kind kind = 0; kind < SERVERS; kind++) {
        self->servers[kind] = make_server(self, kind);
    }
    self->peer = make_peer();
    ERR_clear_error();
}

const struct material *material_get(void)
{
    static struct material made;
    if (made.peer == NULL) {
        make_all(&made);
    }
    return &made;
}
