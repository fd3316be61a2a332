/* SPDX-License-Identifier: MIT
 *
 * TLS between two layers: a protocol to the transport below, a transport to the protocol above
 * (asyncio's SSLProtocol and its _SSLProtocolTransport). What is below may be a socket, a memory
 * pipe, or TLS again.
 */
#ifndef RILL__SSL_PROTOCOL_H
#define RILL__SSL_PROTOCOL_H

#include <rill/transport.h>

#include "loop/tasks.h"
#include "sansio/flow_control.h"
#include "tls/engine.h"

/* What a caller asked for, as its options had it. */
struct rill__ssl_params {
    struct rill_ssl_context *context;
    bool server_side;
    const char *server_hostname; /* NULL or "": none */
    bool skip_hostname;
    struct rill_opt_real handshake_timeout;
    struct rill_opt_real shutdown_timeout;
};

/* asyncio's SSLProtocolState and AppProtocolState. */
enum rill__ssl_state {
    RILL__SSL_UNWRAPPED,
    RILL__SSL_HANDSHAKE,
    RILL__SSL_WRAPPED,
    RILL__SSL_FLUSHING,
    RILL__SSL_SHUTDOWN,
};
enum rill__app_state { RILL__APP_INIT, RILL__APP_MADE, RILL__APP_EOF, RILL__APP_LOST };

struct rill__ssl {
    struct rill_transport base;      /* the side of the protocol above */
    struct rill_protocol lower;      /* the side of the transport below, which holds a reference to
                                        this object until its connection_lost was passed on */
    struct rill_transport *below;    /* a reference; NULL once it is lost */
    struct rill_protocol *protocol;  /* above */
    struct rill_ssl_object *session; /* asyncio's _sslobj */
    struct rill__buffer backlog;     /* plaintext that the session does not take yet */
    struct rill__water water;        /* of both layers' bytes */
    struct rill__water read_water;   /* of bytes that came and nobody decrypted */
    struct rill__timer timer;        /* of the handshake, then of the shutdown */
    double handshake_timeout;        /* seconds */
    double shutdown_timeout;
    size_t unsent; /* when the shutdown's timer was set: it measures progress */
    struct rill__entry resume;
    struct rill__entry close_below;
    struct rill__entry lost;
    struct rill__entry last_flight; /* what waits for the first answer */
    struct rill__open open;         /* in the loop's list while `lost` is queued */
    const struct rill_error *lost_error;
    /* Called once: when the handshake is done (NULL), or when it will never be. */
    void (*on_handshake)(void *arg, struct rill__ssl *self, const struct rill_error *error);
    void *on_handshake_arg;
    enum rill__ssl_state state;
    enum rill__app_state app_state;
    enum rill_tls_end end;
    unsigned lost_writes; /* */
    bool default_timeout; /* the handshake's: Python prints 60.0 */
    size_t answers;       /* bytes that only answer the peer and wait to be sent */
    bool closing;
    bool gone;       /* the layer below is lost */
    bool encrypting; /* the protocol above is told of its buffer afterwards */
    bool handshaken;
    bool answers_soon; /* what came is read, what goes out waits for what is written now */
    bool app_reading_paused;
    bool below_reading_paused;
    bool eof_received;
};

/* R-529's checks, the context's and the name's, then a session. The caller gives `lower` to a
 * transport below, or ends this with rill__ssl_discard. One reference is the caller's.
 * made_already: the protocol has had its connection_made (start_tls). */
int rill__ssl_new(struct rill_loop *loop, const struct rill__ssl_params *params,
                  struct rill_protocol *protocol, bool made_already, struct rill__ssl **made,
                  const struct rill_error **error);
void rill__ssl_discard(struct rill__ssl *self);

/* Nobody above wants to hear of the connection any more. */
void rill__ssl_forget_protocol(struct rill__ssl *self);

/* `lower`'s connection_made, for a transport that has had its own. */
void rill__ssl_start(struct rill__ssl *self, struct rill_transport *below);

/* R-812's texts, for servers. NULL: fine. */
const struct rill_error *rill__ssl_check_timeouts(struct rill_opt_real handshake_timeout,
                                                  struct rill_opt_real shutdown_timeout);

/* The transport on top of this one: itself, or the TLS that uses it. */
struct rill_transport *rill__ssl_top(struct rill_transport *transport);

/* The TLS behind a transport, or NULL. */
struct rill__ssl *rill__ssl_of(struct rill_transport *transport);

/* -- between ssl_protocol.c and ssl_transport.c ----------------------------------------------- */

extern const struct rill_transport_ops rill__ssl_transport_ops;

void rill__ssl_start_shutdown(struct rill__ssl *self);
void rill__ssl_abort(struct rill__ssl *self, const struct rill_error *error);
const struct rill_error *rill__ssl_write(struct rill__ssl *self, const struct rill_bytes *parts,
                                         size_t count);
void rill__ssl_resume_reading(struct rill__ssl *self);
void rill__ssl_control_writing(struct rill__ssl *self);
size_t rill__ssl_unsent(const struct rill__ssl *self);

#endif
