/* SPDX-License-Identifier: MIT
 *
 * The layer below streams, for callers with callbacks and no coroutines: transports and protocols,
 * as in asyncio. Streams are one user of it. A transport moves bytes; a protocol is told what
 * happens, in the order connection_made, (data_received | buffer_updated)*, eof_received at most
 * once, connection_lost exactly once
 * (also when the loop is freed before connection_made).
 */
#ifndef RILL_TRANSPORT_H
#define RILL_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rill/error.h>
#include <rill/loop.h>
#include <rill/option.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_protocol;
struct rill_transport;
struct rill_server;
struct rill_ssl_context;
struct rill_ssl_object;

/* A socket's address in asyncio's terms. */
struct rill_address {
    int family;    /* AF_INET, AF_INET6, AF_UNIX; 0: none */
    char host[64]; /* numeric, with %scope where there is one */
    int port;
    uint32_t flowinfo;
    uint32_t scope_id;
    char path[109]; /* AF_UNIX; abstract names begin with NUL */
    size_t path_len;
};

/* Writes Python's repr of the address into text, as `('127.0.0.1', 8888)`, cut to size and
 * NUL-terminated; returns the length it wanted. */
size_t rill_address_repr(const struct rill_address *address, char *text, size_t size);

/* What get_extra_info can answer. */
enum rill_extra_kind {
    RILL_EXTRA_NONE = 0,
    RILL_EXTRA_ADDRESS,     /* peername, sockname */
    RILL_EXTRA_SOCKET,      /* socket */
    RILL_EXTRA_SSL_CONTEXT, /* sslcontext */
    RILL_EXTRA_SSL_OBJECT,  /* ssl_object; peercert, cipher and compression: ask the object */
};
struct rill_extra_info {
    enum rill_extra_kind kind; /* NONE: the name is not known here, asyncio's default */
    struct rill_address address;
    int socket; /* descriptor; the transport's, do not close; -1 after the connection closed
                 */
    /* The transport's, for sslcontext and for the four names that a session answers (rill/tls.h).
     */
    struct rill_ssl_context *ssl_context;
    struct rill_ssl_object *ssl_object;
};

/* asyncio.Protocol and BufferedProtocol as one table; a protocol is a struct that begins with
 * struct rill_protocol. No call here may suspend. NULL members are skipped. A negative result is an
 * exception raised by the handler. */
struct rill_protocol_ops {
    void (*connection_made)(struct rill_protocol *self, struct rill_transport *transport);
    /* data is valid during the call. */
    int (*data_received)(struct rill_protocol *self, struct rill_bytes data);
    /* BufferedProtocol: where the next bytes go; hint: how many there may be, 0: not known.
     * Returns the size of *space, 0 when there is none now: data_received is then used. With both
     * members set, what does not fit the space follows in data_received, as part of the same event.
     */
    size_t (*get_buffer)(struct rill_protocol *self, size_t hint, char **space);
    int (*buffer_updated)(struct rill_protocol *self, size_t count);
    /* 1: stay open for writing; 0: close. */
    int (*eof_received)(struct rill_protocol *self);
    /* error: NULL after a clean end. The transport closes its socket after this call. */
    void (*connection_lost)(struct rill_protocol *self, const struct rill_error *error);
    void (*pause_writing)(struct rill_protocol *self);
    void (*resume_writing)(struct rill_protocol *self);
};
struct rill_protocol {
    const struct rill_protocol_ops *ops;
};

/* The vtable that socket, TLS and memory transports implement. Results of type rill_error: NULL or
 * an error whose reference is the caller's. */
struct rill_transport_ops {
    const struct rill_error *(*write)(struct rill_transport *self, struct rill_bytes data);
    const struct rill_error *(*writelines)(struct rill_transport *self,
                                           const struct rill_bytes *parts, size_t count);
    /* As write, but refers to data until done(arg); NULL: rill copies and calls done at once. */
    const struct rill_error *(*write_borrowed)(struct rill_transport *self, struct rill_bytes data,
                                               rill_callback *done, void *arg);
    const struct rill_error *(*write_eof)(struct rill_transport *self);
    bool (*can_write_eof)(struct rill_transport *self);
    void (*close)(struct rill_transport *self);
    /* asyncio's _force_close: abort with NULL, else connection_lost gets the error. Takes over the
     * reference. */
    void (*force_close)(struct rill_transport *self, const struct rill_error *error);
    bool (*is_closing)(struct rill_transport *self);
    int (*pause_reading)(struct rill_transport *self); /* 0 or RILL_ENOTIMPLEMENTED */
    void (*resume_reading)(struct rill_transport *self);
    bool (*is_reading)(struct rill_transport *self);
    const struct rill_error *(*set_write_buffer_limits)(struct rill_transport *self,
                                                        const long long *high,
                                                        const long long *low);
    void (*get_write_buffer_limits)(struct rill_transport *self, size_t *low, size_t *high);
    size_t (*get_write_buffer_size)(struct rill_transport *self);
    void (*get_extra_info)(struct rill_transport *self, const char *name,
                           struct rill_extra_info *info);
    void (*set_protocol)(struct rill_transport *self, struct rill_protocol *protocol);
    struct rill_protocol *(*get_protocol)(struct rill_transport *self);
    void (*destroy)(struct rill_transport *self); /* the last reference is gone */
};
struct rill_transport {
    const struct rill_transport_ops *ops;
    struct rill_loop *loop;
    size_t references; /* rill_transport_ref, _unref */
};

