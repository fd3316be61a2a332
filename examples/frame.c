/* SPDX-License-Identifier: MIT
 *
 * Messages with their length in front, on readexactly and writelines.
 */
#include "frame.h"

#include <rill/rill.h>

enum { LENGTH_BYTES = 4 };

static int too_long(size_t len)
{
    return rill_task_fail(rill_error_new(
        RILL_EVALUE, "a message of %zu bytes, where %d are allowed", len, FRAME_MAX_BYTES));
}

int frame_read(struct rill_reader *reader, struct rill_bytes *message)
{
    struct rill_bytes head;
    size_t len = 0;

    int rc = rill_reader_readexactly(reader, LENGTH_BYTES, &head);
    if (rc == RILL_EINCOMPLETE && rill_task_error()->partial.len == 0) {
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < head.len; i++) {
        len = len << 8 | (unsigned char)head.ptr[i];
    }
    if (len > FRAME_MAX_BYTES) {
        return too_long(len);
    }
    rc = rill_reader_readexactly(reader, (ssize_t)len, message);
    return rc < 0 ? rc : 1;
}

int frame_write(struct rill_writer *writer, struct rill_bytes message)
{
    char head[LENGTH_BYTES];

    if (message.len > FRAME_MAX_BYTES) {
        return too_long(message.len);
    }
    for (size_t i = 0; i < sizeof head; i++) {
        head[i] = (char)(message.len >> 8 * (sizeof head - 1 - i) & 0xFF);
    }
    const struct rill_bytes parts[] = {{head, sizeof head}, message};
    const int rc = rill_writer_writelines(writer, parts, sizeof parts / sizeof parts[0]);
    return rc < 0 ? rc : rill_writer_drain(writer);
}
