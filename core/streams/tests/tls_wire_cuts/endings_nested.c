/* SPDX-License-Identifier: MIT
 *
 * TLS inside TLS, and the records that OpenSSL itself never sends: those made here by hand with the
 * session's keys.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/kdf.h>

#include "streams/ssl_protocol.h"
#include "tls_endings.h"

/* -- TLS in TLS (R-280) ----------------------------------------------------------------------- */

/* The peer's inner session, whose bytes the outer one carries. */
struct inner {
    struct rig *rig;
    SSL *ssl;
    BIO *in;
    BIO *out;
};

static void inner_make(struct inner *inner, struct rig *rig)
{
    *inner = (struct inner){rig, SSL_new(rig->material->peer), BIO_new(BIO_s_mem()),
                            BIO_new(BIO_s_mem())};
    BIO_set_mem_eof_return(inner->in, -1);
    SSL_set_bio(inner->ssl, inner->in, inner->out);
    SSL_set_min_proto_version(inner->ssl, rig->version);
    SSL_set_max_proto_version(inner->ssl, rig->version);
    SSL_set_accept_state(inner->ssl);
}

enum { LIMIT = 1000, PIECE = 5000, PIECES = 3 };

/* Whatever came to the outer session goes into the inner one, and back. */
static void inner_move(void *arg)
{
    struct inner *const inner = arg;
    char bytes[4096];
    int count;

    while ((count = SSL_read(inner->rig->ssl, bytes, sizeof bytes)) > 0) {
        BIO_write(inner->in, bytes, count);
    }
    if (!SSL_is_init_finished(inner->ssl)) {
        SSL_do_handshake(inner->ssl);
    }
    while ((count = BIO_read(inner->out, bytes, sizeof bytes)) > 0) {
        SSL_write(inner->rig->ssl, bytes, count);
    }
    ERR_clear_error();
}

/* Both close_notifys, the inner one's first. */
static void close_nested(struct inner *inner)
{
    struct rig *const rig = inner->rig;
    char text[8];

    rill_writer_close(rig->writer);
    rig_turns(rig);
    EXPECT_INT(rig, SSL_read(inner->ssl, text, sizeof text), 0);
    EXPECT_INT(rig, SSL_get_shutdown(inner->ssl), SSL_RECEIVED_SHUTDOWN);
    EXPECT_INT(rig, SSL_shutdown(inner->ssl), 1);
    rig_turns(rig);
    EXPECT_INT(rig, SSL_get_shutdown(rig->ssl), SSL_RECEIVED_SHUTDOWN);
    EXPECT_INT(rig, SSL_shutdown(rig->ssl), 1);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
}

static int tls_in_tls(void *arg)
{
    struct rig *const rig = arg;
    const struct rill_start_tls_options options = {.server_hostname = "localhost"};
    struct rill_bytes line;
    struct inner inner;
    char text[16];

    rig_open_unwatched(rig);
    inner_make(&inner, rig);
    rig->on_move = inner_move;
    rig->on_move_arg = &inner;
    EXPECT_INT(rig, rill_writer_start_tls(rig->writer, rig->material->client, &options), 0);
    watch_attach(&rig->watch, rill_writer_transport(rig->writer));
    rig_turns(rig); /* the peer is done one flight later */
    EXPECT_INT(rig, SSL_write(inner.ssl, "inside\n", 7), 7);
    EXPECT_INT(rig, rill_reader_readline(rig->reader, &line), 0);
    EXPECT(rig, line.len == 7 && memcmp(line.ptr, "inside\n", 7) == 0);
    EXPECT_INT(rig, rill_writer_write(rig->writer, "answer\n", 7), 0);
    rig_turns(rig);
    EXPECT_INT(rig, SSL_read(inner.ssl, text, sizeof text), 7);
    EXPECT_INT(rig, memcmp(text, "answer\n", 7), 0);
    close_nested(&inner);
    rig->on_move = NULL;
    SSL_free(inner.ssl);
    rig_free_pair(rig);
    return 0;
}

