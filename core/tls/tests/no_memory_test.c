/* SPDX-License-Identifier: MIT
 *
 * Contexts without memory: one allocation after the other, rill's and OpenSSL's, fails. A call then
 * succeeds all the same or gives an error; nothing leaks, and no chain is half replaced.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <rill/alloc.h>

#include "rig.h"
#include "tls/context.h"

/* Both allocators count here; the one mutable global that OpenSSL's functions can reach. */
static struct {
    long long calls;
    long long
        live; /* of rill's; OpenSSL's caches grow, and its leaks are the sanitizer's to find */
    long long fail_at; /* the number of the allocation that fails, from 1; 0: none */
} memory;

static bool fails(void)
{
    return ++memory.calls == memory.fail_at;
}

static void *take(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static void *change(void *old, size_t size)
{
    if (old == NULL) {
        return take(size);
    }
    return fails() ? NULL : realloc(old, size);
}

static void give_back(void *old)
{
    free(old);
}

static void *openssl_take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return size > 0 ? take(size) : NULL;
}
static void *openssl_change(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (size == 0) {
        give_back(old);
        return NULL;
    }
    return change(old, size);
}
static void openssl_give_back(void *old, const char *file, int line)
{
    (void)file, (void)line;
    give_back(old);
}
static void *rill_take(void *arg, size_t size)
{
    (void)arg;
    void *made = take(size);
    memory.live += made != NULL;
    return made;
}
static void *rill_change(void *arg, void *old, size_t size)
{
    (void)arg;
    void *made = change(old, size);
    memory.live += old == NULL && made != NULL;
    return made;
}
static void rill_give_back(void *arg, void *old)
{
    (void)arg;
    memory.live -= old != NULL;
    give_back(old);
}

static const struct rill_bytes no_data = {NULL, 0};

/* -- what is done without memory ------------------------------------------------------------- */

static int make_client(struct rill_ssl_context *given, const struct rill_error **error)
{
    struct rill_ssl_context *made;
    (void)given;
    const int result = rill_ssl_context_new_client(&made, error);
    CHECK((made != NULL) == (result == 0));
    rill_ssl_context_unref(made);
    return result;
}
static int make_default(struct rill_ssl_context *given, const struct rill_error **error)
{
    (void)given;
    struct rill_ssl_context *made = rill__ssl_context_for(rill_ssl_default, error);
    rill_ssl_context_unref(made);
    return made != NULL ? 0 : (*error)->code;
}
static int adopt(struct rill_ssl_context *given, const struct rill_error **error)
{
    struct rill_ssl_context *made;
    const int result = rill_ssl_context_adopt(given->ctx, true, &made, error);
    rill_ssl_context_unref(made);
    return result;
}
static int load_chain(struct rill_ssl_context *given, const struct rill_error **error)
{
    return rill_ssl_context_load_cert_chain(given, "other-chain.crt", "other.key", NULL, error);
}
static int load_encrypted(struct rill_ssl_context *given, const struct rill_error **error)
{
    return rill_ssl_context_load_cert_chain(given, "localhost.crt", "encrypted-old.key", "secret",
                                            error);
}
static int load_missing(struct rill_ssl_context *given, const struct rill_error **error)
{
    return rill_ssl_context_load_cert_chain(given, "no.crt", NULL, NULL, error);
}
static int load_files(struct rill_ssl_context *given, const struct rill_error **error)
{
    return rill_ssl_context_load_verify_locations(given, "both.crt", "folder", no_data, error);
}
static int load_data(struct rill_ssl_context *given, const struct rill_error **error)
{
    static char data[4096];
    FILE *file = fopen("ca.crt", "rb");
    const size_t size = file != NULL ? fread(data, 1, sizeof data, file) : 0;
    CHECK(file != NULL && fclose(file) == 0);
    return rill_ssl_context_load_verify_locations(given, NULL, NULL,
                                                  (struct rill_bytes){data, size}, error);
}
static int set_ciphers(struct rill_ssl_context *given, const struct rill_error **error)
{
    return rill_ssl_context_set_ciphers(given, "ECDHE+AESGCM", error);
}
static int set_ciphersuites(struct rill_ssl_context *given, const struct rill_error **error)
{
    return rill_ssl_context_set_ciphersuites(given, "TLS_AES_128_GCM_SHA256", error);
}
static int set_alpn(struct rill_ssl_context *given, const struct rill_error **error)
{
    const char *const protocols[] = {"h2", "http/1.1"};
    return rill_ssl_context_set_alpn_protocols(given, protocols, 2, error);
}

