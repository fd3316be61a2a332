/* SPDX-License-Identifier: MIT
 *
 * The peer's script, step by step.
 */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

const char message_of_rill[] = "ping from rill\n";
const char message_of_peer[] = "pong from the peer\n";
const char plain_request[] = "STARTTLS\n";
const char plain_answer[] = "go ahead\n";

void peer_init(struct peer *peer, SSL_CTX *context, const struct peer_script *script)
{
    *peer = (struct peer){
        .script = *script,
        .state = script->begins_in_clear ? PEER_PLAIN : PEER_HANDSHAKE,
        .ssl = SSL_new(context),
        .in = BIO_new(BIO_s_mem()),
        .out = BIO_new(BIO_s_mem()),
    };
    if (peer->ssl == NULL || peer->in == NULL || peer->out == NULL) {
        abort();
    }
    BIO_set_mem_eof_return(peer->in, -1); /* an empty one is no end */
    BIO_up_ref(peer->out);
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_min_proto_version(peer->ssl, script->version);
    SSL_set_max_proto_version(peer->ssl, script->version);
    if (script->is_server) {
        SSL_set_accept_state(peer->ssl);
    } else {
        SSL_set_connect_state(peer->ssl);
    }
}

void peer_cleanup(struct peer *peer)
{
    SSL_free(peer->ssl);
    BIO_free(peer->out);
}

void peer_feed(struct peer *peer, const char *data, size_t size)
{
    BIO_write(peer->in, data, (int)size);
}

size_t peer_output(const struct peer *peer, const char **data)
{
    char *start = NULL;
    const long size = BIO_get_mem_data(peer->out, &start);
    *data = start;
    return size > 0 ? (size_t)size : 0;
}

/* What a call that did not succeed means: wait, or the end of the script. */
static bool failed(struct peer *peer, int result)
{
    const int judged = SSL_get_error(peer->ssl, result);

    if (judged == SSL_ERROR_WANT_READ) {
        return false;
    }
    peer->failure = ERR_peek_error();
    peer->state = PEER_FAILED;
    return false;
}

static bool talk_in_clear(struct peer *peer)
{
    const char *const mine = peer->script.is_server ? plain_answer : plain_request;
    const char *const theirs = peer->script.is_server ? plain_request : plain_answer;
    char byte;

    if (!peer->script.is_server && !peer->said_plain) {
        BIO_write(peer->out, mine, (int)strlen(mine));
        peer->said_plain = true;
    }
    while (peer->heard < strlen(theirs) && BIO_read(peer->in, &byte, 1) == 1) {
        peer->heard++;
    }
    if (peer->heard < strlen(theirs)) {
        return false;
    }
    if (peer->script.is_server) {
        BIO_write(peer->out, mine, (int)strlen(mine));
    }
    peer->heard = 0;
    peer->state = PEER_HANDSHAKE;
    return true;
}

static bool shake_hands(struct peer *peer)
{
    const int result = SSL_do_handshake(peer->ssl);
    if (result != 1) {
        return failed(peer, result);
    }
    peer->state = PEER_TALK;
    return true;
}

/* close_notify of its own, before or after rill's. */
static bool say_goodbye(struct peer *peer)
{
    const int result = SSL_shutdown(peer->ssl);
    if (result < 0) {
        return failed(peer, result);
    }
    peer->state = peer->rill_closed ? PEER_DONE : PEER_CLOSING;
    return true;
}

/* Reads once; true when something came that changes what is to be done. */
static bool listen(struct peer *peer)
{
    char waste[64];
    const size_t room = sizeof peer->got - peer->heard;
    const int result = room > 0 ? SSL_read(peer->ssl, peer->got + peer->heard, (int)room)
                                : SSL_read(peer->ssl, waste, (int)sizeof waste);
    if (result > 0) {
        peer->heard += room > 0 ? (size_t)result : 0;
        return true;
    }
    if (SSL_get_error(peer->ssl, result) == SSL_ERROR_ZERO_RETURN) {
        peer->rill_closed = true;
        return peer->state == PEER_TALK ? say_goodbye(peer) : (peer->state = PEER_DONE, false);
    }
    return failed(peer, result);
}

static bool talk(struct peer *peer)
{
    if (!peer->said) {
        peer->said = true;
        SSL_write(peer->ssl, message_of_peer, (int)strlen(message_of_peer));
    }
    if (peer->script.closes_first && peer->heard >= strlen(message_of_rill)) {
        if (peer->on_closing != NULL) {
            peer->on_closing(peer->arg);
        }
        return say_goodbye(peer);
    }
    return listen(peer);
}

static bool step(struct peer *peer)
{
    switch (peer->state) {
    case PEER_PLAIN:
        return talk_in_clear(peer);
    case PEER_HANDSHAKE:
        return shake_hands(peer);
    case PEER_TALK:
        return talk(peer);
    case PEER_CLOSING:
        return listen(peer);
    case PEER_DONE:
    case PEER_FAILED:
        break;
    }
    return false;
}

void peer_step(struct peer *peer)
{
    while (step(peer)) {
    }
    ERR_clear_error(); /* the queue is the thread's, and rill's part of it is checked */
}
