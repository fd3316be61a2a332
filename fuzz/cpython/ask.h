/* SPDX-License-Identifier: MIT
 *
 * Short questions to Python objects. What should have an answer and has none ends the process; only
 * ask_call may fail. Objects that are returned are the caller's.
 */
#ifndef FUZZ_CPYTHON_ASK_H
#define FUZZ_CPYTHON_ASK_H

#include "cpython/interpreter.h"
#include "script.h"

/* object.name */
PyObject *ask_attribute(const struct cpython *python, PyObject *object, enum cpython_name name);

/* object.name(argument), or without one when it is NULL; NULL: it raised. */
PyObject *ask_call(const struct cpython *python, PyObject *object, enum cpython_name name,
                   PyObject *argument);

/* The same where nothing can go wrong; the argument is given away. */
PyObject *ask_must_call(const struct cpython *python, PyObject *object, enum cpython_name name,
                        PyObject *argument);

/* These three let go of the object that they are given. */
bool ask_true(PyObject *object);
bool ask_something(PyObject *object); /* it is not None */
long ask_number(PyObject *object, long none);

PyObject *ask_bytes(struct script_bytes bytes);
/* Of a bytes object, as long as that lives. */
struct script_bytes view_bytes(PyObject *bytes);

#endif
