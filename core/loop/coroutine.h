/* SPDX-License-Identifier: MIT
 *
 * The tasks' view of the coroutine module: coroutine.c is the one file of core that includes
 * <rill/coro.h>.
 */
#ifndef RILL__COROUTINE_H
#define RILL__COROUTINE_H

#include <stdbool.h>
#include <stddef.h>

struct rill_sys;
struct rill_coro;
struct rill__stacks;

/* The stacks of a loop's tasks, each with `local_size` zeroed bytes at its top, where the task
 * itself lives, those with a room with as many more; mapped through the loop's system-call table. 0
 * or RILL_ENOMEM. */
int rill__stacks_new(const struct rill_sys *sys, size_t stack_size_bytes, size_t local_size,
                     size_t room_size, struct rill__stacks **stacks);
/* Stacks with a room stay until the last of them is freed. */
void rill__stacks_free(struct rill__stacks *stacks);

/* A coroutine that will run rill__task_body(local). Returns 0 or an errno. */
int rill__coroutine_new(struct rill__stacks *stacks, bool with_room, struct rill_coro **coro,
                        void **local);
void rill__task_body(void *local);
/* room_of: where it is from if it has a room, or NULL. */
void rill__coroutine_free(struct rill__stacks *room_of, struct rill_coro *coro);

/* Runs it until it suspends or ends; true when it has ended. */
bool rill__coroutine_resume(struct rill_coro *coro, int value);

/* From the running one: calls run(arg) on the stack of whoever resumed it. run must not suspend. */
void rill__coroutine_call(struct rill_coro *self, void (*run)(void *arg), void *arg);

/* Suspends the running one; returns what the next resume hands over. */
int rill__coroutine_suspend(struct rill_coro *self);

#endif
