/* SPDX-License-Identifier: MIT
 *
 * TLS for the script's peers, by OpenSSL itself and never by the library under test: contexts from
 * their descriptions, and sessions between two buffers in memory. Nothing else of the testee sees
 * OpenSSL.
 */
#ifndef TESTEE_PEER_OPENSSL_H
#define TESTEE_PEER_OPENSSL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <rill/bytes.h>

#include "arena.h"

struct peer_context;
struct session;

/* A context as PROTOCOL.md, section 10, describes it; its files are in `folder`. Never NULL: when
 * it cannot be made the process ends. */
struct peer_context *peer_context_new(const json_t *description, const char *folder);
void peer_context_free(struct peer_context *context); /* NULL is fine */

/* server_hostname: what a client asks for and checks; NULL: nothing. The context must live as long.
 */
struct session *session_new(struct peer_context *context, bool server_side,
                            const char *server_hostname);
void session_free(struct session *session); /* NULL is fine */

enum session_result {
    SESSION_OK,
    SESSION_WANT,   /* nothing more without ciphertext */
    SESSION_CLOSED, /* close_notify came */
    SESSION_FAILED, /* see session_failure */
};

/* Ciphertext that came, and what is to be sent, in the arena. */
void session_feed(struct session *session, const char *data, size_t size);
struct rill_bytes session_outgoing(struct session *session, struct arena *arena);

enum session_result session_handshake(struct session *session);
enum session_result session_read(struct session *session, char *space, size_t size, size_t *count);
enum session_result session_write(struct session *session, struct rill_bytes data);

/* Sends close_notify and does not wait for the other one. */
void session_notify(struct session *session);

/* These tell whether OpenSSL is ready for it: a handshake sends it then. */
bool session_key_update(struct session *session);
bool session_renegotiate(struct session *session);
bool session_ticket(struct session *session);

/* OpenSSL's reason text of what failed last; NULL: nothing did. */
const char *session_failure(const struct session *session);

/* Adds version, cipher, server_name, alpn and certificate to an event; done: the handshake is. */
void session_describe(const struct session *session, bool done, json_t *event);

#endif
