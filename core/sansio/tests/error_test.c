/* SPDX-License-Identifier: MIT
 *
 * error.c: texts, classes, fields, and who owns what.
 */
#include <errno.h>
#include <stdint.h>
#include <wchar.h>

#include "rig.h"
#include "sansio/error_copy.h"

static const struct {
    int line;
    int os_errno;
    int want_code;
    const char *want_name;
    const char *want_words; /* where every C library uses the same */
} errnos[] = {
    {.line = __LINE__,
     .os_errno = ECONNRESET,
     .want_code = RILL_ECONNRESET,
     .want_name = "ConnectionResetError",
     .want_words = "Connection reset by peer"},
    {.line = __LINE__,
     .os_errno = EPIPE,
     .want_code = RILL_EPIPE,
     .want_name = "BrokenPipeError",
     .want_words = "Broken pipe"},
    {.line = __LINE__,
     .os_errno = ESHUTDOWN,
     .want_code = RILL_EPIPE,
     .want_name = "BrokenPipeError"},
    {.line = __LINE__,
     .os_errno = ECONNABORTED,
     .want_code = RILL_ECONNABORTED,
     .want_name = "ConnectionAbortedError"},
    {.line = __LINE__,
     .os_errno = ECONNREFUSED,
     .want_code = RILL_ECONNREFUSED,
     .want_name = "ConnectionRefusedError",
     .want_words = "Connection refused"},
    {.line = __LINE__,
     .os_errno = ENOENT,
     .want_code = RILL_ENOENT,
     .want_name = "FileNotFoundError",
     .want_words = "No such file or directory"},
    {.line = __LINE__,
     .os_errno = EACCES,
     .want_code = RILL_EPERMISSION,
     .want_name = "PermissionError",
     .want_words = "Permission denied"},
    {.line = __LINE__,
     .os_errno = EPERM,
     .want_code = RILL_EPERMISSION,
     .want_name = "PermissionError"},
    {.line = __LINE__,
     .os_errno = ETIMEDOUT,
     .want_code = RILL_ETIMEOUT,
     .want_name = "TimeoutError"},
    {.line = __LINE__,
     .os_errno = EAGAIN,
     .want_code = RILL_EBLOCKING,
     .want_name = "BlockingIOError"},
    {.line = __LINE__,
     .os_errno = EINPROGRESS,
     .want_code = RILL_EBLOCKING,
     .want_name = "BlockingIOError"},
    {.line = __LINE__,
     .os_errno = EALREADY,
     .want_code = RILL_EBLOCKING,
     .want_name = "BlockingIOError"},
    {.line = __LINE__,
     .os_errno = EINTR,
     .want_code = RILL_EINTERRUPTED,
     .want_name = "InterruptedError"},
    {.line = __LINE__,
     .os_errno = EEXIST,
     .want_code = RILL_EFILEEXISTS,
     .want_name = "FileExistsError"},
    {.line = __LINE__,
     .os_errno = EISDIR,
     .want_code = RILL_EISDIRECTORY,
     .want_name = "IsADirectoryError"},
    {.line = __LINE__,
     .os_errno = ENOTDIR,
     .want_code = RILL_ENOTDIRECTORY,
     .want_name = "NotADirectoryError"},
    {.line = __LINE__, .os_errno = ENOTCONN, .want_code = RILL_EOS, .want_name = "OSError"},
    {.line = __LINE__, .os_errno = EMFILE, .want_code = RILL_EOS, .want_name = "OSError"},
};

static void test_errnos(void)
{
    for (size_t i = 0; i < sizeof errnos / sizeof errnos[0]; i++) {
        const struct rill_error *error = rill_error_from_errno(errnos[i].os_errno);
        char want[128];
        snprintf(want, sizeof want, "[Errno %d] %s", errnos[i].os_errno,
                 strerror(errnos[i].os_errno));
        CHECK_INT_ROW(errnos[i].line, error->code, errnos[i].want_code);
        CHECK_INT_ROW(errnos[i].line, error->os_errno, errnos[i].os_errno);
        CHECK_STR_ROW(errnos[i].line, error->text, want);
        if (errnos[i].want_words != NULL) {
            CHECK_STR_ROW(errnos[i].line, strchr(error->text, ']') + 2, errnos[i].want_words);
        }
        CHECK_STR_ROW(errnos[i].line, rill_error_name(error->code), errnos[i].want_name);
        rill_error_unref(error);
    }
}

