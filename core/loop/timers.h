/* SPDX-License-Identifier: MIT
 *
 * The timer heap: CPython's heapq on deadlines, because the order of equal deadlines is visible
 * (R-016).
 */
#ifndef RILL__TIMERS_H
#define RILL__TIMERS_H

#include "loop/loop.h"

struct rill__timer_slot {
    double when;
    struct rill__timer *timer; /* NULL: cancelled, still in the heap */
};

int rill__timers_push(struct rill__timers *timers, struct rill__timer *timer, double when);
void rill__timers_cancel(struct rill__timers *timers, struct rill__timer *timer);

/* At the start of a turn: drops cancelled slots from the top, or all of them when they are more
 * than half of over a hundred, as asyncio does. */
void rill__timers_tidy(struct rill__timers *timers);

/* The next deadline, infinity when there is none. */
double rill__timers_next(const struct rill__timers *timers);

/* The next deadline of a timer that was not cancelled; looks at every slot. */
double rill__timers_next_live(const struct rill__timers *timers);

/* Pops the next timer with a deadline < end; false when there is none. *timer is NULL for a
 * cancelled one. */
bool rill__timers_pop_due(struct rill__timers *timers, double end, struct rill__timer **timer);

/* Pops the next one whenever it is due. */
bool rill__timers_pop(struct rill__timers *timers, struct rill__timer **timer);

void rill__timers_cleanup(struct rill__timers *timers);

#endif
