/* SPDX-License-Identifier: MIT
 *
 * What can be asked of a session: ssl.SSLObject's questions.
 */
#include "tls/session.h"

#include <openssl/err.h>

#include "tls/peercert.h"

const char *rill_ssl_object_server_hostname(const struct rill_ssl_object *self)
{
    return self->server_hostname;
}

bool rill_ssl_object_server_side(const struct rill_ssl_object *self)
{
    return self->server_side;
}

const char *rill_ssl_object_version(const struct rill_ssl_object *self)
{
    return SSL_is_init_finished(self->ssl) ? SSL_get_version(self->ssl) : NULL;
}

const char *rill_ssl_object_selected_alpn_protocol(const struct rill_ssl_object *self)
{
    return self->alpn;
}

bool rill_ssl_object_session_reused(const struct rill_ssl_object *self)
{
    return SSL_session_reused(self->ssl) == 1;
}

const char *rill_ssl_object_compression(const struct rill_ssl_object *self)
{
    const COMP_METHOD *method = SSL_get_current_compression(self->ssl);
    return method != NULL ? SSL_COMP_get_name(method) : NULL;
}

bool rill_ssl_object_cipher(const struct rill_ssl_object *self, struct rill_ssl_cipher *cipher)
{
    const SSL_CIPHER *current = SSL_get_current_cipher(self->ssl);

    if (current == NULL) {
        return false;
    }
    *cipher = (struct rill_ssl_cipher){
        .name = SSL_CIPHER_get_name(current),
        .protocol = SSL_CIPHER_get_version(current),
        .bits = SSL_CIPHER_get_bits(current, NULL),
    };
    return true;
}

struct rill_ssl_context *rill_ssl_object_context(const struct rill_ssl_object *self)
{
    return self->context;
}

const struct rill_peercert *rill_ssl_object_getpeercert(struct rill_ssl_object *self,
                                                        const struct rill_error **error)
{
    const struct rill_error *failure = NULL;

    if (self->peercert == NULL) {
        X509 *certificate = SSL_get1_peer_certificate(self->ssl);
        const bool verified = (SSL_get_verify_mode(self->ssl) & SSL_VERIFY_PEER) != 0;
        if (certificate != NULL) {
            self->peercert = rill__peercert_new(certificate, verified, &failure);
            X509_free(certificate);
        }
        ERR_clear_error();
    }
    if (error != NULL) {
        *error = failure;
    } else {
        rill_error_unref(failure);
    }
    return self->peercert;
}

void *rill_ssl_object_native(const struct rill_ssl_object *self)
{
    return self->ssl;
}
