/* SPDX-License-Identifier: MIT
 *
 * The TLS peer: OpenSSL's session (peer_openssl.c) between the script and a wire.
 */
#include "peer_tls.h"

#include <string.h>

#include "contexts.h"
#include "events.h"
#include "peer_openssl.h"

enum {
    HELD = 65536,  /* so much plaintext waits for the script before it takes no more */
    PIECE = 16384, /* ciphertext taken at a time */
    CHUNK = 16384, /* plaintext decrypted at a time: a record */
};

struct tls_peer {
    struct peer peer;
    struct session *session;
    bool holds;
    bool silent;
    bool done; /* the handshake */
    bool got_notify;
    bool sent_notify;
    bool closing;                /* it read enough, and closes when the app's side has ended */
    struct arena_buffer held;    /* plaintext that the script did not read */
    struct arena_buffer waiting; /* plaintext that waits for the handshake */
    struct arena_buffer piece;   /* the ciphertext of one take; kept for its memory */
};

static struct tls_peer *of(struct peer *peer)
{
    return (struct tls_peer *)peer;
}

static const struct tls_peer *of_const(const struct peer *peer)
{
    return (const struct tls_peer *)peer;
}

static bool has_failed(const struct tls_peer *self)
{
    return session_failure(self->session) != NULL;
}

/* What comes now is thrown away. */
static bool is_over(const struct tls_peer *self)
{
    return self->got_notify || has_failed(self);
}

static void notify(struct tls_peer *self)
{
    if (self->done && !self->sent_notify && !has_failed(self)) {
        self->sent_notify = true;
        session_notify(self->session);
    }
}

/* -- moving ------------------------------------------------------------------------------------ */

static void decrypt(struct tls_peer *self)
{
    enum session_result result = SESSION_OK;
    char chunk[CHUNK];
    while (result == SESSION_OK) {
        size_t count = 0;
        result = session_read(self->session, chunk, sizeof chunk, &count);
        if (result == SESSION_OK) {
            arena_append(&self->peer.replay->arena, &self->held, chunk, count);
        }
    }
    self->got_notify = result == SESSION_CLOSED;
}

static void write_waiting(struct tls_peer *self)
{
    const struct rill_bytes waiting = {self->waiting.memory, self->waiting.size};
    if (!self->sent_notify && !has_failed(self)) {
        session_write(self->session, waiting);
    }
    self->waiting.size = 0;
}

/* Handshake, decrypt, answer: as far as the ciphertext goes. */
static void advance(struct tls_peer *self)
{
    if (!self->done) {
        self->done = session_handshake(self->session) == SESSION_OK;
    }
    if (self->done) {
        write_waiting(self);
    }
    if (self->done && !is_over(self)) {
        decrypt(self);
    }
    if (self->got_notify && !self->silent) {
        notify(self);
    }
}

static bool flush(struct tls_peer *self)
{
    struct peer *wire = self->peer.wire;
    const struct rill_bytes data = session_outgoing(self->session, &self->peer.replay->arena);
    if (data.len > 0) {
        wire->ops->send(wire, data);
    }
    return data.len > 0;
}

/* Takes what has come, until it is nothing or too much; true when something came. */
static bool take_ciphertext(struct tls_peer *self)
{
    struct peer *wire = self->peer.wire;
    bool moved = false;
    while (self->held.size < HELD) {
        self->piece.size = 0;
        wire->ops->take(wire, &self->piece, PIECE);
        if (self->piece.size == 0) {
            break;
        }
        moved = true;
        if (!is_over(self)) {
            session_feed(self->session, self->piece.memory, self->piece.size);
            advance(self);
        }
        self->held.size = self->closing ? 0 : self->held.size;
    }
    return moved;
}

static bool is_open(struct peer *peer)
{
    return strcmp(peer->ops->end(peer), "open") == 0;
}

