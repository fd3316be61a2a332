/* SPDX-License-Identifier: MIT
 *
 * Errors of every make, with causes and lists, and what must hold of them with and without memory.
 */
#include "faults/errors.h"

#include <errno.h>
#include <string.h>
#include <wchar.h>

#include "sansio/error_copy.h"

static size_t beginning(size_t length, size_t room)
{
    return length < room ? length : room;
}

void faults_errors_keep(struct faults_errors *errors, size_t slot, const struct rill_error *error)
{
    struct faults_held_error *held = &errors->slots[slot];
    const struct rill_error *before = held->error;

    *held = (struct faults_held_error){.error = error};
    if (error != NULL) {
        held->then = *error;
        memcpy(held->text, error->text, beginning(strlen(error->text), sizeof held->text));
        if (error->partial.len > 0) {
            memcpy(held->partial, error->partial.ptr,
                   beginning(error->partial.len, sizeof held->partial));
        }
    }
    rill_error_unref(before);
}

static bool same_fields(const struct rill_error *a, const struct rill_error *b)
{
    return a->code == b->code && a->os_errno == b->os_errno && a->text == b->text &&
           a->partial.ptr == b->partial.ptr && a->partial.len == b->partial.len &&
           a->expected == b->expected && a->consumed == b->consumed && a->cause == b->cause &&
           a->list == b->list && a->list_count == b->list_count && a->library == b->library &&
           a->reason == b->reason && a->verify_code == b->verify_code &&
           a->verify_message == b->verify_message;
}

static bool unchanged(const struct faults_held_error *held)
{
    const struct rill_error *error = held->error;
    return same_fields(error, &held->then) &&
           memcmp(held->text, error->text, beginning(strlen(error->text), sizeof held->text)) ==
               0 &&
           (error->partial.len == 0 ||
            memcmp(held->partial, error->partial.ptr,
                   beginning(error->partial.len, sizeof held->partial)) == 0);
}

faults_fault faults_errors_unchanged(const struct faults_errors *errors)
{
    for (size_t i = 0; i < FAULTS_SLOTS; i++) {
        if (errors->slots[i].error != NULL && !unchanged(&errors->slots[i])) {
            return "an error has changed";
        }
    }
    return NULL;
}

/* ---- making ---- */

static const char *const texts[] = {"", "gone", "a text that is somewhat longer than others", "%s"};

static const int numbers[] = {0,      ECONNRESET, EPIPE,    ENOENT,      EACCES, EAGAIN,
                              EISDIR, ENOTDIR,    EINTR,    EEXIST,      EDOM,   -2,
                              11111,  ETIMEDOUT,  EALREADY, ECONNREFUSED};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

/* What is to come out, as far as it is the same for every make. */
struct wanted {
    int code;
    int os_errno;
    char text[160];
};

static const struct rill_error *make_plain(const struct faults_op *op, struct wanted *want)
{
    static const int codes[] = {RILL_EVALUE, RILL_ECANCELLED, RILL_ESSLCERT, RILL_EUSER - 7, 0, 5};
    const int code = codes[op->variant2 % 6];
    const char *text = texts[op->variant2 / 6 % 4];

    want->code = code < 0 ? code : RILL_EUSER;
    (void)snprintf(want->text, sizeof want->text, "<%s>", text);
    return rill_error_new(code, "<%s>", text);
}

/* A format that cannot be printed leaves an empty text. */
static const struct rill_error *make_unprintable(const struct faults_op *op, struct wanted *want)
{
    static const wchar_t nothing[] = {0x7FFFFFFF, 0};
    (void)op;
    want->code = RILL_EVALUE;
    return rill_error_new(RILL_EVALUE, "%ls", nothing);
}

static const struct rill_error *make_errno(const struct faults_op *op, struct wanted *want)
{
    const int number = numbers[op->variant2 % NUMBERS];
    want->code = rill_error_code_of_errno(number);
    want->os_errno = number;
    if (number != 0) {
        (void)snprintf(want->text, sizeof want->text, "[Errno %d] %s", number, strerror(number));
    } else {
        (void)snprintf(want->text, sizeof want->text, "%s", strerror(number)); /* */
    }
    return rill_error_from_errno(number);
}