/* A transport lives as long as somebody holds a reference: its loop does until connection_lost was
 * called, create_connection's caller until rill_transport_unref. Letting go does not close. */
struct rill_transport *rill_transport_ref(struct rill_transport *transport);
void rill_transport_unref(struct rill_transport *transport); /* NULL is fine */

/* asyncio's methods under their names. Those that can fail return 0 or a code; the object is then
 * in *error (the caller's reference) unless error is NULL. None suspends. */
int rill_transport_write(struct rill_transport *transport, const void *data, size_t size,
                         const struct rill_error **error); /* */
int rill_transport_writelines(struct rill_transport *transport, const struct rill_bytes *parts,
                              size_t count, const struct rill_error **error);
int rill_transport_write_eof(struct rill_transport *transport, const struct rill_error **error);
bool rill_transport_can_write_eof(struct rill_transport *transport);
void rill_transport_close(struct rill_transport *transport); /* */
void rill_transport_abort(struct rill_transport *transport); /* */
bool rill_transport_is_closing(struct rill_transport *transport);
int rill_transport_pause_reading(struct rill_transport *transport); /* */
void rill_transport_resume_reading(struct rill_transport *transport);
bool rill_transport_is_reading(struct rill_transport *transport); /* */
/* bytes; not given as in R-304. */
int rill_transport_set_write_buffer_limits(struct rill_transport *transport,
                                           struct rill_opt_int high, struct rill_opt_int low,
                                           const struct rill_error **error);
void rill_transport_get_write_buffer_limits(struct rill_transport *transport, size_t *low,
                                            size_t *high);
size_t rill_transport_get_write_buffer_size(struct rill_transport *transport);
/* What only a TLS transport has: bytes of ciphertext that may wait while the protocol has
 * paused, before the transport below is paused too; not given: 262144 and a quarter of it.
 * RILL_ENOTIMPLEMENTED, false and 0 on any other. */
int rill_ssl_transport_set_read_buffer_limits(struct rill_transport *transport,
                                              struct rill_opt_int high, struct rill_opt_int low,
                                              const struct rill_error **error);
bool rill_ssl_transport_get_read_buffer_limits(struct rill_transport *transport, size_t *low,
                                               size_t *high);
size_t rill_ssl_transport_get_read_buffer_size(struct rill_transport *transport);
/* True and *info filled when the name is known. */
bool rill_transport_get_extra_info(struct rill_transport *transport, const char *name,
                                   struct rill_extra_info *info);
void rill_transport_set_protocol(struct rill_transport *transport, struct rill_protocol *protocol);
struct rill_protocol *rill_transport_get_protocol(struct rill_transport *transport);

/* Options of create_connection and open_connection (5.1). A zeroed struct means "nothing given". */
struct rill_connection_options {
    struct rill_opt_int limit; /* bytes; open_connection only */
    int family;                /* AF_INET, AF_INET6; 0: any */
    int proto;
    int flags;
    /* A connected stream socket; owned by the transport from success on. */
    struct rill_opt_int sock;
    /* local_addr, given when either is: bound before connecting. */
    const char *local_host;
    const char *local_port;
    struct rill_opt_real happy_eyeballs_delay; /* seconds; not given: one after another */
    struct rill_opt_int interleave;            /* */
    struct rill_opt_int all_errors;            /* not 0: a failed connect is RILL_EGROUP */
    struct rill_ssl_context *ssl; /* NULL: plain; rill_ssl_default: asyncio's True */
    /* For SNI and the name check; not given: host. With ssl only. "" on a context that
     * checks names is RILL_EVALUE. */
    const char *server_hostname;
    struct rill_opt_real ssl_handshake_timeout; /* seconds, with ssl only; not given: 60 */
    struct rill_opt_real ssl_shutdown_timeout;  /* seconds, with ssl only; not given: 30 */
    bool insecure_skip_hostname;                /* with ssl: no name is checked */
};

/* Makes a protocol for each connection; NULL: out of memory. */
typedef struct rill_protocol *rill_protocol_factory(void *arg);

/* loop.create_connection(): connects, makes transport and protocol, delivers connection_made, then
 * returns. host and port may be NULL. Suspends; cancelled: the socket is closed
 * . *transport is the caller's reference. Errors: section 5. */
