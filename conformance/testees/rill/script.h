/* SPDX-License-Identifier: MIT
 *
 * The script of a case: set-up, operations, end, as one coroutine. Whenever it waits for the loop
 * to settle it suspends, and would_sleep (seams.c) resumes it.
 */
#ifndef TESTEE_SCRIPT_H
#define TESTEE_SCRIPT_H

#include "backend.h"
#include "replay.h"

/* The body of the driver; arg: the replay. */
rill_coro_fn script_drive;

/* Called by the driver: the loop runs until it has settled. */
void settle(struct replay *replay);

/* Set-up, step 0 (setup.c): what `with` says exists before the first operation. False: that failed,
 * which has been told. */
bool set_up(struct replay *replay);

/* What carries the connections of this case. */
enum carrier set_up_carrier(const struct replay *replay);

/* Ends main: from then on the loop must end by itself. */
void finish_main(struct replay *replay);

#endif
