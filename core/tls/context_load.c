/* SPDX-License-Identifier: MIT
 *
 * What a context reads: the certificates that it trusts, and the chain and key that it shows.
 */
#include "tls/context.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/error.h"

/* OpenSSL's functions that read files leave errno alone or set it, and the queue says less. */
static const struct rill_error *failed_to_read(int os_errno)
{
    if (os_errno == 0 || os_errno == ENOMEM) {
        return os_errno == 0 ? rill__tls_error_of_queue() : rill_error_no_memory();
    }
    ERR_clear_error();
    return rill_error_from_errno(os_errno);
}

/* -- passwords ------------------------------------------------------------------------------- */

struct password {
    const char *text;
    int limit; /* > 0: the text is longer than this */
};

/* OpenSSL's pem_password_cb. One is always set: its own would ask on the terminal. */
static int give_password(char *space, int size, int writing, void *arg)
{
    struct password *password = arg;
    const size_t length = password->text != NULL ? strlen(password->text) : 0;

    (void)writing;
    if (password->text == NULL) {
        return -1;
    }
    if (length > (size_t)size) {
        password->limit = size;
        return -1;
    }
    memcpy(space, password->text, length);
    return (int)length;
}

/* -- the chain ------------------------------------------------------------------------------- */

static const struct rill_error *read_chain(SSL_CTX *trial, const char *certfile,
                                           const char *keyfile, struct password *password)
{
    SSL_CTX_set_default_passwd_cb(trial, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(trial, password);
    errno = 0;
    if (SSL_CTX_use_certificate_chain_file(trial, certfile) != 1) {
        return failed_to_read(errno);
    }
    errno = 0;
    if (SSL_CTX_use_PrivateKey_file(trial, keyfile, SSL_FILETYPE_PEM) != 1) {
        const int os_errno = errno;
        if (password->limit > 0) {
            return rill_error_new(RILL_EVALUE, "password cannot be longer than %d bytes",
                                  password->limit);
        }
        return failed_to_read(os_errno);
    }
    return SSL_CTX_check_private_key(trial) == 1 ? NULL : rill__tls_error_of_queue();
}

/* All at once: a session that is made meanwhile gets the old certificate with its key, or the new
 * one with its own. */
static const struct rill_error *install_chain(struct rill_ssl_context *context, SSL_CTX *trial)
{
    STACK_OF(X509) *chain = NULL;
    bool installed = SSL_CTX_get0_chain_certs(trial, &chain) == 1;

    if (installed) {
        pthread_mutex_lock(&context->chain_lock);
        installed = SSL_CTX_use_cert_and_key(context->ctx, SSL_CTX_get0_certificate(trial),
                                             SSL_CTX_get0_privatekey(trial), chain, 1) == 1;
        pthread_mutex_unlock(&context->chain_lock);
    }
    return installed ? NULL : rill__tls_error_of_queue();
}

/* Read into a context of its own first, so that a failure leaves the old chain as it was. */
static const struct rill_error *load_chain(struct rill_ssl_context *context, const char *certfile,
                                           const char *keyfile, struct password *password)
{
    SSL_CTX *trial = SSL_CTX_new(TLS_method());
    if (trial == NULL) {
        return rill__tls_error_of_queue();
    }
    /* Weak keys are refused by the real context's measure. */
    SSL_CTX_set_security_level(trial, SSL_CTX_get_security_level(context->ctx));
    const struct rill_error *failure = read_chain(trial, certfile, keyfile, password);
    if (failure == NULL) {
        failure = install_chain(context, trial);
    }
    SSL_CTX_free(trial);
    return failure;
}

int rill_ssl_context_load_cert_chain(struct rill_ssl_context *context, const char *certfile,
                                     const char *keyfile, const char *password,
                                     const struct rill_error **error)
{
    struct password given = {.text = password};
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL && certfile == NULL) {
        failure = rill_error_new(RILL_ETYPE, "certfile should be a valid filesystem path");
    }
    if (failure == NULL) {
        failure = load_chain(context, certfile, keyfile != NULL ? keyfile : certfile, &given);
    }
    return rill__ssl_finish(failure, error);
}

