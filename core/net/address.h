/* SPDX-License-Identifier: MIT
 *
 * Between the kernel's sockaddr and asyncio's address tuples.
 */
#ifndef RILL__ADDRESS_H
#define RILL__ADDRESS_H

#include <sys/socket.h>

#include "net/net.h"

/* As rill_address_repr. */
void rill__address_add_repr(struct rill__text *text, const struct rill_address *address);

/* A literal v4 or v6 address without %zone of `family` (0: either) and a port; false when
 * host is none. */
bool rill__address_literal(const char *host, long port, int family,
                           struct rill__endpoint_address *to);

#endif
