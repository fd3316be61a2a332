/* SPDX-License-Identifier: MIT
 *
 * The judgements, each with its own way to end.
 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "scarcity.h"

/* Longer than anything that rill or OpenSSL says: core/tls/error.c's own bound. */
enum { TEXT_MAX = 1024 };

/* Set once, like the allocator itself. */
static const struct allocations *watched;

void judge_watch(const struct allocations *allocations)
{
    watched = allocations;
}

bool judge_lacks_memory(void)
{
    return watched->failed > 0 || scarcity_was_felt();
}

/* -- the ends --------------------------------------------------------------------------------- */

static _Noreturn void invariant_undocumented_error(const struct rill_error *error)
{
    (void)fprintf(stderr, "undocumented: %s (%d) '%s'\n", rill_error_name(error->code), error->code,
                  error->text);
    abort();
}

static _Noreturn void invariant_error_missing(void)
{
    (void)fprintf(stderr, "a call failed and gave no error\n");
    abort();
}

static _Noreturn void invariant_error_not_whole(const struct rill_error *error, const char *what)
{
    (void)fprintf(stderr, "an error whose %s is wrong: %s '%s' (%s, %s, %d, %s), errno %d\n", what,
                  rill_error_name(error->code), error->text,
                  error->library != NULL ? error->library : "-",
                  error->reason != NULL ? error->reason : "-", error->verify_code,
                  error->verify_message != NULL ? error->verify_message : "-", error->os_errno);
    abort();
}

static _Noreturn void invariant_queue_left(unsigned long code)
{
    (void)fprintf(stderr, "left in OpenSSL's queue: %s\n", ERR_reason_error_string(code));
    abort();
}

static _Noreturn void invariant_memory_left(size_t before, size_t after)
{
    (void)fprintf(stderr, "blocks of rill's before the run: %zu, after it: %zu\n", before, after);
    abort();
}

static _Noreturn void invariant_out_of_memory_invented(void)
{
    (void)fprintf(stderr, "MemoryError, and no allocation of rill's failed\n");
    abort();
}

static _Noreturn void mismatch_plaintext(enum random_side who, size_t place)
{
    (void)fprintf(stderr, "byte %zu is none that %s wrote there\n", place,
                  who == RANDOM_OF_RILL ? "rill" : "the peer");
    abort();
}

static _Noreturn void mismatch_length(enum random_side who, size_t heard, size_t said)
{
    (void)fprintf(stderr, "%zu bytes were heard of %s, which wrote %zu\n", heard,
                  who == RANDOM_OF_RILL ? "rill" : "the peer", said);
    abort();
}

static _Noreturn void mismatch_hello(size_t place, size_t count, size_t size)
{
    (void)fprintf(stderr, "%zu bytes from %zu on are not of the ClientHello of %zu bytes\n", count,
                  place, size);
    abort();
}

void invariant_result_after_failure(const char *call)
{
    (void)fprintf(stderr, "%s succeeded in a session that had failed\n", call);
    abort();
}

void invariant_end_without_close_notify(void)
{
    (void)fprintf(stderr, "the clean end of a peer that sent no close_notify\n");
    abort();
}

void invariant_end_not_told(void)
{
    (void)fprintf(stderr, "the peer's close_notify came, and nobody was told\n");
    abort();
}

void invariant_bytes_lost(const char *whose, size_t heard, size_t said)
{
    (void)fprintf(stderr, "of %zu bytes of %s only %zu came, over a wire that was left alone\n",
                  said, whose, heard);
    abort();
}

void invariant_ciphertext_lost(size_t waiting, size_t kept)
{
    (void)fprintf(stderr, "of %zu bytes that OpenSSL has not taken %zu are kept\n", waiting, kept);
    abort();
}

void invariant_partial_write(size_t taken, size_t given)
{
    (void)fprintf(stderr, "a write took %zu of %zu bytes\n", taken, given);
    abort();
}

void invariant_records_unreadable(void)
{
    (void)fprintf(stderr, "a peer cannot read what was sent in front of a write's failure\n");
    abort();
}

void invariant_outgoing_unbounded(size_t size)
{
    (void)fprintf(stderr, "%zu bytes to be sent\n", size);
    abort();
}

void invariant_read_out_of_nothing(void)
{
    (void)fprintf(stderr, "plaintext after rill had said that there is no more\n");
    abort();
}

void invariant_no_quiet(void)
{
    (void)fprintf(stderr, "two ends that answer each other for ever\n");
    abort();
}

void invariant_clear_text(void)
{
    (void)fprintf(stderr, "behind start_tls rill sent what is no record of TLS\n");
    abort();
}

void invariant_clear_text_kept(void)
{
    (void)fprintf(stderr, "what came in clear can be read as if it had come over TLS\n");
    abort();
}

void invariant_event_order(const char *event)
{
    (void)fprintf(stderr, "a protocol was told out of order: %s\n", event);
    abort();
}

void invariant_nobody_came(void)
{
    (void)fprintf(stderr, "a server took nobody, and had all that it needs\n");
    abort();
}

void mismatch_answer(const char *question, const char *got, const char *want)
{
    (void)fprintf(stderr, "%s: '%s', not '%s'\n", question, got != NULL ? got : "None",
                  want != NULL ? want : "None");
    abort();
}

