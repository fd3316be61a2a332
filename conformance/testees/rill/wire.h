/* SPDX-License-Identifier: MIT
 *
 * Messages between the runner and the testee: length-prefixed JSON on a pair of streams, and bytes
 * as JSON has them (conformance/PROTOCOL.md, section 1).
 */
#ifndef TESTEE_WIRE_H
#define TESTEE_WIRE_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>
#include <rill/bytes.h>

#include "arena.h"

struct wire {
    FILE *source;
    FILE *sink;
};

/* The next message, the caller's reference; NULL at the end of input or when it is no JSON. */
json_t *wire_receive(const struct wire *wire);

/* Sends a message and takes over its reference. Ends the process when the runner is gone. */
void wire_send(const struct wire *wire, json_t *message, bool flush);

/* A JSON string of the characters U+0000 to U+00FF, or [[count, string], ...], as bytes in the
 * arena; empty for anything else. */
struct rill_bytes bytes_of_json(struct arena *arena, const json_t *value);

/* Bytes as JSON; the caller's reference. */
json_t *json_of_bytes(struct rill_bytes bytes);

#endif
