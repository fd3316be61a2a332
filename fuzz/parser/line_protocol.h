/* SPDX-License-Identifier: MIT
 *
 * The example of a line protocol: what its server and the two ways to read a line share.
 */
#ifndef LINE_PROTOCOL_H
#define LINE_PROTOCOL_H

#include <rill/rill.h>

#define LINE_MAX_BYTES 64 /* the reader's limit */

/* The next line without its end: 1, or 0 at the end of the connection, or an error's code;
 * RILL_ELIMIT for a line that was too long and has been skipped. Suspends. */
int line_protocol_next(struct rill_reader *reader, struct rill_bytes *line);

#endif
