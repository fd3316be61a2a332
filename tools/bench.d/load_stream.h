/* SPDX-License-Identifier: MIT
 *
 * One connection of the load generator, plain or over TLS as the options say, non-blocking. A load
 * is written once for both.
 */
#ifndef RILL_BENCH_LOAD_STREAM_H
#define RILL_BENCH_LOAD_STREAM_H

#include "load.h"

struct ssl_st;

struct load_stream {
    int fd;
    unsigned number;    /* for messages */
    struct ssl_st *ssl; /* NULL: plain */
};

/* What a server with this certificate, a file, is connected to with. */
struct ssl_ctx_st *load_stream_context(const char *certificate);

/* Connected and registered as load_connect does it. Over TLS the handshake is still to be made. */
void load_stream_open(struct load_stream *self, const struct load_options *options, int epoll,
                      void *data);

/* One step. True: the handshake is done, and it is the one that all servers are measured with. */
bool load_stream_handshake(struct load_stream *self);
/* All its steps. */
void load_stream_handshake_wait(struct load_stream *self, const struct load_options *options);

/* How many of the bytes the connection took; 0: none now. */
size_t load_stream_send_some(struct load_stream *self, const char *data, size_t size);
/* All of them: for what always fits. */
void load_stream_send(struct load_stream *self, const char *data, size_t size);
/* How many bytes came; 0: none now. An end is none of this call's business: it ends the program. */
size_t load_stream_receive(struct load_stream *self, char *data, size_t size);

/* Says that nothing more comes: half a close, or close_notify. */
void load_stream_finish(struct load_stream *self);
/* One step after load_stream_finish. True: the server has ended the connection too, and it is
 * closed. Data that comes instead ends the program. */
bool load_stream_ended(struct load_stream *self);
/* All its steps. */
void load_stream_end_wait(struct load_stream *self, const struct load_options *options);

/* The line of a connection that asks and is answered in turn. */
struct load_line {
    size_t answered; /* bytes of the current line that have come back */
    uint64_t sequence;
    char text[LOAD_LINE_BYTES];
};

void load_line_init(struct load_line *self, unsigned number);
void load_line_ask(struct load_line *self, struct load_stream *stream);
/* True when the answer is complete. */
bool load_line_answered(struct load_line *self, struct load_stream *stream);

/* Forgets the session and its memory; the connection stays, silent. */
void load_stream_drop_session(struct load_stream *self);

#endif
