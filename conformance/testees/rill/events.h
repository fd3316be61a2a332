/* SPDX-License-Identifier: MIT
 *
 * The events of a case (conformance/PROTOCOL.md, sections 6 and 8): each carries its step.
 */
#ifndef TESTEE_EVENTS_H
#define TESTEE_EVENTS_H

#include "replay.h"

/* Sends an event unless the case is muted; takes over its reference. */
void emit(const struct replay *replay, json_t *event);

/* The next step begins; flushed, so that a crash is pinned to it. */
void emit_step(struct replay *replay);

/* An error of the call with this id, whose reference it takes over. */
void emit_error(const struct replay *replay, json_t *id, const struct rill_error *error);

/* Puts class, text and fields of an error into an event. */
void add_error(json_t *event, const struct rill_error *error);

/* An error of a call, with what the call asks to be told of it. */
void emit_call_error(struct replay *replay, const json_t *call, const char *mark,
                     const struct rill_error *error);
void errors_told_cleanup(struct replay *replay);

void emit_port(const struct replay *replay, const char *name, int port);
void emit_flow(const struct replay *replay, int connection, const char *call);
void emit_mark(const struct replay *replay, const char *text);

/* Task and state events after a settled step. */
void emit_states(struct replay *replay);

/* Whether the loop keeps its own exception handler, which logs. */
bool reports_by_default(const struct replay *replay);

/* The loop's exception handler, its log, and the observer of its streams; arg: the replay. */
void on_report(void *arg, struct rill_loop *loop, const struct rill_exception_context *context);
void on_log(void *arg, enum rill_log_level level, const char *text,
            const struct rill_error *exception);
void on_flow(void *arg, enum rill_observed what, const struct rill_reader *reader,
             const struct rill_writer *writer);

#endif