static bool tls_pump(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    struct peer *wire = peer->wire;
    bool moved = wire->ops->pump != NULL && wire->ops->pump(wire);
    if (self->holds) {
        return moved;
    }
    moved = take_ciphertext(self) || moved;
    if (self->closing && (is_over(self) || !is_open(wire))) {
        flush(self);
        peer_perform(wire, PEER_CLOSE);
        return moved;
    }
    if (!moved && !self->done && !has_failed(self)) {
        advance(self); /* a client that was held begins */
    }
    return flush(self) || moved;
}

/* -- the script's operations ------------------------------------------------------------------- */

static void tls_send(struct peer *peer, struct rill_bytes bytes)
{
    struct tls_peer *self = of(peer);
    arena_append(&peer->replay->arena, &self->waiting, bytes.ptr, bytes.len);
    if (self->done) {
        write_waiting(self);
    }
    flush(self);
}

static void tls_raw(struct peer *peer, struct rill_bytes bytes)
{
    peer->wire->ops->raw(peer->wire, bytes);
}

static void tls_shutdown(struct peer *peer)
{
    notify(of(peer));
    flush(of(peer));
}

/* Gracefully, so that the app's answer meets no closed socket, if there is a session to end. */
static void tls_close(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    tls_shutdown(peer);
    self->closing = true;
    self->held.size = 0;
    if (!self->done || is_over(self) || self->holds) {
        peer_perform(peer->wire, PEER_CLOSE);
    }
}

static void tls_eof(struct peer *peer)
{
    peer_perform(peer->wire, PEER_EOF);
}

static void tls_cut(struct peer *peer)
{
    peer_perform(peer->wire, PEER_CUT);
}

static void tls_reset(struct peer *peer)
{
    peer_perform(peer->wire, PEER_RESET);
}

static void tls_hold(struct peer *peer)
{
    of(peer)->holds = true;
}

static void tls_flight(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    if (self->holds) {
        self->holds = false;
        tls_pump(peer);
        self->holds = true;
    }
}

static void tls_handshake(struct peer *peer)
{
    of(peer)->holds = false;
}

static void tls_silent(struct peer *peer)
{
    of(peer)->silent = true;
}

/* OpenSSL was told to send something after the handshake. */
static void send_step(struct tls_peer *self, bool ready)
{
    if (ready) {
        session_handshake(self->session);
        flush(self);
    }
}

static void tls_key_update(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    send_step(self, self->done && session_key_update(self->session));
}

static void tls_renegotiate(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    send_step(self, self->done && session_renegotiate(self->session));
}

static void tls_ticket(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    send_step(self, self->done && session_ticket(self->session));
}

static void tls_window(struct peer *peer, const json_t *size)
{
    peer->wire->ops->window(peer->wire, size);
}

static void tls_take(struct peer *peer, struct arena_buffer *into, size_t most)
{
    struct arena_buffer *held = &of(peer)->held;
    const size_t room = most - into->size;
    const size_t size = held->size < room ? held->size : room;
    if (size > 0 && !of(peer)->closing) {
        arena_append(&peer->replay->arena, into, held->memory, size);
        memmove(held->memory, held->memory + size, held->size - size);
        held->size -= size;
    }
}

static const char *tls_end(struct peer *peer)
{
    const char *end = of(peer)->closing ? "closed" : peer->wire->ops->end(peer->wire);
    const bool notified = of(peer)->got_notify;
    if (strcmp(end, "fin") == 0 || strcmp(end, "notify") == 0 || strcmp(end, "truncated") == 0) {
        return notified ? "fin" : "truncated";
    }
    return notified && strcmp(end, "open") == 0 ? "notify" : end;
}

/* -- the settling ------------------------------------------------------------------------------ */

static bool tls_arriving(struct peer *peer)
{
    return peer->wire->ops->arriving(peer->wire);
}

static bool tls_quiet(struct peer *peer)
{
    const struct tls_peer *self = of(peer);
    const bool takes_more = !self->holds && self->held.size < HELD;
    return !(takes_more && tls_arriving(peer)) && peer->wire->ops->quiet(peer->wire);
}

