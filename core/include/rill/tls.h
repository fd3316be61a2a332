/* SPDX-License-Identifier: MIT
 *
 * TLS as Python's ssl module gives it to asyncio: the context that a connection, a server or
 * start_tls is given as `ssl`, and what can be asked of a connection that has one. Safe by default:
 * whatever weakens a check has `insecure` in its name, and a check that cannot be set up fails the
 * connection.
 *
 * Calls here never suspend and need no loop. Those that can fail return 0 or a negative code; the
 * object is then in *error (the caller's reference) unless error is NULL. The OpenSSL error queue
 * of the thread is empty when they return. A context is set up by one thread, then used by any
 * number of loops in any threads; only the reload of a chain is allowed while it is used.
 */
#ifndef RILL_TLS_H
#define RILL_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/bytes.h>
#include <rill/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_ssl_context; /* ssl.SSLContext */
struct rill_ssl_object;  /* ssl.SSLObject: one connection's session */
struct ssl_ctx_st;       /* OpenSSL's SSL_CTX, for rill_ssl_context_adopt alone */

/* -- contexts -------------------------------------------------------------------------------- */

/* asyncio's ssl=True, for `.ssl =` of a client: the system's certificates (SSL_CERT_FILE
 * and SSL_CERT_DIR as OpenSSL reads them), certificate required, host name checked, TLS 1.2 and up.
 * Loaded for each connection anew, as in asyncio: who opens many makes a context once. Servers
 * refuse it. Not a context itself: no call below takes it. */
extern struct rill_ssl_context *const rill_ssl_default;

/* ssl.create_default_context() of 3.13 without its certificates: certificate required, host name
 * checked, strict X.509, TLS 1.2 and up. It trusts nobody until a load_ call is made. The caller
 * owns a reference. */
int rill_ssl_context_new_client(struct rill_ssl_context **context, const struct rill_error **error);

/* ssl.create_default_context(Purpose.CLIENT_AUTH): for a server, which needs a chain; clients are
 * not asked for certificates until rill_ssl_context_verify_client. */
int rill_ssl_context_new_server(struct rill_ssl_context **context, const struct rill_error **error);

/* An existing SSL_CTX, used as it is: its verification mode, versions and callbacks are its
 * owner's. Takes a reference of its own to it; rill adds SSL_MODE_RELEASE_BUFFERS and sets no
 * callback: a server's refuses set_alpn_protocols and set_sni_callback, RILL_EVALUE. Host names are
 * checked when it verifies peers. `server_side` says which calls below it accepts. */
int rill_ssl_context_adopt(struct ssl_ctx_st *adopted, bool server_side,
                           struct rill_ssl_context **context, const struct rill_error **error);

struct rill_ssl_context *rill_ssl_context_ref(struct rill_ssl_context *context);
void rill_ssl_context_unref(struct rill_ssl_context *context); /* NULL is fine; connections keep
                                                                  references of their own */

/* SSLContext.load_default_certs(): the system's. */
int rill_ssl_context_load_default_certs(struct rill_ssl_context *context,
                                        const struct rill_error **error);

/* SSLContext.load_verify_locations(cafile, capath, cadata): any may be absent (NULL, an empty
 * cadata), not all: RILL_ETYPE `cafile, capath and cadata cannot be all omitted`. cadata is PEM
 * text or DER. Files that cannot be read: their OSError. */
int rill_ssl_context_load_verify_locations(struct rill_ssl_context *context, const char *cafile,
                                           const char *capath, struct rill_bytes cadata,
                                           const struct rill_error **error);

/* SSLContext.load_cert_chain(certfile, keyfile, password): the leaf first, then its chain. keyfile
 * NULL: the key is in certfile. password NULL: none, and nobody is asked on a terminal. Called
 * again it reloads: new connections get the new chain, live ones keep theirs; when it fails the old
 * chain stays. A chain with a key of another kind (RSA, EC) is a second one beside the first. */