static const struct rill_error *make_gai(const struct faults_op *op, struct wanted *want)
{
    want->code = RILL_EGAI;
    want->os_errno = -1 - (int)(op->variant2 % 12);
    (void)snprintf(want->text, sizeof want->text, "[Errno %d] no name", want->os_errno);
    return rill_error_from_gai(want->os_errno, "no name");
}

static const struct rill_error *make_incomplete(const struct faults_op *op, struct wanted *want)
{
    const struct rill_bytes partial = rill_bytes_of(texts[op->variant2 % 4]);
    const long long expected = (long long)op->variant2 - 2;

    want->code = RILL_EINCOMPLETE;
    if (expected < 0) {
        (void)snprintf(want->text, sizeof want->text,
                       "%zu bytes read on a total of undefined expected bytes", partial.len);
    } else {
        (void)snprintf(want->text, sizeof want->text,
                       "%zu bytes read on a total of %lld expected bytes", partial.len, expected);
    }
    return rill_error_incomplete(partial, expected);
}

/* More bytes than there can be. */
static const struct rill_error *make_absurd(const struct faults_op *op, struct wanted *want)
{
    (void)op;
    want->code = RILL_ENOMEM;
    return rill_error_incomplete((struct rill_bytes){"", SIZE_MAX}, 1);
}

static const struct rill_error *make_limit(const struct faults_op *op, struct wanted *want)
{
    want->code = RILL_ELIMIT;
    (void)snprintf(want->text, sizeof want->text, "%s", texts[op->variant2 % 4]);
    return rill_error_limit(op->variant2, texts[op->variant2 % 4]);
}

static const struct rill_error *make_tls(const struct faults_op *op, struct wanted *want)
{
    const struct rill_error like = {.code = RILL_ESSLCERT,
                                    .os_errno = 1,
                                    .text = want->text,
                                    .expected = -1,
                                    .library = "SSL",
                                    .reason = "REASON",
                                    .verify_code = (int)op->variant2,
                                    .verify_message =
                                        op->variant2 % 2 != 0 ? texts[op->variant2 / 2 % 4] : NULL};
    want->code = RILL_ESSLCERT;
    want->os_errno = 1;
    (void)snprintf(want->text, sizeof want->text, "%s", texts[op->variant2 / 8 % 4]);
    return rill__error_copy(&like);
}

static const struct rill_error *make_constant(const struct faults_op *op, struct wanted *want)
{
    want->code = op->variant2 % 2 != 0 ? RILL_ECANCELLED : RILL_ENOMEM;
    return op->variant2 % 2 != 0 ? rill_error_cancelled() : rill_error_no_memory();
}

/* Every code has a name, and a module that a traceback could show. */
static bool is_named(int code)
{
    static const char *const modules[] = {"", "asyncio.exceptions", "socket", "ssl"};
    bool known = false;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        known = known || strcmp(rill_error_module(code), modules[i]) == 0;
    }
    return known && rill_error_name(code)[0] != '\0' &&
           (code > RILL_EUSER || strcmp(rill_error_name(code), "Exception") == 0);
}

faults_fault faults_errors_make(struct faults_errors *errors, const struct faults_op *op)
{
    static const struct rill_error *(*const makes[])(const struct faults_op *, struct wanted *) = {
        make_plain,  make_unprintable, make_errno, make_gai,      make_incomplete,
        make_absurd, make_limit,       make_tls,   make_constant,
    };
    struct wanted want = {0};
    const size_t failed = errors->allocations->failed;
    const struct rill_error *error =
        makes[(op->variant >> 2) % (sizeof makes / sizeof makes[0])](op, &want);

    if (errors->allocations->failed > failed) {
        want = (struct wanted){.code = RILL_ENOMEM};
    }
    faults_errors_keep(errors, op->variant % FAULTS_SLOTS, error);
    if (error->code != want.code || error->os_errno != want.os_errno) {
        return "an error was made with another code";
    }
    if (strcmp(error->text, want.text) != 0) {
        return "an error was made with another text";
    }
    return is_named(error->code) ? NULL : "a code has no name";
}