/* -- trust ----------------------------------------------------------------------------------- */

int rill_ssl_context_load_default_certs(struct rill_ssl_context *context,
                                        const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);

    if (failure == NULL && SSL_CTX_set_default_verify_paths(context->ctx) != 1) {
        failure = rill__tls_error_of_queue();
    }
    return rill__ssl_finish(failure, error);
}

/* A certificate in DER is a sequence of more than 127 bytes, so its second byte is no character
 * that stands after a `0` in a text. */
static bool is_der(struct rill_bytes data)
{
    return data.len >= 2 && data.ptr[0] == 0x30 && ((unsigned char)data.ptr[1] & 0x80) != 0;
}

static X509 *read_certificate(BIO *bio, bool der)
{
    struct password none = {.text = NULL};

    return der ? d2i_X509_bio(bio, NULL) : PEM_read_bio_X509(bio, NULL, give_password, &none);
}

/* Whether no more certificate could be read because the data are at their end: OpenSSL says nothing
 * then, or one of these. */
static bool is_at_end(bool der)
{
    const unsigned long code = ERR_peek_last_error();

    if (code == 0) {
        return true;
    }
    if (der) {
        return ERR_GET_LIB(code) == ERR_LIB_ASN1 && ERR_GET_REASON(code) == ASN1_R_HEADER_TOO_LONG;
    }
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static bool add_certificate(X509_STORE *store, X509 *certificate)
{
    const bool added = X509_STORE_add_cert(store, certificate) == 1; /* takes its own reference */
    X509_free(certificate);
    return added;
}

static const struct rill_error *add_certificates(X509_STORE *store, BIO *bio, bool der)
{
    size_t count = 0;
    X509 *certificate;

    while ((certificate = read_certificate(bio, der)) != NULL) {
        if (!add_certificate(store, certificate)) {
            return rill__tls_error_of_queue();
        }
        count++;
    }
    if (is_at_end(der) && count > 0) {
        return NULL;
    }
    return count > 0 ? rill__tls_error_of_queue()
           : der ? rill__tls_error_saying("not enough data: cadata does not contain a certificate")
                 : rill__tls_error_saying("no start line: cadata does not contain a certificate");
}

static const struct rill_error *load_data(SSL_CTX *ctx, struct rill_bytes data)
{
    if (data.len > INT_MAX) {
        return rill_error_new(RILL_EOVERFLOW, "Certificate data is too long.");
    }
    BIO *bio = BIO_new_mem_buf(data.ptr, (int)data.len);
    if (bio == NULL) {
        return rill__tls_error_of_queue();
    }
    const struct rill_error *failure =
        add_certificates(SSL_CTX_get_cert_store(ctx), bio, is_der(data));
    BIO_free(bio);
    return failure;
}

static const struct rill_error *load_files(SSL_CTX *ctx, const char *cafile, const char *capath)
{
    errno = 0;
    return SSL_CTX_load_verify_locations(ctx, cafile, capath) == 1 ? NULL : failed_to_read(errno);
}

int rill_ssl_context_load_verify_locations(struct rill_ssl_context *context, const char *cafile,
                                           const char *capath, struct rill_bytes cadata,
                                           const struct rill_error **error)
{
    const struct rill_error *failure = rill__ssl_context_refuse(context, RILL__SSL_EITHER);
    const bool has_files = cafile != NULL || capath != NULL;

    if (failure == NULL && !has_files && cadata.len == 0) {
        failure = rill_error_new(RILL_ETYPE, "cafile, capath and cadata cannot be all omitted");
    }
    if (failure == NULL && cadata.len > 0) {
        failure = load_data(context->ctx, cadata);
    }
    if (failure == NULL && has_files) {
        failure = load_files(context->ctx, cafile, capath);
    }
    return rill__ssl_finish(failure, error);
}
