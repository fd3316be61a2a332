/* SPDX-License-Identifier: MIT
 *
 * context.c and context_load.c: what a new context has, every call with what it takes and what it
 * refuses. Texts are CPython 3.13's; oracle_errors.py compares many more of them.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "rig.h"
#include "tls/context.h"

#define X16  "xxxxxxxxxxxxxxxx"
#define X64  X16 X16 X16 X16
#define X255 X64 X64 X64 X16 X16 X16 "xxxxxxxxxxxxxxx"

static const struct rill_bytes no_data = {NULL, 0};

/* The end of a call: what it returned is its error's code, OpenSSL's queue is empty. */
static void check_end(int line, int result, const struct rill_error *error, int want_code,
                      const char *want_text)
{
    CHECK_INT_ROW(line, result, want_code);
    CHECK_INT_ROW(line, error != NULL ? error->code : 0, want_code);
    CHECK_STR_ROW(line, error != NULL ? error->text : NULL, want_text);
    CHECK_ROW(line, ERR_peek_error() == 0);
    rill_error_unref(error);
}

/* -- what a new context has ------------------------------------------------------------------ */

/* As CPython 3.13's create_default_context() says with this OpenSSL: repr of options and
 * verify_flags. */
static void test_defaults(void)
{
    for (int server_side = 0; server_side < 2; server_side++) {
        struct rill_ssl_context *context = server_side ? rig_server(NULL) : rig_client(NULL);
        SSL_CTX *ctx = context->ctx;
        const X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
        const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

        CHECK_INT((long long)SSL_CTX_get_options(ctx), 0x82520050);
        CHECK_INT((long long)X509_VERIFY_PARAM_get_flags((X509_VERIFY_PARAM *)(uintptr_t)param),
                  0x88020);
        CHECK_INT(X509_VERIFY_PARAM_get_hostflags(param), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        CHECK_INT(SSL_CTX_get_verify_mode(ctx), server_side ? 0 : 3);
        CHECK_INT(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
        CHECK_INT(SSL_CTX_get_security_level(ctx), 2);
        CHECK((SSL_CTX_get_mode(ctx) & SSL_MODE_RELEASE_BUFFERS) != 0);
        CHECK_INT(sk_SSL_CIPHER_num(ciphers), 17);
        CHECK_STR(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, 3)),
                  "ECDHE-ECDSA-AES256-GCM-SHA384");
        CHECK_STR(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, 16)), "DHE-RSA-AES128-SHA256");
        CHECK_INT(rill_ssl_context_is_server(context), server_side);
        CHECK_INT(rill_ssl_context_verifies(context), !server_side);
        CHECK_INT(rill_ssl_context_checks_hostname(context), !server_side);
        rill_ssl_context_unref(context);
    }
}

/* -- chains ---------------------------------------------------------------------------------- */

