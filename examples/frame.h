/* SPDX-License-Identifier: MIT
 *
 * Messages on a stream: four bytes with the length, most significant first, then the message.
 */
#ifndef EXAMPLES_FRAME_H
#define EXAMPLES_FRAME_H

#include <rill/streams.h>

enum { FRAME_MAX_BYTES = 60000 };

/* 1 with a message, valid until the next read from the reader; 0 at the end of the stream between
 * two messages. RILL_EINCOMPLETE: the stream ends inside of one; RILL_EVALUE: it would be longer
 * than FRAME_MAX_BYTES. Suspends; cancelled inside of a message: its length is lost. */
int frame_read(struct rill_reader *reader, struct rill_bytes *message);

/* Writes a message of at most FRAME_MAX_BYTES, otherwise RILL_EVALUE, and drains. Suspends. */
int frame_write(struct rill_writer *writer, struct rill_bytes message);

#endif
