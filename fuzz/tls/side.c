/* SPDX-License-Identifier: MIT
 *
 * The engine's calls, in the order in which core/streams makes them.
 */
#include "side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

/* What a session may send without being spoken to: its part of a handshake, certificates and all.
 */
enum { SENT_UNASKED_MAX = 32768 };

bool side_open(struct side *side, struct rill_ssl_context *context, bool server_side,
               const char *server_hostname, bool skip_hostname)
{
    const struct rill_error *error = NULL;

    side->object = rill__tls_new(context, server_side, server_hostname, skip_hostname, &error);
    judge_queue();
    side->may_send = SENT_UNASKED_MAX;
    side->verifies = rill_ssl_context_verifies(context);
    judge_setting(error != NULL ? error->code : 0, error);
    return side->object != NULL;
}

void side_close(struct side *side)
{
    rill__tls_free(side->object);
    side->object = NULL;
    judge_queue();
}

/* -- out --------------------------------------------------------------------------------------- */

static void send_all(struct side *side)
{
    struct rill__buffer outgoing;

    rill__tls_take_outgoing(side->object, &outgoing);
    const size_t size = rill__buffer_length(&outgoing);
    if (size > side->may_send) {
        invariant_outgoing_unbounded(size);
    }
    side->may_send -= size;
    side->sent += size;
    if (size > 0) {
        wire_send(side->to_peer, rill__buffer_data(&outgoing), size);
    }
    rill__buffer_cleanup(&outgoing);
}

static void fail(struct side *side, const struct rill_error *error)
{
    const bool chosen = rill_ssl_context_verifies(rill_ssl_object_context(side->object));
    judge_error(error, side->verifies || chosen, side->failed);
    side->failed = true;
}

/* An allocation that failed is over with the call; anything else is for good. */
static void judge_success(const struct side *side, const char *call)
{
    if (side->failed && !judge_lacks_memory()) {
        invariant_result_after_failure(call);
    }
}

void side_say(struct side *side, size_t count)
{
    const struct rill_error *error = NULL;
    size_t taken = 0;

    count = side->unsaid > 0 ? side->unsaid : count;
    if (side->object == NULL || !side->handshaken || side->cut > 0 || count == 0) {
        return;
    }
    char *const text = judge_text(RANDOM_OF_RILL, side->said, count);
    const enum rill__tls_result result =
        rill__tls_write(side->object, (struct rill_bytes){text, count}, &taken, &error);
    judge_queue();
    free(text);
    side->unsaid = result == RILL__TLS_WANT ? count : 0;
    side->may_send += 2 * count;
    if (result == RILL__TLS_OK) {
        judge_success(side, "write");
        if (taken != count) {
            invariant_partial_write(taken, count);
        }
        side->said += count;
    } else if (result != RILL__TLS_WANT) {
        side->cut_late = side->failed;
        fail(side, error);
        side->cut = judge_lacks_memory() ? count : 0;
    }
    send_all(side);
    side->cut_at = side->cut > 0 ? side->sent : 0;
}

/* Records of a write may be out when memory for its next one is lacking: its beginning is heard
 * then, and core/streams ends the connection, so that nothing stands behind it. */
size_t side_said_at_most(const struct side *side, size_t carried)
{
    if (side->cut > 0 && carried >= side->cut_at && !side->to_peer->tampered) {
        return side->peer->heard;
    }
    return side->said + side->unsaid + side->cut;
}

/* -- in ---------------------------------------------------------------------------------------- */

static void note_end(struct side *side)
{
    if (!side->peer->said_goodbye && !side->failed) {
        invariant_end_without_close_notify();
    }
    side->ended = true;
}

static void shake_hands(struct side *side)
{
    const struct rill_error *error = NULL;
    const enum rill__tls_result result = rill__tls_handshake(side->object, &error);

    judge_queue();
    if (result == RILL__TLS_OK) {
        judge_success(side, "handshake");
        side->handshaken = true;
        side_ask(side);
    } else if (result == RILL__TLS_CLOSED) {
        side->failed = true; /* core/streams makes an error of it */
    } else if (result == RILL__TLS_FAILED) {
        fail(side, error);
    }
}

static enum rill__tls_result read_once(struct side *side, char *space)
{
    const struct rill_error *error = NULL;
    const bool may_have_more = rill__tls_may_have_more(side->object);
    size_t count;
    const enum rill__tls_result result =
        rill__tls_read(side->object, space, side->piece, &count, &error);

    judge_queue();
    if (result == RILL__TLS_OK) {
        judge_success(side, "read");
        if (!may_have_more) {
            invariant_read_out_of_nothing();
        }
        judge_heard(RANDOM_OF_PEER, side->heard, space, count, side->peer->said);
        side->heard += count;
    } else if (result == RILL__TLS_CLOSED) {
        note_end(side);
    } else if (result == RILL__TLS_FAILED) {
        fail(side, error);
    }
    return result;
}

