/* SPDX-License-Identifier: MIT
 *
 * Decodes the certificates of the PEM files that it is given, checks what holds for any
 * certificate, and prints what it found for oracle_peercert.py to compare with Python:
 *
 *     peercert_test show FILE...            file, openssl, der, text or error, field lines, end
 *     peercert_test starve FILE...          fails each of rill's allocations once
 *     peercert_test starve-openssl FILE...  fails each of OpenSSL's
 */
#include "tls/peercert.h"

#include <stdint.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <rill/alloc.h>

#include "check.h"

/* -- an allocator that fails once -------------------------------------------------------------- */

struct supply {
    size_t made;    /* allocations so far */
    size_t fail_at; /* the one that fails, from 1; 0: none */
    size_t live;    /* blocks that were not released */
};

static struct supply of_rill;
static struct supply of_openssl;

static bool refuses(struct supply *supply)
{
    supply->made++;
    return supply->made == supply->fail_at;
}

static void *supply_realloc(struct supply *supply, void *memory, size_t size)
{
    void *const moved = refuses(supply) ? NULL : realloc(memory, size);
    supply->live += moved != NULL && memory == NULL ? 1 : 0;
    return moved;
}

static void supply_free(struct supply *supply, void *memory)
{
    supply->live -= memory != NULL ? 1 : 0;
    free(memory);
}

static void *rill_allocate(void *arg, size_t size)
{
    return supply_realloc(arg, NULL, size);
}

static void *rill_reallocate(void *arg, void *memory, size_t size)
{
    return supply_realloc(arg, memory, size);
}

static void rill_release(void *arg, void *memory)
{
    supply_free(arg, memory);
}

static void *openssl_allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size > 0 ? supply_realloc(&of_openssl, NULL, size) : NULL;
}

static void openssl_release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    supply_free(&of_openssl, memory);
}

static void *openssl_reallocate(void *memory, size_t size, const char *file, int line)
{
    if (size == 0) {
        openssl_release(memory, file, line);
        return NULL;
    }
    return supply_realloc(&of_openssl, memory, size);
}

/* -- one certificate --------------------------------------------------------------------------- */

static X509 *certificate_of(const char *path)
{
    FILE *const file = fopen(path, "r");
    X509 *const certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file != NULL) {
        fclose(file);
    }
    if (certificate == NULL) {
        fprintf(stderr, "peercert_test: no certificate in %s\n", path);
        exit(EXIT_FAILURE);
    }
    return certificate;
}

/* Stale errors must not leak into the judgement, nor survive it. */
static struct rill_peercert *decode(X509 *certificate, bool verified,
                                    const struct rill_error **error)
{
    ERR_raise(ERR_LIB_X509, ERR_R_INTERNAL_ERROR);
    struct rill_peercert *const peercert = rill__peercert_new(certificate, verified, error);
    CHECK(ERR_peek_error() == 0);
    return peercert;
}

static void show_hex(const char *ptr, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        printf("%02x", (unsigned char)ptr[i]);
    }
    printf("\n");
}

static void show_fields(const char *key, size_t group, const struct rill_cert_field *fields,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(fields[i].value.ptr != NULL);
        printf("field %s %zu ", key, group);
        show_hex(fields[i].name, strlen(fields[i].name));
        printf(fields[i].is_bytes ? "bytes " : "value ");
        show_hex(fields[i].value.ptr, fields[i].value.len);
    }
}

static void show_name(const char *key, const struct rill_cert_rdn *rdns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(rdns[i].count > 0);
        show_fields(key, i, rdns[i].fields, rdns[i].count);
    }
}

static void show_list(const char *key, const struct rill_cert_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        printf("item %s ", key);
        show_hex(list->items[i].ptr, list->items[i].len);
    }
}

static void show_text(const char *key, const char *text)
{
    printf("item %s ", key);
    show_hex(text, strlen(text));
}

static void show_structure(const struct rill_peercert *peercert)
{
    printf("version %d\n", peercert->version);
    show_name("subject", peercert->subject, peercert->subject_count);
    show_name("issuer", peercert->issuer, peercert->issuer_count);
    show_text("serialNumber", peercert->serial_number);
    show_text("notBefore", peercert->not_before);
    show_text("notAfter", peercert->not_after);
    printf("names %s\n", peercert->subject_alt_name != NULL ? "present" : "absent");
    show_fields("subjectAltName", 0, peercert->subject_alt_name, peercert->subject_alt_name_count);
    show_list("OCSP", &peercert->ocsp);
    show_list("caIssuers", &peercert->ca_issuers);
    show_list("crlDistributionPoints", &peercert->crl_distribution_points);
}

static void show_der(const struct rill_peercert *peercert)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)peercert->der.ptr, peercert->der.len, digest);
    printf("der %zu ", peercert->der.len);
    show_hex((const char *)digest, sizeof digest);
}

