/* SPDX-License-Identifier: MIT
 *
 * How an option says "given": a zeroed struct means "not given", which is asyncio's default;
 * RILL_SET(v) means v, zero included: `.limit = RILL_SET(0)` is asyncio's limit=0, an error, where
 * no limit at all means 65536. For strings NULL is "not given" and "" is an empty string.
 */
#ifndef RILL_OPTION_H
#define RILL_OPTION_H

#include <stdbool.h>

struct rill_opt_int {
    bool given;
    long long value;
};

struct rill_opt_real {
    bool given;
    double value;
};

/* An initialiser, for either kind: `.backlog = RILL_SET(5)`, `.timeout_s = RILL_SET(0.25)`. */
#define RILL_SET(v)                                                                                \
    {                                                                                              \
        true, (v)                                                                                  \
    }

#endif
