/* SPDX-License-Identifier: MIT
 *
 * The calls that a script can make (conformance/PROTOCOL.md, section 6), one table.
 */
#ifndef TESTEE_CALLS_H
#define TESTEE_CALLS_H

#include "replay.h"

/* Where a call runs. */
struct at {
    struct replay *replay;
    const char *mark;               /* behind the ids of its events */
    int number;                     /* of the connection that is meant */
    struct record *record;          /* NULL: a plain callback */
    const struct rill_error *error; /* of the call that failed, where the running task does not
                                       have it; ours */
};

/* What a call gave: at most one of the two. */
struct value {
    bool has_bytes;
    struct rill_bytes bytes;
    json_t *json; /* the caller's reference; NULL: none */
};

/* What a call answers besides 0 and negative codes: it was `return`. */
enum { CALLS_RETURNED = 1 };

typedef int call_fn(struct at *at, const json_t *call, struct value *value);

struct call {
    const char *name; /* NULL: the table's end */
    call_fn *fn;
    const char *keys; /* of its arguments, space between them; NULL: none */
};

extern const struct call stream_calls[];
extern const struct call transport_calls[];
extern const struct call network_calls[];
extern const struct call server_calls[];
extern const struct call task_calls[];
extern const struct call scope_calls[];
extern const struct call timer_calls[];
extern const struct call tls_calls[];

/* The call of a name; NULL: unknown. */
const struct call *call_find(const char *name);

/* The id that a call's events carry; the caller's reference. */
json_t *call_id(const struct at *at, const json_t *call);

/* Performs one call; its result is the function's. */
int call_perform(struct at *at, const json_t *call, struct value *value);

/* Tells the result of a call and lets go of it. */
void call_tell(const struct at *at, const json_t *call, struct value *value);

/* The call fails with this error, whose reference it takes over: the code. */
int call_fail(struct at *at, const struct rill_error *error);

/* The error that `raise` and `set_exception` name, the caller's reference; NULL without a class. */
const struct rill_error *error_of_call(const json_t *call);

/* What Python says where it has None. */
int nothing_there(struct at *at);

/* What is meant by `at`; a failure as Python's `None` would give where there is none. */
int reader_of(struct at *at, struct rill_reader **reader);
int writer_of(struct at *at, struct rill_writer **writer);
int transport_of(struct at *at, struct rill_transport **transport);

/* The transport under a scripted protocol: there is no writer, and the writer's calls mean it.
 * NULL: there is a writer. */
struct rill_transport *bare_transport(const struct at *at);

/* The task of a name; one which is gone gives Python's LookupError. */
int task_named(struct at *at, const char *name, struct rill_task **task,
               const struct record **record);

/* The truth value of a socket's option, or an OSError; and whether its name is known. */
int socket_option(struct at *at, int fd, const char *name, bool *set);
bool socket_option_known(const char *name);

/* Whether the call ssl_object knows this question. */
bool ssl_question_known(const char *name);

/* Arguments. */
const char *text_argument(const json_t *call, const char *key);        /* NULL: not given */
struct rill_opt_int int_argument(const json_t *call, const char *key); /* null: not given */
struct rill_opt_real seconds_argument(const json_t *call);             /* null: not given */
struct rill_opt_real real_argument(const json_t *call, const char *key);
struct rill_bytes bytes_argument(struct at *at, const json_t *call, const char *key);

#endif
