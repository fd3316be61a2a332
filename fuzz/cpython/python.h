/* SPDX-License-Identifier: MIT
 *
 * CPython's header, and the few calls of it that its versions spell differently: 3.8 to 3.14.
 */
#ifndef FUZZ_CPYTHON_PYTHON_H
#define FUZZ_CPYTHON_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* How far a coroutine came. */
enum python_sent { PYTHON_WAITS, PYTHON_RETURNED, PYTHON_RAISED };

/* coroutine.send(None). *out is the caller's: the future that it waits for, what it returned, or
 * the exception, without the frames that it came through (they would keep the reader alive). */
enum python_sent python_send(PyObject *coroutine, PyObject **out);

/* The exception that a call has just raised; the caller's. */
PyObject *python_raised(void);

#endif