static const struct {
    int line;
    const char *certfile;
    const char *keyfile;
    const char *password;
    int want_code;
    const char *want_text;
} chains[] = {
    {.line = __LINE__, .certfile = "localhost.crt", .keyfile = "localhost.key"},
    {.line = __LINE__, .certfile = "localhost.pem"},
    {.line = __LINE__, .certfile = "other-chain.crt", .keyfile = "other.key"},
    {.line = __LINE__, .certfile = "rsa.crt", .keyfile = "rsa.key"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "encrypted.key",
     .password = "secret"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "localhost.key",
     .password = "not asked for"},
    {.line = __LINE__,
     .want_code = RILL_ETYPE,
     .want_text = "certfile should be a valid filesystem path"},
    {.line = __LINE__,
     .certfile = "no.crt",
     .want_code = RILL_ENOENT,
     .want_text = "[Errno 2] No such file or directory"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "no.key",
     .want_code = RILL_ENOENT,
     .want_text = "[Errno 2] No such file or directory"},
    {.line = __LINE__,
     .certfile = "folder",
     .want_code = RILL_EISDIRECTORY,
     .want_text = "[Errno 21] Is a directory"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "other.key",
     .want_code = RILL_ESSL,
     .want_text = "[X509: KEY_VALUES_MISMATCH] key values mismatch"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "rsa.key",
     .want_code = RILL_ESSL,
     .want_text = "[SSL: NO_CERTIFICATE_ASSIGNED] no certificate assigned"},
    {.line = __LINE__,
     .certfile = "garbage.pem",
     .want_code = RILL_ESSL,
     .want_text = "[SSL] PEM lib"},
    {.line = __LINE__,
     .certfile = "weak.crt",
     .keyfile = "weak.key",
     .want_code = RILL_ESSL,
     .want_text = "[SSL: EE_KEY_TOO_SMALL] ee key too small"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "encrypted.key",
     .password = "wrong",
     .want_code = RILL_ESSL,
     .want_text = "[SSL] PEM lib"},
    {.line = __LINE__, /* nobody is asked for it */
     .certfile = "localhost.crt",
     .keyfile = "encrypted.key",
     .want_code = RILL_ESSL,
     .want_text = "[SSL] PEM lib"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "encrypted-old.key",
     .want_code = RILL_ESSL,
     .want_text = "[SSL] PEM lib"},
    {.line = __LINE__,
     .certfile = "localhost.crt",
     .keyfile = "encrypted.key",
     .password = X255 X255 X255 X255 "xxxxx",
     .want_code = RILL_EVALUE,
     .want_text = "password cannot be longer than 1024 bytes"},
};

/* In a context without a chain, and in one that has one, which a failure leaves as it was. */
static void test_chains(void)
{
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        for (int reload = 0; reload < 2; reload++) {
            struct rill_ssl_context *context = rig_server(reload ? "other" : NULL);
            X509 *before = SSL_CTX_get0_certificate(context->ctx);
            const struct rill_error *error;
            const int result = rill_ssl_context_load_cert_chain(
                context, chains[i].certfile, chains[i].keyfile, chains[i].password, &error);
            check_end(chains[i].line, result, error, chains[i].want_code, chains[i].want_text);
            X509 *after = SSL_CTX_get0_certificate(context->ctx);
            CHECK_ROW(chains[i].line, (after == before) == (result < 0));
            CHECK_ROW(chains[i].line,
                      after == NULL || SSL_CTX_check_private_key(context->ctx) == 1);
            ERR_clear_error();
            rill_ssl_context_unref(context);
        }
    }
}

/* A chain without intermediates takes those of the one before away. */
static void test_shorter_chain(void)
{
    struct rill_ssl_context *context = rig_server(NULL);
    STACK_OF(X509) *chain = NULL;

    CHECK_INT(rill_ssl_context_load_cert_chain(context, "other-chain.crt", "other.key", NULL, NULL),
              0);
    SSL_CTX_get0_chain_certs(context->ctx, &chain);
    CHECK_INT(sk_X509_num(chain), 1);
    CHECK_INT(rill_ssl_context_load_cert_chain(context, "localhost.pem", NULL, NULL, NULL), 0);
    SSL_CTX_get0_chain_certs(context->ctx, &chain);
    CHECK(chain == NULL);
    rill_ssl_context_unref(context);
}

/* -- trust ----------------------------------------------------------------------------------- */