static bool tls_turned_away(struct peer *peer)
{
    return peer->wire->ops->turned_away(peer->wire);
}

static void tls_dispose(struct peer *peer)
{
    struct tls_peer *self = of(peer);
    session_free(self->session);
    self->session = NULL;
    peer->wire->ops->dispose(peer->wire);
}

static const struct peer_ops tls_ops = {
    .acts = {[PEER_SHUTDOWN] = tls_shutdown,
             [PEER_EOF] = tls_eof,
             [PEER_CLOSE] = tls_close,
             [PEER_CUT] = tls_cut,
             [PEER_RESET] = tls_reset,
             [PEER_HOLD] = tls_hold,
             [PEER_FLIGHT] = tls_flight,
             [PEER_HANDSHAKE] = tls_handshake,
             [PEER_SILENT] = tls_silent,
             [PEER_KEY_UPDATE] = tls_key_update,
             [PEER_RENEGOTIATE] = tls_renegotiate,
             [PEER_TICKET] = tls_ticket},
    .send = tls_send,
    .raw = tls_raw,
    .window = tls_window,
    .take = tls_take,
    .end = tls_end,
    .arriving = tls_arriving,
    .quiet = tls_quiet,
    .turned_away = tls_turned_away,
    .pump = tls_pump,
    .dispose = tls_dispose,
};

/* The bytes in clear and the ClientHello leave together. */
static void begin(struct tls_peer *self, bool server_side, struct rill_bytes first)
{
    struct arena *arena = &self->peer.replay->arena;
    struct peer *wire = self->peer.wire;
    struct arena_buffer chunk = {0};
    if (!server_side && !self->holds) {
        advance(self);
    }
    const struct rill_bytes hello = session_outgoing(self->session, arena);
    arena_append(arena, &chunk, first.ptr, first.len);
    arena_append(arena, &chunk, hello.ptr, hello.len);
    if (chunk.size > 0) {
        wire->ops->send(wire, (struct rill_bytes){chunk.memory, chunk.size});
    }
}

struct peer *peer_tls_new(struct peer *wire, const struct peer_tls_start *start)
{
    struct replay *replay = wire->replay;
    const json_t *wanted = json_object_get(json_object_get(replay->script, "tls"), "peer");
    const char *side = start->server_side ? "server" : "client";
    struct tls_peer *self = arena_take(&replay->arena, sizeof *self);
    self->peer = *wire;
    self->peer.ops = &tls_ops;
    self->peer.wire = wire;
    self->holds =
        !start->never_hold && (start->hold || json_is_true(json_object_get(wanted, "hold")));
    self->silent = json_is_true(json_object_get(wanted, "silent"));
    self->session = session_new(
        context_of_peer(replay, json_string_value(json_object_get(wanted, side))),
        start->server_side, json_string_value(json_object_get(wanted, "server_hostname")));
    begin(self, start->server_side, start->first);
    return &self->peer;
}

void peer_tls_upgrade(struct replay *replay, int number, struct rill_bytes first)
{
    struct peer *wire = replay->peers[number];
    const struct peer_tls_start start = {.server_side = !wire->connected, .first = first};
    struct peer *peer = peer_tls_new(wire, &start);
    replay->peers[number] = peer;
    if (peer->connection != NULL) {
        peer->connection->peer = peer;
    }
}

void peer_tls_tell(const struct replay *replay, int number)
{
    const struct peer *peer = replay->peers[number];
    if (peer->wire == NULL) {
        return;
    }
    const struct tls_peer *self = of_const(peer);
    json_t *event =
        json_pack("{s:s, s:i, s:b}", "ev", "session", "conn", number, "done", self->done);
    session_describe(self->session, self->done, event);
    emit(replay, event);
}

const char *peer_tls_failure(const struct peer *peer)
{
    return peer->wire != NULL ? session_failure(of_const(peer)->session) : NULL;
}

bool peer_tls_holds(const struct peer *peer)
{
    return peer->wire != NULL && of_const(peer)->holds;
}
