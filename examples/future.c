/* SPDX-License-Identifier: MIT
 *
 * A future on rill_reader_new: feed_eof sets it, a read waits for it.
 */
#include "future.h"

#include <rill/rill.h>

int future_init(struct future *future)
{
    const struct rill_opt_int no_limit = {0};

    return rill_reader_new(no_limit, &future->reader);
}

void future_set(struct future *future)
{
    if (future->reader != NULL) {
        rill_reader_feed_eof(future->reader);
    }
}

int future_wait(struct future *future)
{
    struct rill_bytes nothing;

    return rill_reader_read(future->reader, 1, &nothing);
}

void future_cleanup(struct future *future)
{
    rill_reader_free(future->reader);
    future->reader = NULL;
}
