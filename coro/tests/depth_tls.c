/* SPDX-License-Identifier: MIT
 *
 * A TLS handshake in memory, both sides on the caller's stack, to measure how deep OpenSSL goes.
 */
#include "depth.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *const certificate = X509_new();
    X509_NAME *name;
    X509_EXTENSION *extension;

    if (certificate == NULL) {
        return NULL;
    }
    name = X509_get_subject_name(certificate);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    if (extension == NULL || X509_set_version(certificate, 2) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) == NULL ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1,
                                   -1, 0) != 1 ||
        X509_set_issuer_name(certificate, name) != 1 || X509_set_pubkey(certificate, key) != 1 ||
        X509_add_ext(certificate, extension, -1) != 1 ||
        X509_sign(certificate, key, EVP_sha256()) == 0) {
        X509_free(certificate);
        X509_EXTENSION_free(extension);
        return NULL;
    }
    X509_EXTENSION_free(extension);
    return certificate;
}

/* Joins two ends by a pair of memory pipes and runs them in turn until both are done. */
static int shake(SSL *client, SSL *server)
{
    BIO *client_end = NULL;
    BIO *server_end = NULL;
    char got[16] = "";

    if (BIO_new_bio_pair(&client_end, 65536, &server_end, 65536) != 1) {
        return -5;
    }
    SSL_set_bio(client, client_end, client_end);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int turn = 0; turn < 20; turn++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    if (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) {
        return -6;
    }
    if (SSL_write(client, "ping", 4) != 4 || SSL_read(server, got, sizeof(got)) != 4 ||
        SSL_write(server, "pong", 4) != 4 || SSL_read(client, got, sizeof(got)) != 4 ||
        memcmp(got, "pong", 4) != 0) {
        return -7;
    }
    return 0;
}

static int with_contexts(SSL_CTX *client_context, SSL_CTX *server_context, EVP_PKEY *key,
                         X509 *certificate)
{
    SSL *client;
    SSL *server;
    int rc = -4;

    if (SSL_CTX_use_certificate(server_context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(server_context, key) != 1 ||
        X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context), certificate) != 1) {
        return -3;
    }
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    client = SSL_new(client_context);
    server = SSL_new(server_context);
    if (client != NULL && server != NULL && SSL_set1_host(client, "localhost") == 1) {
        rc = shake(client, server);
    }
    SSL_free(client);
    SSL_free(server);
    return rc;
}

int depth_tls_handshake(void)
{
    /* RSA: its verification goes deeper than an elliptic curve's. */
    EVP_PKEY *const key = EVP_RSA_gen(2048);
    X509 *const certificate = key != NULL ? make_certificate(key) : NULL;
    SSL_CTX *const client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX *const server_context = SSL_CTX_new(TLS_server_method());
    int rc = -1;

    if (certificate != NULL && client_context != NULL && server_context != NULL) {
        rc = with_contexts(client_context, server_context, key, certificate);
    }
    SSL_CTX_free(client_context);
    SSL_CTX_free(server_context);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return rc;
}