int rill_create_connection(rill_protocol_factory *factory, void *arg, const char *host,
                           const char *port, const struct rill_connection_options *options,
                           struct rill_transport **transport, struct rill_protocol **protocol);

/* Options of the Unix twin. */
struct rill_unix_connection_options {
    struct rill_opt_int limit;                  /* bytes */
    struct rill_opt_int sock;                   /* a connected AF_UNIX stream socket */
    struct rill_ssl_context *ssl;               /* as in rill_connection_options */
    const char *server_hostname;                /* required with ssl */
    struct rill_opt_real ssl_handshake_timeout; /* seconds, with ssl only */
    struct rill_opt_real ssl_shutdown_timeout;
    bool insecure_skip_hostname;
};

/* loop.create_unix_connection(): the same over a Unix stream socket. path is bytes because abstract
 * names begin with NUL; ptr NULL is Python's None. Errors: section 7. */
int rill_create_unix_connection(rill_protocol_factory *factory, void *arg, struct rill_bytes path,
                                const struct rill_unix_connection_options *options,
                                struct rill_transport **transport, struct rill_protocol **protocol);

/* Options of start_tls. */
struct rill_start_tls_options {
    /* For SNI and the name check. NULL or "" on a context that checks names is RILL_EVALUE.
     */
    const char *server_hostname;
    struct rill_opt_real ssl_handshake_timeout; /* seconds; not given: 60 */
    struct rill_opt_real ssl_shutdown_timeout;  /* seconds; not given: 30 */
    bool insecure_skip_hostname;
    bool server_side; /* rill_start_tls only: a stream knows */
};

/* loop.start_tls(): TLS on a live transport, which from success on is the new one's. protocol, the
 * old one's, becomes the new one's. Suspends for the handshake. *made is the caller's reference.
 * The call takes over the caller's reference to `transport` on success. A failed or cancelled
 * handshake closes the connection, and protocol is told. Errors, 8.2. */
int rill_start_tls(struct rill_transport *transport, struct rill_protocol *protocol,
                   struct rill_ssl_context *ssl, const struct rill_start_tls_options *options,
                   struct rill_transport **made);

/* Transports in memory, for tests, fuzzers and proxies: no descriptor, exact byte budgets,
 * otherwise a perfect stream socket under the rules of sections 3 and 4. What the transport writes
 * goes at once to the peer as far as its window allows, the rest is buffered; what the peer sends
 * arrives as one data event for each call, in the I/O phase of a turn, as a socket's readiness
 * would. */
struct rill_memory_peer;
struct rill_memory_options {
    struct rill_opt_int
        window;       /* bytes that may wait for the peer's reading; not given: no limit */
    bool server_side; /* rill_open_memory_connection with ssl: the handshake's server */
};
/* Makes a transport for `protocol` on the loop; connection_made comes in the next iteration
 * . The caller owns *peer (free it in any state) and one reference to *transport. 0 or
 * RILL_ENOMEM. */
int rill_memory_transport_new(struct rill_loop *loop, struct rill_protocol *protocol,
                              const struct rill_memory_options *options,
                              struct rill_transport **transport, struct rill_memory_peer **peer);
void rill_memory_peer_free(struct rill_memory_peer *peer); /* NULL is fine */
/* One chunk: one data event (of at most 262144 bytes, the rest follows). 0 or RILL_ENOMEM; size 0
 * is nothing. */
int rill_memory_peer_send(struct rill_memory_peer *peer, const void *data, size_t size);
/* FIN behind what was sent. */
void rill_memory_peer_shutdown_write(struct rill_memory_peer *peer);
/* FIN, and EPIPE for what the transport writes from now on; a reset when bytes were received that
 * nobody read. */
void rill_memory_peer_close(struct rill_memory_peer *peer);
/* RST: ECONNRESET once, behind what was sent, or at the next write; then end of input and EPIPE. */
void rill_memory_peer_reset(struct rill_memory_peer *peer);
/* At most so many bytes wait for the peer's reading from now on; not given: no limit. */
void rill_memory_peer_set_window(struct rill_memory_peer *peer, struct rill_opt_int window);
/* Everything received and not yet discarded; valid until the next call on the peer or turn of the
 * loop. Discarding opens room in the window. */
struct rill_bytes rill_memory_peer_received(const struct rill_memory_peer *peer);
void rill_memory_peer_discard(struct rill_memory_peer *peer, size_t count);
/* How the transport's sending ended: not yet; by write_eof or close; by a close while bytes of the
 * peer were unread. */
enum rill_memory_end { RILL_MEMORY_OPEN, RILL_MEMORY_FIN, RILL_MEMORY_RST };
enum rill_memory_end rill_memory_peer_end(const struct rill_memory_peer *peer);
/* Bytes sent that the transport has not taken yet. */
size_t rill_memory_peer_unread(const struct rill_memory_peer *peer);

#ifdef __cplusplus
}
#endif

#endif