int rill_ssl_context_load_cert_chain(struct rill_ssl_context *context, const char *certfile,
                                     const char *keyfile, const char *password,
                                     const struct rill_error **error);

/* SSLContext.set_ciphers(): TLS 1.2's, in OpenSSL's syntax; suites without authentication or
 * encryption are left out of any list. RILL_ESSL `No cipher can be selected.` */
int rill_ssl_context_set_ciphers(struct rill_ssl_context *context, const char *ciphers,
                                 const struct rill_error **error);
/* TLS 1.3's: `TLS_AES_256_GCM_SHA384:...`. */
int rill_ssl_context_set_ciphersuites(struct rill_ssl_context *context, const char *ciphersuites,
                                      const struct rill_error **error);

/* SSLContext.set_alpn_protocols(): in order of preference; the server's order decides. Each 1 to
 * 255 bytes: RILL_ESSL `ALPN protocols must be 1 to 255 in length` otherwise. */
int rill_ssl_context_set_alpn_protocols(struct rill_ssl_context *context,
                                        const char *const *protocols, size_t count,
                                        const struct rill_error **error);

/* SSLContext.minimum_version and maximum_version. Older ones than TLS 1.2 only through adopt. */
enum rill_tls_version { RILL_TLS_1_2 = 12, RILL_TLS_1_3 = 13 };
int rill_ssl_context_set_versions(struct rill_ssl_context *context, enum rill_tls_version minimum,
                                  enum rill_tls_version maximum, const struct rill_error **error);

/* SSLContext.verify_flags. TRUSTED_FIRST is always on; a new context has PARTIAL_CHAIN and STRICT,
 * as 3.13's create_default_context (older ones have neither). */
enum rill_ssl_verify_flags {
    RILL_SSL_VERIFY_CRL_CHECK_LEAF = 1,
    RILL_SSL_VERIFY_CRL_CHECK_CHAIN = 2,
    RILL_SSL_VERIFY_X509_STRICT = 4,
    RILL_SSL_VERIFY_X509_PARTIAL_CHAIN = 8,
};
int rill_ssl_context_set_verify_flags(struct rill_ssl_context *context, unsigned flags,
                                      const struct rill_error **error);

/* A server's verify_mode: CERT_OPTIONAL (a client may show a certificate, which must be good) or
 * CERT_REQUIRED. RILL_EVALUE on a client's context. */
enum rill_ssl_client_certificate { RILL_SSL_CERT_OPTIONAL = 1, RILL_SSL_CERT_REQUIRED = 2 };
int rill_ssl_context_verify_client(struct rill_ssl_context *context,
                                   enum rill_ssl_client_certificate mode,
                                   const struct rill_error **error);

/* SSLContext.sni_callback of a server: called during the handshake, must not suspend. server_name
 * is NULL when the client sent none. It may set *use to another server context, of which rill takes
 * a reference; what either context demands of a client's certificate holds, judged by what
 * the chosen one trusts, or the first if the chosen one demands none. Returns 0, or the number of
 * the TLS alert to refuse with. */
typedef int rill_sni_callback(const struct rill_ssl_object *object, const char *server_name,
                              struct rill_ssl_context **use, void *arg);
int rill_ssl_context_set_sni_callback(struct rill_ssl_context *context, rill_sni_callback *callback,
                                      void *arg, const struct rill_error **error);

/* A TLS stream that ends without close_notify looks like a clean end, in asyncio as here;
 * rill_writer_tls_end tells. Strict: it is an error instead, RILL_ESSLEOF `EOF occurred in
 * violation of protocol`, of every read from then on, as after a reset; what came and was not read
 * yet is rill_reader_leftover's. */
void rill_ssl_context_set_strict_end(struct rill_ssl_context *context, bool strict);

/* check_hostname = False: any certificate of a trusted CA passes for any host. A client's. */
void rill_ssl_context_insecure_skip_hostname(struct rill_ssl_context *context);

