/* SPDX-License-Identifier: MIT
 *
 * The log: asyncio's logger `asyncio`. WARNING and above go to stderr by default, as Python's
 * last-resort handler does; a loop's sink may be replaced (rill_loop_options.log).
 */
#ifndef RILL_LOG_H
#define RILL_LOG_H

enum rill_log_level {
    RILL_LOG_DEBUG = 10, /* Python's numbers */
    RILL_LOG_INFO = 20,
    RILL_LOG_WARNING = 30,
    RILL_LOG_ERROR = 40,
};

/* text has no final newline; valid during the call. */
typedef void rill_log_fn(void *arg, enum rill_log_level level, const char *text);

#endif
