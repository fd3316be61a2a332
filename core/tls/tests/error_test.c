/* SPDX-License-Identifier: MIT
 *
 * error.c and reason.c: classes, texts, names and numbers of what stands in OpenSSL's queue. The
 * texts are CPython 3.13's for the same codes.
 */
#include <check.h>

#include <openssl/err.h>
#include <openssl/pemerr.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509err.h>

#include "tls/engine.h"
#include "tls/error.h"
#include "tls/reason.h"

struct want {
    int code;
    int os_errno;
    const char *text;
    const char *library;
    const char *reason;
    int verify_code;
    const char *verify_message;
};

static void check_error(int line, const struct rill_error *error, const struct want *want)
{
    CHECK_INT_ROW(line, error->code, want->code);
    CHECK_INT_ROW(line, error->os_errno, want->os_errno);
    CHECK_STR_ROW(line, error->text, want->text);
    CHECK_STR_ROW(line, error->library, want->library);
    CHECK_STR_ROW(line, error->reason, want->reason);
    CHECK_INT_ROW(line, error->verify_code, want->verify_code);
    CHECK_STR_ROW(line, error->verify_message, want->verify_message);
    CHECK_ROW(line, ERR_peek_error() == 0);
    rill_error_unref(error);
}

/* Put into the queue in this order; a library of 0 is none. */
struct queued {
    int library;
    int reason;
};

static void fill_queue(const struct queued queued[2])
{
    for (size_t i = 0; i < 2; i++) {
        if (queued[i].library != 0) {
            ERR_raise(queued[i].library, queued[i].reason);
        }
    }
}

static const struct {
    int line;
    struct queued queued[2];
    struct want want;
} queues[] = {
    {.line = __LINE__,
     .queued = {{ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH}},
     .want = {RILL_ESSL, X509_R_KEY_VALUES_MISMATCH,
              "[X509: KEY_VALUES_MISMATCH] key values mismatch", "X509", "KEY_VALUES_MISMATCH", 0,
              NULL}},
    {.line = __LINE__, /* the last one counts; a reason that is a library has no name */
     .queued = {{ERR_LIB_PEM, PEM_R_BAD_DECRYPT}, {ERR_LIB_SSL, ERR_R_PEM_LIB}},
     .want = {RILL_ESSL, ERR_R_PEM_LIB, "[SSL] PEM lib", "SSL", NULL, 0, NULL}},
    {.line = __LINE__, /* OpenSSL has no text either */
     .queued = {{ERR_LIB_SSL, 4000}},
     .want = {RILL_ESSL, 4000, "[SSL] unknown error", "SSL", NULL, 0, NULL}},
    {.line = __LINE__, /* a library that nobody knows */
     .queued = {{99, 7}},
     .want = {RILL_ESSL, 7, "unknown error", NULL, NULL, 0, NULL}},
    {.line = __LINE__, .want = {RILL_ESSL, 0, "unknown error", NULL, NULL, 0, NULL}},
    {.line = __LINE__, /* what failed for want of memory fails others */
     .queued = {{ERR_LIB_ASN1, ERR_R_MALLOC_FAILURE}, {ERR_LIB_SSL, ERR_R_ASN1_LIB}},
     .want = {RILL_ENOMEM, 0, "", NULL, NULL, 0, NULL}},
};

static void test_queues(void)
{
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        fill_queue(queues[i].queued);
        check_error(queues[i].line, rill__tls_error_of_queue(), &queues[i].want);
    }
}

#define FAILED_VERIFICATION "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
#define HOST_MISMATCH       "Hostname mismatch, certificate is not valid for 'a.test'."
#define ADDRESS_MISMATCH    "IP address mismatch, certificate is not valid for '127.0.0.2'."
#define NO_HOST             "Hostname mismatch, certificate is not valid for 'None'."

