/* SPDX-License-Identifier: MIT
 *
 * From OpenSSL's error queue to the exceptions of Python's ssl: their class, `[SSL: REASON] text`,
 * errno and verification's details.
 */
#include "tls/error.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "sansio/error_copy.h"
#include "sansio/memory.h"
#include "tls/engine.h"
#include "tls/reason.h"

/* The errno of SSLError: Python's own numbers, the first eight of which are OpenSSL's. */
enum { ERRNO_EOF = 8, ERRNO_INVALID = 10 };

/* No text that Python or OpenSSL makes is near this; a longer server_hostname is cut. */
enum { TEXT_SIZE = 1024, MESSAGE_SIZE = 512 };

static const char unexpected_end[] = "EOF occurred in violation of protocol";

/* Looked for in the whole queue and not only in its last entry: what fails for want of memory makes
 * its callers fail with errors of their own. */
bool rill__tls_lacked_memory(void)
{
    bool found = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        found = found || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    }
    return found;
}

const struct rill_error *rill__tls_error_saying(const char *text)
{
    return rill__tls_lacked_memory() ? rill_error_no_memory()
                                     : rill_error_new(RILL_ESSL, "%s", text);
}

static bool is_ssl_reason(unsigned long code, int reason)
{
    return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == reason;
}

/* `[SSL: REASON] said: message`, as much of it as there is. Empties the queue. */
static const struct rill_error *make(int code, int os_errno, unsigned long queued, const char *said,
                                     struct rill_error *detail)
{
    char text[TEXT_SIZE];

    if (queued != 0) {
        detail->library = rill__tls_library_name(queued);
        detail->reason = rill__tls_reason_name(queued);
        said = said != NULL ? said : ERR_reason_error_string(queued);
    }
    said = said != NULL ? said : "unknown error";
    if (detail->library != NULL && detail->reason != NULL) {
        const bool verified = detail->verify_message != NULL;
        snprintf(text, sizeof text, "[%s: %s] %s%s%s", detail->library, detail->reason, said,
                 verified ? ": " : "", verified ? detail->verify_message : "");
    } else if (detail->library != NULL) {
        snprintf(text, sizeof text, "[%s] %s", detail->library, said);
    } else {
        snprintf(text, sizeof text, "%s", said);
    }
    if (rill__tls_lacked_memory()) {
        return rill_error_no_memory();
    }
    struct rill_error like = *detail;
    like.code = code;
    like.os_errno = os_errno;
    like.text = text;
    like.expected = -1;
    return rill__error_copy(&like);
}

const struct rill_error *rill__tls_error_of_queue(void)
{
    struct rill_error detail = {.library = NULL};
    const unsigned long queued = ERR_peek_last_error();

    return make(RILL_ESSL, ERR_GET_REASON(queued), queued, NULL, &detail);
}

/* A chain that is not trusted, or a name that is not the certificate's. */
static const struct rill_error *failed_verification(const SSL *ssl, int ssl_error,
                                                    unsigned long queued, const char *hostname)
{
    char message[MESSAGE_SIZE];
    const long verdict = SSL_get_verify_result(ssl);
    const char *what = verdict == X509_V_ERR_HOSTNAME_MISMATCH     ? "Hostname"
                       : verdict == X509_V_ERR_IP_ADDRESS_MISMATCH ? "IP address"
                                                                   : NULL;
    if (what != NULL) {
        snprintf(message, sizeof message, "%s mismatch, certificate is not valid for '%s'.", what,
                 hostname != NULL ? hostname : "None");
    } else {
        snprintf(message, sizeof message, "%s", X509_verify_cert_error_string(verdict));
    }
    struct rill_error detail = {.verify_code = (int)verdict, .verify_message = message};
    return make(RILL_ESSLCERT, ssl_error, queued, NULL, &detail);
}

/* What Python says where there is nothing in the queue to be said. A session whose bytes are in
 * memory never waits to read, write or connect. */
static const char *text_of_judgement(int ssl_error)
{
    switch (ssl_error) {
    case SSL_ERROR_SSL:
        return "A failure in the SSL library occurred";
    case SSL_ERROR_WANT_X509_LOOKUP:
        return "The operation did not complete (X509 lookup)";
    case SSL_ERROR_ZERO_RETURN:
        return "TLS/SSL connection has been closed (EOF)";
    default:
        return "Invalid error code";
    }
}

const struct rill_error *rill__tls_error_of_session(SSL *ssl, int ssl_error,
                                                    const char *server_hostname)
{
    struct rill_error detail = {.library = NULL};
    const unsigned long queued = ERR_peek_last_error();

    if (ssl_error != SSL_ERROR_SSL && ssl_error != SSL_ERROR_SYSCALL) {
        const int number = ssl_error <= SSL_ERROR_WANT_CONNECT ? ssl_error : ERRNO_INVALID;
        return make(RILL_ESSL, number, queued, text_of_judgement(ssl_error), &detail);
    }
    if (is_ssl_reason(queued, SSL_R_CERTIFICATE_VERIFY_FAILED)) {
        return failed_verification(ssl, ssl_error, queued, server_hostname);
    }
    /* A session's bytes come from memory, so a failed system call is an end of the stream. */
    if (is_ssl_reason(queued, SSL_R_UNEXPECTED_EOF_WHILE_READING) ||
        (ssl_error == SSL_ERROR_SYSCALL && queued == 0)) {
        return make(RILL_ESSLEOF, ERRNO_EOF, queued, unexpected_end, &detail);
    }
    return make(RILL_ESSL, ssl_error, queued, queued == 0 ? text_of_judgement(ssl_error) : NULL,
                &detail);
}

const struct rill_error *rill__tls_truncated(void)
{
    const struct rill_error like = {
        .code = RILL_ESSLEOF, .os_errno = ERRNO_EOF, .text = unexpected_end, .expected = -1};

    return rill__error_copy(&like);
}
