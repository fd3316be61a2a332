/* SPDX-License-Identifier: MIT
 *
 * The connections of a case, by number and in order of appearance.
 */
#ifndef TESTEE_CONNECTION_H
#define TESTEE_CONNECTION_H

#include "replay.h"

/* A new connection; number 0: the next one. writer and peer may be NULL. owned: the pair (or the
 * reader made by hand) is ours to free, else it is a server's and only kept in memory. */
struct connection *connection_new(struct replay *replay, int number, struct rill_reader *reader,
                                  struct rill_writer *writer, bool owned);

/* One without streams: the case keeps this reference to the transport. */
struct connection *connection_of_transport(struct replay *replay, int number,
                                           struct rill_transport *transport);

/* NULL: there is none of that number. */
struct connection *connection_find(const struct replay *replay, int number);

/* Whether its pair may be used: the task of a handler takes its pair with it, and the
 * script may have let go of it. */
bool connection_is_usable(const struct connection *connection);

/* The script's end of a connection; a peer has its number. */
void connection_join(struct connection *connection, struct peer *peer);

/* Its transport, which start_tls replaces; NULL: the reader was made by hand, or gone. */
struct rill_transport *connection_transport(const struct connection *connection);

/* start_tls has given the connection this transport; NULL: its pair knows. */
void connection_upgraded(struct connection *connection, struct rill_transport *bare);

/* The app's descriptor; -1: it has none, or it is closed. */
int connection_descriptor(const struct connection *connection);

/* Finds the other end of a new connection among the raw sockets of the case, as its peer. */
void connection_find_peer(struct connection *connection);

/* The script lets go of the pair. */
void connection_drop(struct connection *connection);

/* Aborts the transports that are left. */
void connections_abort(struct replay *replay);

/* Lets go of all pairs and readers. */
void connections_free(struct replay *replay);

#endif
