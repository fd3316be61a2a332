/* SPDX-License-Identifier: MIT
 *
 * Layers of TLS on top of each other, opened when rill's bytes say so.
 */
#include "far_end.h"

#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "simulated/connection.h"

enum {
    RECORD_TYPE_FIRST = 20, /* change_cipher_spec */
    RECORD_TYPE_LAST = 23,  /* application_data */
    RECORD_MAX = 16384 + 256
};

static void take(struct far_end *self, unsigned depth, const char *data, size_t size);

void far_end_init(struct far_end *self, const struct material *material,
                  const struct peer_setting *setting)
{
    *self = (struct far_end){.material = material, .setting = *setting};
}

static void close_topmost(struct far_end *self)
{
    self->depth--;
    peer_close(&self->layers[self->depth].peer);
    wire_free(&self->layers[self->depth].wire);
    wire_free(&self->layers[self->depth].hello);
}

/* -- the way to rill --------------------------------------------------------------------------- */

static void *peer_of(const struct far_end *self)
{
    return self->line != NULL ? (void *)self->line : (void *)self->pipe;
}

static const struct peer_ops *ops_of(const struct far_end *self)
{
    return self->line != NULL ? &kernel_peer_ops : &memory_peer_ops;
}

bool far_end_end(struct far_end *self, enum far_ending how)
{
    const struct peer_ops *const ops = ops_of(self);

    if (peer_of(self) == NULL || self->ended) {
        return false;
    }
    self->ended = true;
    (how == FAR_FIN     ? ops->shutdown_write
     : how == FAR_RESET ? ops->reset
                        : ops->close)(peer_of(self));
    return true;
}

void far_end_set_window(struct far_end *self, struct rill_opt_int window)
{
    if (peer_of(self) != NULL) { /* else it opens with the script's */
        self->narrow = window.given;
        ops_of(self)->set_window(peer_of(self), window);
    }
}

void far_end_cleanup(struct far_end *self)
{
    while (self->depth > 0) {
        close_topmost(self);
    }
    wire_free(&self->raw);
    if (peer_of(self) != NULL) {
        ops_of(self)->free(peer_of(self));
    }
    self->pipe = NULL;
    self->line = NULL;
}

/* -- out --------------------------------------------------------------------------------------- */

static struct wire *wire_of(struct far_end *self, unsigned depth)
{
    return depth == 0 ? &self->raw : &self->layers[depth].wire;
}

/* What the layers say is said by those below them, down to the wire: as soon as they can. rill's
 * part of a handshake may be over before its last words have come. */
static void push_down(struct far_end *self)
{
    for (unsigned depth = self->depth; depth-- > 1;) {
        struct wire *const wire = &self->layers[depth].wire;
        struct peer *const below = &self->layers[depth - 1].peer;
        const struct rill_bytes bytes = {wire->bytes, wire->length};
        if (bytes.len > 0 && (below->handshaken || below->failed)) {
            (void)peer_say_bytes(below, bytes);
            wire_drop_front(wire, bytes.len);
        }
    }
}

static struct peer *topmost(struct far_end *self)
{
    return self->depth > 0 ? &self->layers[self->depth - 1].peer : NULL;
}

void far_end_say(struct far_end *self, size_t count)
{
    struct peer *const peer = topmost(self);

    if (self->goodbye || self->ended) {
        return;
    }
    if (peer == NULL) {
        char *const text = judge_text(RANDOM_OF_PEER, self->said, count);
        wire_send(&self->raw, text, count);
        free(text);
        self->said += count;
    } else {
        (void)peer_say(peer, count);
        self->said = peer->said;
        push_down(self);
    }
}

void far_end_say_goodbye(struct far_end *self)
{
    for (unsigned depth = self->depth; depth-- > 0;) {
        peer_say_goodbye(&self->layers[depth].peer);
        self->goodbye = self->goodbye || self->layers[depth].peer.said_goodbye;
        push_down(self);
    }
}

bool far_end_topmost_ended(const struct far_end *self)
{
    return self->depth > 0 && self->layers[self->depth - 1].peer.said_goodbye;
}

void far_end_update_key(struct far_end *self, bool ask)
{
    if (topmost(self) != NULL) {
        peer_update_key(topmost(self), ask);
        push_down(self);
    }
}

void far_end_renegotiate(struct far_end *self)
{
    if (topmost(self) != NULL) {
        peer_renegotiate(topmost(self));
        push_down(self);
    }
}

void far_end_forge(struct far_end *self, unsigned char type, struct rill_bytes content)
{
    struct peer *const peer = topmost(self);
    if (peer != NULL) {
        peer_forge(peer, type, content);
        self->said = peer->said;
        self->goodbye = self->goodbye || peer->said_goodbye;
        self->raw.tampered = true;
        push_down(self);
    }
}

