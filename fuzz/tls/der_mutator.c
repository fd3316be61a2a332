/* SPDX-License-Identifier: MIT
 *
 * Changes to one node at a time; whatever was valid around it stays valid.
 */
#include "der_mutator.h"

#include <stdlib.h>
#include <string.h>

#include "der.h"
#include "target.h"

enum { GROWTH = 64 }; /* bytes that a content may grow by at once */

/* Not every engine has it. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

/* One mutation under way. */
struct mutation {
    const uint8_t *data;
    size_t size;
    struct der_node nodes[DER_NODES_MAX];
    size_t count;
    uint32_t random;
    uint8_t *out;
    size_t room;
};

static size_t draw(struct mutation *self, size_t count)
{
    self->random = self->random * 1664525U + 1013904223U;
    return (self->random >> 8) % count;
}

static size_t put(struct mutation *self, size_t number, const uint8_t *with, size_t size)
{
    return der_replace(self->data, self->size, self->nodes, number, with, size, self->out,
                       self->room);
}

static size_t node_size(const struct der_node *node)
{
    return node->end - node->start;
}

static size_t change_content(struct mutation *self, size_t number)
{
    const struct der_node *const node = &self->nodes[number];
    const size_t size = node->end - node->content;
    uint8_t *const content = malloc(size + GROWTH + 16);
    size_t used = size;
    size_t made = 0;

    if (content == NULL) {
        return 0;
    }
    memcpy(content, self->data + node->content, size);
    if (LLVMFuzzerMutate != NULL) {
        used = LLVMFuzzerMutate(content, size, size + GROWTH);
    } else if (size > 0) {
        content[draw(self, size)] ^= (uint8_t)(1U << draw(self, 8));
    }
    used = der_encode(self->data[node->start], content, used, content, size + GROWTH + 16);
    made = put(self, number, content, used);
    free(content);
    return made;
}

/* The types of strings and times, context tags of general names, and what a certificate is made
 * of. */
static size_t change_tag(struct mutation *self, size_t number)
{
    static const uint8_t tags[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x14, 0x16,
                                   0x17, 0x18, 0x1a, 0x1b, 0x1c, 0x1e, 0x30, 0x31, 0x80, 0x81,
                                   0x82, 0x86, 0x87, 0x88, 0xa0, 0xa1, 0xa3, 0xa4, 0xa5};
    const struct der_node *const node = &self->nodes[number];
    uint8_t *const copy = malloc(node_size(node));
    size_t made = 0;

    if (copy != NULL) {
        memcpy(copy, self->data + node->start, node_size(node));
        copy[0] = tags[draw(self, sizeof tags)];
        made = put(self, number, copy, node_size(node));
        free(copy);
    }
    return made;
}

static size_t repeat(struct mutation *self, size_t number, size_t other)
{
    const struct der_node *const first = &self->nodes[number];
    const struct der_node *const second = &self->nodes[other];
    uint8_t *const both = malloc(node_size(first) + node_size(second));
    size_t made = 0;

    if (both != NULL) {
        memcpy(both, self->data + first->start, node_size(first));
        memcpy(both + node_size(first), self->data + second->start, node_size(second));
        made = put(self, number, both, node_size(first) + node_size(second));
        free(both);
    }
    return made;
}

static size_t mutate_node(struct mutation *self)
{
    const size_t number = draw(self, self->count);
    const size_t other = draw(self, self->count);
    const struct der_node *const source = &self->nodes[other];

    switch (draw(self, 8)) {
    case 0:
        return number == 0 ? 0 : put(self, number, NULL, 0); /* away with it */
    case 1:
        return repeat(self, number, number);
    case 2:
        return repeat(self, number, other);
    case 3:
        return put(self, number, self->data + source->start, node_size(source));
    case 4:
        return change_tag(self, number);
    default:
        return change_content(self, number);
    }
}

static struct mutation *begin(const uint8_t *data, size_t size, unsigned seed, size_t room)
{
    struct mutation *const self = malloc(sizeof *self);
    uint8_t *const out = malloc(room + 1);

    if (self == NULL || out == NULL) {
        abort();
    }
    *self = (struct mutation){.data = data, .size = size, .random = seed, .out = out, .room = room};
    self->count = der_parse(data, size, self->nodes);
    return self;
}

static void end(struct mutation *self)
{
    free(self->out);
    free(self);
}

size_t der_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    enum { BYTES_ONCE_IN = 16 }; /* now and then lengths should be wrong */
    struct mutation *const self = begin(data, size, seed, max_size);
    size_t made = 0;

    if (self->count > 0 && draw(self, BYTES_ONCE_IN) > 0) {
        made = mutate_node(self);
    }
    if (made > 0) {
        memcpy(data, self->out, made);
    } else if (LLVMFuzzerMutate != NULL) {
        made = LLVMFuzzerMutate(data, size, max_size);
    } else {
        made = size;
    }
    end(self);
    return made;
}

size_t der_cross(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2,
                 uint8_t *out, size_t max_out_size, unsigned seed)
{
    struct mutation *const first = begin(data1, size1, seed, max_out_size);
    struct mutation *const second = begin(data2, size2, seed, 0);
    size_t made = 0;

    if (first->count > 0 && second->count > 0) {
        const struct der_node *const node = &second->nodes[draw(second, second->count)];
        made = put(first, draw(first, first->count), data2 + node->start, node_size(node));
        memcpy(out, first->out, made);
    }
    end(first);
    end(second);
    return made;
}
