/* SPDX-License-Identifier: MIT
 *
 * A queue of bytes that knows where TLS's records begin.
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 5 }; /* type, version, length */

struct span {
    size_t at;
    size_t size; /* 0: there is none */
};

void wire_free(struct wire *wire)
{
    free(wire->bytes);
    *wire = (struct wire){.bytes = NULL};
}

static void make_room(struct wire *wire, size_t size)
{
    if (wire->capacity - wire->length >= size) {
        return;
    }
    wire->capacity = 2 * (wire->length + size);
    char *const moved = realloc(wire->bytes, wire->capacity);
    if (moved == NULL) {
        abort();
    }
    wire->bytes = moved;
}

static void put(struct wire *wire, size_t at, const char *data, size_t size)
{
    if (size == 0) {
        return;
    }
    make_room(wire, size);
    memmove(wire->bytes + at + size, wire->bytes + at, wire->length - at);
    memcpy(wire->bytes + at, data, size);
    wire->length += size;
}

static void cut(struct wire *wire, size_t at, size_t size)
{
    if (size > 0) {
        memmove(wire->bytes + at, wire->bytes + at + size, wire->length - at - size);
        wire->length -= size;
    }
}

void wire_send(struct wire *wire, const void *data, size_t size)
{
    put(wire, wire->length, data, size);
}

void wire_drop_front(struct wire *wire, size_t count)
{
    cut(wire, 0, count);
}

void wire_flip(struct wire *wire, size_t at, unsigned char mask)
{
    if (wire->length > 0 && mask != 0) {
        char *const byte = &wire->bytes[at % wire->length];
        *byte = (char)((unsigned char)*byte ^ mask);
        wire->tampered = true;
    }
}

void wire_drop(struct wire *wire, size_t at, size_t count)
{
    if (wire->length > 0 && count > 0) {
        const size_t from = at % wire->length;
        const size_t rest = wire->length - from;
        cut(wire, from, count < rest ? count : rest);
        wire->tampered = true;
    }
}

void wire_insert(struct wire *wire, size_t at, struct rill_bytes bytes)
{
    if (bytes.len > 0) {
        put(wire, at % (wire->length + 1), bytes.ptr, bytes.len);
        wire->tampered = true;
    }
}

/* Whole records only. */
static struct span record_at(const struct wire *wire, size_t number)
{
    size_t at = 0;

    while (wire->length - at >= HEADER_SIZE) {
        const unsigned char *const header = (const unsigned char *)wire->bytes + at;
        const size_t size = HEADER_SIZE + ((size_t)header[3] << 8 | header[4]);
        if (size > wire->length - at) {
            break;
        }
        if (number == 0) {
            return (struct span){at, size};
        }
        number--;
        at += size;
    }
    return (struct span){0, 0};
}

void wire_drop_record(struct wire *wire, size_t number)
{
    const struct span record = record_at(wire, number);
    cut(wire, record.at, record.size);
    wire->tampered = wire->tampered || record.size > 0;
}

static void copy_to(struct wire *wire, struct span record, size_t at)
{
    char *const copy = malloc(record.size + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, wire->bytes + record.at, record.size);
    put(wire, at, copy, record.size);
    free(copy);
    wire->tampered = true;
}

void wire_repeat_record(struct wire *wire, size_t number)
{
    const struct span record = record_at(wire, number);
    if (record.size > 0) {
        copy_to(wire, record, record.at);
    }
}

void wire_swap_records(struct wire *wire, size_t number)
{
    const struct span first = record_at(wire, number);
    const struct span second = record_at(wire, number + 1);
    if (second.size > 0) {
        copy_to(wire, first, second.at + second.size);
        cut(wire, first.at, first.size);
    }
}
