/* SPDX-License-Identifier: MIT
 *
 * The peer's calls of OpenSSL.
 */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "judge.h"

/* -- what OpenSSL tells ------------------------------------------------------------------------ */

static struct peer *of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* The line of a key log with the secret under which this side sends. */
static void on_key(const SSL *ssl, const char *line)
{
    struct peer *const peer = of(ssl);
    const char *const label =
        SSL_is_server(ssl) ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
    const char *const digits = strrchr(line, ' ');
    size_t size = 0;

    if (digits != NULL && strncmp(line, label, strlen(label)) == 0) {
        (void)OPENSSL_hexstr2buf_ex(peer->forge.secret, sizeof peer->forge.secret, &size,
                                    digits + 1, '\0');
        peer->forge.ready = size == sizeof peer->forge.secret;
    }
}

static void on_message(int sent, int version, int type, const void *data, size_t size, SSL *ssl,
                       void *arg)
{
    struct peer *const peer = arg;

    (void)version;
    (void)ssl;
    if (sent == 1 && type == SSL3_RT_HEADER && peer->handshaken) {
        peer->forge.sequence++;
    }
    if (sent == 1 && type == SSL3_RT_HANDSHAKE && size > 0 &&
        *(const unsigned char *)data == SSL3_MT_KEY_UPDATE) {
        peer->forge.ready = false; /* the next records have another secret */
    }
}

/* Whatever the program says, offered or not. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                   const unsigned char *in, unsigned in_size, void *arg)
{
    const struct peer *const peer = of(ssl);

    (void)in;
    (void)in_size;
    (void)arg;
    if (peer->alpn.len == 0) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = (const unsigned char *)peer->alpn.ptr;
    *out_size = (unsigned char)peer->alpn.len;
    return SSL_TLSEXT_ERR_OK;
}

/* -- life -------------------------------------------------------------------------------------- */

static bool set_versions(SSL *ssl, int version)
{
    return version == 0 || (SSL_set_min_proto_version(ssl, version) == 1 &&
                            SSL_set_max_proto_version(ssl, version) == 1);
}

static bool set_identity(SSL *ssl, const struct material *material, enum identity identity)
{
    return identity == IDENTITIES ||
           (SSL_use_certificate(ssl, material->certificates[identity]) == 1 &&
            SSL_use_PrivateKey(ssl, material->keys[identity]) == 1);
}

static bool set_offers(SSL *ssl, const struct peer_setting *setting)
{
    if (setting->is_server) {
        SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(ssl), on_alpn, NULL);
        return true;
    }
    return (setting->server_name == NULL ||
            SSL_set_tlsext_host_name(ssl, setting->server_name) == 1) &&
           (setting->alpn.len == 0 ||
            SSL_set_alpn_protos(ssl, (const unsigned char *)setting->alpn.ptr,
                                (unsigned)setting->alpn.len) == 0) && /* 0: success */
           (setting->session == NULL || SSL_set_session(ssl, setting->session) == 1);
}

static void connect_bios(struct peer *peer)
{
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    if (peer->in == NULL || peer->out == NULL) {
        abort();
    }
    BIO_set_mem_eof_return(peer->in, -1); /* an empty one is no end */
    SSL_set_bio(peer->ssl, peer->in, peer->out);
}

static void watch(struct peer *peer)
{
    SSL_set_app_data(peer->ssl, peer);
    SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(peer->ssl), on_key);
    SSL_set_msg_callback(peer->ssl, on_message);
    SSL_set_msg_callback_arg(peer->ssl, peer);
}

bool peer_open(struct peer *peer, const struct material *material,
               const struct peer_setting *setting, struct wire *to_rill)
{
    *peer =
        (struct peer){.ssl = SSL_new(material->peer), .alpn = setting->alpn, .to_rill = to_rill};
    if (peer->ssl == NULL) {
        abort();
    }
    connect_bios(peer);
    watch(peer);
    if (setting->is_server) {
        SSL_set_accept_state(peer->ssl);
    } else {
        SSL_set_connect_state(peer->ssl);
    }
    const bool set =
        set_versions(peer->ssl, setting->version) &&
        (!setting->prefers_p256 || SSL_set1_groups_list(peer->ssl, "P-256:X25519") == 1) &&
        (setting->ciphers == NULL || SSL_set_cipher_list(peer->ssl, setting->ciphers) == 1) &&
        set_identity(peer->ssl, material, setting->identity) && set_offers(peer->ssl, setting);
    ERR_clear_error();
    if (!set) {
        peer_close(peer);
    }
    return set;
}

void peer_close(struct peer *peer)
{
    SSL_free(peer->ssl);
    peer->ssl = NULL;
    ERR_clear_error();
}

/* -- moving ------------------------------------------------------------------------------------ */

static void send_all(struct peer *peer)
{
    char *data = NULL;
    const long size = BIO_get_mem_data(peer->out, &data);

    if (size > 0) {
        wire_send(peer->to_rill, data, (size_t)size);
    }
    (void)BIO_reset(peer->out);
    ERR_clear_error(); /* the queue is the thread's, and rill's part of it is judged */
}