static const struct {
    int line;
    int code;
    const char *want;
} names[] = {
    {.line = __LINE__, .code = RILL_ECANCELLED, .want = "CancelledError"},
    {.line = __LINE__, .code = RILL_EINCOMPLETE, .want = "IncompleteReadError"},
    {.line = __LINE__, .code = RILL_ELIMIT, .want = "LimitOverrunError"},
    {.line = __LINE__, .code = RILL_EVALUE, .want = "ValueError"},
    {.line = __LINE__, .code = RILL_ETYPE, .want = "TypeError"},
    {.line = __LINE__, .code = RILL_ERUNTIME, .want = "RuntimeError"},
    {.line = __LINE__, .code = RILL_EASSERTION, .want = "AssertionError"},
    {.line = __LINE__, .code = RILL_ENOTIMPLEMENTED, .want = "NotImplementedError"},
    {.line = __LINE__, .code = RILL_EOVERFLOW, .want = "OverflowError"},
    {.line = __LINE__, .code = RILL_EINDEX, .want = "IndexError"},
    {.line = __LINE__, .code = RILL_ENOMEM, .want = "MemoryError"},
    {.line = __LINE__, .code = RILL_EKEYBOARDINTERRUPT, .want = "KeyboardInterrupt"},
    {.line = __LINE__, .code = RILL_EGAI, .want = "gaierror"},
    {.line = __LINE__, .code = RILL_ESSL, .want = "SSLError"},
    {.line = __LINE__, .code = RILL_ESSLCERT, .want = "SSLCertVerificationError"},
    {.line = __LINE__, .code = RILL_ESSLEOF, .want = "SSLEOFError"},
    {.line = __LINE__, .code = RILL_EGROUP, .want = "ExceptionGroup"},
    {.line = __LINE__, .code = RILL_EUSER, .want = "Exception"},
    {.line = __LINE__, .code = RILL_EUSER - 7, .want = "Exception"},
    {.line = __LINE__, .code = 0, .want = "Exception"},
};

static void test_names(void)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_STR_ROW(names[i].line, rill_error_name(names[i].code), names[i].want);
    }
}

static void test_new(void)
{
    const struct rill_error *error = rill_error_new(RILL_EVALUE, "port %d is %s", 7, "bad");
    CHECK_INT(error->code, RILL_EVALUE);
    CHECK_STR(error->text, "port 7 is bad");
    CHECK_INT(error->os_errno, 0);
    CHECK_INT(error->expected, -1);
    CHECK_INT((long long)error->consumed, 0);
    CHECK_INT((long long)error->partial.len, 0);
    CHECK(error->cause == NULL);
    CHECK(rill_error_ref(error) == error);
    rill_error_unref(error);
    CHECK_STR(error->text, "port 7 is bad");
    rill_error_unref(error);

    error = rill_error_new(5, "%s", "a code that is none");
    CHECK_INT(error->code, RILL_EUSER);
    rill_error_unref(error);

    CHECK(rill_error_ref(NULL) == NULL);
    rill_error_unref(NULL);
}

/* an OSError of one text has no number. */
static void test_errno_text(void)
{
    const struct rill_error *error = rill_error_from_errno_text(0, "Multiple exceptions: %d", 2);
    CHECK_INT(error->code, RILL_EOS);
    CHECK_INT(error->os_errno, 0);
    CHECK_STR(error->text, "Multiple exceptions: 2");
    rill_error_unref(error);

    error = rill_error_from_errno_text(ECONNREFUSED, "Connect call failed %s", "('::1', 1)");
    CHECK_INT(error->code, RILL_ECONNREFUSED);
    CHECK_INT(error->os_errno, ECONNREFUSED);
    CHECK_STR(strchr(error->text, ']'), "] Connect call failed ('::1', 1)");
    rill_error_unref(error);
}