/* Nothing but the bytes is told of a certificate that nobody checked. */
static void check_unverified(X509 *certificate)
{
    const struct rill_error *error = NULL;
    struct rill_peercert *const peercert = decode(certificate, false, &error);
    CHECK(peercert != NULL);
    if (peercert == NULL) {
        return;
    }
    CHECK(!peercert->verified);
    CHECK_STR(peercert->text, "{}");
    CHECK(peercert->subject == NULL && peercert->subject_count == 0);
    CHECK(peercert->issuer == NULL && peercert->issuer_count == 0);
    CHECK(peercert->serial_number == NULL && peercert->not_before == NULL);
    CHECK(peercert->subject_alt_name == NULL && peercert->subject_alt_name_count == 0);
    CHECK_INT(peercert->version, 0);
    show_der(peercert);
    rill__peercert_free(peercert);
}

static void show_verified(X509 *certificate)
{
    const struct rill_error *error = NULL;
    struct rill_peercert *const peercert = decode(certificate, true, &error);

    if (peercert == NULL) {
        printf("error %s %s\n", rill_error_name(error->code), error->text);
        rill_error_unref(error);
        return;
    }
    CHECK(peercert->verified);
    show_der(peercert);
    printf("text %s\n", peercert->text);
    show_structure(peercert);
    rill__peercert_free(peercert);
}

static void check_nothing_stays(X509 *certificate)
{
    const struct rill_error *error = NULL;
    const size_t live = of_openssl.live;

    rill__peercert_free(decode(certificate, true, &error));
    rill_error_unref(error);
    CHECK_INT((long long)of_openssl.live, (long long)live);
    CHECK_INT((long long)of_rill.live, 0);
}

static size_t show(const char *path)
{
    X509 *const certificate = certificate_of(path);

    printf("file %s\n", path);
    check_unverified(certificate);
    show_verified(certificate);
    check_nothing_stays(certificate);
    X509_free(certificate);
    printf("end\n");
    return 0;
}

/* -- without memory ---------------------------------------------------------------------------- */

/* The certificate decodes as it does with memory, or says that there was none. */
static bool check_starved(X509 *certificate, const char *want_text, const char *want_error)
{
    const struct rill_error *error = NULL;
    struct rill_peercert *const peercert = decode(certificate, true, &error);
    const bool starved = peercert == NULL && error->code == RILL_ENOMEM;

    if (peercert != NULL) {
        CHECK_STR(peercert->text, want_text);
    } else if (!starved) {
        CHECK_STR(error->text, want_error);
    }
    rill__peercert_free(peercert);
    rill_error_unref(error);
    return starved;
}

/* Fails the first, the second ... allocation, until one is not reached. Returns how many were. */
static size_t starve(const char *path, struct supply *supply)
{
    X509 *const whole = certificate_of(path);
    const struct rill_error *error = NULL;
    struct rill_peercert *const peercert = decode(whole, true, &error);
    size_t starved = 0;

    for (size_t nth = 1;; nth++) {
        X509 *const certificate = certificate_of(path);
        *supply = (struct supply){.fail_at = nth, .live = supply->live};
        const bool failed = check_starved(certificate, peercert != NULL ? peercert->text : NULL,
                                          error != NULL ? error->text : NULL);
        const bool reached = supply->made >= nth;
        supply->fail_at = 0;
        starved += failed ? 1 : 0;
        /* Rill's every allocation is needed; OpenSSL gets along without some of its own. */
        CHECK(failed ? reached : !reached || supply == &of_openssl || peercert == NULL);
        CHECK(!check_starved(certificate, peercert != NULL ? peercert->text : NULL,
                             error != NULL ? error->text : NULL));
        X509_free(certificate);
        if (!reached) {
            break;
        }
    }
    rill__peercert_free(peercert);
    rill_error_unref(error);
    CHECK_INT((long long)of_rill.live, 0);
    X509_free(whole);
    return starved;
}

static size_t starve_rill(const char *path)
{
    return starve(path, &of_rill);
}

static size_t starve_openssl(const char *path)
{
    return starve(path, &of_openssl);
}

struct mode {
    const char *name;
    size_t (*play)(const char *path); /* returns how many allocations failed */
};

static const struct mode modes[] = {
    {"show", show},
    {"starve", starve_rill},
    {"starve-openssl", starve_openssl},
    {NULL, NULL},
};

static const struct mode *mode_of(const char *name)
{
    const struct mode *mode = modes;
    while (mode->name != NULL && strcmp(mode->name, name) != 0) {
        mode++;
    }
    return mode;
}

int main(int argc, char **argv)
{
    const struct rill_allocator allocator = {rill_allocate, rill_reallocate, rill_release,
                                             &of_rill};
    const struct mode *const mode = mode_of(argc > 2 ? argv[1] : "");
    size_t starved = 0;

    if (mode->play == NULL) {
        fprintf(stderr, "usage: peercert_test show|starve|starve-openssl FILE...\n");
        return 2;
    }
    CHECK_INT(CRYPTO_set_mem_functions(openssl_allocate, openssl_reallocate, openssl_release), 1);
    CHECK_INT(rill_set_allocator(&allocator), 0);
    for (int i = 2; i < argc; i++) {
        starved += mode->play(argv[i]);
    }
    printf("openssl %s\n", OpenSSL_version(OPENSSL_VERSION));
    printf("starved %zu\n", starved);
    rill__peercert_free(NULL);
    return check_report("peercert_test");
}
