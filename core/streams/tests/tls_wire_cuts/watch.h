/* SPDX-License-Identifier: MIT
 *
 * A protocol between a transport and the protocol above it that only counts: what a stream is told
 * of its end, and in which order.
 */
#ifndef RILL_TEST_WIRE_WATCH_H
#define RILL_TEST_WIRE_WATCH_H

#include <stdbool.h>

#include <rill/transport.h>

struct watch {
    struct rill_protocol base;
    struct rill_protocol *above;
    bool attached;
    int events; /* with data */
    int eofs;
    int losses;
    int late; /* events after the one that should have been the last of its kind */
};

void watch_init(struct watch *watch, struct rill_protocol *above);
/* In front of the transport's protocol, until connection_lost. */
void watch_attach(struct watch *watch, struct rill_transport *transport);
/* Nothing attached, or: at most one end of input, then exactly one loss, then nothing. */
bool watch_is_fine(const struct watch *watch);

#endif