static void test_fields(void)
{
    char bytes[] = {'a', '\0', 'b'};
    const struct rill_error *error =
        rill_error_incomplete((struct rill_bytes){bytes, sizeof bytes}, 10);
    bytes[0] = 'x'; /* the error has its own copy */
    CHECK_INT(error->code, RILL_EINCOMPLETE);
    CHECK_STR(error->text, "3 bytes read on a total of 10 expected bytes");
    CHECK_INT((long long)error->partial.len, 3);
    CHECK(memcmp(error->partial.ptr, "a\0b", 3) == 0);
    CHECK_INT(error->expected, 10);
    rill_error_unref(error);

    error = rill_error_incomplete((struct rill_bytes){NULL, 0}, -5);
    CHECK_STR(error->text, "0 bytes read on a total of undefined expected bytes");
    CHECK_INT((long long)error->partial.len, 0);
    CHECK_INT(error->expected, -1);
    rill_error_unref(error);

    error = rill_error_limit(7, "100% of the limit");
    CHECK_INT(error->code, RILL_ELIMIT);
    CHECK_INT((long long)error->consumed, 7);
    CHECK_STR(error->text, "100% of the limit");
    rill_error_unref(error);
}

static void test_cause(void)
{
    const struct rill_error *cause = rill_error_limit(3, "cause");
    const struct rill_error *error = rill_error_new(RILL_EVALUE, "effect");
    CHECK(rill_error_with_cause(error, cause) == error); /* nobody else holds it: no copy */
    CHECK(error->cause == cause);
    CHECK(rill_error_with_cause(error, cause) == error);
    rill_error_unref(cause); /* the error keeps it */
    CHECK_STR(error->cause->text, "cause");

    /* Somebody else holds the error: they must not see it change. */
    const struct rill_error *held = rill_error_ref(error);
    const struct rill_error *changed = rill_error_with_cause(error, NULL);
    CHECK(changed != held);
    CHECK(changed->cause == NULL);
    CHECK_STR(changed->text, "effect");
    CHECK_INT((long long)held->cause->consumed, 3);
    rill_error_unref(held);
    rill_error_unref(changed);
}

/* The one CancelledError is never changed: a cause makes a new one. */
static void test_cancelled(void)
{
    const struct rill_error *cancelled = rill_error_cancelled();
    CHECK(cancelled == rill_error_cancelled());
    CHECK_INT(cancelled->code, RILL_ECANCELLED);
    CHECK_STR(cancelled->text, "");
    CHECK(rill_error_ref(cancelled) == cancelled);
    rill_error_unref(cancelled);
    rill_error_unref(cancelled);

    const struct rill_error *cause = rill_error_new(RILL_EOS, "cause");
    const struct rill_error *other = rill_error_with_cause(rill_error_ref(cancelled), cause);
    CHECK(other != cancelled && other->cause == cause && cancelled->cause == NULL);
    CHECK_INT(other->code, RILL_ECANCELLED);
    CHECK_STR(other->text, "");
    rill_error_unref(other);
    rill_error_unref(cause);
}

static void test_gai(void)
{
    const struct rill_error *error = rill_error_from_gai(-2, "Name or service not known");
    CHECK_INT(error->code, RILL_EGAI);
    CHECK_INT(error->os_errno, -2);
    CHECK_STR(error->text, "[Errno -2] Name or service not known");
    rill_error_unref(error);
}

/* A format that cannot be printed still makes an error. */
static void test_unprintable(void)
{
    static const wchar_t no_character[] = {0x7fffffff, 0};
    const struct rill_error *error = rill_error_new(RILL_EVALUE, "%ls", no_character);
    CHECK_INT(error->code, RILL_EVALUE);
    CHECK_STR(error->text, "");
    rill_error_unref(error);
}

static void test_copy_keeps_fields(void)
{
    const struct rill_error *cause = rill_error_new(RILL_ECANCELLED, "%s", "");
    const struct rill_error *error = rill_error_incomplete(rill_bytes_of("abc"), 5);
    const struct rill_error *held = rill_error_ref(error);
    const struct rill_error *changed = rill_error_with_cause(error, cause);
    CHECK(changed != held && changed->cause == cause);
    CHECK_INT(changed->code, RILL_EINCOMPLETE);
    CHECK_INT(changed->expected, 5);
    CHECK_STR(rig_text(changed->partial), "abc");
    CHECK_STR(changed->text, held->text);
    rill_error_unref(held);
    rill_error_unref(changed);
    rill_error_unref(cause);
}