static void hear(struct side *side)
{
    char *const space = malloc(side->piece);
    if (space == NULL) {
        abort();
    }
    while (read_once(side, space) == RILL__TLS_OK) {
    }
    free(space);
}

void side_say_goodbye(struct side *side)
{
    const struct rill_error *error = NULL;

    if (side->object == NULL || !side->handshaken || side->failed) {
        return;
    }
    const enum rill__tls_result result = rill__tls_shutdown(side->object, &error);
    judge_queue();
    side->closing = true;
    if (result == RILL__TLS_OK) {
        note_end(side);
    } else if (result != RILL__TLS_WANT) {
        fail(side, error);
    }
    send_all(side);
}

/* What OpenSSL has not taken is rill's to keep. */
static void settle(struct side *side)
{
    const size_t waiting = rill__tls_incoming(side->object);

    if (rill__tls_settle(side->object) < 0) {
        side->failed = true; /* bytes are missing from now on */
        if (!judge_lacks_memory()) {
            invariant_ciphertext_lost(waiting, 0);
        }
    } else if (rill__tls_incoming(side->object) != waiting) {
        invariant_ciphertext_lost(waiting, rill__tls_incoming(side->object));
    }
}

void side_take(struct side *side, const char *data, size_t size)
{
    if (side->object == NULL) {
        return;
    }
    side->may_send += 2 * size;
    rill__tls_feed(side->object, (struct rill_bytes){data, size});
    if (!side->handshaken) {
        shake_hands(side);
    }
    if (side->handshaken && !side->closing) {
        hear(side);
    } else if (side->handshaken) {
        side_say_goodbye(side);
    }
    settle(side);
    if (side->unsaid > 0 && !side->failed) {
        side_say(side, 0);
    }
    send_all(side);
}

/* -- questions --------------------------------------------------------------------------------- */

static void expect(const char *question, const char *got, const char *want)
{
    if (got != want && (got == NULL || want == NULL || strcmp(got, want) != 0)) {
        mismatch_answer(question, got, want);
    }
}

/* The certificate is what the peer has, whole. */
static void ask_certificate(struct side *side, bool genuine)
{
    const struct rill_error *error = NULL;
    const struct rill_peercert *const cert = rill_ssl_object_getpeercert(side->object, &error);

    judge_queue();
    if (error != NULL) {
        judge_error(error, true, false);
        return;
    }
    X509 *const shown = SSL_get_certificate(side->peer->ssl);
    unsigned char *der = NULL;
    repeatable_side(RANDOM_OF_PEER);
    const int size = shown != NULL ? i2d_X509(shown, &der) : 0;
    repeatable_side(RANDOM_OF_RILL);
    const bool same = cert == NULL || (size > 0 && cert->der.len == (size_t)size &&
                                       memcmp(cert->der.ptr, der, cert->der.len) == 0);
    OPENSSL_free(der);
    if (genuine && !same) {
        mismatch_answer("peercert", cert->text, "the peer's");
    }
    if (genuine && cert == NULL && !rill_ssl_object_server_side(side->object)) {
        mismatch_answer("peercert", NULL, "the peer's");
    }
}

/* It has begun a renegotiation of which the peer, that asked for it, may not have heard yet. From
 * its ClientHello on Python's SSLObject too has no version, and has resumed nothing. */
static bool is_shaking_hands_again(const struct side *side)
{
    return side->peer->renegotiates && SSL_in_init(rill_ssl_object_native(side->object)) == 1;
}

void side_ask(struct side *side)
{
    struct rill_ssl_cipher cipher = {.name = NULL};

    if (side->object == NULL || !side->handshaken) {
        return;
    }
    const SSL *const ssl = side->peer->ssl;
    /* One that has failed without memory is no session any more, and OpenSSL answers so. */
    const bool genuine = !side->peer->to_rill->tampered && !(side->failed && judge_lacks_memory());
    ask_certificate(side, genuine);
    (void)rill_ssl_object_server_hostname(side->object);
    expect("compression", rill_ssl_object_compression(side->object), NULL);
    if (!rill_ssl_object_cipher(side->object, &cipher) || cipher.bits < 128) {
        mismatch_answer("cipher", cipher.name, "128 bits and more");
    }
    if (genuine && SSL_in_init(ssl) == 0) {
        const bool again = is_shaking_hands_again(side);
        const bool reused = !again && SSL_session_reused(ssl) == 1;
        expect("cipher", cipher.name, SSL_get_cipher_name(ssl));
        expect("version", rill_ssl_object_version(side->object),
               again ? NULL : SSL_get_version(ssl));
        expect("ALPN", rill_ssl_object_selected_alpn_protocol(side->object),
               side->peer->agreed[0] != '\0' ? side->peer->agreed : NULL);
        expect("session_reused", rill_ssl_object_session_reused(side->object) ? "reused" : "new",
               reused ? "reused" : "new");
    }
}
