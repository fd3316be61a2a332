/* SPDX-License-Identifier: MIT
 *
 * One case while it runs: what the files of the testee share. A case is one rill_run; its main task
 * only waits for the end. The script itself is a coroutine (script.c) that is resumed at the place
 * where the loop would go to sleep (seams.c), so that it reads from top to bottom.
 */
#ifndef TESTEE_REPLAY_H
#define TESTEE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <rill/coro.h>
#include <rill/observe.h>
#include <rill/rill.h>
#include <rill/sys.h>

#include "arena.h"
#include "wire.h"

struct peer;
struct listener;
struct given;
struct attempt;
struct fault;
struct scope;
struct told;
struct backend;
struct contexts;
struct early;
struct early_call;

enum {
    PEERS_MAX = 64,         /* a script that numbers its peers higher is skipped */
    DESCRIPTORS_MAX = 1024, /* received bytes are counted for descriptors below this */
};

/* The app's end of a connection under the number that the script gives it: a pair, a reader made by
 * hand, or only a transport under a scripted protocol. */
struct connection {
    struct connection *next; /* in order of appearance */
    struct replay *replay;
    int number;
    struct rill_reader *reader;  /* NULL: none, or gone */
    struct rill_writer *writer;  /* NULL: the reader was made by hand, or gone */
    struct rill_transport *bare; /* under a scripted protocol; NULL: there is a pair, or gone */
    struct peer *peer;
    struct record *handler; /* the task of a server's handler; NULL: none */
    bool owned;             /* the pair is ours to free, not a server's */
    bool dropped;           /* the script let go of the pair */
    bool upgrading;         /* start_tls runs: no flow is told */
};

enum outcome { NOT_BEGUN, RUNNING, RETURNED, CANCELLED, RAISED };

/* A task of the script. */
struct record {
    struct record *next; /* in order of creation */
    struct replay *replay;
    const char *name;
    int connection;   /* what its calls mean */
    const char *mark; /* behind the ids of its events, for a handler beyond the first */
    const json_t *calls;
    struct rill_task *task; /* NULL: gone */
    bool owned;             /* `task` is a handle of ours; a server's handler task is not */
    enum outcome outcome;
    bool told;
    const json_t *value; /* what `return` gave; NULL: none */
};

/* The text of a call_soon, call_later or call_at. */
struct mark {
    struct mark *next;
    struct replay *replay;
    const char *text;
    struct rill_handle *handle;
};

/* A server of the case. */
struct serving {
    struct serving *next; /* in order of appearance */
    struct replay *replay;
    struct rill_server *server;  /* NULL: the script let go of it */
    struct rill_address address; /* of its first socket; family 0: it has none */
    bool silent;                 /* nobody is called for its connections */
    bool speaks_tls;
    int queue[PEERS_MAX]; /* peers that connected and have no connection yet */
    size_t queued;
};

/* How main ends, as `finish` or `interrupt` said. */
struct ending {
    bool told;                       /* what came out of the run is an event */
    bool swallow;                    /* main catches its cancellation and returns 5 */
    const json_t *value;             /* NULL: none */
    const json_t *error;             /* NULL: none */
    const struct rill_error *raised; /* a reference; NULL: none */
};

/* What the system-call table and the clock of this case know (seams.c, syscalls.c). */
struct seams {
    struct rill_sys sys;
    struct rill_clock clock;
    double now;
    unsigned long activity; /* calls that the library made on sockets */
    unsigned long seen_activity;
    unsigned long long seen_turns;
    unsigned long long resumed_turns; /* when the script went on last */
    bool restless_called;             /* a callback of ours is queued */
    int restless_step;                /* the last step that was told to be restless */
    size_t received[DESCRIPTORS_MAX];
    bool barrier_held;      /* when the loop polled last */
    double barrier_began;   /* real seconds; 0: not waiting */
    double finishing_since; /* real seconds at which main was told to return */
    double accept_again;    /* virtual time at which a server that ran out of descriptors goes on */
    struct attempt *attempts;
    struct fault *faults;
};

struct replay {
    const struct wire *wire;
    const struct backend *backend;
    struct contexts *contexts; /* what this testee has made of descriptions, and keeps */
    const json_t *script;
    struct arena arena;
    struct seams seams;
    struct rill_loop *loop;
    struct rill_reader *gate; /* the main task waits for its end of file */
    struct rill_coro *driver;
    int step;
    bool muted;
    bool finishing; /* main was told to return */
    bool ending;    /* main returns: from now on no handle of a task is kept */
    int connecting; /* open_connection and start_server calls that have not returned */

    struct ending ending_as;
    struct connection *connections;
    struct peer *peers[PEERS_MAX];
    struct record *records;
    struct mark *marks;
    struct scope *scopes;
    struct told *told; /* errors */
    struct serving *servings;
    int ports_named; /* of servers */

    struct listener *listeners; /* raw sockets that listen */
    struct early_call *early_calls;
    struct early *early; /* TLS peers that came for such calls, the newest first */
    struct given *given; /* what `sock` made, the newest first */
    int reserved;        /* a raw socket that is only bound; -1: none */
    int reserved_port;
    char *folder; /* the case's directory; NULL: none */
};

#endif