static const struct {
    int line;
    int code;
    int os_errno;
    const char *text;
    struct tls_detail {
        const char *library;
        const char *reason;
        int verify_code;
        const char *verify_message;
    } detail;
} tls_errors[] = {
    {.line = __LINE__,
     .code = RILL_ESSLCERT,
     .os_errno = 1,
     .text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
     .detail = {"SSL", "CERTIFICATE_VERIFY_FAILED", 10, "certificate has expired"}},
    {.line = __LINE__,
     .code = RILL_ESSLCERT,
     .os_errno = 1,
     .text = "an empty message",
     .detail = {"SSL", "CERTIFICATE_VERIFY_FAILED", 1, ""}},
    {.line = __LINE__,
     .code = RILL_ESSL,
     .os_errno = 1,
     .text = "[SSL] no name, and a %s that is no format",
     .detail = {.library = "SSL"}},
    {.line = __LINE__, .code = RILL_ESSLEOF, .os_errno = 8, .text = ""},
};

static void check_tls(size_t row, const struct rill_error *error)
{
    const int line = tls_errors[row].line;
    const struct tls_detail *want = &tls_errors[row].detail;
    CHECK_INT_ROW(line, error->code, tls_errors[row].code);
    CHECK_INT_ROW(line, error->os_errno, tls_errors[row].os_errno);
    CHECK_STR_ROW(line, error->text, tls_errors[row].text);
    CHECK_STR_ROW(line, error->library, want->library);
    CHECK_STR_ROW(line, error->reason, want->reason);
    CHECK_INT_ROW(line, error->verify_code, want->verify_code);
    CHECK_STR_ROW(line, error->verify_message, want->verify_message);
}

/* The fields of TLS errors, and those of their copies. */
static void test_tls(void)
{
    const struct rill_error *cause = rill_error_new(RILL_EOS, "cause");
    for (size_t i = 0; i < sizeof tls_errors / sizeof tls_errors[0]; i++) {
        const int line = tls_errors[i].line;
        struct tls_detail given = tls_errors[i].detail;
        char message[64];
        if (given.verify_message != NULL) { /* of the caller's, who overwrites it afterwards */
            snprintf(message, sizeof message, "%s", given.verify_message);
            given.verify_message = message;
        }
        const struct rill_error *made =
            rill__error_copy(&(struct rill_error){.code = tls_errors[i].code,
                                                  .os_errno = tls_errors[i].os_errno,
                                                  .text = tls_errors[i].text,
                                                  .library = given.library,
                                                  .reason = given.reason,
                                                  .verify_code = given.verify_code,
                                                  .verify_message = given.verify_message});
        memset(message, 'x', sizeof message);

        check_tls(i, made);
        const struct rill_error *copy = rill_error_with_cause(rill_error_ref(made), cause);
        CHECK_ROW(line, copy != made && copy->cause == cause && made->cause == NULL);
        rill_error_unref(made); /* the copy lives on its own */
        check_tls(i, copy);
        rill_error_unref(copy);
    }
    rill_error_unref(cause);
}

/* A long chain is released without deep recursion. */
static void test_long_chain(struct rig_allocator *allocator)
{
    enum { LENGTH = 200000 };
    const struct rill_error *chain = NULL;
    for (int i = 0; i < LENGTH; i++) {
        const struct rill_error *next = rill_error_with_cause(rill_error_new(RILL_EOS, "x"), chain);
        rill_error_unref(chain);
        chain = next;
    }
    CHECK_INT(allocator->live, LENGTH);
    rill_error_unref(chain);
    CHECK_INT(allocator->live, 0);
}

