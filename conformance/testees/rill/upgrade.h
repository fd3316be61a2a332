/* SPDX-License-Identifier: MIT
 *
 * start_tls on a connection of the case, by the script or by the set-up.
 */
#ifndef TESTEE_UPGRADE_H
#define TESTEE_UPGRADE_H

#include "replay.h"

/* Suspends: start_tls of the writer, or under a scripted protocol the loop's. No flow is told while
 * it runs. */
int upgrade_connection(struct connection *connection, struct rill_ssl_context *context,
                       const struct rill_start_tls_options *options);

/* The same with the context and the options of the script's `tls`. */
int upgrade_as_told(struct connection *connection);

/* The same as the first deed of a server's handler on backend start-tls: its peer's ClientHello
 * comes when that has begun, and a failure is told. */
int upgrade_handler(struct connection *connection);

#endif
