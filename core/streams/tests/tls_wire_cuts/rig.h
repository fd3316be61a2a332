/* SPDX-License-Identifier: MIT
 *
 * A stream of rill's over memory with OpenSSL at the other end, where the test plays the peer call
 * by call: what the handshake needs is carried by itself, everything else when the test says so or
 * when the loop has nothing to do.
 */
#ifndef RILL_TEST_WIRE_RIG_H
#define RILL_TEST_WIRE_RIG_H

#include <rill/observe.h>
#include <rill/rill.h>

#include "counts.h"
#include "material.h"
#include "watch.h"

struct rig {
    const struct material *material;
    struct rill_loop *loop;
    int line; /* of the row */
    int version;
    bool server_side; /* rill's role */
    SSL *ssl;         /* the peer */
    BIO *in;
    BIO *out;
    struct rill_memory_peer *pipe;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct watch watch;
    rill_task_fn *fn; /* the row's */
    struct rill_task *task;
    bool still;                 /* nothing is carried but by the test */
    int key_updates;            /* that the peer got */
    unsigned char secret[32];   /* the peer's for its application data, TLS 1.3 */
    void (*on_move)(void *arg); /* what else the peer does when bytes came; may be NULL */
    void *on_move_arg;
    double now; /* virtual seconds */
};

/* The checks of a row. Counted in one place, for rows that stand in several files (check.h counts
 * for one file). */
void rig_expect(struct rig *rig, const char *file, int line, bool ok, const char *what);
void rig_expect_int(struct rig *rig, const char *file, int line, long long got, long long want,
                    const char *what);
void rig_expect_str(struct rig *rig, const char *file, int line, const char *got, const char *want,
                    const char *what);
#define EXPECT(rig, ok)            rig_expect((rig), __FILE__, __LINE__, (ok), #ok)
#define EXPECT_INT(rig, got, want) rig_expect_int((rig), __FILE__, __LINE__, (got), (want), #got)
#define EXPECT_STR(rig, got, want) rig_expect_str((rig), __FILE__, __LINE__, (got), (want), #got)
int rig_report(const char *name); /* the exit status */

/* One row of a test: run in a task, for each version and each role that it is meant for. */
struct rig_row {
    int line;
    const char *name;
    rill_task_fn *fn; /* gets the rig */
    int version;      /* 0: both */
    bool client_only; /* rill's role */
};
/* Twice each; after the second time every count must be where it was. */
void rig_run_rows(const struct material *material, const struct rig_row *rows, size_t count);

/* -- for the rows, in the task ---------------------------------------------------------------- */

struct rill_ssl_context *rig_context(const struct rig *rig); /* rill's, for its role */
/* The pair, after the handshake. options: ssl and server_hostname are filled in where absent. */
int rig_open(struct rig *rig, const struct rill_connection_options *options,
             const struct rill_memory_options *memory);
/* The same without a check of the result and with the given context. */
int rig_open_with(struct rig *rig, struct rill_ssl_context *context);
/* Without rig->watch, which another layer's stream will have. */
void rig_open_unwatched(struct rig *rig);
/* wait_closed, then the pair and the pipe go. */
int rig_close(struct rig *rig);
void rig_free_pair(struct rig *rig);

/* An own loop for what a row's task cannot do; `settled`: the loop ran to its end. */
void rig_begin(struct rig *rig);
void rig_end(struct rig *rig, bool settled);

/* A new session for the next connection. */
void rig_restart_peer(struct rig *rig);

/* Both ways; true when something moved. What the peer wants to say becomes one data event. */
bool rig_carry(struct rig *rig);
/* One way each. */
bool rig_carry_to_peer(struct rig *rig);
bool rig_carry_to_rill(struct rig *rig, size_t at_most);
/* Some iterations in which the loop does what there is to do; the peer gets what rill says. */
void rig_turns(struct rig *rig);

/* The peer says it, in records of at most `size` bytes; not carried yet. */
void rig_say(struct rig *rig, const char *data, size_t length, size_t size);
/* The peer reads what there is; the count. `end`: how the last read ended (SSL_get_error's code).
 */
size_t rig_hear(struct rig *rig, char *data, size_t size, int *end);
/* The alert that broke the peer's handshake or read: the description's number, 0: none. */
int rig_alert(struct rig *rig, int result);

/* Virtual seconds since `began`. */
double rig_seconds(const struct rig *rig, double began);

#endif
