/* SPDX-License-Identifier: MIT
 *
 * The codec of target start_tls. The input is
 *
 *     who        what rill is (enum near_kind), modulo their number; from WHO_SERVER on NEAR_SERVER
 *     flags      how it ends, and whether bytes are carried by themselves
 *     context    of rill, for a connection over TLS from the beginning
 *     peer       bits 0, 1: version; bits 2 to 4: certificate; bits 5 to 7: name that a client asks
 *     number     of the first allocation that fails; 0: none
 *     sizes      of the reader's limit and the peer's window: four bits each
 *     manners    of a protocol by hand
 *     script     operations of three bytes: the actor in the upper two bits (0 and 1: a task, 2 and
 *                3: the world) and the kind in the lower six, modulo the number of kinds; how much;
 *                what else can vary. Some are followed by bytes of their own. In clear the far
 * end's `renegotiate` begins TLS before rill's start_tls does.
 */
#ifndef FUZZ_TLS_START_TLS_SCRIPT_H
#define FUZZ_TLS_START_TLS_SCRIPT_H

#include "near_end.h"
#include "program.h"

enum { TASKS = 2, OPS_MAX = 64, WHO_SERVER = 224 };

enum start_tls_flag {
    FLAG_CANCELS = 1,  /* the tasks, at the end */
    FLAG_GOES_ON = 2,  /* a cancelled task, with its next operation */
    FLAG_BY_WORLD = 4, /* bytes are carried by the world's operations alone */
    FLAG_DEBUG = 8,
    FLAG_DROPS = 0xe0, /* all of them: a loop of its own, freed with everything on it */
};

enum world_op {
    WORLD_TURN,
    WORLD_SEND,
    WORLD_TAKE,
    WORLD_SAY,
    WORLD_GOODBYE,
    WORLD_UPDATE_KEY,
    WORLD_RENEGOTIATE,
    WORLD_FORGE,
    WORLD_FLIP,
    WORLD_INSERT,
    WORLD_FIN,
    WORLD_RESET,
    WORLD_CLOSE,
    WORLD_WINDOW,
    WORLD_ADVANCE,
    WORLD_CANCEL,
    WORLD_OPS,
};

/* A task's kinds: near_op, then a scope around the next operation. */
enum { TASK_TIMEOUT = NEAR_OPS, TASK_CANCELS, TASK_OPS };

struct step {
    unsigned actor; /* TASKS: the world */
    unsigned kind;
    unsigned amount;
    unsigned aux;
    struct rill_bytes bytes; /* the input's */
};

struct start_tls_script {
    enum near_kind kind;
    unsigned flags;
    unsigned context;
    struct peer_setting peer;
    struct rig_plan plan;
    struct rill_opt_int limit;
    struct rill_opt_int window;
    struct manners manners;
    size_t count;
    struct step steps[OPS_MAX];
};

void start_tls_decode(struct start_tls_script *script, struct program *program);
/* To stderr, a line for each operation. */
void start_tls_print(const void *script);

#endif