static void note_failure(struct peer *peer, int result)
{
    const int judged = SSL_get_error(peer->ssl, result);
    if (judged == SSL_ERROR_ZERO_RETURN) {
        peer->heard_goodbye = true;
    } else if (judged != SSL_ERROR_WANT_READ) {
        peer->failed = true;
    }
}

static void note_alpn(struct peer *peer)
{
    const unsigned char *name = NULL;
    unsigned size = 0; /* below 256 in the protocol */

    SSL_get0_alpn_selected(peer->ssl, &name, &size);
    if (size > 0) {
        memcpy(peer->agreed, name, size);
    }
    peer->agreed[size] = '\0';
}

static void shake_hands(struct peer *peer)
{
    const int result = SSL_do_handshake(peer->ssl);
    peer->handshaken = result == 1;
    if (result == 1) {
        note_alpn(peer);
    } else {
        note_failure(peer, result);
    }
}

static void hear(struct peer *peer)
{
    char space[4096];
    int result;

    while ((result = SSL_read(peer->ssl, space, (int)sizeof space)) > 0) {
        if (peer->hear != NULL) {
            peer->hear(peer->arg, space, (size_t)result);
            continue;
        }
        judge_heard(RANDOM_OF_RILL, peer->heard, space, (size_t)result, peer->said_by_rill);
        peer->heard += (size_t)result;
    }
    note_failure(peer, result);
}

void peer_take(struct peer *peer, const char *data, size_t size)
{
    repeatable_side(RANDOM_OF_PEER);
    if (size > 0) {
        (void)BIO_write(peer->in, data, (int)size);
    }
    if (!peer->handshaken && !peer->failed) {
        shake_hands(peer);
    }
    if (peer->handshaken && !peer->failed) {
        hear(peer);
    }
    send_all(peer);
    repeatable_side(RANDOM_OF_RILL);
}

bool peer_say_bytes(struct peer *peer, struct rill_bytes bytes)
{
    if (!peer->handshaken || peer->failed || peer->said_goodbye || bytes.len == 0) {
        return false;
    }
    repeatable_side(RANDOM_OF_PEER);
    const int written = SSL_write(peer->ssl, bytes.ptr, (int)bytes.len);
    peer->stuck = written <= 0; /* it would be to be said again */
    peer->failed = peer->stuck;
    send_all(peer);
    repeatable_side(RANDOM_OF_RILL);
    return written > 0;
}

bool peer_say(struct peer *peer, size_t count)
{
    char *const text = judge_text(RANDOM_OF_PEER, peer->said, count);
    const bool said = peer_say_bytes(peer, (struct rill_bytes){text, count});
    free(text);
    peer->said += said ? count : 0;
    return said;
}

void peer_say_goodbye(struct peer *peer)
{
    if (peer->handshaken && !peer->failed) {
        repeatable_side(RANDOM_OF_PEER);
        (void)SSL_shutdown(peer->ssl); /* says nothing in the middle of a renegotiation */
        peer->said_goodbye = (SSL_get_shutdown(peer->ssl) & SSL_SENT_SHUTDOWN) != 0;
        send_all(peer);
        repeatable_side(RANDOM_OF_RILL);
    }
}

void peer_update_key(struct peer *peer, bool ask)
{
    const int kind = ask ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;

    if (peer->handshaken && !peer->failed && !peer->said_goodbye) {
        repeatable_side(RANDOM_OF_PEER);
        if (SSL_key_update(peer->ssl, kind) == 1) {
            (void)SSL_do_handshake(peer->ssl);
        }
        send_all(peer);
        repeatable_side(RANDOM_OF_RILL);
    }
}

void peer_renegotiate(struct peer *peer)
{
    if (peer->handshaken && !peer->failed && !peer->said_goodbye) {
        repeatable_side(RANDOM_OF_PEER);
        if (SSL_renegotiate(peer->ssl) == 1) {
            peer->renegotiates = true;
            (void)SSL_do_handshake(peer->ssl);
        }
        send_all(peer);
        repeatable_side(RANDOM_OF_RILL);
    }
}

void peer_forge(struct peer *peer, unsigned char type, struct rill_bytes content)
{
    unsigned char meant = type;
    size_t length = content.len;
    while (meant == 0 && length > 0) { /* padding: the type stands before it (RFC 8446, 5.4) */
        meant = (unsigned char)content.ptr[--length];
    }
    const bool is_goodbye = meant == SSL3_RT_ALERT && length == 2 &&
                            (unsigned char)content.ptr[1] == SSL3_AD_CLOSE_NOTIFY;

    if (!peer->forge.ready || !peer->handshaken || SSL_version(peer->ssl) != TLS1_3_VERSION) {
        return;
    }
    repeatable_side(RANDOM_OF_PEER);
    if (meant == SSL3_RT_APPLICATION_DATA) {
        char *const text = judge_text(RANDOM_OF_PEER, peer->said, content.len);
        if (content.len > length) {
            memcpy(text + length, content.ptr + length, content.len - length);
        }
        forge_record(&peer->forge, type, (struct rill_bytes){text, content.len}, peer->to_rill);
        free(text);
        peer->said += length;
    } else {
        forge_record(&peer->forge, type, content, peer->to_rill);
    }
    repeatable_side(RANDOM_OF_RILL);
    peer->said_goodbye = peer->said_goodbye || is_goodbye;
    peer->to_rill->tampered = true;
}
