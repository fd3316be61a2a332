/* SPDX-License-Identifier: MIT
 *
 * Target `peercert`: a certificate as a peer may show it, decoded as getpeercert() shows it. The
 * input is the certificate's DER.
 *
 * What must hold: it is decoded, or refused with a documented error; the structure and its text are
 * whole and no longer than the certificate accounts for; the same again gives the same; when an
 * allocation fails, whichever, the answer is that there is no memory, and nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "der_mutator.h"
#include "judge.h"
#include "repeatable.h"
#include "scarcity.h"
#include "target.h"
#include "tls/peercert.h"

/* The allocator of the process. */
static struct allocations memory;

enum {
    TEXT_FACTOR = 64, /* bytes of text for one of the certificate: a number may stand for a name */
    TEXT_BASE = 4096,
    FAILURES_MAX = 12, /* allocations of rill's that are made to fail in turn */
    OPENSSL_FAILURES_MAX = 48
};

/* -- the ends ---------------------------------------------------------------------------------- */

static _Noreturn void invariant_text(const char *what, const char *text)
{
    (void)fprintf(stderr, "the text is %s: %s\n", what, text);
    abort();
}

static _Noreturn void invariant_field(const char *name)
{
    (void)fprintf(stderr, "a field is not whole: %s\n", name != NULL ? name : "without a name");
    abort();
}

static _Noreturn void mismatch_der(size_t got, size_t want)
{
    (void)fprintf(stderr, "the DER has %zu bytes, not the certificate's %zu\n", got, want);
    abort();
}

static _Noreturn void mismatch_again(const char *first, const char *second)
{
    (void)fprintf(stderr, "decoded once: %s\ntwice: %s\n", first, second);
    abort();
}

static _Noreturn void invariant_survived_failure(void)
{
    (void)fprintf(stderr, "decoded although an allocation had failed\n");
    abort();
}

/* -- judging ----------------------------------------------------------------------------------- */

static void judge_text_of(const struct rill_peercert *cert)
{
    const size_t length = strlen(cert->text);

    if (length < 2 || cert->text[0] != '{' || cert->text[length - 1] != '}') {
        invariant_text("no dict", cert->text);
    }
    if (length > TEXT_FACTOR * cert->der.len + TEXT_BASE) {
        invariant_text("too long", cert->text);
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)cert->text[i] < ' ') {
            invariant_text("not escaped", cert->text);
        }
    }
}

/* A NUL behind each value, that is no part of it; a DirName's is a piece of text. */
static void judge_field(const struct rill_cert_field *field)
{
    if (field->name == NULL || field->name[0] == '\0' || field->value.ptr == NULL) {
        invariant_field(field->name);
    }
    if (strcmp(field->name, "DirName") != 0 && field->value.ptr[field->value.len] != '\0') {
        invariant_field(field->name);
    }
}

static void judge_name(const struct rill_cert_rdn *rdns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rdns[i].count == 0) {
            invariant_field("an empty RDN");
        }
        for (size_t j = 0; j < rdns[i].count; j++) {
            judge_field(&rdns[i].fields[j]);
        }
    }
}

static void judge_list(const struct rill_cert_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].ptr == NULL || list->items[i].ptr[list->items[i].len] != '\0') {
            invariant_field("a URI");
        }
    }
}

static void judge_cert(const struct rill_peercert *cert)
{
    judge_name(cert->subject, cert->subject_count);
    judge_name(cert->issuer, cert->issuer_count);
    for (size_t i = 0; i < cert->subject_alt_name_count; i++) {
        judge_field(&cert->subject_alt_name[i]);
    }
    judge_list(&cert->ocsp);
    judge_list(&cert->ca_issuers);
    judge_list(&cert->crl_distribution_points);
    if (cert->serial_number == NULL || cert->not_before == NULL || cert->not_after == NULL) {
        invariant_field("a number or a time");
    }
}