/* verify_mode = CERT_NONE: any certificate passes, and no name is checked. A client's. */
void rill_ssl_context_insecure_skip_verification(struct rill_ssl_context *context);

bool rill_ssl_context_is_server(const struct rill_ssl_context *context);
/* Whether certificates (verify_mode) and names (check_hostname) are checked. */
bool rill_ssl_context_verifies(const struct rill_ssl_context *context);
bool rill_ssl_context_checks_hostname(const struct rill_ssl_context *context);

/* -- one connection's session ---------------------------------------------------------------- */

/* get_extra_info('cipher'): (name, protocol, bits). */
struct rill_ssl_cipher {
    const char *name;     /* "TLS_AES_256_GCM_SHA384" */
    const char *protocol; /* "TLSv1.3" */
    int bits;
};

/* ('commonName', 'localhost'): the value as UTF-8, NUL bytes and all. Where Python nests a tuple
 * (the DirName of a subjectAltName) it is the tuple's repr. */
struct rill_cert_field {
    const char *name;
    struct rill_bytes value;
    bool is_bytes; /* Python's value is bytes, not str: a BIT STRING as it is, not UTF-8 */
};
/* A relative distinguished name: one field, as a rule. */
struct rill_cert_rdn {
    const struct rill_cert_field *fields;
    size_t count;
};
struct rill_cert_list {
    const struct rill_bytes *items;
    size_t count;
};

/* get_extra_info('peercert'): the fields of Python's getpeercert(). Owned by the
 * connection's transport. */
struct rill_peercert {
    bool verified; /* false: the certificate was not verified, Python's {}; only der is filled */
    const struct rill_cert_rdn *subject;
    size_t subject_count;
    const struct rill_cert_rdn *issuer;
    size_t issuer_count;
    int version;
    const char *serial_number; /* hexadecimal */
    const char *not_before;    /* "Jan  5 09:34:43 2018 GMT" */
    const char *not_after;
    const struct rill_cert_field *subject_alt_name; /* ('DNS', 'localhost'); NULL: no such key */
    size_t subject_alt_name_count;
    struct rill_cert_list ocsp;
    struct rill_cert_list ca_issuers;
    struct rill_cert_list crl_distribution_points;
    const char *text;      /* as Python prints the dict */
    struct rill_bytes der; /* getpeercert(binary_form=True) */
};

/* ssl.SSLObject's questions; the object is the transport's (get_extra_info 'ssl_object'). Strings
 * live as long as it. NULL: Python's None. */
const char *rill_ssl_object_server_hostname(const struct rill_ssl_object *object); /* */
bool rill_ssl_object_server_side(const struct rill_ssl_object *object);
const char *rill_ssl_object_version(const struct rill_ssl_object *object); /* "TLSv1.3" */
const char *rill_ssl_object_selected_alpn_protocol(const struct rill_ssl_object *object);
bool rill_ssl_object_session_reused(const struct rill_ssl_object *object);
const char *rill_ssl_object_compression(const struct rill_ssl_object *object); /* */
bool rill_ssl_object_cipher(const struct rill_ssl_object *object, struct rill_ssl_cipher *cipher);
struct rill_ssl_context *rill_ssl_object_context(const struct rill_ssl_object *object);
/* NULL: the peer showed none, or there is no memory (*error says which). Decoded at the first
 * question. */
const struct rill_peercert *rill_ssl_object_getpeercert(struct rill_ssl_object *object,
                                                        const struct rill_error **error);
/* The SSL * of OpenSSL, to ask what rill has no question for. Reading from or writing to it breaks
 * the connection. */
void *rill_ssl_object_native(const struct rill_ssl_object *object);

/* How the peer ended its side of a TLS stream. */
enum rill_tls_end {
    RILL_TLS_NONE,      /* no TLS on this stream */
    RILL_TLS_OPEN,      /* it has not */
    RILL_TLS_CLEAN,     /* by close_notify */
    RILL_TLS_TRUNCATED, /* without: what came may be cut short */
};

#ifdef __cplusplus
}
#endif

#endif
