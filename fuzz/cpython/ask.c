/* SPDX-License-Identifier: MIT
 *
 * The C API in the words of the player.
 */
#include "cpython/ask.h"

PyObject *ask_attribute(const struct cpython *python, PyObject *object, enum cpython_name name)
{
    PyObject *found = PyObject_GetAttr(object, python->names[name]);
    return cpython_require(found, cpython_name_text(name));
}

PyObject *ask_call(const struct cpython *python, PyObject *object, enum cpython_name name,
                   PyObject *argument)
{
    return PyObject_CallMethodObjArgs(object, python->names[name], argument, NULL);
}

PyObject *ask_must_call(const struct cpython *python, PyObject *object, enum cpython_name name,
                        PyObject *argument)
{
    PyObject *result = ask_call(python, object, name, argument);
    Py_XDECREF(argument);
    return cpython_require(result, cpython_name_text(name));
}

bool ask_true(PyObject *object)
{
    const bool answer = PyObject_IsTrue(object) == 1;
    Py_DECREF(object);
    return answer;
}

bool ask_something(PyObject *object)
{
    const bool answer = object != Py_None;
    Py_DECREF(object);
    return answer;
}

long ask_number(PyObject *object, long none)
{
    const long number = object == Py_None ? none : PyLong_AsLong(object);
    Py_DECREF(object);
    return number;
}

PyObject *ask_bytes(struct script_bytes bytes)
{
    return cpython_require(PyBytes_FromStringAndSize(bytes.ptr, (Py_ssize_t)bytes.len), "bytes");
}

struct script_bytes view_bytes(PyObject *bytes)
{
    if (!PyBytes_Check(bytes)) {
        invariant_cpython_works("no bytes where there should be some");
    }
    return (struct script_bytes){PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
}
