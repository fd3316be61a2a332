/* SPDX-License-Identifier: MIT
 *
 * Steering by sys.monitoring. A counter's place depends on the code, on where in it the branch is
 * and on where it goes, never on what came first: libFuzzer compares counters across processes.
 */
#include "cpython/steering.h"

enum {
    UNIT = 2,       /* bytes of an instruction */
    SIDES = 4,      /* a jump; or on, behind an instruction and 0 to 2 units that belong to it */
    CODES_MAX = 24, /* StreamReader has 17 methods */
    COUNTERS_MAX = 1 << 14,
};

__attribute__((section("__libfuzzer_extra_counters"))) static unsigned char counters[COUNTERS_MAX];

struct place {
    PyObject *code;
    size_t first; /* counter */
};

struct steering {
    size_t counters;
    size_t count;
    struct place places[CODES_MAX];
};

static unsigned char *counter_of(const struct steering *steering, PyObject *code, size_t from,
                                 size_t to)
{
    for (size_t i = 0; i < steering->count; i++) {
        if (steering->places[i].code == code) {
            const size_t units = (to - from) / UNIT; /* of a jump back: very many */
            const size_t side = units < SIDES ? units : 0;
            return &counters[steering->places[i].first + from / UNIT * SIDES + side];
        }
    }
    return NULL;
}

/* callback(code, offset of the branch, offset of where it goes) */
static PyObject *branch_taken(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct steering *steering = PyCapsule_GetPointer(self, NULL);
    if (count == 3) {
        unsigned char *counter = counter_of(steering, arguments[0], PyLong_AsSize_t(arguments[1]),
                                            PyLong_AsSize_t(arguments[2]));
        if (counter != NULL && *counter < UINT8_MAX) {
            ++*counter;
        }
    }
    Py_RETURN_NONE;
}

/* ---- setting up: what cannot work without a bug in this file or a new CPython, ends it ---- */

static PyObject *attribute(PyObject *object, const char *name)
{
    return cpython_require(PyObject_GetAttrString(object, name), name);
}

static void call(PyObject *object, const char *name, PyObject *arguments)
{
    PyObject *function = attribute(object, name);
    Py_DECREF(cpython_require(PyObject_CallObject(function, arguments), name));
    Py_DECREF(function);
    Py_DECREF(arguments);
}

/* Room for the counters of a method. False: there is none left. */
static bool add_place(struct steering *steering, PyObject *code)
{
    PyObject *instructions = attribute(code, "co_code");
    const size_t needed = (size_t)PyBytes_Size(instructions) / UNIT * SIDES;
    Py_DECREF(instructions);
    if (steering->count == CODES_MAX || COUNTERS_MAX - steering->counters < needed) {
        return false;
    }
    steering->places[steering->count++] = (struct place){code, steering->counters};
    steering->counters += needed;
    return true;
}

/* Every method that is written in Python. */
static void watch_methods(struct steering *steering, PyObject *type, PyObject *monitoring, int tool,
                          PyObject *event)
{
    PyObject *members = attribute(type, "__dict__");
    PyObject *methods = cpython_require(PyMapping_Values(members), "values");
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(methods); i++) {
        PyObject *method = PyList_GET_ITEM(methods, i);
        if (PyFunction_Check(method) && add_place(steering, PyFunction_GET_CODE(method))) {
            call(monitoring, "set_local_events",
                 Py_BuildValue("iOO", tool, PyFunction_GET_CODE(method), event));
        }
    }
    Py_DECREF(methods);
    Py_DECREF(members);
}

static PyObject *make_callback(struct steering *steering)
{
    static PyMethodDef definition = {.ml_name = "branch_taken", .ml_flags = METH_FASTCALL};
    definition.ml_meth = (PyCFunction)(void (*)(void))branch_taken;
    PyObject *self = cpython_require(PyCapsule_New(steering, NULL, NULL), "capsule");
    PyObject *callback = cpython_require(PyCFunction_New(&definition, self), "callback");
    Py_DECREF(self);
    return callback;
}

bool cpython_steer(const struct cpython *python)
{
    static struct steering steering; /* as long as the counters: they are the process's */
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    if (monitoring == NULL) {
        return false;
    }
    PyObject *events = attribute(monitoring, "events");
    PyObject *event = attribute(events, "BRANCH");
    PyObject *tool = attribute(monitoring, "COVERAGE_ID");
    PyObject *callback = make_callback(&steering);
    call(monitoring, "use_tool_id", Py_BuildValue("Os", tool, "fuzz"));
    call(monitoring, "register_callback", Py_BuildValue("OOO", tool, event, callback));
    watch_methods(&steering, python->reader_type, monitoring, (int)PyLong_AsLong(tool), event);
    Py_DECREF(callback);
    Py_DECREF(tool);
    Py_DECREF(event);
    Py_DECREF(events);
    return true;
}

size_t cpython_steering_sides(void)
{
    size_t sides = 0;
    for (size_t i = 0; i < COUNTERS_MAX; i++) {
        sides += counters[i] != 0 ? 1 : 0;
    }
    return sides;
}