static const struct {
    int line;
    const char *cafile;
    const char *capath;
    const char *data; /* text, or with `size` bytes */
    size_t size;
    int want_code;
    const char *want_text;
    int want_trusted; /* certificates */
} trusts[] = {
    {.line = __LINE__, .cafile = "ca.crt", .want_trusted = 1},
    {.line = __LINE__, .cafile = "both.crt", .want_trusted = 2},
    {.line = __LINE__, .capath = "folder"},
    {.line = __LINE__, .capath = "not looked at before it is needed"},
    {.line = __LINE__,
     .want_code = RILL_ETYPE,
     .want_text = "cafile, capath and cadata cannot be all omitted"},
    {.line = __LINE__,
     .data = "",
     .want_code = RILL_ETYPE,
     .want_text = "cafile, capath and cadata cannot be all omitted"},
    {.line = __LINE__,
     .cafile = "no.crt",
     .want_code = RILL_ENOENT,
     .want_text = "[Errno 2] No such file or directory"},
    {.line = __LINE__,
     .cafile = "folder",
     .want_code = RILL_EISDIRECTORY,
     .want_text = "[Errno 21] Is a directory"},
    {.line = __LINE__,
     .cafile = "garbage.pem",
     .want_code = RILL_ESSL,
     .want_text = "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found"},
    {.line = __LINE__,
     .data = "garbage",
     .want_code = RILL_ESSL,
     .want_text = "no start line: cadata does not contain a certificate"},
    {.line = __LINE__,
     .data = "0\x82",
     .size = 2,
     .want_code = RILL_ESSL,
     .want_text = "not enough data: cadata does not contain a certificate"},
    {.line = __LINE__,
     .data = "0",
     .size = 1,
     .want_code = RILL_ESSL,
     .want_text = "no start line: cadata does not contain a certificate"},
};

static int count_trusted(const struct rill_ssl_context *context)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context->ctx)));
}

static void test_trust(void)
{
    for (size_t i = 0; i < sizeof trusts / sizeof trusts[0]; i++) {
        struct rill_ssl_context *context = rig_client(NULL);
        const struct rill_error *error;
        struct rill_bytes data = no_data;
        if (trusts[i].data != NULL) {
            data = trusts[i].size > 0 ? (struct rill_bytes){trusts[i].data, trusts[i].size}
                                      : rill_bytes_of(trusts[i].data);
        }
        const int result = rill_ssl_context_load_verify_locations(context, trusts[i].cafile,
                                                                  trusts[i].capath, data, &error);
        check_end(trusts[i].line, result, error, trusts[i].want_code, trusts[i].want_text);
        CHECK_INT_ROW(trusts[i].line, count_trusted(context), trusts[i].want_trusted);
        rill_ssl_context_unref(context);
    }
}

static const struct {
    int line;
    const char *file;
    int want_code;
    const char *want_text;
    int want_trusted;
} data_files[] = {
    {.line = __LINE__, .file = "ca.crt", .want_trusted = 1},
    {.line = __LINE__, .file = "digit-first.pem", .want_trusted = 1},
    {.line = __LINE__, .file = "twice.pem", .want_trusted = 1},
    {.line = __LINE__, .file = "both.crt", .want_trusted = 2},
    {.line = __LINE__, .file = "ca.der", .want_trusted = 1},
    {.line = __LINE__, .file = "both.der", .want_trusted = 2},
    {.line = __LINE__,
     .file = "cut.der",
     .want_code = RILL_ESSL,
     .want_text = "not enough data: cadata does not contain a certificate"},
    {.line = __LINE__,
     .file = "then-cut.der",
     .want_code = RILL_ESSL,
     .want_text = "[ASN1: NOT_ENOUGH_DATA] not enough data",
     .want_trusted = 1},
    {.line = __LINE__,
     .file = "then-no-base64.pem",
     .want_code = RILL_ESSL,
     .want_text = "[PEM: BAD_BASE64_DECODE] bad base64 decode",
     .want_trusted = 1},
};

static void test_data(void)
{
    for (size_t i = 0; i < sizeof data_files / sizeof data_files[0]; i++) {
        struct rill_ssl_context *context = rig_client(NULL);
        const struct rill_error *error;
        char data[8192];
        FILE *file = fopen(data_files[i].file, "rb");
        const size_t size = file != NULL ? fread(data, 1, sizeof data, file) : 0;
        CHECK_ROW(data_files[i].line, file != NULL && fclose(file) == 0 && size > 0);
        const int result = rill_ssl_context_load_verify_locations(
            context, NULL, NULL, (struct rill_bytes){data, size}, &error);
        check_end(data_files[i].line, result, error, data_files[i].want_code,
                  data_files[i].want_text);
        CHECK_INT_ROW(data_files[i].line, count_trusted(context), data_files[i].want_trusted);
        rill_ssl_context_unref(context);
    }
}