static const struct {
    int line;
    int ssl_error;
    struct queued queued[2];
    long verify_result;
    const char *host;
    struct want want;
} sessions[] = {
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER}},
     .want = {RILL_ESSL, 1, "[SSL: WRONG_VERSION_NUMBER] wrong version number", "SSL",
              "WRONG_VERSION_NUMBER", 0, NULL}}, /* */
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED}},
     .verify_result = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     .host = "a.test",
     .want = {RILL_ESSLCERT, 1, FAILED_VERIFICATION "unable to get local issuer certificate", "SSL",
              "CERTIFICATE_VERIFY_FAILED", 20, "unable to get local issuer certificate"}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED}},
     .verify_result = X509_V_ERR_HOSTNAME_MISMATCH,
     .host = "a.test",
     .want = {RILL_ESSLCERT, 1, FAILED_VERIFICATION HOST_MISMATCH, "SSL",
              "CERTIFICATE_VERIFY_FAILED", 62, HOST_MISMATCH}}, /* */
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED}},
     .verify_result = X509_V_ERR_IP_ADDRESS_MISMATCH,
     .host = "127.0.0.2",
     .want = {RILL_ESSLCERT, 1, FAILED_VERIFICATION ADDRESS_MISMATCH, "SSL",
              "CERTIFICATE_VERIFY_FAILED", 64, ADDRESS_MISMATCH}}, /* */
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED}},
     .verify_result = X509_V_ERR_HOSTNAME_MISMATCH,
     .want = {RILL_ESSLCERT, 1, FAILED_VERIFICATION NO_HOST, "SSL", "CERTIFICATE_VERIFY_FAILED", 62,
              NO_HOST}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING}},
     .want = {RILL_ESSLEOF, 8,
              "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol", "SSL",
              "UNEXPECTED_EOF_WHILE_READING", 0, NULL}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .want = {RILL_ESSL, 1, "A failure in the SSL library occurred", NULL, NULL, 0, NULL}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SYSCALL,
     .want = {RILL_ESSLEOF, 8, "EOF occurred in violation of protocol", NULL, NULL, 0, NULL}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SYSCALL,
     .queued = {{ERR_LIB_SSL, SSL_R_BAD_LENGTH}},
     .want = {RILL_ESSL, 5, "[SSL: BAD_LENGTH] bad length", "SSL", "BAD_LENGTH", 0, NULL}},
    {.line = __LINE__, /* a callback of an adopted context's owner that wants to be waited for */
     .ssl_error = SSL_ERROR_WANT_X509_LOOKUP,
     .want = {RILL_ESSL, 4, "The operation did not complete (X509 lookup)", NULL, NULL, 0, NULL}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_WANT_ASYNC,
     .want = {RILL_ESSL, 10, "Invalid error code", NULL, NULL, 0, NULL}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_ZERO_RETURN,
     .want = {RILL_ESSL, 6, "TLS/SSL connection has been closed (EOF)", NULL, NULL, 0, NULL}},
    {.line = __LINE__,
     .ssl_error = SSL_ERROR_SSL,
     .queued = {{ERR_LIB_SSL, ERR_R_MALLOC_FAILURE}},
     .want = {RILL_ENOMEM, 0, "", NULL, NULL, 0, NULL}},
};

static void test_sessions(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++) {
        SSL_set_verify_result(ssl, sessions[i].verify_result);
        fill_queue(sessions[i].queued);
        check_error(sessions[i].line,
                    rill__tls_error_of_session(ssl, sessions[i].ssl_error, sessions[i].host),
                    &sessions[i].want);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* A name of any length is cut, not overrun. */
static void test_long_name(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    char host[5000];

    memset(host, 'x', sizeof host);
    host[sizeof host - 1] = '\0';
    SSL_set_verify_result(ssl, X509_V_ERR_HOSTNAME_MISMATCH);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    const struct rill_error *error = rill__tls_error_of_session(ssl, SSL_ERROR_SSL, host);
    CHECK_INT(error->code, RILL_ESSLCERT);
    CHECK(strlen(error->verify_message) > 400 && strlen(error->verify_message) < 1000);
    CHECK(strstr(error->text, error->verify_message) != NULL);
    rill_error_unref(error);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_truncated(void)
{
    check_error(__LINE__, rill__tls_truncated(),
                &(struct want){RILL_ESSLEOF, 8, "EOF occurred in violation of protocol", NULL, NULL,
                               0, NULL});
}

static void test_names(void)
{
    CHECK_STR(rill__tls_library_name(ERR_PACK(ERR_LIB_OSSL_DECODER, 0, 1)), "OSSL_DECODER");
    CHECK_STR(rill__tls_library_name(ERR_PACK(ERR_LIB_USER, 0, 1)), "USER");
    CHECK_STR(rill__tls_library_name(ERR_PACK(77, 0, 1)), NULL);
    CHECK_STR(rill__tls_reason_name(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)),
              "SSLV3_ALERT_HANDSHAKE_FAILURE"); /* */
    CHECK_STR(rill__tls_reason_name(ERR_PACK(ERR_LIB_PEM, 0, PEM_R_NO_START_LINE)),
              "NO_START_LINE");
    CHECK_STR(rill__tls_reason_name(ERR_PACK(ERR_LIB_SSL, 0, 4000)), NULL);
    CHECK_STR(rill__tls_reason_name(0), NULL);
}

int main(void)
{
    test_queues();
    test_sessions();
    test_long_name();
    test_truncated();
    test_names();
    return check_report("tls error_test");
}
