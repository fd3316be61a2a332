/* SPDX-License-Identifier: MIT
 *
 * A script for one StreamReader made by hand: what is fed, what is called, in which order. After
 * every operation everything that can happen has happened (the harness's "settle"). Scripts have
 * two texts: one line for programs, and a case of the conformance harness for people.
 */
#ifndef MODEL_SCRIPT_H
#define MODEL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    SCRIPT_OPS_MAX = 64,
    SCRIPT_CHUNK_MAX = 255, /* bytes of one feed or one separator */
    SCRIPT_SEPARATORS_MAX = 3,
    SCRIPT_LIMIT_MAX = 64,
    SCRIPT_BYTES_MAX = SCRIPT_OPS_MAX * SCRIPT_CHUNK_MAX, /* all that a script can feed */
};

/* A view; it owns nothing. */
struct script_bytes {
    const char *ptr;
    size_t len;
};

enum script_kind {
    SCRIPT_FEED,            /* feed_data(bytes) */
    SCRIPT_EOF,             /* feed_eof() */
    SCRIPT_SET_EXCEPTION,   /* set_exception(ConnectionResetError("gone")) */
    SCRIPT_CLEAR_EXCEPTION, /* set_exception(None); nothing while a call waits */
    SCRIPT_CANCEL,          /* cancels the call that waits; nothing when none does */
    SCRIPT_READ,            /* the calls, each in a task of its own: read(n) */
    SCRIPT_READEXACTLY,     /* readexactly(n) */
    SCRIPT_READLINE,        /* readline() */
    SCRIPT_READUNTIL,       /* readuntil(separators[0]) */
    SCRIPT_READUNTIL_TUPLE, /* readuntil((separators...)) */
    SCRIPT_KINDS,
};

struct script_op {
    enum script_kind kind;
    int n;                     /* READ, READEXACTLY: -128 to 127 */
    struct script_bytes bytes; /* FEED */
    size_t separator_count;    /* READUNTIL: 1; the tuple may be empty */
    struct script_bytes separators[SCRIPT_SEPARATORS_MAX];
};

enum script_transport {
    SCRIPT_NO_TRANSPORT,
    SCRIPT_PAUSES,       /* pause_reading works */
    SCRIPT_CANNOT_PAUSE, /* pause_reading raises NotImplementedError */
    SCRIPT_TRANSPORTS,
};

struct script {
    size_t limit; /* 1 to SCRIPT_LIMIT_MAX */
    enum script_transport transport;
    size_t count;
    struct script_op ops[SCRIPT_OPS_MAX];
};

#define SCRIPT_EXCEPTION_CLASS "ConnectionResetError"
#define SCRIPT_EXCEPTION_TEXT  "gone"

enum { SCRIPT_STORAGE_MAX = SCRIPT_OPS_MAX * (SCRIPT_SEPARATORS_MAX + 1) * SCRIPT_CHUNK_MAX };

bool script_is_call(enum script_kind kind);

/* The line: `LIMIT TRANSPORT OP ...`, where TRANSPORT is n, p or i, and an OP is f:BYTES e x k c
 * r:N n:N l u:BYTES t:BYTES,BYTES or t (the empty tuple); letters and digits stand for themselves,
 * every other byte is %XX. */
void script_print(const struct script *script, FILE *out);

/* Reads such a line, of which script then refers to `storage` (as large as the line). False: it is
 * no script. */
bool script_parse(const char *line, char *storage, struct script *script);

/* Reads one OP without its spaces, up to `end`; advances *storage. */
bool script_parse_op(const char *text, const char *end, char **storage, struct script_op *op);

/* As a case of the harness, without the recorded answers. */
void script_print_case(const struct script *script, const char *name, FILE *out);

/* A copy that refers to `storage` (SCRIPT_STORAGE_MAX bytes) alone. */
void script_copy(const struct script *script, struct script *copy, char *storage);

/* The sum of what is fed, for choosing the smaller of two scripts. */
size_t script_weight(const struct script *script);

#endif