/* -- rill_ssl_default ------------------------------------------------------------------------ */

static int trusted_by_default(const char *file)
{
    const struct rill_error *error;

    CHECK_INT(setenv("SSL_CERT_FILE", file, 1), 0);
    struct rill_ssl_context *context = rill__ssl_context_for(rill_ssl_default, &error);
    CHECK(context != NULL && context != rill_ssl_default && error == NULL);
    CHECK(rill_ssl_context_verifies(context) && rill_ssl_context_checks_hostname(context));
    CHECK(ERR_peek_error() == 0);
    const int count = count_trusted(context);
    rill_ssl_context_unref(context);
    return count;
}

static void test_default(void)
{
    const struct rill_error *error;

    CHECK_INT(setenv("SSL_CERT_DIR", "folder", 1), 0);
    CHECK_INT(trusted_by_default("both.crt"), 2);
    CHECK_INT(trusted_by_default("ca.crt"), 1); /* read anew each time */
    CHECK_INT(trusted_by_default("no.crt"), 0); /* asyncio says nothing either: it trusts nobody */

    struct rill_ssl_context *own = rig_client(NULL);
    CHECK(rill__ssl_context_for(own, &error) == own && error == NULL);
    rill_ssl_context_unref(own);
    rill_ssl_context_unref(own);

    CHECK(!rill_ssl_context_is_server(rill_ssl_default));
    CHECK(rill_ssl_context_verifies(rill_ssl_default));
    CHECK(rill_ssl_context_checks_hostname(rill_ssl_default));
    CHECK(rill_ssl_context_ref(rill_ssl_default) == rill_ssl_default);
    rill_ssl_context_unref(rill_ssl_default);
    rill_ssl_context_unref(NULL);
    rill_ssl_context_set_strict_end(rill_ssl_default, true); /* these change nothing */
    rill_ssl_context_insecure_skip_hostname(rill_ssl_default);
    rill_ssl_context_insecure_skip_verification(rill_ssl_default);
    CHECK(rill_ssl_context_checks_hostname(rill_ssl_default));
}

/* -- settings -------------------------------------------------------------------------------- */

static int skip_switch(const struct rill_ssl_object *object, const char *server_name,
                       struct rill_ssl_context **use, void *arg)
{
    (void)object, (void)server_name, (void)use, (void)arg;
    return 0;
}

/* One setting each; `given` picks the argument. */
static int set_ciphers(struct rill_ssl_context *context, const char *given,
                       const struct rill_error **error)
{
    return rill_ssl_context_set_ciphers(context, given, error);
}
static int set_ciphersuites(struct rill_ssl_context *context, const char *given,
                            const struct rill_error **error)
{
    return rill_ssl_context_set_ciphersuites(context, given, error);
}
static int set_alpn(struct rill_ssl_context *context, const char *given,
                    const struct rill_error **error)
{
    return rill_ssl_context_set_alpn_protocols(context, &given, given != NULL ? 1 : 0, error);
}
static int set_much_alpn(struct rill_ssl_context *context, const char *given,
                         const struct rill_error **error)
{
    const char *protocols[300];
    for (size_t i = 0; i < 300; i++) {
        protocols[i] = given;
    }
    return rill_ssl_context_set_alpn_protocols(context, protocols, 300, error);
}
static int set_versions(struct rill_ssl_context *context, const char *given,
                        const struct rill_error **error)
{
    int minimum = 0;
    int maximum = 0;
    CHECK_INT(sscanf(given, "%d-%d", &minimum, &maximum), 2);
    return rill_ssl_context_set_versions(context, (enum rill_tls_version)minimum,
                                         (enum rill_tls_version)maximum, error);
}
static int set_flags(struct rill_ssl_context *context, const char *given,
                     const struct rill_error **error)
{
    return rill_ssl_context_set_verify_flags(context, (unsigned)atoi(given), error);
}
static int verify_client(struct rill_ssl_context *context, const char *given,
                         const struct rill_error **error)
{
    return rill_ssl_context_verify_client(context, (enum rill_ssl_client_certificate)atoi(given),
                                          error);
}
static int set_sni(struct rill_ssl_context *context, const char *given,
                   const struct rill_error **error)
{
    return rill_ssl_context_set_sni_callback(context, given != NULL ? skip_switch : NULL, NULL,
                                             error);
}
static int load_default(struct rill_ssl_context *context, const char *given,
                        const struct rill_error **error)
{
    (void)given;
    return rill_ssl_context_load_default_certs(context, error);
}
static int load_file(struct rill_ssl_context *context, const char *given,
                     const struct rill_error **error)
{
    return rill_ssl_context_load_verify_locations(context, given, NULL, no_data, error);
}
static int load_chain(struct rill_ssl_context *context, const char *given,
                      const struct rill_error **error)
{
    return rill_ssl_context_load_cert_chain(context, given, NULL, NULL, error);
}

