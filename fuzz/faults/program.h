/* SPDX-License-Identifier: MIT
 *
 * Programs for one reader whose memory runs out and whose events come in any order. Nothing settles
 * by itself: a woken call goes on when an operation says so, or never.
 *
 * Every string of bytes is a program. Byte 0: the limit and what the transport can; then
 * operations, each a byte whose value modulo FAULTS_KINDS is its kind, followed by its numbers. A
 * size is a byte: up to 95 it is itself; above, it names a length of the moment and its low three
 * bits what to add, -3 to 4.
 */
#ifndef FUZZ_FAULTS_PROGRAM_H
#define FUZZ_FAULTS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rill/bytes.h>

enum {
    FAULTS_OPS_MAX = 48,
    FAULTS_SIZE_MAX = 3000,
    FAULTS_KEPT_MAX = 16 * 1024, /* bytes that a program may leave in the reader */
    FAULTS_SLOTS = 4,            /* error objects that a program may hold */
    FAULTS_SEPARATORS_MAX = 3,
};

enum faults_kind {
    FAULTS_FEED,
    FAULTS_FEED_VIEW, /* the bytes that a call returned, as they stand in the reader */
    FAULTS_RECEIVE,   /* in place: space, then filled */
    FAULTS_EOF,
    FAULTS_SET_EXCEPTION,
    FAULTS_CLEAR_EXCEPTION,
    FAULTS_READ,
    FAULTS_READ_ALL,
    FAULTS_READEXACTLY,
    FAULTS_READLINE,
    FAULTS_LINE_NOW,
    FAULTS_READUNTIL,
    FAULTS_CANCEL, /* the call that waits is asked to stop */
    FAULTS_RUN,    /* the call that waits goes on, woken or asked to stop */
    FAULTS_SHRINK,
    FAULTS_BOUND, /* of read-to-EOF */
    FAULTS_NO_MEMORY,
    FAULTS_MEMORY,
    FAULTS_ERROR,
    FAULTS_CAUSE,
    FAULTS_GROUP,
    FAULTS_SHARE,
    FAULTS_DROP,
    FAULTS_KINDS,
};

struct faults_op {
    enum faults_kind kind;
    size_t size;       /* FEED, RECEIVE: bytes; READ, READEXACTLY, SHRINK, BOUND, NO_MEMORY */
    size_t least;      /* RECEIVE: asked for */
    bool negative;     /* READ, READEXACTLY */
    unsigned variant;  /* what else there is to choose, each kind its own */
    unsigned variant2; /* the same again */
};

struct faults_head {
    size_t limit;
    bool has_transport;
    bool can_pause;
};

/* Lengths of the moment. */
struct faults_moment {
    size_t limit;
    size_t live;
    size_t room; /* behind the tail of the block */
};

struct faults_source {
    const uint8_t *at;
    size_t left;
};

struct faults_head faults_take_head(struct faults_source *source);
void faults_take_op(struct faults_source *source, const struct faults_moment *now,
                    struct faults_op *op);

/* The separators of a READUNTIL; how many. */
size_t faults_separators(unsigned variant, struct rill_bytes separators[FAULTS_SEPARATORS_MAX]);

/* Fed bytes: no two near each other are alike, so that what is lost, doubled or exchanged shows;
 * `variant` puts a separator or a part of one among them. */
void faults_fill(char *bytes, size_t size, size_t position, unsigned variant);

void faults_print_op(const struct faults_op *op, FILE *out);

#endif
