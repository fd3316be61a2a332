/* SPDX-License-Identifier: MIT
 *
 * A transport with a protocol of the target's own: what rill/transport.h promises to a protocol,
 * also across a start_tls.
 */
#ifndef FUZZ_TLS_BY_HAND_H
#define FUZZ_TLS_BY_HAND_H

#include "near_end.h"

/* In a task. */
int by_hand_open(struct near_end *owner);
int by_hand_start_tls(struct near_end *owner, struct rill_ssl_context *context,
                      const struct rill_start_tls_options *options);
/* When everything is over: it was told of the loss once, if it was told of a beginning. */
void by_hand_check(struct by_hand *self);

#endif
