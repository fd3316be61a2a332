/* SPDX-License-Identifier: MIT
 *
 * A session from the inside: what the engine and the questions about it share.
 */
#ifndef RILL__TLS_SESSION_H
#define RILL__TLS_SESSION_H

#include "tls/context.h"
#include "tls/engine.h"

struct rill_ssl_object {
    SSL *ssl;
    struct rill_ssl_context *context; /* a reference; the one that the callback for SNI chose */
    struct rill__buffer incoming;     /* came before `fed` */
    struct rill_bytes fed;            /* the caller's memory, until settled */
    struct rill__buffer outgoing;
    char *room; /* the caller's: what goes out is put there first, while there is room */
    size_t room_size;
    size_t room_used;
    struct rill_peercert *peercert; /* after the first question */
    char *server_hostname;
    char *alpn; /* selected, after the handshake */
    bool server_side;
    bool reads_ahead;
    bool no_memory; /* a buffer could not grow inside OpenSSL's call */
};

/* The object of a session, whoever's its SSL_CTX is. */
struct rill_ssl_object *rill__tls_object_of(const SSL *ssl);

#endif
