/* SPDX-License-Identifier: MIT
 *
 * What the two halves of the target server know of each other.
 */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include "simulated/actor.h"

enum { SERVER_CONNECTIONS = 8, SERVER_MANAGER = 3, SERVER_FIRST_PORT = 2000 };

enum server_flag {
    SERVER_CANCELS = 1,
    SERVER_GOES_ON = 2,
    SERVER_DEBUG = 4,
    SERVER_PLAIN = 8,
    SERVER_UNIX = 16,
    SERVER_DROPS = 0xe0, /* all of them: it costs more than the rest of a run */
};

enum server_option {
    SERVER_IDLE_AT_FIRST = 1,
    SERVER_SMALL_LIMIT = 2,
    SERVER_THREE_HOSTS = 4,
    SERVER_SMALL_BACKLOG = 8,
    SERVER_NO_HANDLER = 16,
    SERVER_OF_SOCKET = 32,
};

enum server_world_op { SERVER_DIAL = WORLD_KERNEL_KINDS, SERVER_RUN_JOBS, SERVER_WORLD_KINDS };
extern const char *const server_world_names[];

struct server_run {
    struct stage
        stage; /* first: what plays a stage plays a run; its connections are who connected */
    struct script script;
    uint8_t flags;
    uint8_t options;
    struct rig_plan plan;
    struct kernel_fault fault;
    struct rill_server *server; /* NULL: none was made, or the manager has let go of it */
    size_t handlers;            /* that run */
    struct connection connections[SERVER_CONNECTIONS];
    struct actor handler_actors[SERVER_CONNECTIONS];
    struct rill_task *handler_tasks[SERVER_CONNECTIONS]; /* while they run; no handles */
};

/* Makes the server, starts the manager, and carries out the world's operations. */
void server_play(struct server_run *run);

/* The manager's and the handlers' operations on the server itself. */
int server_special(struct actor *actor, const struct op *op);

#endif
