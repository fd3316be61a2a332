/* SPDX-License-Identifier: MIT
 *
 * CPython in the process: isolated, as it came, and with what playing scripts needs at hand.
 */
#ifndef FUZZ_CPYTHON_INTERPRETER_H
#define FUZZ_CPYTHON_INTERPRETER_H

#include "cpython/memory.h"
#include "cpython/python.h"

enum cpython_name {
    NAME_AT_EOF,
    NAME_BUFFER,
    NAME_CANCEL,
    NAME_CONSUMED,
    NAME_DONE,
    NAME_EOF,
    NAME_EXCEPTION,
    NAME_EXPECTED,
    NAME_FEED_DATA,
    NAME_FEED_EOF,
    NAME_PARTIAL,
    NAME_PAUSED,
    NAME_READ,
    NAME_READEXACTLY,
    NAME_READLINE,
    NAME_READUNTIL,
    NAME_SET_EXCEPTION,
    NAME_SET_TRANSPORT,
    NAME_WAITER,
    NAMES,
};

struct cpython {
    struct cpython_memory *memory;
    PyObject *reader_type;  /* asyncio.StreamReader */
    PyObject *loop;         /* asyncio's BaseEventLoop: all of a loop but for what waits */
    PyObject *names[NAMES]; /* interned */
    bool takes_tuples;      /* readuntil((a, b)): since 3.13 */
};

const char *cpython_name_text(enum cpython_name name);

/* Once in a process. There is no end: an interpreter that is going to be asked again is not
 * finalised, and what it has is in its memory. */
void cpython_start(struct cpython *python);

/* A call into Python that cannot fail has failed: shows the exception and aborts. */
_Noreturn void invariant_cpython_works(const char *what);

/* The same object, or the end. */
PyObject *cpython_require(PyObject *object, const char *what);

#endif
