/* SPDX-License-Identifier: MIT
 *
 * What Python's _decode_certificate makes of an X509, as a structure and as text.
 */
#include "tls/peercert.h"

#include <openssl/err.h>

#include "sansio/memory.h"
#include "tls/peercert_decoder.h"
#include "tls/peercert_text.h"

static bool copy_der(struct rill__cert_decoder *self, const X509 *certificate)
{
    const int length = i2d_X509(certificate, NULL);
    if (length < 0) {
        return rill__cert_openssl_failed(self);
    }
    unsigned char *const space = rill__cert_take(self, (size_t)length);
    unsigned char *end = space;
    if (space == NULL) {
        return false;
    }
    if (i2d_X509(certificate, &end) != length) {
        return rill__cert_openssl_failed(self);
    }
    self->owner->cert.der = (struct rill_bytes){(const char *)space, (size_t)length};
    return true;
}

static bool copy_serial_number(struct rill__cert_decoder *self, const X509 *certificate)
{
    struct rill_bytes line = {NULL, 0};

    i2a_ASN1_INTEGER(self->lines, X509_get0_serialNumber(certificate));
    const bool copied = rill__cert_copy_line(self, &line);
    self->owner->cert.serial_number = line.ptr;
    return copied;
}

/* A time that is none is printed as `Bad time value`. */
static bool copy_time(struct rill__cert_decoder *self, const ASN1_TIME *time, const char **text)
{
    struct rill_bytes line = {NULL, 0};

    ASN1_TIME_print(self->lines, time);
    const bool copied = rill__cert_copy_line(self, &line);
    *text = line.ptr;
    return copied;
}

/* In Python's order, so that of two failures the same one is reported. */
static bool copy_fields(struct rill__cert_decoder *self, const X509 *certificate)
{
    struct rill_peercert *const cert = &self->owner->cert;

    cert->version = (int)X509_get_version(certificate) + 1;
    return rill__cert_copy_name(self, X509_get_subject_name(certificate), &cert->subject,
                                &cert->subject_count) &&
           rill__cert_copy_name(self, X509_get_issuer_name(certificate), &cert->issuer,
                                &cert->issuer_count) &&
           copy_serial_number(self, certificate) &&
           copy_time(self, X509_get0_notBefore(certificate), &cert->not_before) &&
           copy_time(self, X509_get0_notAfter(certificate), &cert->not_after) &&
           rill__cert_copy_alternatives(self, certificate) &&
           rill__cert_copy_access(self, certificate, NID_ad_OCSP, &cert->ocsp) &&
           rill__cert_copy_access(self, certificate, NID_ad_ca_issuers, &cert->ca_issuers) &&
           rill__cert_copy_crl_points(self, certificate);
}

static bool copy_verified(struct rill__cert_decoder *self, const X509 *certificate)
{
    self->lines = BIO_new(BIO_s_mem());
    const bool copied =
        self->lines != NULL ? copy_fields(self, certificate) : rill__cert_no_memory(self);
    BIO_free(self->lines);
    return copied;
}

static bool write_text(struct rill__cert_decoder *self)
{
    struct rill_peercert *const cert = &self->owner->cert;
    struct rill__pytext text = {NULL, 0};

    rill__pytext_peercert(&text, cert);
    text.ptr = rill__cert_take(self, text.length + 1);
    if (text.ptr == NULL) {
        return false;
    }
    text.length = 0;
    rill__pytext_peercert(&text, cert);
    text.ptr[text.length] = '\0';
    cert->text = text.ptr;
    return true;
}

struct rill_peercert *rill__peercert_new(X509 *certificate, bool verified,
                                         const struct rill_error **error)
{
    struct rill__cert_decoder self = {.owner = rill__alloc_zeroed(sizeof *self.owner)};

    ERR_clear_error();
    if (self.owner == NULL) {
        *error = rill_error_no_memory();
        return NULL;
    }
    self.owner->cert.verified = verified;
    const bool made = copy_der(&self, certificate) &&
                      (!verified || copy_verified(&self, certificate)) && write_text(&self);
    ERR_clear_error();
    if (made) {
        return &self.owner->cert;
    }
    rill__peercert_free(&self.owner->cert);
    *error = self.error;
    return NULL;
}

void rill__peercert_free(struct rill_peercert *peercert)
{
    struct rill__cert_owner *owner = (struct rill__cert_owner *)peercert;
    if (owner == NULL) {
        return;
    }
    for (struct rill__cert_chunk *chunk = owner->chunks; chunk != NULL;) {
        struct rill__cert_chunk *const next = chunk->next;
        rill__free(chunk);
        chunk = next;
    }
    rill__free(owner);
}
