/* SPDX-License-Identifier: MIT
 *
 * A run of start_tls: its tasks, which play a script, and the world around them.
 */
#ifndef FUZZ_TLS_START_TLS_RUN_H
#define FUZZ_TLS_START_TLS_RUN_H

#include "start_tls_script.h"

struct actor {
    struct run *run;
    unsigned number;
    struct rill_task *task; /* NULL: none */
    size_t at;              /* in the script */
};

struct run {
    const struct start_tls_script *script;
    struct near_end near;
    struct far_end far;
    struct actor actors[TASKS];
    struct rill_task *opener;
    bool carries;
    bool interfered; /* the world did what loses bytes */
};

/* The opener's function: opens the connection, then starts the tasks. */
int run_open_and_start(void *run);
bool run_is_over(const struct run *run);
/* Whoever waits now will not be woken any more. */
void run_check_over(const struct run *run);
void run_cancel_all(struct run *run);
/* 0 and up: a task; TASKS: the opener. */
void run_cancel_one(struct run *run, unsigned who);
void run_free_tasks(struct run *run);

/* Until nothing moves; then time does, up to a moment. */
void run_settle(struct run *run);
void run_settle_until(struct run *run, double until);
void run_move_world(struct run *run, const struct step *step);

#endif