/* rill's inner session over an outer one whose reader has a low limit, and the peer's. */
static void open_nested(struct rig *rig, struct inner *inner, struct rill_ssl_context *context)
{
    const struct rill_connection_options limited = {.limit = RILL_SET(LIMIT)};
    const struct rill_start_tls_options options = {.server_hostname = "localhost"};

    rig_open(rig, &limited, NULL);
    inner_make(inner, rig);
    rig->on_move = inner_move;
    rig->on_move_arg = inner;
    EXPECT_INT(rig, rill_writer_start_tls(rig->writer, context, &options), 0);
    watch_attach(&rig->watch, rill_writer_transport(rig->writer)); /* this layer's instead */
    rig_turns(rig);
}

static void close_inner(struct rig *rig, struct inner *inner, int want)
{
    rig->on_move = NULL;
    SSL_free(inner->ssl);
    EXPECT_INT(rig, rig_close(rig), want);
}

/* The reader is paused; the outer layer ends well, the inner one not at all. */
static void cut_inner(struct rig *rig, struct inner *inner, struct rill_ssl_context *context)
{
    static const char text[PIECE];

    open_nested(rig, inner, context);
    for (int i = 0; i < PIECES; i++) {
        EXPECT_INT(rig, SSL_write(inner->ssl, text, sizeof text), sizeof text);
        rig_turns(rig);
    }
    EXPECT(rig, !rill_transport_is_reading(rill_writer_transport(rig->writer)));
    SSL_shutdown(rig->ssl);
    rig_turns(rig);
}

static int cut_with_a_paused_reader(void *arg) /* everything that came is read, and an end */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    struct inner inner;

    cut_inner(rig, &inner, rig->material->client);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    EXPECT_INT(rig, (long long)data.len, PIECES * PIECE);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_TRUNCATED);
    close_inner(rig, &inner, 0);
    return 0;
}

static int strict_cut_with_a_paused_reader(void *arg) /* */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    struct inner inner;

    cut_inner(rig, &inner, rig->material->strict);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), RILL_ESSLEOF);
    EXPECT_INT(rig, (long long)rill_reader_leftover(rig->reader).len, PIECES * PIECE); /* */
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_TRUNCATED);
    close_inner(rig, &inner, RILL_ESSLEOF);
    return 0;
}

/* The layer below goes and says nothing of an end. */
static void abort_below(struct rig *rig, struct inner *inner, struct rill_ssl_context *context)
{
    open_nested(rig, inner, context);
    rill_transport_abort(rill__ssl_of(rill_writer_transport(rig->writer))->below);
    rig_turns(rig);
}

static int strict_layer_below_is_aborted(void *arg)
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    struct inner inner;

    abort_below(rig, &inner, rig->material->strict);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), RILL_ESSLEOF);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_TRUNCATED);
    close_inner(rig, &inner, RILL_ESSLEOF);
    return 0;
}

static int layer_below_is_aborted(void *arg)
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    struct inner inner;

    abort_below(rig, &inner, rig->material->client);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_TRUNCATED);
    close_inner(rig, &inner, 0);
    return 0;
}

/* -- empty records ---------------------------------------------------------------------------- */

enum { KEY_SIZE = 16, IV_SIZE = 12, TAG_SIZE = 16, HEADER_SIZE = 5, CONTENT_MAX = 64 };

/* The peer's sending keys of TLS 1.3 (RFC 8446, 7.3), TLS_AES_128_GCM_SHA256. */
struct keys {
    unsigned char secret[32];
    unsigned char key[KEY_SIZE];
    unsigned char iv[IV_SIZE];
    unsigned char sequence; /* of the next record */
};

