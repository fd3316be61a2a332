/* SPDX-License-Identifier: MIT
 *
 * Target `context`: the texts and files that a program gives to a context, and the name that it
 * gives to a session. The input is a program of settings.
 *
 * What must hold: each succeeds or fails as documented; whatever was set, no cipher is without
 * authentication or encryption, a chain that cannot be loaded leaves the old one, and a session
 * that is to check a name does; nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "context_files.h"
#include "judge.h"
#include "program.h"
#include "repeatable.h"
#include "scarcity.h"
#include "target.h"
#include "tls/engine.h"
#include "tls/session.h"

/* The allocator of the process. */
static struct allocations memory;

/* An operation's byte from OP_SCARCE on is that one. */
enum { STEPS_MAX = 24, PROTOCOLS_MAX = 8, LONG_TEXT = 300, OP_SCARCE = 240 };

enum op {
    OP_CIPHERS,
    OP_CIPHERSUITES,
    OP_PROTOCOLS,
    OP_VERSIONS,
    OP_VERIFY_FLAGS,
    OP_VERIFY_CLIENT,
    OP_TRUST,
    OP_CHAIN,
    OP_INSECURE,
    OP_SESSION,
    OP_DEFAULT,
    OP_NO_FILE,
    OPS,
};

/* -- the ends ---------------------------------------------------------------------------------- */

static _Noreturn void invariant_weak_cipher(const char *name)
{
    (void)fprintf(stderr, "without authentication or encryption: %s\n", name);
    abort();
}

static _Noreturn void invariant_default_changed(int rc)
{
    (void)fprintf(stderr, "a change of rill_ssl_default answered %s\n", rill_error_name(rc));
    abort();
}

static _Noreturn void invariant_name_unchecked(const char *name)
{
    (void)fprintf(stderr, "a session that does not check the name %s\n", name);
    abort();
}

static _Noreturn void invariant_address_sent(const char *name)
{
    (void)fprintf(stderr, "an address in the ClientHello: %s\n", name);
    abort();
}

/* -- settings ---------------------------------------------------------------------------------- */

static void set_ciphers(struct rill_ssl_context *context, struct program *program, enum op op)
{
    const struct rill_error *error = NULL;
    char *const text = take_text(program, program_byte(program));
    const int rc = op == OP_CIPHERS ? rill_ssl_context_set_ciphers(context, text, &error)
                                    : rill_ssl_context_set_ciphersuites(context, text, &error);
    judge_setting(rc, error);
    free(text);
}

/* Short ones, and some that are too long, or too many. */
static void set_protocols(struct rill_ssl_context *context, struct program *program)
{
    const struct rill_error *error = NULL;
    const size_t count = program_choice(program, PROTOCOLS_MAX);
    const char *protocols[LONG_TEXT] = {NULL};
    char *texts[PROTOCOLS_MAX];
    char longest[256];

    for (size_t i = 0; i < count; i++) {
        texts[i] = take_text(program, program_byte(program));
        protocols[i] = texts[i];
    }
    int rc = rill_ssl_context_set_alpn_protocols(context, protocols, count, &error);
    judge_setting(rc, error);
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    if (program_byte(program) == UINT8_MAX) { /* more than a ClientHello has room for */
        memset(longest, 'x', sizeof longest - 1);
        longest[sizeof longest - 1] = '\0';
        for (size_t i = 0; i < LONG_TEXT; i++) {
            protocols[i] = longest;
        }
        rc = rill_ssl_context_set_alpn_protocols(context, protocols, LONG_TEXT, &error);
        judge_setting(rc, error);
    }
}

static int no_choice(const struct rill_ssl_object *object, const char *name,
                     struct rill_ssl_context **use, void *arg)
{
    (void)object;
    (void)name;
    (void)use;
    (void)arg;
    return 0;
}

static void refused(int rc)
{
    if (rc != RILL_EVALUE && !judge_lacks_memory()) {
        invariant_default_changed(rc);
    }
}

