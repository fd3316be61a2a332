/* SPDX-License-Identifier: MIT
 *
 * Keys, the certificate, contexts and the repeatable randomness.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method: the one way that is not a provider */

#include "material.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <rill/error.h>

/* -- randomness ------------------------------------------------------------------------------- */

static uint64_t random_state[2];
static enum random_side random_side;

void random_use(enum random_side side)
{
    random_side = side;
}

void random_restart(void)
{
    random_state[RANDOM_OF_RILL] = 1;
    random_state[RANDOM_OF_PEER] = UINT64_MAX / 3;
    random_side = RANDOM_OF_RILL;
}

/* SplitMix64's step: a counter, well stirred. */
static uint64_t next_random(void)
{
    uint64_t mixed = random_state[random_side] += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

static int random_bytes(unsigned char *bytes, int count)
{
    for (int i = 0; i < count; i++) {
        bytes[i] = (unsigned char)next_random();
    }
    return 1;
}

static int random_status(void)
{
    return 1;
}

static const RAND_METHOD random_method = {
    .bytes = random_bytes,
    .pseudorand = random_bytes,
    .status = random_status,
};

/* -- the certificate -------------------------------------------------------------------------- */

static void need(bool made, const char *what)
{
    if (!made) {
        fprintf(stderr, "cannot make %s\n", what);
        ERR_print_errors_fp(stderr);
        exit(EXIT_FAILURE);
    }
}

static void need_rill(int rc, const struct rill_error *error, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "cannot make %s: %s\n", what, error->text);
        exit(EXIT_FAILURE);
    }
}

static void add_extension(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    need(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, "an extension");
    X509_EXTENSION_free(extension);
}

static void make_certificate(struct material *material)
{
    const long day = 24 * 60 * 60;
    X509 *made = X509_new();

    need(made != NULL && X509_set_version(made, X509_VERSION_3) == 1, "a certificate");
    X509_NAME *name = X509_get_subject_name(made);
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                    -1, -1, 0) == 1 &&
             X509_set_issuer_name(made, name) == 1 &&
             ASN1_INTEGER_set(X509_get_serialNumber(made), 1) == 1 &&
             X509_gmtime_adj(X509_getm_notBefore(made), -day) != NULL &&
             X509_gmtime_adj(X509_getm_notAfter(made), day) != NULL &&
             X509_set_pubkey(made, material->key) == 1,
         "the certificate's fields");
    add_extension(made, NID_subject_alt_name, "DNS:localhost");
    add_extension(made, NID_key_usage, "digitalSignature");
    add_extension(made, NID_subject_key_identifier, "hash");
    need(X509_sign(made, material->key, NULL) > 0, "the certificate's signature");
    material->certificate = made;
}

/* -- contexts --------------------------------------------------------------------------------- */

static struct rill_ssl_context *client_context(void)
{
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;
    const int rc = rill_ssl_context_new_client(&context, &error);
    need_rill(rc, error, "a client's context");
    return context;
}

static struct rill_ssl_context *trusting_context(const struct material *material)
{
    struct rill_ssl_context *const context = client_context();
    const struct rill_error *error = NULL;
    unsigned char *der = NULL;
    const int size = i2d_X509(material->certificate, &der);

    need(size > 0, "DER");
    const struct rill_bytes bytes = {(const char *)der, (size_t)size};
    const int rc = rill_ssl_context_load_verify_locations(context, NULL, NULL, bytes, &error);
    need_rill(rc, error, "trust");
    OPENSSL_free(der);
    return context;
}

/* load_cert_chain takes files: one that is gone when the process is. */
static struct rill_ssl_context *server_context(const struct material *material)
{
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;
    FILE *const file = tmpfile();
    char path[64];

    need(file != NULL && PEM_write_X509(file, material->certificate) == 1 &&
             PEM_write_PrivateKey(file, material->key, NULL, NULL, 0, NULL, NULL) == 1 &&
             fflush(file) == 0,
         "the chain's file");
    snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    rewind(file);
    int rc = rill_ssl_context_new_server(&context, &error);
    need_rill(rc, error, "a server's context");
    rc = rill_ssl_context_load_cert_chain(context, path, NULL, NULL, &error);
    need_rill(rc, error, "a server's chain");
    fclose(file);
    return context;
}

/* Few choices, so that a ClientHello is short. */
static SSL_CTX *peer_context(const struct material *material)
{
    SSL_CTX *const context = SSL_CTX_new(TLS_method());

    need(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
             SSL_CTX_use_certificate(context, material->certificate) == 1 &&
             SSL_CTX_use_PrivateKey(context, material->key) == 1 &&
             SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
             SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1 &&
             SSL_CTX_set1_groups_list(context, "X25519") == 1 &&
             SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1,
         "the peer's context");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

void material_make(struct material *material)
{
    need(RAND_set_rand_method(&random_method) == 1, "randomness");
    random_restart();
    material->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    need(material->key != NULL, "a key");
    make_certificate(material);
    material->client = trusting_context(material);
    material->strict = trusting_context(material);
    rill_ssl_context_set_strict_end(material->strict, true);
    material->distrust = client_context();
    material->server = server_context(material);
    material->peer = peer_context(material);
    ERR_clear_error();
}

void material_free(struct material *material)
{
    rill_ssl_context_unref(material->client);
    rill_ssl_context_unref(material->strict);
    rill_ssl_context_unref(material->distrust);
    rill_ssl_context_unref(material->server);
    SSL_CTX_free(material->peer);
    X509_free(material->certificate);
    EVP_PKEY_free(material->key);
}
