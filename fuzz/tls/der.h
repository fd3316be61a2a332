/* SPDX-License-Identifier: MIT
 *
 * DER as a tree whose lengths always fit: what a mutator needs to get past d2i. A byte changed at
 * random nearly always ends in a length that is wrong.
 */
#ifndef FUZZ_TLS_DER_H
#define FUZZ_TLS_DER_H

#include <stddef.h>
#include <stdint.h>

enum { DER_NODES_MAX = 512, DER_DEPTH_MAX = 24 };

/* Tag, length, content; `data + start` is the tag. */
struct der_node {
    size_t start;
    size_t content;
    size_t end;
    size_t parent; /* its number; DER_NODES_MAX: none */
};

/* All nodes, parents before children, also those inside of octet strings that hold DER themselves.
 * What does not parse is a leaf. The count. */
size_t der_parse(const uint8_t *data, size_t size, struct der_node nodes[DER_NODES_MAX]);

/* Writes data to `out` with the node replaced by these bytes, and its ancestors' lengths anew. The
 * size, 0: it has no room. */
size_t der_replace(const uint8_t *data, size_t size, const struct der_node *nodes, size_t number,
                   const uint8_t *with, size_t with_size, uint8_t *out, size_t room);

/* One node with that tag and content to `out`. The size, 0: it has no room. */
size_t der_encode(uint8_t tag, const uint8_t *content, size_t size, uint8_t *out, size_t room);

#endif
