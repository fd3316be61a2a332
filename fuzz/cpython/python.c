/* SPDX-License-Identifier: MIT
 *
 * What CPython's versions spell differently.
 */
#include "cpython/python.h"

#if PY_VERSION_HEX >= 0x030C0000
static PyObject *take_raised(void)
{
    return PyErr_GetRaisedException();
}
#else
static PyObject *take_raised(void)
{
    PyObject *type;
    PyObject *exception;
    PyObject *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return exception;
}
#endif

PyObject *python_raised(void)
{
    PyObject *exception = take_raised();
    (void)PyException_SetTraceback(exception, Py_None);
    return exception;
}

#if PY_VERSION_HEX >= 0x030A0000
enum python_sent python_send(PyObject *coroutine, PyObject **out)
{
    switch (PyIter_Send(coroutine, Py_None, out)) {
    case PYGEN_NEXT:
        return PYTHON_WAITS;
    case PYGEN_RETURN:
        return PYTHON_RETURNED;
    default:
        *out = python_raised();
        return PYTHON_RAISED;
    }
}
#else
enum python_sent python_send(PyObject *coroutine, PyObject **out)
{
    *out = PyObject_CallMethod(coroutine, "send", "O", Py_None);
    if (*out != NULL) {
        return PYTHON_WAITS;
    }
    PyObject *raised = python_raised();
    if (!PyErr_GivenExceptionMatches(raised, PyExc_StopIteration)) {
        *out = raised;
        return PYTHON_RAISED;
    }
    *out = PyObject_GetAttrString(raised, "value");
    Py_DECREF(raised);
    return PYTHON_RETURNED;
}
#endif
