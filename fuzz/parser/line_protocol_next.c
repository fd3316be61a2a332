/* SPDX-License-Identifier: MIT
 *
 * Reading a line, as it should be done.
 */
#include "line_protocol.h"

int line_protocol_next(struct rill_reader *reader, struct rill_bytes *line)
{
    const int rc = rill_reader_readuntil(reader, rill_bytes_of("\n"), line);
    if (rc == RILL_ELIMIT) {
        const int skipped = rill_reader_skip_line(reader);
        return skipped < 0 ? skipped : RILL_ELIMIT;
    }
    if (rc == RILL_EINCOMPLETE) {
        return 0; /* a line without its end was not finished: nobody acts upon it */
    }
    if (rc < 0) {
        return rc;
    }
    line->len--;
    return 1;
}
