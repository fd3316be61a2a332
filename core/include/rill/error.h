/* SPDX-License-Identifier: MIT
 *
 * Errors: a negative code for each asyncio exception class, and the object that carries what Python
 * keeps on the exception. A call returns the code; the object is kept by the reader, writer or
 * server that failed and by the task (rill_task_error). Texts equal CPython's wherever the text is
 * CPython's own.
 */
#ifndef RILL_ERROR_H
#define RILL_ERROR_H

#include <stddef.h>

#include <rill/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The comment names the Python class; rill_error_name returns it. */
enum rill_error_code {
    RILL_OK = 0,
    RILL_ECANCELLED = -1,          /* CancelledError */
    RILL_ETIMEOUT = -2,            /* TimeoutError (also ETIMEDOUT, R-001) */
    RILL_EINCOMPLETE = -3,         /* IncompleteReadError: partial, expected */
    RILL_ELIMIT = -4,              /* LimitOverrunError: consumed */
    RILL_EVALUE = -5,              /* ValueError */
    RILL_ETYPE = -6,               /* TypeError */
    RILL_ERUNTIME = -7,            /* RuntimeError */
    RILL_EASSERTION = -8,          /* AssertionError */
    RILL_ENOTIMPLEMENTED = -9,     /* NotImplementedError */
    RILL_EOVERFLOW = -10,          /* OverflowError */
    RILL_EINDEX = -11,             /* IndexError */
    RILL_ENOMEM = -12,             /* MemoryError */
    RILL_EKEYBOARDINTERRUPT = -13, /* KeyboardInterrupt */
    RILL_EOS = -20,                /* OSError: os_errno, 0 when built from one text */
    RILL_ECONNRESET = -21,         /* ConnectionResetError */
    RILL_EPIPE = -22,              /* BrokenPipeError */
    RILL_ECONNABORTED = -23,       /* ConnectionAbortedError */
    RILL_ECONNREFUSED = -24,       /* ConnectionRefusedError */
    RILL_ENOENT = -25,             /* FileNotFoundError */
    RILL_EPERMISSION = -26,        /* PermissionError */
    RILL_EBLOCKING = -27,          /* BlockingIOError */
    RILL_EINTERRUPTED = -28,       /* InterruptedError */
    RILL_EGAI = -29,               /* gaierror: os_errno is getaddrinfo's code */
    RILL_ESSL = -40,               /* SSLError */
    RILL_EFILEEXISTS = -30,        /* FileExistsError */
    RILL_EISDIRECTORY = -31,       /* IsADirectoryError */
    RILL_ENOTDIRECTORY = -32,      /* NotADirectoryError */
    RILL_ESSLCERT = -41,           /* SSLCertVerificationError: verify_code, verify_message */
    RILL_ESSLEOF = -42,            /* SSLEOFError: the stream ended without close_notify */
    RILL_EGROUP = -50,             /* ExceptionGroup */
    RILL_EUSER = -1000,            /* this and everything below: the application's own */
};

/* An error object never changes after it was made and is counted: rill_error_ref and
 * rill_error_unref. One connection failure is one object, whoever reports it: compare
 * pointers. */
struct rill_error {
    int code;
    int os_errno;              /* errno, or getaddrinfo's code for RILL_EGAI; 0: none */
    const char *text;          /* str(exc); never NULL, may be empty */
    struct rill_bytes partial; /* RILL_EINCOMPLETE: what was there; the object owns the bytes */
    long long expected;        /* RILL_EINCOMPLETE: bytes asked for, -1: none (Python's None) */
    size_t consumed;           /* RILL_ELIMIT */
    const struct rill_error
        *cause; /* the error behind this one (__context__ or __cause__), or NULL */
    /* The errors that this one stands for: an RILL_EGROUP's, a failed connect's. They live
     * as long as this object. */
    const struct rill_error *const *list;
    size_t list_count;
    /* TLS errors: `library` and `reason` as in `[SSL: WRONG_VERSION_NUMBER]`, NULL when
     * OpenSSL has no name for them; RILL_ESSLCERT: OpenSSL's verification code and its text, else 0
     * and NULL. */
    const char *library;
    const char *reason;
    int verify_code;
    const char *verify_message;
};

/* Makes an error whose text is formatted as by printf; the caller owns one reference. Never fails:
 * without memory it returns a constant object of code RILL_ENOMEM. */
const struct rill_error *rill_error_new(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The OSError for an errno: code by R-001, text `[Errno N] strerror`. */
const struct rill_error *rill_error_from_errno(int os_errno);

/* The same with `[Errno N] text` of the caller's making; an os_errno of 0 gives a plain OSError
 * without number. */
const struct rill_error *rill_error_from_errno_text(int os_errno, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* gaierror: getaddrinfo's status as os_errno, text `[Errno status] text`. */
const struct rill_error *rill_error_from_gai(int status, const char *text);

/* The MemoryError without text: what every other call here returns when there is no memory for its
 * object. A constant. */
const struct rill_error *rill_error_no_memory(void);

/* The CancelledError without text; a constant, references to it cost nothing. */
const struct rill_error *rill_error_cancelled(void);

/* IncompleteReadError and LimitOverrunError; partial is copied. expected -1 means
 * none. */
const struct rill_error *rill_error_incomplete(struct rill_bytes partial, long long expected);
const struct rill_error *rill_error_limit(size_t consumed, const char *text);

/* The same error with a cause: takes over the caller's reference to `error`, and a new one to
 * `cause`. */
const struct rill_error *rill_error_with_cause(const struct rill_error *error,
                                               const struct rill_error *cause);

/* ExceptionGroup: text `TEXT (N sub-exceptions)`, holding references of its own to list's errors.
 */
const struct rill_error *rill_error_group(const char *text, const struct rill_error *const *list,
                                          size_t count);

/* A new error (nobody else holds it, it has no list yet) with a list, which gets references of its
 * own; takes over the caller's reference to `error`. */
const struct rill_error *rill_error_with_list(const struct rill_error *error,
                                              const struct rill_error *const *list, size_t count);

const struct rill_error *rill_error_ref(const struct rill_error *error); /* NULL is fine */
void rill_error_unref(const struct rill_error *error);                   /* NULL is fine */

/* The code of R-001 for an errno (RILL_EOS where no subclass fits). */
int rill_error_code_of_errno(int os_errno);

/* The asyncio class of a code: "IncompleteReadError". "Exception" for the application's own. Never
 * NULL. */
const char *rill_error_name(int code);

/* The module of that class as a traceback shows it: "asyncio.exceptions", "socket", "ssl"; "" for a
 * builtin. Never NULL. */
const char *rill_error_module(int code);

#ifdef __cplusplus
}
#endif

#endif
