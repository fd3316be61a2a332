/* SPDX-License-Identifier: MIT
 *
 * Names for codes. The reasons' are macro names in OpenSSL's headers, gathered when rill is built
 * (tools/cmake/RillTlsNames.cmake).
 */
#include "tls/reason.h"

#include <stddef.h>

#include <openssl/err.h>

struct library {
    int library;
    const char *name;
};

static const struct library libraries[] = {
    {ERR_LIB_NONE, "NONE"},
    {ERR_LIB_SYS, "SYS"},
    {ERR_LIB_BN, "BN"},
    {ERR_LIB_RSA, "RSA"},
    {ERR_LIB_DH, "DH"},
    {ERR_LIB_EVP, "EVP"},
    {ERR_LIB_BUF, "BUF"},
    {ERR_LIB_OBJ, "OBJ"},
    {ERR_LIB_PEM, "PEM"},
    {ERR_LIB_DSA, "DSA"},
    {ERR_LIB_X509, "X509"},
    {ERR_LIB_ASN1, "ASN1"},
    {ERR_LIB_CONF, "CONF"},
    {ERR_LIB_CRYPTO, "CRYPTO"},
    {ERR_LIB_EC, "EC"},
    {ERR_LIB_SSL, "SSL"},
    {ERR_LIB_BIO, "BIO"},
    {ERR_LIB_PKCS7, "PKCS7"},
    {ERR_LIB_X509V3, "X509V3"},
    {ERR_LIB_PKCS12, "PKCS12"},
    {ERR_LIB_RAND, "RAND"},
    {ERR_LIB_DSO, "DSO"},
    {ERR_LIB_ENGINE, "ENGINE"},
    {ERR_LIB_OCSP, "OCSP"},
    {ERR_LIB_UI, "UI"},
    {ERR_LIB_COMP, "COMP"},
    {ERR_LIB_ECDSA, "ECDSA"},
    {ERR_LIB_ECDH, "ECDH"},
    {ERR_LIB_OSSL_STORE, "OSSL_STORE"},
    {ERR_LIB_FIPS, "FIPS"},
    {ERR_LIB_CMS, "CMS"},
    {ERR_LIB_TS, "TS"},
    {ERR_LIB_HMAC, "HMAC"},
    {ERR_LIB_CT, "CT"},
    {ERR_LIB_ASYNC, "ASYNC"},
    {ERR_LIB_KDF, "KDF"},
    {ERR_LIB_SM2, "SM2"},
    {ERR_LIB_ESS, "ESS"},
    {ERR_LIB_PROP, "PROP"},
    {ERR_LIB_CRMF, "CRMF"},
    {ERR_LIB_PROV, "PROV"},
    {ERR_LIB_CMP, "CMP"},
    {ERR_LIB_OSSL_ENCODER, "OSSL_ENCODER"},
    {ERR_LIB_OSSL_DECODER, "OSSL_DECODER"},
    {ERR_LIB_HTTP, "HTTP"},
    {ERR_LIB_USER, "USER"},
};

struct reason {
    int library;
    int reason;
    const char *name;
};

static const struct reason reasons[] = {
#include "reason_names.inc"
};

const char *rill__tls_library_name(unsigned long code)
{
    const int library = ERR_GET_LIB(code);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (libraries[i].library == library) {
            return libraries[i].name;
        }
    }
    return NULL;
}

/* A walk through all of them: once per failed connection. Backwards, because of several names for
 * one number Python shows the last. */
const char *rill__tls_reason_name(unsigned long code)
{
    const int library = ERR_GET_LIB(code);
    const int reason = ERR_GET_REASON(code);
    for (size_t i = sizeof reasons / sizeof reasons[0]; i-- > 0;) {
        if (reasons[i].library == library && reasons[i].reason == reason) {
            return reasons[i].name;
        }
    }
    return NULL;
}
