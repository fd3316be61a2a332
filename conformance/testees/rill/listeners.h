/* SPDX-License-Identifier: MIT
 *
 * The raw sockets of a case that are nobody's peer yet: listeners that peers are accepted from, the
 * port where nobody listens, and what the option `sock` is given.
 */
#ifndef TESTEE_LISTENERS_H
#define TESTEE_LISTENERS_H

#include <sys/socket.h>

#include "replay.h"

#define LISTEN_HOST "127.0.0.1"

/* The listener on LISTEN_HOST; its port is told as `peer1`. with_v6: a second one on [::1] with the
 * same port. */
void listener_open(struct replay *replay, bool with_v6);

/* A listener on a path. */
void listener_open_unix(struct replay *replay, struct rill_bytes path);

/* The port of the first Internet listener; 0: there is none. */
int listener_port(const struct replay *replay);

/* The address of the first listener of a family; false: there is none. */
bool listener_address(const struct replay *replay, int family, struct sockaddr_storage *address,
                      socklen_t *length);

/* The other end of the app's descriptor: a socketpair's, or what the listener that it is connected
 * to accepts; -1: it is somebody else's. */
int listener_other_end(struct replay *replay, int fd);

/* What any of the listeners has in its queue; -1: nothing. */
int listener_accept_any(const struct replay *replay);

/* A bound socket that does not listen; its port is told as `closed`. */
void port_reserve(struct replay *replay);

/* A fresh socket of a kind (PROTOCOL.md, section 6); -1: it cannot be made. speaks_tls: for a call
 * with ssl, the other end of a pair is a TLS peer at once. */
int given_make(struct replay *replay, const char *kind, bool speaks_tls);

/* Whether the newest of these is an open descriptor, and the same one still. */
bool given_is_open(const struct replay *replay);

/* Closes all of them. */
void listeners_cleanup(struct replay *replay);

/* The address of a path in the file system or an abstract name, which the caller made short enough;
 * its length. */
socklen_t unix_address(struct rill_bytes path, struct sockaddr_storage *address);

/* Which file is open there; 0: none. */
ino_t inode_of_descriptor(int fd);

/* 0: the descriptor has none. */
int port_of_socket(int fd);

#endif
