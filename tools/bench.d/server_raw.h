/* SPDX-License-Identifier: MIT
 *
 * What the two halves of the raw server share: sockets. server_raw.c is plain, server_raw_tls.c is
 * the same over TLS.
 */
#ifndef RILL_BENCH_SERVER_RAW_H
#define RILL_BENCH_SERVER_RAW_H

#include <stdbool.h>
#include <sys/types.h>

enum {
    LINE_LIMIT_BYTES = 64 * 1024,
    RECEIVE_BYTES = 128 * 1024,
    EVENTS_MAX = 512,
    RECEIVES_MAX = 8, /* of one connection in one turn, so that it cannot starve the others */
};

void raw_die(const char *what) __attribute__((noreturn));

/* Listens on a port of the kernel's choice, which it prints: the driver reads it. Watched by the
 * epoll set with a NULL pointer. */
void raw_listen(int *listener, int *epoll);
/* The next connection, with TCP_NODELAY; -1: there is none now. */
int raw_accept(int listener);
/* How much the kernel took; -1 when the connection is broken. */
ssize_t raw_send(int fd, const char *data, size_t size);
/* True: `data` has a line of more than LINE_LIMIT_BYTES. */
bool raw_has_line_too_long(const char *data, size_t size);

/* Echoes over TLS with this chain and key: whole lines, or whatever comes. */
void raw_serve_tls(bool lines, const char *certificate, const char *key) __attribute__((noreturn));

#endif