/* -- text ------------------------------------------------------------------------------------- */

/* The period is a prime above all small powers of two, so that no shift by a record looks right. */
char judge_letter(enum random_side who, size_t place)
{
    const size_t letter = (place % 251) ^ (who == RANDOM_OF_RILL ? 0 : 0xff);
    return (char)(unsigned char)letter;
}

char *judge_text(enum random_side who, size_t place, size_t count)
{
    char *const text = malloc(count > 0 ? count : 1);
    if (text == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        text[i] = judge_letter(who, place + i);
    }
    return text;
}

void judge_heard(enum random_side who, size_t place, const char *data, size_t count, size_t said)
{
    if (place + count > said) {
        mismatch_length(who, place + count, said);
    }
    for (size_t i = 0; i < count; i++) {
        if (data[i] != judge_letter(who, place + i)) {
            mismatch_plaintext(who, place + i);
        }
    }
}

void judge_hello(struct rill_bytes hello, size_t place, const char *data, size_t count)
{
    if (place + count > hello.len || memcmp(hello.ptr + place, data, count) != 0) {
        mismatch_hello(place, count, hello.len);
    }
}

/* -- errors ----------------------------------------------------------------------------------- */

/* `[LIBRARY: REASON] ...` as Python prints it. */
static bool begins_with_reason(const struct rill_error *error)
{
    char start[TEXT_MAX];
    const int length = snprintf(start, sizeof start, "[%s: %s] ", error->library, error->reason);
    return length > 0 && strncmp(error->text, start, (size_t)length) == 0;
}

static void judge_whole(const struct rill_error *error, bool verifies)
{
    const size_t length = strlen(error->text);
    const bool is_verification = error->code == RILL_ESSLCERT;

    if (length == 0 || length >= TEXT_MAX) {
        invariant_error_not_whole(error, "text");
    }
    if (error->library != NULL && error->reason != NULL && !begins_with_reason(error)) {
        invariant_error_not_whole(error, "beginning");
    }
    if (is_verification != (error->verify_message != NULL) ||
        is_verification != (error->verify_code != 0) || (is_verification && !verifies)) {
        invariant_error_not_whole(error, "verification");
    }
}

/* True when it is accounted for. */
static bool judge_no_memory(const struct rill_error *error)
{
    if (error->code == RILL_ENOMEM && !judge_lacks_memory()) {
        invariant_out_of_memory_invented();
    }
    return error->code == RILL_ENOMEM;
}

void judge_error(const struct rill_error *error, bool verifies, bool again)
{
    enum { ERRNO_MAX = 10 }; /* Python's SSL_ERROR_ numbers */

    if (error == NULL) {
        invariant_error_missing();
    }
    if (judge_no_memory(error)) {
        rill_error_unref(error);
        return;
    }
    /* OpenSSL forgets why a session failed; an end of the stream is what then seems left. */
    const bool is_known = error->code == RILL_ESSL || error->code == RILL_ESSLCERT ||
                          (again && error->code == RILL_ESSLEOF);
    if (!is_known) {
        invariant_undocumented_error(error);
    }
    if (error->os_errno <= 0 || error->os_errno > ERRNO_MAX) {
        invariant_error_not_whole(error, "errno");
    }
    judge_whole(error, verifies);
    rill_error_unref(error);
}

void judge_setting(int rc, const struct rill_error *error)
{
    if (rc == 0 && error == NULL) {
        return;
    }
    if (error == NULL || error->code != rc) {
        invariant_error_missing();
    }
    const bool is_of_tls = error->code == RILL_ESSL;
    if (!judge_no_memory(error)) {
        if (!is_of_tls && error->code != RILL_EVALUE && error->code != RILL_ETYPE &&
            error->code != RILL_EOVERFLOW) {
            invariant_undocumented_error(error);
        }
        if (is_of_tls) {
            judge_whole(error, false);
        }
    }
    rill_error_unref(error);
}

/* A handshake's failures too: what comes behind it repeats them. */
static bool is_of_stream(int code)
{
    return code == RILL_ESSLCERT || code == RILL_ECONNABORTED || code == RILL_ESSL ||
           code == RILL_ESSLEOF || code == RILL_ECONNRESET || code == RILL_EPIPE ||
           code == RILL_ETIMEOUT || code == RILL_ERUNTIME || code == RILL_EVALUE ||
           code == RILL_ENOTIMPLEMENTED || code == RILL_EUSER ||
           code == RILL_EOS; /* of shutdown: R-212 */
}

void judge_stream_error(int rc, const struct rill_error *error, bool opens)
{
    if (error == NULL || error->code != rc) {
        invariant_error_missing();
    }
    if (judge_no_memory(error)) {
        return;
    }
    if (!is_of_stream(error->code) && !(opens && error->code == RILL_ETYPE)) {
        invariant_undocumented_error(error);
    }
    if (error->code == RILL_ESSL || error->code == RILL_ESSLCERT) {
        judge_whole(error, true);
    }
}

void judge_queue(void)
{
    const unsigned long code = ERR_peek_error();
    if (code != 0) {
        invariant_queue_left(code);
    }
}

void judge_memory(size_t blocks_before)
{
    if (watched->blocks != blocks_before) {
        invariant_memory_left(blocks_before, watched->blocks);
    }
}
