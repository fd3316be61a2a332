/* SPDX-License-Identifier: MIT
 *
 * Scripts as bytes.
 */
#include "codec.h"

#include <string.h>

struct source {
    const unsigned char *at;
    size_t left;
};

static unsigned char take_byte(struct source *source)
{
    if (source->left == 0) {
        return 0;
    }
    source->left--;
    return *source->at++;
}

static struct script_bytes take_bytes(struct source *source)
{
    size_t length = take_byte(source);
    if (length > source->left) {
        length = source->left;
    }
    const struct script_bytes bytes = {(const char *)source->at, length};
    source->at += length;
    source->left -= length;
    return bytes;
}

static void take_separators(struct source *source, size_t count, struct script_op *op)
{
    op->separator_count = count;
    for (size_t i = 0; i < count; i++) {
        op->separators[i] = take_bytes(source);
    }
}

static struct script_op take_op(struct source *source)
{
    struct script_op op = {.kind = (enum script_kind)(take_byte(source) % SCRIPT_KINDS)};
    switch (op.kind) {
    case SCRIPT_FEED:
        op.bytes = take_bytes(source);
        break;
    case SCRIPT_READ:
    case SCRIPT_READEXACTLY:
        op.n = take_byte(source);
        op.n -= op.n > 127 ? 256 : 0;
        break;
    case SCRIPT_READUNTIL:
        take_separators(source, 1, &op);
        break;
    case SCRIPT_READUNTIL_TUPLE:
        take_separators(source, take_byte(source) % (SCRIPT_SEPARATORS_MAX + 1), &op);
        break;
    default:
        break;
    }
    return op;
}

void codec_decode(const unsigned char *bytes, size_t size, struct script *script)
{
    struct source source = {bytes, size};
    const unsigned char head = take_byte(&source);

    script->limit = 1U + head % SCRIPT_LIMIT_MAX;
    script->transport = (enum script_transport)(head / SCRIPT_LIMIT_MAX % SCRIPT_TRANSPORTS);
    script->count = 0;
    while (source.left > 0 && script->count < SCRIPT_OPS_MAX) {
        script->ops[script->count++] = take_op(&source);
    }
}

/* Returns where the next byte goes. */
static unsigned char *put_bytes(unsigned char *to, struct script_bytes bytes)
{
    *to++ = (unsigned char)bytes.len;
    if (bytes.len > 0) {
        memcpy(to, bytes.ptr, bytes.len);
    }
    return to + bytes.len;
}

static unsigned char *put_op(unsigned char *to, const struct script_op *op)
{
    *to++ = (unsigned char)op->kind;
    switch (op->kind) {
    case SCRIPT_FEED:
        return put_bytes(to, op->bytes);
    case SCRIPT_READ:
    case SCRIPT_READEXACTLY:
        *to++ = (unsigned char)op->n;
        return to;
    case SCRIPT_READUNTIL:
    case SCRIPT_READUNTIL_TUPLE:
        if (op->kind == SCRIPT_READUNTIL_TUPLE) {
            *to++ = (unsigned char)op->separator_count;
        }
        for (size_t i = 0; i < op->separator_count; i++) {
            to = put_bytes(to, op->separators[i]);
        }
        return to;
    default:
        return to;
    }
}

size_t codec_encode(const struct script *script, unsigned char *bytes)
{
    unsigned char *to = bytes;
    *to++ = (unsigned char)((script->limit - 1) | (size_t)script->transport * SCRIPT_LIMIT_MAX);
    for (size_t i = 0; i < script->count; i++) {
        to = put_op(to, &script->ops[i]);
    }
    return (size_t)(to - bytes);
}
