/* SPDX-License-Identifier: MIT
 *
 * Which asyncio class an error code is, and which code an errno.
 */
#include <errno.h>
#include <stddef.h>

#include <rill/error.h>

/* The table of R-001. A table and not a switch, because EAGAIN and EWOULDBLOCK are one number on
 * some systems. */
static const struct {
    int os_errno;
    int code;
} errno_codes[] = {
    {ECONNRESET, RILL_ECONNRESET},     {EPIPE, RILL_EPIPE},
    {ESHUTDOWN, RILL_EPIPE},           {ECONNABORTED, RILL_ECONNABORTED},
    {ECONNREFUSED, RILL_ECONNREFUSED}, {ENOENT, RILL_ENOENT},
    {EACCES, RILL_EPERMISSION},        {EPERM, RILL_EPERMISSION},
    {ETIMEDOUT, RILL_ETIMEOUT},        {EAGAIN, RILL_EBLOCKING},
    {EWOULDBLOCK, RILL_EBLOCKING},     {EINPROGRESS, RILL_EBLOCKING},
    {EALREADY, RILL_EBLOCKING},        {EINTR, RILL_EINTERRUPTED},
    {EEXIST, RILL_EFILEEXISTS},        {EISDIR, RILL_EISDIRECTORY},
    {ENOTDIR, RILL_ENOTDIRECTORY},
};

int rill_error_code_of_errno(int os_errno)
{
    for (size_t i = 0; i < sizeof errno_codes / sizeof errno_codes[0]; i++) {
        if (errno_codes[i].os_errno == os_errno) {
            return errno_codes[i].code;
        }
    }
    return RILL_EOS;
}

static const struct {
    int code;
    const char *name;
    const char *module; /* as a traceback shows it */
} names[] = {
    {RILL_ECANCELLED, "CancelledError", "asyncio.exceptions"},
    {RILL_ETIMEOUT, "TimeoutError", ""},
    {RILL_EINCOMPLETE, "IncompleteReadError", "asyncio.exceptions"},
    {RILL_ELIMIT, "LimitOverrunError", "asyncio.exceptions"},
    {RILL_EVALUE, "ValueError", ""},
    {RILL_ETYPE, "TypeError", ""},
    {RILL_ERUNTIME, "RuntimeError", ""},
    {RILL_EASSERTION, "AssertionError", ""},
    {RILL_ENOTIMPLEMENTED, "NotImplementedError", ""},
    {RILL_EOVERFLOW, "OverflowError", ""},
    {RILL_EINDEX, "IndexError", ""},
    {RILL_ENOMEM, "MemoryError", ""},
    {RILL_EKEYBOARDINTERRUPT, "KeyboardInterrupt", ""},
    {RILL_EOS, "OSError", ""},
    {RILL_ECONNRESET, "ConnectionResetError", ""},
    {RILL_EPIPE, "BrokenPipeError", ""},
    {RILL_ECONNABORTED, "ConnectionAbortedError", ""},
    {RILL_ECONNREFUSED, "ConnectionRefusedError", ""},
    {RILL_ENOENT, "FileNotFoundError", ""},
    {RILL_EPERMISSION, "PermissionError", ""},
    {RILL_EBLOCKING, "BlockingIOError", ""},
    {RILL_EINTERRUPTED, "InterruptedError", ""},
    {RILL_EGAI, "gaierror", "socket"},
    {RILL_EFILEEXISTS, "FileExistsError", ""},
    {RILL_EISDIRECTORY, "IsADirectoryError", ""},
    {RILL_ENOTDIRECTORY, "NotADirectoryError", ""},
    {RILL_ESSL, "SSLError", "ssl"},
    {RILL_ESSLCERT, "SSLCertVerificationError", "ssl"},
    {RILL_ESSLEOF, "SSLEOFError", "ssl"},
    {RILL_EGROUP, "ExceptionGroup", ""},
};

const char *rill_error_name(int code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "Exception";
}

const char *rill_error_module(int code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) {
            return names[i].module;
        }
    }
    return "";
}