static const struct {
    int line;
    int (*call)(struct rill_ssl_context *, const char *, const struct rill_error **);
    const char *given;
    int want_client; /* code */
    const char *want_client_text;
    int want_server; /* code; texts differ nowhere but where a side has no such setting */
} settings[] = {
    {.line = __LINE__,
     .call = set_ciphers,
     .given = "aNULL:@SECLEVEL=0",
     .want_client = RILL_ESSL,
     .want_client_text = "No cipher can be selected.",
     .want_server = RILL_ESSL},
    {.line = __LINE__, .call = set_ciphers, .given = "ECDHE+AESGCM"},
    {.line = __LINE__,
     .call = set_ciphers,
     .given = "bogus",
     .want_client = RILL_ESSL,
     .want_client_text = "No cipher can be selected.",
     .want_server = RILL_ESSL},
    {.line = __LINE__,
     .call = set_ciphers,
     .given = "",
     .want_client = RILL_ESSL,
     .want_client_text = "No cipher can be selected.",
     .want_server = RILL_ESSL},
    {.line = __LINE__, .call = set_ciphersuites, .given = "TLS_CHACHA20_POLY1305_SHA256"},
    {.line = __LINE__,
     .call = set_ciphersuites,
     .given = "TLS_BOGUS",
     .want_client = RILL_ESSL,
     .want_client_text = "No cipher suite can be selected.",
     .want_server = RILL_ESSL},
    {.line = __LINE__,
     .call = set_ciphersuites,
     .given = "",
     .want_client = RILL_ESSL,
     .want_client_text = "No cipher suite can be selected.",
     .want_server = RILL_ESSL},
    {.line = __LINE__, .call = set_alpn, .given = X255},
    {.line = __LINE__, .call = set_alpn, .given = NULL},
    {.line = __LINE__,
     .call = set_alpn,
     .given = "",
     .want_client = RILL_ESSL,
     .want_client_text = "ALPN protocols must be 1 to 255 in length",
     .want_server = RILL_ESSL},
    {.line = __LINE__,
     .call = set_alpn,
     .given = X255 "x",
     .want_client = RILL_ESSL,
     .want_client_text = "ALPN protocols must be 1 to 255 in length",
     .want_server = RILL_ESSL},
    {.line = __LINE__, .call = set_much_alpn, .given = "x"},
    {.line = __LINE__,
     .call = set_much_alpn,
     .given = X255,
     .want_client = RILL_ESSL,
     .want_client_text = "ALPN protocols must be 65533 bytes at most in all",
     .want_server = RILL_ESSL},
    {.line = __LINE__, .call = set_versions, .given = "12-13"},
    {.line = __LINE__, .call = set_versions, .given = "12-12"},
    {.line = __LINE__, .call = set_versions, .given = "13-13"},
    {.line = __LINE__,
     .call = set_versions,
     .given = "13-12",
     .want_client = RILL_EVALUE,
     .want_client_text = "minimum_version must not be above maximum_version",
     .want_server = RILL_EVALUE},
    {.line = __LINE__,
     .call = set_versions,
     .given = "11-13",
     .want_client = RILL_EVALUE,
     .want_client_text = "Unsupported TLS/SSL version 11",
     .want_server = RILL_EVALUE},
    {.line = __LINE__,
     .call = set_versions,
     .given = "12-0",
     .want_client = RILL_EVALUE,
     .want_client_text = "Unsupported TLS/SSL version 0",
     .want_server = RILL_EVALUE},
    {.line = __LINE__, .call = set_flags, .given = "0"},
    {.line = __LINE__, .call = set_flags, .given = "15"},
    {.line = __LINE__,
     .call = set_flags,
     .given = "16",
     .want_client = RILL_EVALUE,
     .want_client_text = "16 is not a valid rill_ssl_verify_flags",
     .want_server = RILL_EVALUE},
    {.line = __LINE__,
     .call = verify_client,
     .given = "1",
     .want_client = RILL_EVALUE,
     .want_client_text = "a client's context: only a server's has this setting"},
    {.line = __LINE__,
     .call = verify_client,
     .given = "3",
     .want_client = RILL_EVALUE,
     .want_client_text = "a client's context: only a server's has this setting",
     .want_server = RILL_EVALUE},
    {.line = __LINE__,
     .call = set_sni,
     .given = "on",
     .want_client = RILL_EVALUE,
     .want_client_text = "sni_callback cannot be set on TLS_CLIENT context"},
    {.line = __LINE__,
     .call = set_sni,
     .given = NULL,
     .want_client = RILL_EVALUE,
     .want_client_text = "sni_callback cannot be set on TLS_CLIENT context"},
    {.line = __LINE__, .call = load_default},
    {.line = __LINE__, .call = load_file, .given = "ca.crt"},
    {.line = __LINE__, .call = load_chain, .given = "localhost.pem"},
};

