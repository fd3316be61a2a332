/* SPDX-License-Identifier: MIT
 *
 * Scripted look-ups (PROTOCOL.md, section 9): what getaddrinfo answers for some names.
 */
#ifndef TESTEE_LOOKUPS_H
#define TESTEE_LOOKUPS_H

#include "replay.h"

struct addrinfo;

/* Called on helper threads: reads the script only. An EAI code; the list is for
 * lookup_free_list. */
int lookup_names(const struct replay *replay, const char *host, const char *port,
                 const struct addrinfo *hints, struct addrinfo **list);
void lookup_free_list(struct addrinfo *list);

#endif
