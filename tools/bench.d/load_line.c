/* SPDX-License-Identifier: MIT
 *
 * The line that echo loads send: its connection's number and a running number, so that an answer
 * that is late, doubled or another connection's is seen.
 */
#include "load_stream.h"

#include <stdio.h>
#include <string.h>

static void put_hex(char *text, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, value >>= 4) {
        text[i] = digits[value & 15];
    }
}

void load_line_init(struct load_line *self, unsigned number)
{
    memset(self->text, 'x', sizeof self->text);
    snprintf(self->text, sizeof self->text, "%08x", number);
    self->text[8] = ' ';
    self->text[LOAD_LINE_BYTES - 1] = '\n';
    self->answered = 0;
    self->sequence = 0;
}

void load_line_ask(struct load_line *self, struct load_stream *stream)
{
    put_hex(self->text + 9, ++self->sequence);
    self->answered = 0;
    /* A closed loop never has more than one line in the socket's buffer: it always fits. */
    load_stream_send(stream, self->text, LOAD_LINE_BYTES);
}

bool load_line_answered(struct load_line *self, struct load_stream *stream)
{
    char answer[LOAD_LINE_BYTES + 1]; /* one more, to see that there is nothing more */
    const size_t size = load_stream_receive(stream, answer, sizeof answer - self->answered);
    if (size > LOAD_LINE_BYTES - self->answered ||
        memcmp(answer, self->text + self->answered, size) != 0) {
        load_die("connection %u: wrong answer to line %llu", stream->number,
                 (unsigned long long)self->sequence);
    }
    self->answered += size;
    return size > 0 && self->answered == LOAD_LINE_BYTES;
}