/* With the object and without, on both kinds of context, and on rill_ssl_default. An old error in
 * the queue is the caller's own and no failure. */
static void test_settings(void)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const int line = settings[i].line;
        struct rill_ssl_context *client = rig_client(NULL);
        struct rill_ssl_context *server = rig_server(NULL);
        const struct rill_error *error;

        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        int result = settings[i].call(client, settings[i].given, &error);
        check_end(line, result, error, settings[i].want_client, settings[i].want_client_text);
        ERR_raise(ERR_LIB_PEM, 109);
        CHECK_INT_ROW(line, settings[i].call(server, settings[i].given, NULL),
                      settings[i].want_server);
        CHECK_ROW(line, ERR_peek_error() == 0);
        if (settings[i].want_client == 0) { /* a second time */
            CHECK_INT_ROW(line, settings[i].call(client, settings[i].given, NULL), 0);
        }
        result = settings[i].call(rill_ssl_default, settings[i].given, &error);
        check_end(line, result, error, RILL_EVALUE,
                  "rill_ssl_default cannot be changed: make a context");
        rill_ssl_context_unref(client);
        rill_ssl_context_unref(server);
    }
}

static const struct {
    int line;
    unsigned flags;
    unsigned long want;
} flag_rows[] = {
    {__LINE__, 0, 0x8000},
    {__LINE__, RILL_SSL_VERIFY_CRL_CHECK_LEAF, 0x8004},
    {__LINE__, RILL_SSL_VERIFY_CRL_CHECK_CHAIN, 0x800c},
    {__LINE__, RILL_SSL_VERIFY_X509_STRICT, 0x8020},
    {__LINE__, RILL_SSL_VERIFY_X509_PARTIAL_CHAIN, 0x88000},
    {__LINE__, RILL_SSL_VERIFY_X509_STRICT | RILL_SSL_VERIFY_X509_PARTIAL_CHAIN, 0x88020},
};

/* Each in the same context: what is not given is taken away. The numbers are Python's. */
static void test_verify_flags(void)
{
    struct rill_ssl_context *context = rig_client(NULL);

    for (size_t i = 0; i < sizeof flag_rows / sizeof flag_rows[0]; i++) {
        CHECK_INT_ROW(flag_rows[i].line,
                      rill_ssl_context_set_verify_flags(context, flag_rows[i].flags, NULL), 0);
        CHECK_INT_ROW(flag_rows[i].line,
                      (long long)X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(context->ctx)),
                      (long long)flag_rows[i].want);
    }
    rill_ssl_context_unref(context);
}

