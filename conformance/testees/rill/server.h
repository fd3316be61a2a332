/* SPDX-License-Identifier: MIT
 *
 * The case's server and the raw sockets beside it: the listener that peers of open_connection are
 * accepted from, and the port where nobody listens.
 */
#ifndef TESTEE_SERVER_H
#define TESTEE_SERVER_H

#include "replay.h"

#define LISTEN_HOST "127.0.0.1"

/* Suspends: start_server with the options and the handler of the script. */
int server_start(struct replay *replay, const json_t *options, const char *host, const char *port);

/* A raw socket connects to the server and becomes peer `number`. */
void server_connect_peer(struct replay *replay, int number);

/* A raw socket that listens; its port is told as `peer1`. */
void listener_open(struct replay *replay);

/* The next connection of the listener; -1 when none comes. */
int listener_accept(const struct replay *replay);

/* A bound socket that does not listen; its port is told as `closed`. */
void port_reserve(struct replay *replay);

/* Closes the raw sockets. */
void server_cleanup(struct replay *replay);

#endif
