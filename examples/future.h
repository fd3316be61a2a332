/* SPDX-License-Identifier: MIT
 *
 * loop.create_future() for a future whose result says nothing: a task waits until a callback says
 * that something has happened. It is a reader that nobody connects; its end of file is the result.
 */
#ifndef EXAMPLES_FUTURE_H
#define EXAMPLES_FUTURE_H

struct rill_reader;

struct future {
    struct rill_reader *reader; /* NULL: not there yet, or cleaned up */
};

/* In a task. 0 or RILL_ENOMEM. */
int future_init(struct future *future);

/* future.set_result(None). Nothing happens when it is set already or was cleaned up, so a callback
 * may outlive who waited. Does not suspend. */
void future_set(struct future *future);

/* await future: 0, or RILL_ECANCELLED. Suspends. */
int future_wait(struct future *future);

void future_cleanup(struct future *future);

#endif