/* ---- causes and lists ---- */

/* Without memory, an error that had to be copied is gone. */
static faults_fault judge_caused(const struct rill_error *error, const struct rill_error *cause,
                                 const struct rill_error *like, bool failed)
{
    if (failed || like->code == RILL_ENOMEM) {
        return error == rill_error_no_memory() || error->cause == cause ? NULL : "no MemoryError";
    }
    if (error->cause != cause) {
        return "an error has another cause";
    }
    if (error->code != like->code || error->partial.len != like->partial.len ||
        error->expected != like->expected || error->consumed != like->consumed ||
        error->os_errno != like->os_errno || error->verify_code != like->verify_code ||
        error->list_count != like->list_count ||
        (error->verify_message == NULL) != (like->verify_message == NULL)) {
        return "an error with a cause is not what it was";
    }
    return NULL;
}

/* An error of its own as its own cause would be a ring: nobody can make that without meaning it. */
faults_fault faults_errors_cause(struct faults_errors *errors, const struct faults_op *op)
{
    struct faults_held_error *held = &errors->slots[op->variant % FAULTS_SLOTS];
    const struct rill_error *cause = errors->slots[op->variant2 % FAULTS_SLOTS].error;
    if (held->error == NULL || held->error == cause) {
        return NULL;
    }
    const struct rill_error like = held->then;
    char text[sizeof held->text];
    memcpy(text, held->text, sizeof text);
    const size_t failed = errors->allocations->failed;

    const struct rill_error *given = held->error;
    held->error = NULL; /* its reference is taken over */
    const struct rill_error *error = rill_error_with_cause(given, cause);
    faults_errors_keep(errors, op->variant % FAULTS_SLOTS, error);
    const bool gone = errors->allocations->failed > failed;
    if (!gone && memcmp(text, held->text, sizeof text) != 0) {
        return "an error with a cause has another text";
    }
    return judge_caused(error, cause, &like, gone);
}

/* The errors of the slots that `variant2` names, in a group or behind a failed connect. */
faults_fault faults_errors_group(struct faults_errors *errors, const struct faults_op *op)
{
    const struct rill_error *list[FAULTS_SLOTS];
    size_t count = 0;
    for (size_t i = 0; i < FAULTS_SLOTS; i++) {
        if ((op->variant2 >> i & 1) != 0 && errors->slots[i].error != NULL) {
            list[count++] = errors->slots[i].error;
        }
    }
    const size_t failed = errors->allocations->failed;
    const struct rill_error *error =
        (op->variant & 4) != 0
            ? rill_error_group("several", list, count)
            : rill_error_with_list(rill_error_new(RILL_EOS, "all failed"), list, count);
    faults_fault fault = NULL;
    if (errors->allocations->failed > failed) {
        fault = error == rill_error_no_memory() ? NULL : "no MemoryError";
    } else if (error->list_count != count ||
               (count > 0 && memcmp(error->list, list, count * sizeof list[0]) != 0)) {
        fault = "a list is not what was given";
    }
    faults_errors_keep(errors, op->variant % FAULTS_SLOTS, error);
    return fault;
}

void faults_errors_share(struct faults_errors *errors, const struct faults_op *op)
{
    const struct rill_error *error = errors->slots[op->variant % FAULTS_SLOTS].error;
    faults_errors_keep(errors, op->variant2 % FAULTS_SLOTS, rill_error_ref(error));
}

void faults_errors_drop_all(struct faults_errors *errors)
{
    for (size_t i = 0; i < FAULTS_SLOTS; i++) {
        faults_errors_keep(errors, i, NULL);
    }
}
