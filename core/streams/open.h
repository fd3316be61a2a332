/* SPDX-License-Identifier: MIT
 *
 * Opening: from a descriptor to a transport whose connection_made was delivered.
 */
#ifndef RILL__OPEN_H
#define RILL__OPEN_H

#include "streams/selector.h"

/* Waits until connection_made was delivered. Cancelled: the transport is closed and
 * *transport, the caller's reference, is dropped. */
int rill__await_made(struct rill_task *task, struct rill__selector *transport);

#endif
