/* SPDX-License-Identifier: MIT
 *
 * The script's tasks: lists of calls that a task (or a plain callback) performs one after the
 * other, telling each result at once.
 */
#ifndef TESTEE_TASKS_H
#define TESTEE_TASKS_H

#include "calls.h"
#include "replay.h"

/* Creates a task of this name that runs the calls, with the connection and mark of `at`; the newest
 * of a name is meant by it. */
int task_start(const struct at *at, const char *name, const json_t *calls);

/* The same in a task group. */
int task_start_in_group(const struct at *at, const char *name, const json_t *calls,
                        struct rill_task_group *group);

/* A record for the running task, a server's handler; it is in the case's arena. */
struct record *record_of_handler(const struct at *at, const char *name, const json_t *calls);

/* Runs a record's calls in the running task; what the task returns. */
int record_run(struct record *record);

/* The running task ends so, without its calls; what it returns. */
int record_ends(struct record *record, int rc);

/* The newest record of a name; NULL: none. */
struct record *record_find(const struct replay *replay, const char *name);

/* How it ended, or whether it runs. */
enum outcome record_outcome(const struct record *record);

/* Whether it has not ended. */
bool record_waits(const struct record *record);

/* Lets go of every handle; what the tasks raised counts as asked for. */
void records_drop(struct replay *replay);

/* Runs calls in order: a negative code when one of them ends the task, CALLS_RETURNED after
 * `return`, else 0. */
int calls_run(struct at *at, const json_t *calls);

#endif