void far_end_send(struct far_end *self, size_t at_most)
{
    const size_t size = at_most < self->raw.length ? at_most : self->raw.length;
    if (peer_of(self) != NULL && !self->ended && size > 0 &&
        ops_of(self)->send(peer_of(self), self->raw.bytes, size) == 0) {
        wire_drop_front(&self->raw, size);
    }
}

/* -- in ---------------------------------------------------------------------------------------- */

/* From the boundary on nothing of rill's is in clear. */
static void check_records(struct records *records, const char *data, size_t size)
{
    while (size > 0) {
        if (records->left > 0) {
            const size_t count = records->left < size ? records->left : size;
            records->left -= count;
            data += count;
            size -= count;
            continue;
        }
        records->header[records->have++] = (unsigned char)*data++;
        size--;
        if (records->have == sizeof records->header) {
            const size_t length = (size_t)records->header[3] << 8 | records->header[4];
            if (records->header[0] < RECORD_TYPE_FIRST || records->header[0] > RECORD_TYPE_LAST ||
                records->header[1] != 3 || length > RECORD_MAX) {
                invariant_clear_text();
            }
            records->left = length;
            records->have = 0;
        }
    }
}

/* The plaintext of a layer is the input of what is above it. */
static void hear(void *arg, const char *data, size_t size)
{
    const struct layer *const layer = arg;
    take(layer->owner, layer->depth + 1, data, size);
}

static void begin_to_speak(struct far_end *self, struct layer *layer)
{
    const struct wire *const wire = wire_of(self, layer->depth);
    const size_t before = wire->length;

    peer_take(&layer->peer, "", 0);
    if (wire->length > before) { /* a client speaks first */
        wire_send(&layer->hello, wire->bytes + before, wire->length - before);
    }
}

static void open_layer(struct far_end *self)
{
    struct layer *const layer = &self->layers[self->depth];

    self->expected = false;
    *layer = (struct layer){.owner = self, .depth = self->depth};
    repeatable_side(RANDOM_OF_PEER);
    const bool opened =
        peer_open(&layer->peer, self->material, &self->setting, wire_of(self, self->depth));
    repeatable_side(RANDOM_OF_RILL);
    if (!opened) {
        self->failed = true;
        return;
    }
    layer->peer.hear = hear;
    layer->peer.arg = layer;
    layer->peer.said = self->said;
    self->clear = self->said;
    self->depth++;
    begin_to_speak(self, layer);
    push_down(self);
}

static void take_text(struct far_end *self, const char *data, size_t size)
{
    judge_heard(RANDOM_OF_RILL, self->heard, data, size, self->said_by_rill);
    self->heard += size;
}

/* Opens the layer that is due, once everything in front of it is there. */
static void take_at_top(struct far_end *self, unsigned depth, const char *data, size_t size)
{
    const size_t room = self->boundary - self->heard;
    const size_t before = self->expected && size > room ? room : size;

    take_text(self, data, before);
    if (self->expected && self->heard == self->boundary) {
        open_layer(self);
        if (depth < self->depth && size > before) {
            take(self, depth, data + before, size - before);
        }
    }
}

static void take(struct far_end *self, unsigned depth, const char *data, size_t size)
{
    if (self->failed) {
        return; /* a peer that could not begin listens to nothing */
    }
    if (depth == self->depth) {
        take_at_top(self, depth, data, size);
        return;
    }
    struct layer *const layer = &self->layers[depth];
    check_records(&layer->records, data, size);
    peer_take(&layer->peer, data, size);
    push_down(self);
}

bool far_end_take(struct far_end *self, size_t at_most)
{
    const struct rill_bytes all = peer_of(self) != NULL ? ops_of(self)->received(peer_of(self))
                                                        : (struct rill_bytes){NULL, 0};
    const size_t size = at_most < all.len ? at_most : all.len;

    if (size == 0) {
        return false;
    }
    char *const copy = malloc(size);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, all.ptr, size);
    ops_of(self)->discard(peer_of(self), size);
    take(self, 0, copy, size);
    free(copy);
    return true;
}

void far_end_expect(struct far_end *self, size_t boundary)
{
    if (self->expected) {
        return;
    }
    self->boundary = boundary;
    self->depth_before = self->depth;
    self->expected = true;
    if (self->heard == boundary) {
        open_layer(self);
    }
}

struct rill_bytes far_end_hello(const struct far_end *self)
{
    const struct layer *const layer = &self->layers[self->depth_before];
    const bool waits = self->depth > self->depth_before && !layer->peer.handshaken;

    return waits ? (struct rill_bytes){layer->hello.bytes, layer->hello.length}
                 : (struct rill_bytes){NULL, 0};
}

bool far_end_expect_nothing(struct far_end *self)
{
    const bool began = self->depth > self->depth_before;

    self->expected = false;
    if (began) {
        close_topmost(self);
    }
    return began && !self->setting.is_server;
}
