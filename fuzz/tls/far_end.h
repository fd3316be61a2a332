/* SPDX-License-Identifier: MIT
 *
 * The other end of a transport in memory, or of a server's on the simulated kernel: it talks in
 * clear until rill's start_tls, then over TLS, after a second one over TLS in TLS. What it wants to
 * send lies on `raw` until it is carried.
 */
#ifndef FUZZ_TLS_FAR_END_H
#define FUZZ_TLS_FAR_END_H

#include <rill/transport.h>

#include "peer.h"
#include "simulated/kernel.h"

enum { FAR_LAYERS_MAX = 2 };

/* Where rill's bytes stand in TLS's records. */
struct records {
    size_t have; /* of a header */
    size_t left; /* of the record */
    unsigned char header[5];
};

struct layer {
    struct far_end *owner;
    unsigned depth; /* its number */
    struct peer peer;
    struct wire wire;  /* to be said by the layer below */
    struct wire hello; /* a client's first words: the layer below has said them */
    struct records records;
};

struct far_end {
    const struct material *material;
    struct peer_setting setting;
    struct rill_memory_peer *pipe; /* to a transport in memory; NULL: none */
    struct kernel_wire *line;      /* to a server's socket; both NULL: not connected */
    struct wire raw;
    struct layer layers[FAR_LAYERS_MAX];
    unsigned depth; /* layers that are open */
    bool expected;  /* one more begins behind `boundary` */
    size_t boundary;
    unsigned depth_before; /* that layer */
    size_t clear;          /* said before the topmost layer was there */
    size_t said;
    size_t heard;
    size_t said_by_rill; /* what `heard` may be at most */
    bool narrow;         /* rill may send no more than a window */
    bool goodbye;        /* some layer's close_notify */
    bool ended;          /* FIN, RST or close: said on the pipe */
    bool failed;         /* a layer could not be made, or has failed */
};

void far_end_init(struct far_end *self, const struct material *material,
                  const struct peer_setting *setting);
void far_end_cleanup(struct far_end *self);

/* rill starts TLS behind the text that it has written so far. */
void far_end_expect(struct far_end *self, size_t boundary);
/* It was refused. True when the far end has said something for it already. */
bool far_end_expect_nothing(struct far_end *self);

/* What the layer that rill starts has said unasked, as long as it was not understood. */
struct rill_bytes far_end_hello(const struct far_end *self);

/* The text's next bytes, by whatever is topmost. */
void far_end_say(struct far_end *self, size_t count);
/* close_notify of every layer, the topmost first. */
void far_end_say_goodbye(struct far_end *self);
/* The topmost layer has said its own. */
bool far_end_topmost_ended(const struct far_end *self);
void far_end_update_key(struct far_end *self, bool ask);
void far_end_renegotiate(struct far_end *self);
void far_end_forge(struct far_end *self, unsigned char type, struct rill_bytes content);

enum far_ending { FAR_FIN, FAR_RESET, FAR_CLOSE };
/* Once; false: it is not connected, or ended before. */
bool far_end_end(struct far_end *self, enum far_ending how);
void far_end_set_window(struct far_end *self, struct rill_opt_int window);

/* Up to so many bytes of `raw` become one data event. */
void far_end_send(struct far_end *self, size_t at_most);
/* Takes up to so many bytes of what rill has sent. True when there were any. */
bool far_end_take(struct far_end *self, size_t at_most);

#endif
