/* SPDX-License-Identifier: MIT
 *
 * Bytes on their way in one direction, and what can happen to them there.
 */
#ifndef FUZZ_TLS_WIRE_H
#define FUZZ_TLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/bytes.h>

struct wire {
    char *bytes;
    size_t length;
    size_t capacity;
    bool tampered; /* not all of it, or not in this order, is what was sent */
};

void wire_free(struct wire *wire);
void wire_send(struct wire *wire, const void *data, size_t size);
void wire_drop_front(struct wire *wire, size_t count);

/* All of these are total: what is not there is left alone. */
void wire_flip(struct wire *wire, size_t at, unsigned char mask);
void wire_drop(struct wire *wire, size_t at, size_t count);
void wire_insert(struct wire *wire, size_t at, struct rill_bytes bytes);
/* The record with this number, from 0 on. */
void wire_drop_record(struct wire *wire, size_t number);
void wire_repeat_record(struct wire *wire, size_t number);
void wire_swap_records(struct wire *wire, size_t number); /* with the next one */

#endif
