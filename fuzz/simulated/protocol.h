/* SPDX-License-Identifier: MIT
 *
 * What the parts of the target protocol know of each other: the arguments of the eight calls that
 * make connections and servers, and the protocols that are told of what happens.
 */
#ifndef FUZZ_PROTOCOL_H
#define FUZZ_PROTOCOL_H

#include "simulated/connection.h"
#include "simulated/script.h"

enum { PROTOCOL_PORTS = 3000, PROTOCOL_CONNECTIONS = 4, PROTOCOL_FACES = 24, PROTOCOL_MOODS = 8 };

enum protocol_flag {
    PROTOCOL_DEBUG = 4,
    PROTOCOL_OUTSIDE = 8, /* the call is made in no task */
    PROTOCOL_NO_FILE = 16,
    PROTOCOL_DROPS = 0xe0, /* all of them: it costs more than the rest of a run */
};

/* -- arguments ------------------------------------------------------------------------------- */

/* Which of the eight: bit 0 says streams instead of a protocol factory, bit 1 a Unix socket, bit 2
 * a server. */
enum protocol_call { CALL_STREAMS = 1, CALL_UNIX = 2, CALL_SERVER = 4, CALL_KINDS = 8 };

enum protocol_name { NAME_BOTH, NAME_NONE, NAME_HOST, NAME_PORT };
enum protocol_sock { SOCK_NONE, SOCK_GOOD, SOCK_OF_DATAGRAMS, SOCK_OF_OTHER_FAMILY };
enum protocol_ssl { SSL_NONE, SSL_CONTEXT, SSL_UNCHECKED, SSL_AS_TRUE };
enum protocol_hostname { HOSTNAME_NONE, HOSTNAME_EMPTY, HOSTNAME_GOOD, HOSTNAME_BAD };
enum protocol_handler { HANDLER_TASK, HANDLER_PLAIN, HANDLER_NONE };

/* Each byte is one of a few values that are all told apart somewhere. */
struct arguments {
    uint8_t call;
    uint8_t name;
    uint8_t sock;
    uint8_t limit;
    uint8_t backlog;
    uint8_t ssl;
    uint8_t hostname;
    uint8_t handshake_timeout;
    uint8_t shutdown_timeout;
    uint8_t handler;
    bool idle_at_first;
    bool keeps_file;
    bool no_options;
    bool keep_alive;
    bool several_hosts;
};
void arguments_decode(struct arguments *arguments, struct input *input);
void arguments_print(const struct arguments *arguments);

/* Why the call must refuse what it is given, by section 5, 6 or 7: the code and how the text
 * begins. Code 0: it must not. `late` refusals are those that come behind a connect. */
struct refusal {
    int code;
    const char *text;
    bool late;
};
struct refusal arguments_refusal(const struct arguments *arguments);

/* -- what is played -------------------------------------------------------------------------- */

/* One connection, and what its protocol was told of it. */
struct told {
    struct protocol_run *run;
    struct connection books;
    struct rill_transport *transport; /* a reference, from connection_made to the end */
    struct face *face;
    struct face *filled; /* whose space the last event began in */
    bool made;
    bool lost;
    bool ended;
    bool paused;
    bool resuming; /* resume_writing has not returned */
    bool generous; /* the whole space is offered: what is left comes within the turns of an end */
    bool deaf;     /* a protocol without functions had it: what it was told is not known */
};

/* A protocol of one table; set_protocol gives a connection another. */
struct face {
    struct rill_protocol protocol;
    struct protocol_run *run;
    struct told *told; /* NULL: no connection yet */
    char space[64];
    size_t offered;
};

enum ask { ASK_SERVE_FOREVER, ASK_WAIT_CLOSED, ASK_WAIT_CLOSED_FOR, ASK_START_SERVING, ASK_KINDS };

struct question {
    struct protocol_run *run;
    enum ask ask;
    double seconds;
};

struct protocol_run {
    struct rig *rig;
    uint8_t flags;
    struct arguments arguments;
    struct rig_plan plan;
    struct kernel_fault fault;
    enum kernel_outcome outcome;
    struct script script;
    uint8_t moods[PROTOCOL_MOODS];
    size_t mood;
    struct told connections[PROTOCOL_CONNECTIONS];
    size_t count; /* of those who connected, to a server */
    struct face faces[PROTOCOL_FACES];
    size_t faces_made;
    struct rill_server *server;
    struct rill_task *opener;
    struct rill_opt_int left; /* a socket that may be the caller's still */
    struct question questions[SCRIPT_OPS_MAX];
    size_t asked;
    size_t asking; /* tasks that wait for the server */
    bool refused;  /* a factory had no protocol */
    bool fails;    /* a handler raised: not everything arrives */
};

/* Once: what a call can be given as ssl. */
void calls_init(void);

/* Makes the call; its answer was judged. On a struct protocol_run. */
int calls_make(void *arg);

/* The protocol factory of a run, and of a connection's next protocol. */
struct rill_protocol *told_factory(void *arg);

/* The pair of open_connection or of a server's callback becomes a connection's. NULL: none of
 * those that connected. */
struct told *told_of_pair(struct protocol_run *run, struct rill_reader *reader,
                          struct rill_writer *writer);

/* The next of what the input decides as it goes. */
uint8_t told_mood(struct protocol_run *run);

/* Whether bytes are as they were sent, not TLS's. */
bool told_in_clear(const struct protocol_run *run);

/* A write of so many bytes through the transport, counted where they are to arrive. */
void told_write(struct told *told, size_t size, bool as_lines);

/* The connection goes on with another protocol, if there is one. */
void told_set_next_protocol(struct told *told);

/* What must hold between any two turns, and when everything is over. */
void told_check(const struct told *told);
void told_check_end(const struct told *told);

/* Carries out the script's operations. */
void protocol_world(struct protocol_run *run);
extern const char *const protocol_world_names[];
enum protocol_world_op {
    PROTOCOL_DIAL = WORLD_KERNEL_KINDS,
    PROTOCOL_RUN_JOBS,
    PROTOCOL_DECIDE,
    PROTOCOL_OUTCOME,
    PROTOCOL_ASK,          /* a task that waits for the server */
    PROTOCOL_SERVER,       /* what can be told to a server at any time */
    PROTOCOL_OUTSIDE_CALL, /* what only a task may do */
    PROTOCOL_TRANSPORT,    /* the transport's own calls, from here on by amount */
    PROTOCOL_WORLD_KINDS
};

#endif
