/* SPDX-License-Identifier: MIT
 *
 * Reading the tree, and splicing.
 */
#include "der.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CONSTRUCTED = 0x20, OCTET_STRING = 0x04, MULTI_BYTE_TAG = 0x1f, LENGTH_BYTES_MAX = 3 };

struct parser {
    const uint8_t *data;
    struct der_node *nodes;
    size_t count;
};

/* The node that begins at `start`, within `end`; false when there is none. */
static bool read_node(const uint8_t *data, size_t start, size_t end, struct der_node *node)
{
    if (end - start < 2 || (data[start] & MULTI_BYTE_TAG) == MULTI_BYTE_TAG) {
        return false;
    }
    size_t at = start + 1;
    size_t length = data[at++];
    if (length >= 0x80) {
        const size_t bytes = length & 0x7f;
        if (bytes == 0 || bytes > LENGTH_BYTES_MAX || bytes > end - at) {
            return false;
        }
        length = 0;
        for (size_t i = 0; i < bytes; i++) {
            length = length << 8 | data[at++];
        }
    }
    *node = (struct der_node){.start = start, .content = at, .end = at + length};
    return length <= end - at;
}

/* Whether these bytes are nodes from end to end. */
static bool is_der(const uint8_t *data, size_t start, size_t end)
{
    struct der_node node;
    bool fits = start < end;
    while (fits && start < end) {
        fits = read_node(data, start, end, &node);
        start = node.end;
    }
    return fits;
}

static bool has_children(const uint8_t *data, const struct der_node *node)
{
    const uint8_t tag = data[node->start];
    return (tag & CONSTRUCTED) != 0 ||
           (tag == OCTET_STRING && is_der(data, node->content, node->end));
}

/* Depth is bounded, and so is this recursion. */
static void parse(struct parser *parser, size_t start, size_t end, size_t parent, int depth)
{
    struct der_node node;

    while (start < end && parser->count < DER_NODES_MAX &&
           read_node(parser->data, start, end, &node)) {
        const size_t number = parser->count++;
        node.parent = parent;
        parser->nodes[number] = node;
        if (depth < DER_DEPTH_MAX && has_children(parser->data, &node)) {
            parse(parser, node.content, node.end, number, depth + 1);
        }
        start = node.end;
    }
}

size_t der_parse(const uint8_t *data, size_t size, struct der_node nodes[DER_NODES_MAX])
{
    struct parser parser = {.data = data, .nodes = nodes};
    parse(&parser, 0, size, DER_NODES_MAX, 0);
    return parser.count;
}

size_t der_encode(uint8_t tag, const uint8_t *content, size_t size, uint8_t *out, size_t room)
{
    uint8_t header[2 + LENGTH_BYTES_MAX] = {tag};
    size_t used = 1;

    if (size < 0x80) {
        header[used++] = (uint8_t)size;
    } else {
        const size_t bytes = size > 0xffff ? 3 : size > 0xff ? 2 : 1;
        header[used++] = (uint8_t)(0x80 | bytes);
        for (size_t i = bytes; i-- > 0;) {
            header[used++] = (uint8_t)(size >> (8 * i));
        }
    }
    if (used + size > room) {
        return 0;
    }
    memmove(out + used, content, size); /* it may be there already */
    memcpy(out, header, used);
    return used + size;
}

/* before + with + after to out; 0: no room. */
static size_t join(const uint8_t *data, size_t from, size_t start, size_t end, size_t to,
                   const uint8_t *with, size_t with_size, uint8_t *out, size_t room)
{
    const size_t before = start - from;
    const size_t after = to - end;

    if (before + with_size + after > room) {
        return 0;
    }
    memmove(out + before, with, with_size);
    memcpy(out, data + from, before);
    memcpy(out + before + with_size, data + end, after);
    return before + with_size + after;
}

size_t der_replace(const uint8_t *data, size_t size, const struct der_node *nodes, size_t number,
                   const uint8_t *with, size_t with_size, uint8_t *out, size_t room)
{
    const struct der_node *node = &nodes[number];
    uint8_t *const piece = malloc(room + 1);
    size_t used = with_size;

    if (piece == NULL || with_size > room) {
        free(piece);
        return 0;
    }
    if (with_size > 0) {
        memcpy(piece, with, with_size);
    }
    for (; node->parent != DER_NODES_MAX; node = &nodes[node->parent]) {
        const struct der_node *const parent = &nodes[node->parent];
        used = join(data, parent->content, node->start, node->end, parent->end, piece, used, piece,
                    room);
        used = der_encode(data[parent->start], piece, used, piece, room);
        if (used == 0) {
            free(piece);
            return 0;
        }
    }
    used = join(data, 0, node->start, node->end, size, piece, used, out, room);
    free(piece);
    return used;
}
