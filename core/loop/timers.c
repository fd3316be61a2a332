/* SPDX-License-Identifier: MIT
 *
 * heapq's push, pop and heapify on (deadline, timer), deadlines compared alone.
 */
#include "loop/timers.h"

#include <math.h>

#include "sansio/memory.h"

#define MIN_SCHEDULED_TIMERS 100 /* asyncio's _MIN_SCHEDULED_TIMER_HANDLES */

static void place(struct rill__timers *timers, size_t position, struct rill__timer_slot slot)
{
    timers->slots[position] = slot;
    if (slot.timer != NULL) {
        slot.timer->index = position;
    }
}

/* heapq._siftdown: towards the root. */
static void sift_to_root(struct rill__timers *timers, size_t start, size_t position)
{
    const struct rill__timer_slot moving = timers->slots[position];

    while (position > start) {
        const size_t parent = (position - 1) >> 1;
        if (!(moving.when < timers->slots[parent].when)) {
            break;
        }
        place(timers, position, timers->slots[parent]);
        position = parent;
    }
    place(timers, position, moving);
}

/* heapq._siftup: down to a leaf along the smaller children, then back up. */
static void sift_to_leaf(struct rill__timers *timers, size_t position)
{
    const struct rill__timer_slot moving = timers->slots[position];
    const size_t start = position;
    size_t child = 2 * position + 1;

    while (child < timers->count) {
        const size_t right = child + 1;
        if (right < timers->count && !(timers->slots[child].when < timers->slots[right].when)) {
            child = right;
        }
        place(timers, position, timers->slots[child]);
        position = child;
        child = 2 * position + 1;
    }
    place(timers, position, moving);
    sift_to_root(timers, start, position);
}

static struct rill__timer_slot pop(struct rill__timers *timers)
{
    const struct rill__timer_slot last = timers->slots[--timers->count];
    if (timers->count == 0) {
        return last;
    }
    const struct rill__timer_slot top = timers->slots[0];
    place(timers, 0, last);
    sift_to_leaf(timers, 0);
    return top;
}

int rill__timers_push(struct rill__timers *timers, struct rill__timer *timer, double when)
{
    if (timers->count == timers->capacity) {
        const size_t capacity = timers->capacity == 0 ? 16 : timers->capacity * 2;
        struct rill__timer_slot *slots =
            rill__realloc(timers->slots, capacity * sizeof timers->slots[0]);
        if (slots == NULL) {
            return RILL_ENOMEM;
        }
        timers->slots = slots;
        timers->capacity = capacity;
    }
    const struct rill__timer_slot slot = {when, timer};
    place(timers, timers->count++, slot);
    sift_to_root(timers, 0, timers->count - 1);
    timer->armed = true;
    return 0;
}

void rill__timers_cancel(struct rill__timers *timers, struct rill__timer *timer)
{
    rill_assert(timer->armed && timers->slots[timer->index].timer == timer);
    timers->slots[timer->index].timer = NULL;
    timer->armed = false;
    timers->cancelled++;
}

/* Keeps the live slots in their order and makes a heap of them: heapq.heapify. */
static void rebuild(struct rill__timers *timers)
{
    size_t live = 0;
    for (size_t i = 0; i < timers->count; i++) {
        if (timers->slots[i].timer != NULL) {
            place(timers, live++, timers->slots[i]);
        }
    }
    timers->count = live;
    timers->cancelled = 0;
    for (size_t i = live / 2; i > 0; i--) {
        sift_to_leaf(timers, i - 1);
    }
}

void rill__timers_tidy(struct rill__timers *timers)
{
    if (timers->count > MIN_SCHEDULED_TIMERS && timers->cancelled * 2 > timers->count) {
        rebuild(timers);
        return;
    }
    while (timers->count > 0 && timers->slots[0].timer == NULL) {
        timers->cancelled--;
        pop(timers);
    }
}

double rill__timers_next(const struct rill__timers *timers)
{
    return timers->count > 0 ? timers->slots[0].when : INFINITY;
}

double rill__timers_next_live(const struct rill__timers *timers)
{
    double next = INFINITY;
    for (size_t i = 0; i < timers->count; i++) {
        if (timers->slots[i].timer != NULL && timers->slots[i].when < next) {
            next = timers->slots[i].when;
        }
    }
    return next;
}

bool rill__timers_pop_due(struct rill__timers *timers, double end, struct rill__timer **timer)
{
    return timers->count > 0 && timers->slots[0].when < end && rill__timers_pop(timers, timer);
}

bool rill__timers_pop(struct rill__timers *timers, struct rill__timer **timer)
{
    if (timers->count == 0) {
        return false;
    }
    const struct rill__timer_slot slot = pop(timers);
    *timer = slot.timer;
    if (slot.timer != NULL) {
        slot.timer->armed = false;
    } else {
        timers->cancelled--;
    }
    return true;
}

void rill__timers_cleanup(struct rill__timers *timers)
{
    for (size_t i = 0; i < timers->count; i++) {
        if (timers->slots[i].timer != NULL) {
            timers->slots[i].timer->armed = false;
        }
    }
    rill__free(timers->slots);
    timers->slots = NULL;
    timers->count = 0;
    timers->capacity = 0;
}
