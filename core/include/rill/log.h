/* SPDX-License-Identifier: MIT
 *
 * The log: asyncio's logger `asyncio`. WARNING and above go to stderr by default, as Python's
 * last-resort handler does; a loop's sink may be replaced (rill_loop_options.log).
 */
#ifndef RILL_LOG_H
#define RILL_LOG_H

#include <rill/error.h>

enum rill_log_level {
    RILL_LOG_DEBUG = 10, /* Python's numbers */
    RILL_LOG_INFO = 20,
    RILL_LOG_WARNING = 30,
    RILL_LOG_ERROR = 40,
};

/* text has no final newline; exception: what Python's record has as exc_info, or NULL. Both are
 * valid during the call. */
typedef void rill_log_fn(void *arg, enum rill_log_level level, const char *text,
                         const struct rill_error *exception);

#endif
