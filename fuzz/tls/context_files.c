/* SPDX-License-Identifier: MIT
 *
 * Certificates, keys and passwords out of a program, and files that are memory.
 */
#include "context_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "judge.h"
#include "pem.inc"

/* A piece whose byte is at least KEYS_FROM is one of the keys below. */
enum { TEXT_MAX = 1024, KEYS_FROM = 224 };

/* Made once: the server's key behind a password, and one that is of no certificate's kind. */
static char encrypted_key[TEXT_MAX];
static char key_of_another_kind[TEXT_MAX];
static const char password_of_key[] = "pppp";

static _Noreturn void invariant_chain_changed(void)
{
    (void)fprintf(stderr, "a chain that could not be loaded took the place of another\n");
    abort();
}

/* -- keys -------------------------------------------------------------------------------------- */

/* Behind the password in OpenSSL's older way, which costs a run little. */
static int write_encrypted(BIO *bio, const EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(),
                                                (const unsigned char *)password_of_key,
                                                (int)sizeof password_of_key - 1, NULL, NULL);
}

static int write_plain(BIO *bio, const EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
}

static void print_key(EVP_PKEY *key, int (*write_key)(BIO *bio, const EVP_PKEY *key), char *text,
                      size_t size)
{
    BIO *const bio = BIO_new(BIO_s_mem());

    if (key == NULL || bio == NULL || write_key(bio, key) != 1 ||
        BIO_read(bio, text, (int)size - 1) <= 0) {
        (void)fprintf(stderr, "cannot make a key\n");
        abort();
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
}

void context_files_init(void)
{
    BIO *const bio = BIO_new_mem_buf(server_pem, -1);
    EVP_PKEY *const of_server = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY *const of_nobody = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    print_key(of_server, write_encrypted, encrypted_key, sizeof encrypted_key);
    print_key(of_nobody, write_plain, key_of_another_kind, sizeof key_of_another_kind);
    BIO_free(bio);
    ERR_clear_error();
}

/* -- texts ------------------------------------------------------------------------------------- */

char *take_text(struct program *program, size_t size)
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
    const unsigned byte = program_byte(program);

    if (byte >= KEYS_FROM) {
        (void)snprintf(text + used, room - used, "%s",
                       byte % 2 == 0 ? encrypted_key : key_of_another_kind);
    } else if (byte % 8 < 6) {
        (void)snprintf(text + used, room - used, "%s", pieces[byte % 8]);
    } else {
        char *const own = take_text(program, byte % 8 == 6 ? program_byte(program) : TEXT_MAX);
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

/* -- calls ------------------------------------------------------------------------------------- */

void trust(struct rill_ssl_context *context, struct program *program)
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

/* Pieces of PEM in a file. */
static int file_of_pieces(struct program *program, unsigned count)
{
    char text[8 * TEXT_MAX] = "";

    for (unsigned i = 0; i < count; i++) {
        append_piece(program, text, sizeof text);
    }
    return file_with(text);
}

void load_chain(struct rill_ssl_context *context, struct program *program)
{
    const struct rill_error *error = NULL;
    const X509 *const before = SSL_CTX_get0_certificate(context->ctx);
    char path[32];
    char key_path[32];
    const unsigned how = program_byte(program);

    const int file = file_of_pieces(program, how % 3 + 1);
    const int key_file = (how & 8) != 0 ? file_of_pieces(program, 1) : -1;
    char *const password = (how & 4) != 0 ? take_password(program) : NULL;
    (void)snprintf(path, sizeof path, "/dev/fd/%d", file);
    (void)snprintf(key_path, sizeof key_path, "/dev/fd/%d", key_file);
    const int rc = rill_ssl_context_load_cert_chain(context, path, key_file < 0 ? NULL : key_path,
                                                    password, &error);
    judge_setting(rc, error);
    (void)close(file);
    if (key_file >= 0) {
        (void)close(key_file);
    }
    free(password);
    if (rc < 0 && SSL_CTX_get0_certificate(context->ctx) != before) {
        invariant_chain_changed();
    }
}

void give_nothing(struct rill_ssl_context *context)
{
    static const char nowhere[] = "/dev/null/none";
    const struct rill_error *error = NULL;

    const struct rill_bytes none = {NULL, 0};
    int rc = rill_ssl_context_load_cert_chain(context, NULL, NULL, NULL, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_load_verify_locations(context, NULL, NULL, none, &error);
    judge_setting(rc, error);
    const struct rill_bytes too_long = {nowhere, (size_t)INT_MAX + 1}; /* never read */
    rc = rill_ssl_context_load_verify_locations(context, NULL, NULL, too_long, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_load_verify_locations(context, NULL, "/dev/null", none, &error);
    judge_setting(rc, error);
    rc = rill_ssl_context_load_verify_locations(context, nowhere, NULL, none, NULL);
    rc = rc < 0 ? rill_ssl_context_load_cert_chain(context, nowhere, NULL, NULL, NULL) : 0;
    if (rc == 0) {
        invariant_chain_changed();
    }
}
