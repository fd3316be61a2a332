/* SPDX-License-Identifier: MIT
 *
 * The scripted protocol of `with: protocol` (PROTOCOL.md, section 3): tells each call that the
 * transport makes.
 */
#ifndef TESTEE_PROTOCOL_H
#define TESTEE_PROTOCOL_H

#include "replay.h"

/* A rill_protocol_factory; arg: the replay. */
struct rill_protocol *protocol_new(void *arg);

/* Whether its connection_made was called. */
bool protocol_is_made(const struct rill_protocol *protocol);

/* Whether the library lets a protocol's call of this name fail. */
bool protocol_can_fail(const char *call);

#endif
