/* SPDX-License-Identifier: MIT
 *
 * The TLS contexts that scripts describe (PROTOCOL.md, section 10), each made once in the life of
 * the testee: one of the library under test for the app, one of OpenSSL for the peers.
 */
#ifndef TESTEE_CONTEXTS_H
#define TESTEE_CONTEXTS_H

#include "peer_openssl.h"
#include "replay.h"

/* NULL: no memory. */
struct contexts *contexts_new(void);
void contexts_free(struct contexts *contexts); /* NULL is fine */

/* Makes what a script describes and is not there yet; before its memory is counted, for contexts
 * stay. */
void contexts_prepare(struct contexts *contexts, const json_t *script);

/* Why the library has no such context; NULL: it has. */
const char *context_refusal(const json_t *description);

/* The script's context of this name, which is described. */
struct rill_ssl_context *context_named(const struct replay *replay, const char *name);
struct peer_context *context_of_peer(const struct replay *replay, const char *name);

/* What a call passes as ssl: a name, true or false; NULL: none. */
struct rill_ssl_context *context_of(const struct replay *replay, const json_t *value);

/* The name of a context in the script; `default` when it is none of the script's. */
const char *context_name(const struct replay *replay, const struct rill_ssl_context *context);

#endif
