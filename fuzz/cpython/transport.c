/* SPDX-License-Identifier: MIT
 *
 * A class with two methods, as the C API wants it.
 */
#include "cpython/transport.h"

struct transport {
    PyObject_HEAD struct cpython_player *player;
};

static struct cpython_player *player_of(PyObject *self)
{
    return ((struct transport *)(void *)self)->player;
}

static PyObject *pause_reading(PyObject *self, PyObject *nothing)
{
    const struct cpython_player *player = player_of(self);
    (void)nothing;
    observation_flow(player->watched, 'P');
    if (!player->can_pause) {
        PyErr_SetNone(PyExc_NotImplementedError);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *resume_reading(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    observation_flow(player_of(self)->watched, 'R');
    Py_RETURN_NONE;
}

PyObject *cpython_transport_new(struct cpython_player *player)
{
    /* Python refers to them, and to what it makes of the rest, as long as the class lives. */
    static PyMethodDef methods[] = {
        {.ml_name = "pause_reading", .ml_meth = pause_reading, .ml_flags = METH_NOARGS},
        {.ml_name = "resume_reading", .ml_meth = resume_reading, .ml_flags = METH_NOARGS},
        {.ml_name = NULL},
    };
    PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, NULL}};
    PyType_Spec spec = {.name = "fuzz.Transport",
                        .basicsize = (int)sizeof(struct transport),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};
    PyObject *type = cpython_require(PyType_FromSpec(&spec), "Transport");
    PyObject *self = cpython_require(PyObject_CallObject(type, NULL), "Transport()");
    Py_DECREF(type);
    ((struct transport *)(void *)self)->player = player;
    return self;
}