static void judge_der(const struct rill_peercert *cert, const X509 *certificate)
{
    unsigned char *der = NULL;
    repeatable_side(RANDOM_OF_PEER); /* the judge's own needs are met */
    const int size = i2d_X509(certificate, &der);
    repeatable_side(RANDOM_OF_RILL);
    const bool same = size >= 0 && cert->der.len == (size_t)size &&
                      memcmp(cert->der.ptr, der, cert->der.len) == 0;
    OPENSSL_free(der);
    if (!same) {
        mismatch_der(cert->der.len, (size_t)(size > 0 ? size : 0));
    }
}

/* -- decoding ---------------------------------------------------------------------------------- */

/* NULL: refused, and the error is judged. */
static struct rill_peercert *decode(X509 *certificate, bool verified)
{
    const struct rill_error *error = NULL;
    struct rill_peercert *const cert = rill__peercert_new(certificate, verified, &error);

    judge_queue();
    judge_setting(error != NULL ? error->code : 0, error);
    if (cert != NULL) {
        judge_text_of(cert);
        judge_der(cert, certificate);
    }
    return cert;
}

static void decode_verified(X509 *certificate)
{
    struct rill_peercert *const first = decode(certificate, true);
    struct rill_peercert *const second = decode(certificate, true);

    if (first != NULL) {
        judge_cert(first);
    }
    if ((first == NULL) != (second == NULL) ||
        (first != NULL && strcmp(first->text, second->text) != 0)) {
        mismatch_again(first != NULL ? first->text : "refused",
                       second != NULL ? second->text : "refused");
    }
    rill__peercert_free(first);
    rill__peercert_free(second);
}

static void decode_unverified(X509 *certificate)
{
    struct rill_peercert *const cert = decode(certificate, false);
    if (cert != NULL && strcmp(cert->text, "{}") != 0) {
        invariant_text("that of an unverified certificate", cert->text);
    }
    rill__peercert_free(cert);
}

/* One allocation after the other, until none is left to fail. */
static void decode_without_memory(X509 *certificate)
{
    for (size_t i = 1; i <= FAILURES_MAX; i++) {
        allocations_plan(&memory, i, 1);
        struct rill_peercert *const cert = decode(certificate, true);
        const bool failed = judge_lacks_memory();
        rill__peercert_free(cert);
        if (!failed) {
            break;
        }
        if (cert != NULL) {
            invariant_survived_failure();
        }
    }
    allocations_heal(&memory);
}

/* The same for OpenSSL's, which can do without some: then nothing may be missing in the text. */
static void decode_without_openssl(X509 *certificate)
{
    struct rill_peercert *const whole = decode(certificate, true);

    for (size_t i = 1; whole != NULL && i <= OPENSSL_FAILURES_MAX; i++) {
        scarcity_plan(i);
        struct rill_peercert *const cert = decode(certificate, true);
        const bool felt = scarcity_was_felt();
        if (cert != NULL && strcmp(cert->text, whole->text) != 0) {
            mismatch_again(whole->text, cert->text);
        }
        rill__peercert_free(cert);
        if (!felt) {
            break;
        }
    }
    scarcity_plan(0);
    rill__peercert_free(whole);
}

/* -- the engine's calls ------------------------------------------------------------------------ */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    scarcity_install();
    allocations_install(&memory);
    judge_watch(&memory);
    repeatable_install();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *next = data;
    const size_t before = memory.blocks;
    X509 *const certificate = d2i_X509(NULL, &next, (long)size);

    ERR_clear_error();
    allocations_next_input(&memory);
    if (certificate == NULL) {
        return 0;
    }
    decode_verified(certificate);
    decode_unverified(certificate);
    decode_without_memory(certificate);
    decode_without_openssl(certificate);
    X509_free(certificate);
    judge_memory(before);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    return der_mutate(data, size, max_size, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t max_out_size, unsigned int seed)
{
    return der_cross(data1, size1, data2, size2, out, max_out_size, seed);
}
