/* SPDX-License-Identifier: MIT
 *
 * What the programs of the interoperation tests take from their command lines about TLS, and the
 * context made of it; and the bulk data that both programs know.
 */
#ifndef INTEROP_SETTINGS_H
#define INTEROP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/rill.h>

enum { ALPN_MAX = 4 };

struct settings {
    const char *ca;             /* --ca FILE: whom to trust */
    const char *chain;          /* --chain FILE: certificate and key of one's own */
    const char *alpn[ALPN_MAX]; /* --alpn NAME, once for each */
    size_t alpn_count;
    enum rill_tls_version only;              /* --only 12|13; 0: both versions */
    enum rill_ssl_client_certificate client; /* --client optional|required; 0: not asked */
    const char *sni_name;                    /* --sni NAME FILE: another chain for this name */
    const char *sni_chain;
    const char *hostname; /* --hostname NAME: server_hostname */
    bool strict;          /* --strict: an end without close_notify is an error */
};

/* Takes the options at argv[*next] and moves *next behind them. False: one is not known. */
bool settings_parse(struct settings *settings, char **argv, int *next);

/* The context that they describe: 0, or a negative code, which is then the task's error. */
int settings_context(const struct settings *settings, bool server_side,
                     struct rill_ssl_context **context);

/* Byte `offset` of the bulk data: a period that divides no power of two, so that a block that is
 * lost, doubled or moved shows. */
char pattern_byte(size_t offset);

/* One line about the stream's TLS: version, cipher, ALPN, resumption, the peer's common name. */
void describe(const struct rill_writer *writer, char *text, size_t size);

/* none, open, clean or truncated: how the peer ended its side. */
const char *end_name(const struct rill_writer *writer);

#endif
