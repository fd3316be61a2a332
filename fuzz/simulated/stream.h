/* SPDX-License-Identifier: MIT
 *
 * What the two halves of the target stream know of each other: its settings, and the world's part.
 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "simulated/actor.h"

enum { STREAM_BY_HAND = 2, STREAM_CONNECTIONS = 3 };

/* Behind what every world can do. */
enum stream_world_op {
    STREAM_FEED_EOF = WORLD_COMMON_KINDS,
    STREAM_SET_EXCEPTION,
    STREAM_SET_TRANSPORT,
    STREAM_WORLD_KINDS
};

enum stream_flag {
    STREAM_CANCELS = 1,
    STREAM_GOES_ON = 2,
    STREAM_DEBUG = 4,
    STREAM_DROPS = 8,
    STREAM_FAIR = 16,
    STREAM_OWN_LOOP = 0xe0, /* all of them: it costs more than the rest of a run */
};

struct stream {
    struct stage stage;                                /* first: what plays a stage plays a run */
    struct connection connections[STREAM_CONNECTIONS]; /* the last is a reader made by hand */
};

extern const char *const stream_world_names[];

/* Carries out the world's operations, with turns between them. */
void stream_world(struct stream *stream);

#endif
