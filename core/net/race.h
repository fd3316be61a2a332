/* SPDX-License-Identifier: MIT
 *
 * Happy eyeballs: the order of addresses and the staggered race (5.4), asyncio's
 * _interleave_addrinfos and staggered.py.
 */
#ifndef RILL__RACE_H
#define RILL__RACE_H

#include <rill/option.h>

#include "net/net.h"

/* R-570, in place. first: how many of the first family go out first, >= 1. 0 or RILL_ENOMEM. */
int rill__interleave(struct rill__address_list *list, long long first);

/* One attempt, in a task of its own: a descriptor (any number >= 0), or a negative code. It may
 * suspend; when its task is cancelled it must give back what it made. */
typedef int rill__attempt_fn(void *arg, size_t index);

/* What a race runs. `arg` must live until the last attempt has ended, which may be after rill__race
 * returned (a cancelled caller does not wait): hold and release count its users. */
struct rill__race_plan {
    size_t count;
    /* Seconds; not given: the next starts when the one before failed. */
    struct rill_opt_real delay;
    rill__attempt_fn *attempt;
    void (*hold)(void *arg);
    void (*release)(void *arg);
    void (*discard)(void *arg, int winner); /* a winner that nobody waits for any more */
    void *arg;
};

/* R-571 to R-574: *winner is what the first success returned, -1 when all failed. 0,
 * RILL_ECANCELLED (every attempt is cancelled, R-576), RILL_ENOMEM. */
int rill__race(const struct rill__race_plan *plan, int *winner);

#endif
