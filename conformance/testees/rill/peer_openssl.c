/* SPDX-License-Identifier: MIT
 *
 * The peers' TLS. What a context says beyond its description is what Python's ssl module says, for
 * the other testee's peers are made of that: cipher preference of the server, ALPN in the server's
 * order, the name that a client asked for is acknowledged.
 */
#include "peer_openssl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { PATH_SIZE = 4096, ALPN_SIZE = 256, FAILURE_SIZE = 256, NAME_SIZE = 256 };

struct peer_context {
    SSL_CTX *ctx;
    bool checks_hostname;
    unsigned char alpn[ALPN_SIZE]; /* each protocol after its length */
    unsigned alpn_size;
};

struct session {
    SSL *ssl;
    bool failed;
    char failure[FAILURE_SIZE];
    bool named; /* the client asked for a name */
    char server_name[NAME_SIZE];
    char wanted_name[NAME_SIZE]; /* that a client checks; empty: none */
};

static void cannot(const char *what)
{
    fprintf(stderr, "rill-testee: a peer's TLS cannot be set up: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(EXIT_FAILURE);
}

static void need(bool worked, const char *what)
{
    if (!worked) {
        cannot(what);
    }
}

/* -- contexts ---------------------------------------------------------------------------------- */

static const char *text_of(const json_t *description, const char *key)
{
    return json_string_value(json_object_get(description, key));
}

static int version_of(const char *name)
{
    return strcmp(name, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

static int verify_mode_of(const char *name)
{
    if (strcmp(name, "required") == 0) {
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    return strcmp(name, "optional") == 0 ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
}

static void path_of(char path[PATH_SIZE], const char *folder, const char *name)
{
    snprintf(path, PATH_SIZE, "%s/%s.pem", folder, name);
}

/* Remembers the name, and acknowledges it as Python does with a callback of the script's. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct session *session = SSL_get_app_data(ssl);
    (void)alert;
    (void)arg;
    if (name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    session->named = true;
    snprintf(session->server_name, sizeof session->server_name, "%s", name);
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *size,
                   const unsigned char *offered, unsigned offered_size, void *arg)
{
    const struct peer_context *context = arg;
    unsigned char *found = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&found, size, context->alpn, context->alpn_size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static void set_alpn(struct peer_context *context, const json_t *protocols)
{
    for (size_t i = 0; i < json_array_size(protocols); i++) {
        const char *name = json_string_value(json_array_get(protocols, i));
        const size_t size = strlen(name);
        need(size > 0 && context->alpn_size + 1 + size <= ALPN_SIZE, "alpn");
        context->alpn[context->alpn_size] = (unsigned char)size;
        memcpy(context->alpn + context->alpn_size + 1, name, size);
        context->alpn_size += (unsigned)size + 1;
    }
    if (context->alpn_size > 0) {
        SSL_CTX_set_alpn_protos(context->ctx, context->alpn, context->alpn_size);
        SSL_CTX_set_alpn_select_cb(context->ctx, on_alpn, context);
    }
}

static void load_files(SSL_CTX *ctx, const json_t *description, const char *folder)
{
    const char *ca = text_of(description, "ca");
    const char *chain = text_of(description, "chain");
    char path[PATH_SIZE];
    if (ca != NULL) {
        path_of(path, folder, ca);
        need(SSL_CTX_load_verify_locations(ctx, path, NULL) == 1, path);
    }
    if (chain != NULL) {
        path_of(path, folder, chain);
        need(SSL_CTX_use_certificate_chain_file(ctx, path) == 1, path);
        need(SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) == 1, path);
    }
}

struct peer_context *peer_context_new(const json_t *description, const char *folder)
{
    static const unsigned char session_context[] = "testee";
    struct peer_context *context = calloc(1, sizeof *context);
    const bool client = strcmp(text_of(description, "side"), "client") == 0;
    const char *minimum = text_of(description, "minimum");
    const char *maximum = text_of(description, "maximum");
    const char *ciphers = text_of(description, "ciphers");
    const json_t *check = json_object_get(description, "check_hostname");
    need(context != NULL, "no memory");
    context->ctx = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
    need(context->ctx != NULL, "SSL_CTX_new");
    context->checks_hostname = client && (check == NULL || json_is_true(check));
    SSL_CTX_set_options(context->ctx, SSL_OP_ALL | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_id_context(context->ctx, session_context, sizeof session_context);
    SSL_CTX_set_verify(context->ctx, verify_mode_of(text_of(description, "verify")), NULL);
    SSL_CTX_set_min_proto_version(context->ctx, version_of(minimum != NULL ? minimum : "1.2"));
    SSL_CTX_set_max_proto_version(context->ctx, maximum != NULL ? version_of(maximum) : 0);
    load_files(context->ctx, description, folder);
    set_alpn(context, json_object_get(description, "alpn"));
    need(ciphers == NULL || SSL_CTX_set_cipher_list(context->ctx, ciphers) == 1, "ciphers");
    if (!client) {
        SSL_CTX_set_tlsext_servername_callback(context->ctx, on_server_name);
    }
    ERR_clear_error();
    return context;
}

void peer_context_free(struct peer_context *context)
{
    if (context != NULL) {
        SSL_CTX_free(context->ctx);
        free(context);
    }
}

/* -- sessions ---------------------------------------------------------------------------------- */

static bool is_address(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static void ask_for(struct session *session, const struct peer_context *context, const char *name)
{
    snprintf(session->wanted_name, sizeof session->wanted_name, "%s", name);
    if (is_address(name)) {
        if (context->checks_hostname) {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session->ssl), name);
        }
        return;
    }
    SSL_set_tlsext_host_name(session->ssl, name);
    if (context->checks_hostname) {
        SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(session->ssl, name);
    }
}

struct session *session_new(struct peer_context *context, bool server_side,
                            const char *server_hostname)
{
    struct session *session = calloc(1, sizeof *session);
    need(session != NULL, "no memory");
    session->ssl = SSL_new(context->ctx);
    need(session->ssl != NULL, "SSL_new");
    SSL_set_app_data(session->ssl, session);
    SSL_set_bio(session->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (server_side) {
        SSL_set_accept_state(session->ssl);
    } else {
        SSL_set_connect_state(session->ssl);
        if (server_hostname != NULL && server_hostname[0] != '\0') {
            ask_for(session, context, server_hostname);
        }
    }
    ERR_clear_error();
    return session;
}

void session_free(struct session *session)
{
    if (session != NULL) {
        SSL_free(session->ssl);
        free(session);
    }
}

void session_feed(struct session *session, const char *data, size_t size)
{
    size_t written = 0;
    BIO_write_ex(SSL_get_rbio(session->ssl), data, size, &written);
    need(written == size, "no memory");
}

struct rill_bytes session_outgoing(struct session *session, struct arena *arena)
{
    BIO *outgoing = SSL_get_wbio(session->ssl);
    const size_t size = BIO_ctrl_pending(outgoing);
    size_t count = 0;
    char *data = size > 0 ? arena_take(arena, size) : NULL;
    if (size > 0) {
        BIO_read_ex(outgoing, data, size, &count);
    }
    return (struct rill_bytes){data, count};
}

/* What the ssl module appends to the reason when a certificate is refused. */
static void add_verification(struct session *session)
{
    const size_t used = strlen(session->failure);
    char *rest = session->failure + used;
    const size_t size = sizeof session->failure - used;
    const long result = SSL_get_verify_result(session->ssl);
    if (result == X509_V_ERR_HOSTNAME_MISMATCH) {
        snprintf(rest, size, ": Hostname mismatch, certificate is not valid for '%s'.",
                 session->wanted_name);
    } else if (result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        snprintf(rest, size, ": IP address mismatch, certificate is not valid for '%s'.",
                 session->wanted_name);
    } else {
        snprintf(rest, size, ": %s", X509_verify_cert_error_string(result));
    }
}

static void note_failure(struct session *session)
{
    const unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);
    session->failed = true;
    snprintf(session->failure, sizeof session->failure, "%s", reason != NULL ? reason : "unknown");
    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        add_verification(session);
    }
}

static enum session_result result_of(struct session *session, int rc)
{
    const int error = SSL_get_error(session->ssl, rc);
    enum session_result result = SESSION_FAILED;
    if (error == SSL_ERROR_NONE) {
        result = SESSION_OK;
    } else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        result = SESSION_WANT;
    } else if (error == SSL_ERROR_ZERO_RETURN) {
        result = SESSION_CLOSED;
    } else {
        note_failure(session);
    }
    ERR_clear_error();
    return result;
}

enum session_result session_handshake(struct session *session)
{
    ERR_clear_error();
    return result_of(session, SSL_do_handshake(session->ssl));
}

enum session_result session_read(struct session *session, char *space, size_t size, size_t *count)
{
    ERR_clear_error();
    return result_of(session, SSL_read_ex(session->ssl, space, size, count));
}

enum session_result session_write(struct session *session, struct rill_bytes data)
{
    size_t count = 0;
    ERR_clear_error();
    return data.len == 0
               ? SESSION_OK
               : result_of(session, SSL_write_ex(session->ssl, data.ptr, data.len, &count));
}

void session_notify(struct session *session)
{
    ERR_clear_error();
    SSL_shutdown(session->ssl);
    ERR_clear_error();
}

static bool answer(int rc)
{
    ERR_clear_error();
    return rc == 1;
}

bool session_key_update(struct session *session)
{
    return answer(SSL_key_update(session->ssl, SSL_KEY_UPDATE_REQUESTED));
}

bool session_renegotiate(struct session *session)
{
    return answer(SSL_renegotiate(session->ssl));
}

bool session_ticket(struct session *session)
{
    return answer(SSL_new_session_ticket(session->ssl));
}

const char *session_failure(const struct session *session)
{
    return session->failed ? session->failure : NULL;
}

/* The common name of the certificate that the other side proved; null without one. */
static json_t *verified_name(const struct session *session)
{
    X509 *certificate = SSL_get1_peer_certificate(session->ssl);
    char name[NAME_SIZE];
    int size = -1;
    if (certificate != NULL && SSL_get_verify_mode(session->ssl) != SSL_VERIFY_NONE) {
        size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                         sizeof name);
    }
    X509_free(certificate);
    return size >= 0 ? json_string(name) : json_null();
}

void session_describe(const struct session *session, bool done, json_t *event)
{
    const unsigned char *alpn = NULL;
    unsigned alpn_size = 0;
    static const char *const keys[] = {"version", "cipher", "server_name", "alpn", "certificate"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_object_set_new(event, keys[i], json_null());
    }
    if (!done) {
        return;
    }
    SSL_get0_alpn_selected(session->ssl, &alpn, &alpn_size);
    json_object_set_new(event, "version", json_string(SSL_get_version(session->ssl)));
    json_object_set_new(event, "cipher", json_string(SSL_get_cipher_name(session->ssl)));
    if (session->named) {
        json_object_set_new(event, "server_name", json_string(session->server_name));
    }
    if (alpn_size > 0) {
        json_object_set_new(event, "alpn", json_stringn((const char *)alpn, alpn_size));
    }
    json_object_set_new(event, "certificate", verified_name(session));
    ERR_clear_error();
}