static void test_modes(void)
{
    struct rill_ssl_context *client = rig_client(NULL);
    struct rill_ssl_context *server = rig_server(NULL);

    rill_ssl_context_insecure_skip_hostname(client);
    CHECK(!rill_ssl_context_checks_hostname(client) && rill_ssl_context_verifies(client));
    rill_ssl_context_insecure_skip_verification(client);
    CHECK(!rill_ssl_context_checks_hostname(client) && !rill_ssl_context_verifies(client));
    rill_ssl_context_set_strict_end(client, true);
    CHECK(client->strict_end);
    rill_ssl_context_set_strict_end(client, false);
    CHECK(!client->strict_end);

    CHECK_INT(rill_ssl_context_verify_client(server, RILL_SSL_CERT_OPTIONAL, NULL), 0);
    CHECK_INT(SSL_CTX_get_verify_mode(server->ctx), SSL_VERIFY_PEER);
    CHECK_INT(rill_ssl_context_verify_client(server, RILL_SSL_CERT_REQUIRED, NULL), 0);
    CHECK_INT(SSL_CTX_get_verify_mode(server->ctx),
              SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    rill_ssl_context_insecure_skip_verification(server); /* a client's setting */
    rill_ssl_context_insecure_skip_hostname(server);
    CHECK(rill_ssl_context_verifies(server));
    rill_ssl_context_unref(client);
    rill_ssl_context_unref(server);
}

/* -- adopted contexts ------------------------------------------------------------------------ */

static void test_adopted(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    struct rill_ssl_context *context;
    const struct rill_error *error;
    const char *protocol = "h2";

    /* Its verification is its owner's: names are checked where certificates are. */
    CHECK_INT(rill_ssl_context_adopt(ctx, false, &context, NULL), 0);
    CHECK(!rill_ssl_context_verifies(context) && !rill_ssl_context_checks_hostname(context));
    CHECK((SSL_CTX_get_mode(ctx) & SSL_MODE_RELEASE_BUFFERS) != 0);
    CHECK_INT(rill_ssl_context_set_alpn_protocols(context, &protocol, 1, NULL), 0);
    rill_ssl_context_unref(context);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    CHECK_INT(rill_ssl_context_adopt(ctx, false, &context, NULL), 0);
    CHECK(rill_ssl_context_verifies(context) && rill_ssl_context_checks_hostname(context));
    rill_ssl_context_unref(context);

    CHECK_INT(rill_ssl_context_adopt(ctx, true, &context, NULL), 0);
    SSL_CTX_free(ctx); /* the context keeps it */
    CHECK(rill_ssl_context_is_server(context) && !rill_ssl_context_checks_hostname(context));
    int result = rill_ssl_context_set_alpn_protocols(context, &protocol, 1, &error);
    check_end(__LINE__, result, error, RILL_EVALUE,
              "an adopted context's callbacks are its owner's: set them with OpenSSL");
    result = rill_ssl_context_set_sni_callback(context, skip_switch, NULL, &error);
    check_end(__LINE__, result, error, RILL_EVALUE,
              "an adopted context's callbacks are its owner's: set them with OpenSSL");
    CHECK_INT(rill_ssl_context_load_cert_chain(context, "localhost.pem", NULL, NULL, NULL), 0);
    CHECK(rill_ssl_context_ref(context) == context);
    rill_ssl_context_unref(context);
    CHECK(SSL_CTX_get0_certificate(context->ctx) != NULL);
    rill_ssl_context_unref(context);
}

int main(int count, char **arguments)
{
    rig_enter(count, arguments);
    test_defaults();
    test_chains();
    test_shorter_chain();
    test_trust();
    test_data();
    test_default();
    test_settings();
    test_verify_flags();
    test_modes();
    test_adopted();
    return check_report("tls context_test");
}