static bool expand(const struct keys *keys, const char *label, unsigned char *out, size_t size)
{
    unsigned char info[32] = {0, (unsigned char)size};
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    const int length = (int)strlen(label);

    info[2] = (unsigned char)length;
    memcpy(info + 3, label, (size_t)length);
    const bool made = EVP_PKEY_derive_init(context) == 1 &&
                      EVP_PKEY_CTX_set_hkdf_mode(context, EVP_KDF_HKDF_MODE_EXPAND_ONLY) == 1 &&
                      EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1 &&
                      EVP_PKEY_CTX_set1_hkdf_key(context, keys->secret, sizeof keys->secret) == 1 &&
                      EVP_PKEY_CTX_add1_hkdf_info(context, info, length + 4) == 1 &&
                      EVP_PKEY_derive(context, out, &size) == 1;
    EVP_PKEY_CTX_free(context);
    return made;
}

/* One record into `record`; its size. */
static size_t seal(struct keys *keys, const char *content, unsigned char *record)
{
    unsigned char inner[CONTENT_MAX];
    unsigned char nonce[IV_SIZE];
    const size_t size = strlen(content) + 1;
    const size_t sealed = size + TAG_SIZE;
    const unsigned char header[HEADER_SIZE] = {SSL3_RT_APPLICATION_DATA, 3, 3, 0,
                                               (unsigned char)sealed};
    EVP_CIPHER_CTX *const context = EVP_CIPHER_CTX_new();
    int count;

    memcpy(inner, content, size - 1);
    inner[size - 1] = SSL3_RT_APPLICATION_DATA;
    memcpy(nonce, keys->iv, sizeof nonce);
    nonce[IV_SIZE - 1] ^= keys->sequence++;
    memcpy(record, header, sizeof header);
    EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, keys->key, nonce);
    EVP_EncryptUpdate(context, NULL, &count, header, sizeof header);
    EVP_EncryptUpdate(context, record + HEADER_SIZE, &count, inner, (int)size);
    EVP_EncryptFinal_ex(context, record + HEADER_SIZE + count, &count);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, record + HEADER_SIZE + size);
    EVP_CIPHER_CTX_free(context);
    return HEADER_SIZE + sealed;
}

static void send_record(struct rig *rig, struct keys *keys, const char *content)
{
    unsigned char record[HEADER_SIZE + CONTENT_MAX + TAG_SIZE];
    const size_t size = seal(keys, content, record);
    EXPECT_INT(rig, rill_memory_peer_send(rig->pipe, record, size), 0);
    rill_sleep(0);
}

static int empty_records(void *arg)
{
    struct rig *const rig = arg;
    struct keys keys = {.sequence = rig->server_side ? 0 : 2}; /* a server has sent two tickets */
    struct rill_bytes data;

    rig_open(rig, NULL, NULL);
    memcpy(keys.secret, rig->secret, sizeof keys.secret);
    EXPECT(rig, expand(&keys, "tls13 key", keys.key, sizeof keys.key));
    EXPECT(rig, expand(&keys, "tls13 iv", keys.iv, sizeof keys.iv));
    for (int i = 0; i < 5; i++) {
        send_record(rig, &keys, "");
        send_record(rig, &keys, "");
        send_record(rig, &keys, "x");
        EXPECT_INT(rig, rill_reader_read(rig->reader, 10, &data), 0);
        EXPECT(rig, data.len == 1 && data.ptr[0] == 'x');
    }
    EXPECT_INT(rig, rig->watch.events, 5);
    rill_memory_peer_shutdown_write(rig->pipe);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

const struct rig_row nested_rows[] = {
    {.line = __LINE__, .name = "tls_in_tls", .fn = tls_in_tls},
    {.line = __LINE__, .name = "cut_with_a_paused_reader", .fn = cut_with_a_paused_reader},
    {.line = __LINE__,
     .name = "strict_cut_with_a_paused_reader",
     .fn = strict_cut_with_a_paused_reader},
    {.line = __LINE__,
     .name = "strict_layer_below_is_aborted",
     .fn = strict_layer_below_is_aborted},
    {.line = __LINE__, .name = "layer_below_is_aborted", .fn = layer_below_is_aborted},
    {.line = __LINE__, .name = "empty_records", .fn = empty_records, .version = TLS1_3_VERSION},
};
const size_t nested_row_count = sizeof nested_rows / sizeof nested_rows[0];
