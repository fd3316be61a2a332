/* SPDX-License-Identifier: MIT
 *
 * Reading a line with the oldest mistake there is, planted to be found: it takes what has come for
 * the line that was sent.
 */
#include "line_protocol.h"

int line_protocol_next(struct rill_reader *reader, struct rill_bytes *line)
{
    const int rc = rill_reader_read(reader, LINE_MAX_BYTES, line);
    if (rc < 0 || line->len == 0) {
        return rc;
    }
    line->len -= line->ptr[line->len - 1] == '\n';
    return 1;
}
