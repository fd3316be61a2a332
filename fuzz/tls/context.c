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
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "judge.h"
#include "pem.inc"
#include "program.h"
#include "repeatable.h"
#include "target.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/session.h"

/* The allocator of the process. */
static struct allocations memory;

enum { STEPS_MAX = 24, TEXT_MAX = 1024, PROTOCOLS_MAX = 8, LONG_TEXT = 300 };

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

static _Noreturn void invariant_chain_changed(void)
{
    (void)fprintf(stderr, "a chain that could not be loaded took the place of another\n");
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

/* -- texts ------------------------------------------------------------------------------------- */

/* The caller frees. Ends at a NUL of the input's. */
static char *take_text(struct program *program, size_t size)
{
    const struct rill_bytes bytes = program_bytes(program, size);
    char *const text = malloc(bytes.len + 1);
    if (text == NULL) {
        abort();
    }
    if (bytes.len > 0) {
        memcpy(text, bytes.ptr, bytes.len);
    }
    text[bytes.len] = '\0';
    return text;
}

/* As long as the program says; the input need not be. */
static char *take_password(struct program *program)
{
    const size_t size = program_length(program);
    char *const text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    memset(text, 'p', size);
    const struct rill_bytes bytes = program_bytes(program, size);
    if (bytes.len > 0) {
        memcpy(text, bytes.ptr, bytes.len);
    }
    text[size] = '\0';
    return text;
}

/* A piece of PEM: one that is well, or the input's own. */
static void append_piece(struct program *program, char *text, size_t room)
{
    static const char *const pieces[] = {server_pem,  client_pem,      ca_pem,
                                         expired_pem, self_signed_pem, other_name_pem};
    const size_t used = strlen(text);
    const unsigned choice = program_choice(program, 8);

    if (choice < 6) {
        (void)snprintf(text + used, room - used, "%s", pieces[choice]);
    } else {
        char *const own = take_text(program, choice == 6 ? program_byte(program) : TEXT_MAX);
        (void)snprintf(text + used, room - used, "%s", own);
        free(own);
    }
}

/* As a name of a file: what load_cert_chain reads is memory. */
static int file_with(const char *text)
{
    const int file = memfd_create("chain", MFD_CLOEXEC);
    const size_t size = strlen(text);
    if (file < 0 || write(file, text, size) != (ssize_t)size) {
        abort();
    }
    return file;
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

static void trust(struct rill_ssl_context *context, struct program *program)
{
    const struct rill_error *error = NULL;
    char text[8 * TEXT_MAX] = "";
    struct rill_bytes data = {text, 0};
    const unsigned how = program_choice(program, 4);

    if (how == 0) { /* the input's, DER or not */
        data = program_bytes(program, program_byte(program) * 8U);
    } else {
        for (unsigned i = 0; i < how; i++) {
            append_piece(program, text, sizeof text);
        }
        data.len = strlen(text);
    }
    const int rc = rill_ssl_context_load_verify_locations(context, NULL, NULL, data, &error);
    judge_setting(rc, error);
}

static void load_chain(struct rill_ssl_context *context, struct program *program)
{
    const struct rill_error *error = NULL;
    const X509 *const before = SSL_CTX_get0_certificate(context->ctx);
    char text[8 * TEXT_MAX] = "";
    char path[32];
    const unsigned how = program_byte(program);

    for (unsigned i = 0; i <= how % 3; i++) {
        append_piece(program, text, sizeof text);
    }
    char *const password = (how & 4) != 0 ? take_password(program) : NULL;
    const int file = file_with(text);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", file);
    const int rc = rill_ssl_context_load_cert_chain(context, path, NULL, password, &error);
    judge_setting(rc, error);
    (void)close(file);
    free(password);
    if (rc < 0 && SSL_CTX_get0_certificate(context->ctx) != before) {
        invariant_chain_changed();
    }
}

/* The refusals that need no file. */
static void give_nothing(struct rill_ssl_context *context)
{
    static const char nowhere[] = "/dev/null/none";
    const struct rill_error *error = NULL;

    const struct rill_bytes none = {NULL, 0};
    int rc = rill_ssl_context_load_cert_chain(context, NULL, NULL, NULL, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_load_verify_locations(context, NULL, NULL, none, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_load_verify_locations(context, nowhere, NULL, none, NULL);
    rc = rc < 0 ? rill_ssl_context_load_cert_chain(context, nowhere, NULL, NULL, NULL) : 0;
    if (rc == 0) {
        invariant_chain_changed();
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

/* rill_ssl_default is not to be changed, and stands for a context that is made anew. */
static void use_default(struct rill_ssl_context *context)
{
    const struct rill_error *error = NULL;

    int rc = rill_ssl_context_load_default_certs(rill_ssl_default, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_load_default_certs(context, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_set_sni_callback(context, no_choice, NULL, &error);
    judge_setting(rc, error);
    struct rill_ssl_context *const made = rill__ssl_context_for(rill_ssl_default, &error);
    judge_setting(error != NULL ? error->code : 0, error);
    rill_ssl_context_set_strict_end(rill_ssl_default, true);
    rill_ssl_context_insecure_skip_verification(rill_ssl_default);
    if (!rill_ssl_context_checks_hostname(rill_ssl_default)) {
        invariant_name_unchecked("of the default");
    }
    rill_ssl_context_unref(made);
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
    char *const address = X509_VERIFY_PARAM_get1_ip_asc(param);
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
    const enum op op = program_choice(program, OPS);
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
        use_default(context);
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
        SSL_CTX *const ctx = SSL_CTX_new(TLS_method());
        rc = rill_ssl_context_adopt(ctx, who == 3, &context, &error);
        SSL_CTX_free(ctx);
    }
    judge_setting(rc, error);
    return context;
}

static void play(struct program *program)
{
    const unsigned who = program_choice(program, 4);
    allocations_plan(&memory, program_byte(program), 1);
    struct rill_ssl_context *const context = make_context(who);

    for (int i = 0; i < STEPS_MAX && context != NULL && program->left > 0; i++) {
        step(context, program);
    }
    if (context != NULL && who < 2) {
        judge_ciphers(context);
    }
    rill_ssl_context_unref(context);
    allocations_heal(&memory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    allocations_install(&memory);
    judge_watch(&memory);
    repeatable_install();
    (void)setenv("SSL_CERT_FILE", "/dev/null", 1); /* not this machine's certificates */
    (void)setenv("SSL_CERT_DIR", "/dev/null", 1);
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
