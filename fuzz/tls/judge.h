/* SPDX-License-Identifier: MIT
 *
 * What must hold whatever a peer sends. What does not hold is printed and ends the process in a
 * function of its own, so that finds sort themselves.
 */
#ifndef FUZZ_TLS_JUDGE_H
#define FUZZ_TLS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include <rill/error.h>

#include "repeatable.h"
#include "simulated/allocations.h"

/* Whose failures explain a MemoryError. Once. */
void judge_watch(const struct allocations *allocations);
/* An allocation, or what else OpenSSL needs, has failed in this run, as planned. */
bool judge_lacks_memory(void);

/* Both sides only ever say one endless text, each its own: so a byte's place says what it is. */
char judge_letter(enum random_side who, size_t place);
/* `count` letters from `place` on; the caller frees. */
char *judge_text(enum random_side who, size_t place, size_t count);
/* What was heard of `who` from `place` on is its text, and no more than it said. */
void judge_heard(enum random_side who, size_t place, const char *data, size_t count, size_t said);
/* What was heard is, from `place` on, the ClientHello that nobody was there to understand. */
void judge_hello(struct rill_bytes hello, size_t place, const char *data, size_t count);

/* The error of a session: one of core/tls/error.h's, whole. Takes over the reference. `verifies`:
 * the context does; `again`: the session had failed before. Without memory only after an allocation
 * that failed. */
void judge_error(const struct rill_error *error, bool verifies, bool again);
/* The same for the errors of a context's settings, which have a few codes more. */
void judge_setting(int rc, const struct rill_error *error);
/* The error of a call on a stream or transport over TLS. */
void judge_stream_error(int rc, const struct rill_error *error, bool opens);
/* OpenSSL's queue is as empty as every call promises. */
void judge_queue(void);
/* rill holds as many blocks as before. */
void judge_memory(size_t blocks_before);

_Noreturn void invariant_result_after_failure(const char *call);
_Noreturn void invariant_end_without_close_notify(void);
_Noreturn void invariant_end_not_told(void);
_Noreturn void invariant_bytes_lost(const char *whose, size_t heard, size_t said);
_Noreturn void invariant_ciphertext_lost(size_t waiting, size_t kept);
_Noreturn void invariant_partial_write(size_t taken, size_t given);
_Noreturn void invariant_records_unreadable(void);
_Noreturn void invariant_outgoing_unbounded(size_t size);
_Noreturn void invariant_read_out_of_nothing(void);
_Noreturn void invariant_no_quiet(void);
_Noreturn void invariant_clear_text(void);
_Noreturn void invariant_clear_text_kept(void);
_Noreturn void invariant_event_order(const char *event);
_Noreturn void invariant_nobody_came(void);
_Noreturn void mismatch_answer(const char *question, const char *got, const char *want);

#endif