static void change_default(void)
{
    struct rill_ssl_context *const context = rill_ssl_default;
    const struct rill_bytes data = rill_bytes_of("data");

    refused(rill_ssl_context_set_ciphers(context, "ALL", NULL));
    refused(rill_ssl_context_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256", NULL));
    refused(rill_ssl_context_set_versions(context, RILL_TLS_1_2, RILL_TLS_1_3, NULL));
    refused(rill_ssl_context_set_verify_flags(context, 0, NULL));
    refused(rill_ssl_context_verify_client(context, RILL_SSL_CERT_OPTIONAL, NULL));
    refused(rill_ssl_context_set_alpn_protocols(context, NULL, 0, NULL));
    refused(rill_ssl_context_set_sni_callback(context, no_choice, NULL, NULL));
    refused(rill_ssl_context_load_cert_chain(context, "/dev/null", NULL, NULL, NULL));
    refused(rill_ssl_context_load_verify_locations(context, NULL, NULL, data, NULL));
    refused(rill_ssl_context_load_default_certs(context, NULL));
    rill_ssl_context_unref(rill_ssl_context_ref(context));
    rill_ssl_context_unref(rill_ssl_context_ref(NULL));
}

/* rill_ssl_default is not to be changed, and stands for a context that is made anew. */
static void use_default(struct rill_ssl_context *context, unsigned number)
{
    const struct rill_error *error = NULL;

    int rc = rill_ssl_context_load_default_certs(context, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_set_sni_callback(context, number % 2 == 0 ? no_choice : NULL, NULL,
                                           &error);
    judge_setting(rc, error);
    struct rill_ssl_context *const made = rill__ssl_context_for(rill_ssl_default, &error);
    judge_setting(error != NULL ? error->code : 0, error);
    rill_ssl_context_set_strict_end(rill_ssl_default, true);
    rill_ssl_context_insecure_skip_verification(rill_ssl_default);
    if (!rill_ssl_context_checks_hostname(rill_ssl_default)) {
        invariant_name_unchecked("of the default");
    }
    rill_ssl_context_unref(made);
    change_default();
}

static void weaken(struct rill_ssl_context *context, struct program *program)
{
    const unsigned how = program_byte(program);

    rill_ssl_context_set_strict_end(context, (how & 1) != 0);
    if ((how & 2) != 0) {
        rill_ssl_context_insecure_skip_hostname(context);
    }
    if ((how & 4) != 0) {
        rill_ssl_context_insecure_skip_verification(context);
    }
}

/* -- sessions ---------------------------------------------------------------------------------- */

static void judge_name(const struct rill_ssl_object *object, const char *name, bool checks)
{
    X509_VERIFY_PARAM *const param = SSL_get0_param(object->ssl);
    repeatable_side(RANDOM_OF_PEER); /* the judge's own needs are met */
    char *const address = X509_VERIFY_PARAM_get1_ip_asc(param);
    repeatable_side(RANDOM_OF_RILL);
    const bool checked = X509_VERIFY_PARAM_get0_host(param, 0) != NULL || address != NULL;
    const bool sent = SSL_get_servername(object->ssl, TLSEXT_NAMETYPE_host_name) != NULL;

    if (checks && !checked) {
        invariant_name_unchecked(name);
    }
    if (address != NULL && sent) {
        invariant_address_sent(name);
    }
    OPENSSL_free(address);
    ERR_clear_error();
}

static void make_session(struct rill_ssl_context *context, struct program *program)
{
    const struct rill_error *error = NULL;
    const unsigned how = program_byte(program);
    const bool server_side = context->server_side != ((how & 7) == 7);
    const bool skip = (how & 8) != 0;
    char *const name = take_text(program, program_byte(program));
    struct rill_ssl_object *const object =
        rill__tls_new(context, server_side, (how & 16) != 0 ? NULL : name, skip, &error);

    judge_queue();
    judge_setting(error != NULL ? error->code : 0, error);
    if (object != NULL) {
        const bool checks = !server_side && rill_ssl_context_checks_hostname(context) && !skip;
        judge_name(object, name, checks);
        if (rill__tls_handshake(object, &error) == RILL__TLS_FAILED) {
            judge_error(error, false, false);
        }
        judge_queue();
    }
    rill__tls_free(object);
    free(name);
}

/* -- playing ----------------------------------------------------------------------------------- */

static void judge_ciphers(const struct rill_ssl_context *context)
{
    const STACK_OF(SSL_CIPHER) *const ciphers = SSL_CTX_get_ciphers(context->ctx);

    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *const cipher = sk_SSL_CIPHER_value(ciphers, i);
        if (SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null ||
            SSL_CIPHER_get_cipher_nid(cipher) == NID_undef) {
            invariant_weak_cipher(SSL_CIPHER_get_name(cipher));
        }
    }
}

static void step(struct rill_ssl_context *context, struct program *program)
{
    const struct rill_error *error = NULL;
    const unsigned byte = program_byte(program);
    if (byte >= OP_SCARCE) {
        scarcity_plan_next(program, &memory);
        return;
    }
    const enum op op = byte % OPS;
    const unsigned number = program_byte(program);
    int rc = 0;

    switch (op) {
    case OP_CIPHERS:
    case OP_CIPHERSUITES:
        set_ciphers(context, program, op);
        break;
    case OP_PROTOCOLS:
        set_protocols(context, program);
        break;
    case OP_VERSIONS:
        rc = rill_ssl_context_set_versions(context, number & 15, number >> 4, &error);
        break;
    case OP_VERIFY_FLAGS:
        rc = rill_ssl_context_set_verify_flags(context, number, &error);
        break;
    case OP_VERIFY_CLIENT:
        rc = rill_ssl_context_verify_client(context, number % 4, &error);
        break;
    case OP_TRUST:
        trust(context, program);
        break;
    case OP_CHAIN:
        load_chain(context, program);
        break;
    case OP_INSECURE:
        weaken(context, program);
        break;
    case OP_SESSION:
        make_session(context, program);
        break;
    case OP_DEFAULT:
        use_default(context, number);
        break;
    default:
        give_nothing(context);
        break;
    }
    judge_setting(rc, error);
    judge_queue();
}

static struct rill_ssl_context *make_context(unsigned who)
{
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;
    int rc;

    if (who < 2) {
        rc = who == 0 ? rill_ssl_context_new_client(&context, &error)
                      : rill_ssl_context_new_server(&context, &error);
    } else {
        repeatable_side(RANDOM_OF_PEER);
        SSL_CTX *const ctx = SSL_CTX_new(TLS_method());
        repeatable_side(RANDOM_OF_RILL);
        rc = rill_ssl_context_adopt(ctx, who == 3, &context, &error);
        SSL_CTX_free(ctx);
    }
    judge_setting(rc, error);
    return context;
}

static void play(struct program *program)
{
    const unsigned who = program_choice(program, 4);
    allocations_next_input(&memory);
    allocations_plan(&memory, program_byte(program), 1);
    scarcity_plan(program_number(program));
    struct rill_ssl_context *const context = make_context(who);

    for (int i = 0; i < STEPS_MAX && context != NULL && program->left > 0; i++) {
        step(context, program);
    }
    allocations_heal(&memory);
    scarcity_heal();
    if (context != NULL && who < 2) {
        judge_ciphers(context);
    }
    rill_ssl_context_unref(context);
}

/* What OpenSSL makes once and keeps is made with all that it needs: a run that fails in the middle
 * of that would be another when it is repeated. */
static void warm_up(void)
{
    static const uint8_t programs[][24] = {
        {0, 0, 0, OP_SESSION, 0, 0, 9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', OP_DEFAULT, 0},
        {1, 0, 0, OP_CHAIN, 0, 4 + 8, 0, 224, 4, 'p', 'p', 'p', 'p', OP_SESSION, 0, 0, 0},
        {1, 0, 0, OP_CHAIN, 0, 8, 0, 225, OP_TRUST, 0, 1, 2, OP_NO_FILE, 0},
    };

    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        (void)LLVMFuzzerTestOneInput(programs[i], sizeof programs[i]);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    scarcity_install();
    allocations_install(&memory);
    judge_watch(&memory);
    repeatable_install();
    (void)setenv("SSL_CERT_FILE", "/dev/null", 1); /* not this machine's certificates */
    (void)setenv("SSL_CERT_DIR", "/dev/null", 1);
    context_files_init();
    warm_up();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program = {data, size};
    const size_t before = memory.blocks;

    repeatable_restart();
    play(&program);
    judge_queue();
    judge_memory(before);
    return 0;
}