/* Without memory: the constant object, which may be counted like any other. */
static void test_no_memory(struct rig_allocator *allocator)
{
    const struct rill_error *cause = rill_error_new(RILL_EOS, "cause");
    const struct rill_error *held = rill_error_new(RILL_EVALUE, "held");
    allocator->fail_at = allocator->calls + 1;
    allocator->fail_on = true;

    const struct rill_error *errors[] = {
        rill_error_new(RILL_EVALUE, "text"),
        rill_error_from_errno(EPIPE),
        rill_error_from_gai(-2, "text"),
        rill_error_with_cause(rill_error_cancelled(), cause),
        rill_error_from_errno_text(0, "text"),
        rill_error_incomplete(rill_bytes_of("abc"), 5),
        rill_error_limit(5, "text"),
        rill__error_copy(&(struct rill_error){.text = "text", .verify_message = "m"}),
        rill_error_with_cause(rill_error_new(RILL_EVALUE, "text"), cause),
        rill_error_with_cause(rill_error_ref(held), cause),
    };
    allocator->fail_at = 0;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        CHECK_INT(errors[i]->code, RILL_ENOMEM);
        CHECK_STR(errors[i]->text, "");
        CHECK(rill_error_ref(errors[i]) == errors[i]);
        rill_error_unref(errors[i]);
        rill_error_unref(errors[i]);
    }
    CHECK_INT(errors[0]->expected, -1);
    rill_error_unref(cause);
    rill_error_unref(held);

    /* Sizes that cannot be are no memory either. */
    CHECK_INT(rill_error_incomplete((struct rill_bytes){"", SIZE_MAX}, 1)->code, RILL_ENOMEM);
}

static void test_lists(struct rig_allocator *allocator)
{
    const struct rill_error *both[] = {rill_error_new(RILL_EVALUE, "a"),
                                       rill_error_from_errno(ECONNREFUSED)};
    const struct rill_error *group = rill_error_group("connecting failed", both, 2);
    const struct rill_error *single = rill_error_group("connecting failed", both, 1);
    const struct rill_error *merged =
        rill_error_with_list(rill_error_from_errno_text(0, "Multiple exceptions"), both, 2);

    CHECK_INT(group->code, RILL_EGROUP);
    CHECK_STR(group->text, "connecting failed (2 sub-exceptions)");
    CHECK_STR(single->text, "connecting failed (1 sub-exception)");
    CHECK_STR(rill_error_name(group->code), "ExceptionGroup");
    rill_error_unref(both[0]);
    rill_error_unref(both[1]); /* the lists hold references of their own */
    CHECK_INT((long long)merged->list_count, 2);
    CHECK(merged->list[0] == group->list[0] && merged->list[1] == group->list[1]);
    CHECK_STR(single->list[0]->text, "a");
    CHECK_INT(merged->list[1]->os_errno, ECONNREFUSED);
    rill_error_unref(group);
    rill_error_unref(single);
    rill_error_unref(merged);

    const struct rill_error *one = rill_error_new(RILL_EVALUE, "a");
    const struct rill_error *made = rill_error_new(RILL_EVALUE, "b");
    allocator->fail_at = 1;
    CHECK_INT(rill_error_with_list(made, &one, 1)->code, RILL_ENOMEM);
    allocator->fail_at = 0;
    CHECK(rill_error_with_list(one, NULL, 0) == one);
    rill_error_unref(one);
    const struct rill_error *constant = rill_error_cancelled();
    CHECK(rill_error_with_list(constant, &constant, 1) == constant);
}

static void test_modules(void)
{
    CHECK_STR(rill_error_module(RILL_EINCOMPLETE), "asyncio.exceptions");
    CHECK_STR(rill_error_module(RILL_EGAI), "socket");
    CHECK_STR(rill_error_module(RILL_ESSL), "ssl");
    CHECK_STR(rill_error_module(RILL_EVALUE), "");
    CHECK_STR(rill_error_module(-9999), "");
}

int main(void)
{
    struct rig_allocator *allocator = rig_use_allocator();
    test_errnos();
    test_names();
    test_new();
    test_errno_text();
    test_fields();
    test_cause();
    test_cancelled();
    test_gai();
    test_unprintable();
    test_copy_keeps_fields();
    test_tls();
    test_no_memory(allocator);
    test_long_chain(allocator);
    test_lists(allocator);
    test_modules();
    CHECK_INT(allocator->live, 0);
    return check_report("error_test");
}
