/* SPDX-License-Identifier: MIT
 *
 * The other end: OpenSSL itself between two memory BIOs, so that no line of rill judges rill.
 */
#ifndef FUZZ_TLS_PEER_H
#define FUZZ_TLS_PEER_H

#include "forge.h"
#include "material.h"

struct peer_setting {
    bool is_server;
    int version;            /* the highest; 0: any. TLS1_1_VERSION: one that rill refuses */
    const char *ciphers;    /* TLS 1.2's; NULL: the context's */
    enum identity identity; /* IDENTITIES: shows no certificate */
    const char *server_name;
    struct rill_bytes alpn; /* offered, each behind its length; a server's: its answer */
    bool prefers_p256;      /* its key is of that group: SERVER_SNI needs no second ClientHello */
    SSL_SESSION *session;   /* to be resumed, or NULL */
};

struct peer {
    SSL *ssl;
    BIO *in;
    BIO *out;
    struct rill_bytes alpn;
    struct wire *to_rill;
    struct forge forge;
    size_t said;
    size_t heard;
    size_t said_by_rill; /* what `heard` may be at most */
    /* Takes the plaintext instead of its being judged; NULL: none does. */
    void (*hear)(void *arg, const char *data, size_t size);
    void *arg;
    char agreed[256]; /* ALPN of the first handshake; OpenSSL's renegotiations forget it */
    bool handshaken;
    bool failed;
    bool stuck;        /* it failed because it had to speak in the middle of a renegotiation */
    bool renegotiates; /* it has asked for it, at least once */
    bool said_goodbye;
    bool heard_goodbye;
};

/* False when OpenSSL takes no such setting: there is no peer then. */
bool peer_open(struct peer *peer, const struct material *material,
               const struct peer_setting *setting, struct wire *to_rill);
void peer_close(struct peer *peer);

/* Bytes came, as many as there are: it goes as far as it can, and answers. */
void peer_take(struct peer *peer, const char *data, size_t size);
/* False when it has nothing to say (any more). */
bool peer_say(struct peer *peer, size_t count);
bool peer_say_bytes(struct peer *peer, struct rill_bytes bytes);
void peer_say_goodbye(struct peer *peer);
void peer_update_key(struct peer *peer, bool ask);
void peer_renegotiate(struct peer *peer);
/* A record of TLS 1.3 with this content; application data is the text that is due. */
void peer_forge(struct peer *peer, unsigned char type, struct rill_bytes content);

#endif
