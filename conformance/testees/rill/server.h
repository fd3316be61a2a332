/* SPDX-License-Identifier: MIT
 *
 * The servers of a case, their handlers, and the peers that connect to them.
 */
#ifndef TESTEE_SERVER_H
#define TESTEE_SERVER_H

#include "replay.h"

/* Suspends: start_server with the options and the handler of the script. The new server is the
 * case's newest. */
int server_start(struct replay *replay, const json_t *call, const char *host, const char *port);

/* Suspends: the same with start_unix_server. */
int server_start_unix(struct replay *replay, const json_t *call, struct rill_bytes path);

/* A server by its number, from 1; 0: the newest. NULL: there is none. */
struct serving *server_numbered(const struct replay *replay, int number);

/* Lets go of the handle; and whether that was done with one. */
void server_drop(struct serving *serving);
bool servers_dropped(const struct replay *replay);

/* Its listening sockets' addresses as text, sorted; and their places in the server. */
struct server_name {
    const char *text;
    size_t index;
};
const struct server_name *server_names(const struct serving *serving, size_t *count);

/* A raw socket connects to a server and becomes peer `number`; it speaks TLS when the server does,
 * unless it is to be plain. */
void server_connect_peer(struct replay *replay, int number, int server, bool plain);

/* Whether a peer that connected is neither accepted nor turned away yet. */
bool servers_accept(struct replay *replay);

/* Ends all connections and stops listening; lets go. */
void servers_close(struct replay *replay);
void servers_free(struct replay *replay);

#endif