static const struct {
    int line;
    int (*call)(struct rill_ssl_context *, const struct rill_error **);
    int want; /* with memory */
} rows[] = {
    {.line = __LINE__, .call = make_client},
    {.line = __LINE__, .call = make_default},
    {.line = __LINE__, .call = adopt},
    {.line = __LINE__, .call = load_chain},
    {.line = __LINE__, .call = load_encrypted},
    {.line = __LINE__, .call = load_missing, .want = RILL_ENOENT},
    {.line = __LINE__, .call = load_files},
    {.line = __LINE__, .call = load_data},
    {.line = __LINE__, .call = set_ciphers},
    {.line = __LINE__, .call = set_ciphersuites},
    {.line = __LINE__, .call = set_alpn},
};

/* -- the sweep ------------------------------------------------------------------------------- */

struct sums {
    long long runs;
    long long no_memory;
    long long other_errors;
};

/* The call with its `fail_at`th allocation failing; whether it came to that one. */
static bool run(size_t row, long long fail_at, struct sums *sums)
{
    struct rill_ssl_context *given = rig_server("localhost");
    const struct rill_error *error;

    memory.calls = 0;
    memory.fail_at = fail_at;
    const int result = rows[row].call(given, &error);
    const bool reached = fail_at != 0 && memory.calls >= fail_at;
    memory.fail_at = 0;

    CHECK_ROW(rows[row].line, ERR_peek_error() == 0);
    CHECK_ROW(rows[row].line, (error != NULL) == (result < 0));
    CHECK_INT_ROW(rows[row].line, error != NULL ? error->code : 0, result);
    if (!reached) {
        CHECK_INT_ROW(rows[row].line, result, rows[row].want);
    }
    CHECK_ROW(rows[row].line, SSL_CTX_check_private_key(given->ctx) == 1);
    ERR_clear_error();
    sums->runs++;
    sums->no_memory += result == RILL_ENOMEM;
    sums->other_errors += result < 0 && result != RILL_ENOMEM && result != rows[row].want;
    rill_error_unref(error);
    rill_ssl_context_unref(given);
    return reached;
}

int main(int count, char **arguments)
{
    static const struct rill_allocator counting = {rill_take, rill_change, rill_give_back, NULL};
    struct sums sums = {.runs = 0};

    if (CRYPTO_set_mem_functions(openssl_take, openssl_change, openssl_give_back) != 1 ||
        rill_set_allocator(&counting) != 0) {
        fprintf(stderr, "no_memory_test: the allocators cannot be set\n");
        return EXIT_FAILURE;
    }
    rig_enter(count, arguments);
    /* Not the machine's own authorities: they are many. */
    CHECK(setenv("SSL_CERT_FILE", "ca.crt", 1) == 0 && setenv("SSL_CERT_DIR", "folder", 1) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run(i, 0, &sums); /* what OpenSSL keeps for ever is made now */
        run(i, 0, &sums);
        const long long live = memory.live;
        /* All of the first thirty, then fewer and fewer: a key has thousands alike. */
        for (long long fail_at = 1; run(i, fail_at, &sums); fail_at += 1 + fail_at / 30) {
        }
        CHECK_INT_ROW(rows[i].line, memory.live, live);
    }
    printf("runs=%lld no_memory=%lld other_errors=%lld\n", sums.runs, sums.no_memory,
           sums.other_errors);
    CHECK(sums.no_memory > 100);
    CHECK_INT(memory.live, 0);
    return check_report("tls no_memory_test");
}
