/* SPDX-License-Identifier: MIT
 *
 * The other side of the wire: OpenSSL itself between two memory BIOs, with a small script, so that
 * no line of rill judges rill.
 */
#ifndef RILL_TEST_WIRE_PEER_H
#define RILL_TEST_WIRE_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* What rill says and what the peer says, in every exchange. */
extern const char message_of_rill[];
extern const char message_of_peer[];
/* The clear part of the exchanges that begin with one. */
extern const char plain_request[]; /* the client's */
extern const char plain_answer[];  /* the server's */

enum peer_state {
    PEER_PLAIN,     /* the clear part */
    PEER_HANDSHAKE, /* of TLS */
    PEER_TALK,      /* its message went, rill's is awaited */
    PEER_CLOSING,   /* close_notify went, rill's is awaited */
    PEER_DONE,      /* both went */
    PEER_FAILED,    /* OpenSSL said so */
};

struct peer_script {
    bool is_server;
    bool begins_in_clear;
    bool closes_first; /* once it has rill's message */
    int version;       /* TLS1_2_VERSION or TLS1_3_VERSION */
};

struct peer {
    struct peer_script script;
    enum peer_state state;
    SSL *ssl;
    BIO *in;
    BIO *out;
    bool said_plain;
    bool said;
    bool rill_closed; /* its close_notify came */
    size_t heard;     /* bytes of rill's in `got` */
    char got[64];
    unsigned long failure; /* OpenSSL's code */
    /* Called when the exchange begins to close, by the peer. */
    void (*on_closing)(void *arg);
    void *arg;
};

void peer_init(struct peer *peer, SSL_CTX *context, const struct peer_script *script);
void peer_cleanup(struct peer *peer);

void peer_feed(struct peer *peer, const char *data, size_t size);
/* As far as it can go with what it was fed. */
void peer_step(struct peer *peer);
/* What it wants to send: all of it so far, from the first byte on. */
size_t peer_output(const struct peer *peer, const char **data);

#endif
