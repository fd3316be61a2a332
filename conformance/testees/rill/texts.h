/* SPDX-License-Identifier: MIT
 *
 * Values as the text that Python's str gives.
 */
#ifndef TESTEE_TEXTS_H
#define TESTEE_TEXTS_H

#include <rill/transport.h>

#include "replay.h"

/* An Internet address is a tuple, a path stands for itself, an abstract name is the repr of bytes;
 * in the arena. */
const char *text_of_address(struct arena *arena, const struct rill_address *address);

/* What get_extra_info gives for this name; the caller's reference, NULL: none. */
json_t *json_of_extra_info(struct replay *replay, const char *name,
                           const struct rill_extra_info *info);

#endif
