/* SPDX-License-Identifier: MIT
 *
 * Starting CPython: nothing of the user's environment, nothing written, the same hashes each time.
 */
#include "cpython/interpreter.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

const char *cpython_name_text(enum cpython_name name)
{
    static const char *const texts[NAMES] = {
        [NAME_AT_EOF] = "at_eof",
        [NAME_BUFFER] = "_buffer",
        [NAME_CANCEL] = "cancel",
        [NAME_CONSUMED] = "consumed",
        [NAME_DONE] = "done",
        [NAME_EOF] = "_eof",
        [NAME_EXCEPTION] = "exception",
        [NAME_EXPECTED] = "expected",
        [NAME_FEED_DATA] = "feed_data",
        [NAME_FEED_EOF] = "feed_eof",
        [NAME_PARTIAL] = "partial",
        [NAME_PAUSED] = "_paused",
        [NAME_READ] = "read",
        [NAME_READEXACTLY] = "readexactly",
        [NAME_READLINE] = "readline",
        [NAME_READUNTIL] = "readuntil",
        [NAME_SET_EXCEPTION] = "set_exception",
        [NAME_SET_TRANSPORT] = "set_transport",
        [NAME_WAITER] = "_waiter",
    };
    return texts[name];
}

_Noreturn void invariant_cpython_works(const char *what)
{
    (void)fprintf(stderr, "CPython: %s\n", what);
    if (PyErr_Occurred()) {
        PyErr_Print();
    }
    abort();
}

PyObject *cpython_require(PyObject *object, const char *what)
{
    if (object == NULL) {
        invariant_cpython_works(what);
    }
    return object;
}

static void require_status(PyStatus status)
{
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status); /* says why */
    }
}

/* The interpreter's library finds its modules by the program that it was built with: another one
 * on the PATH would lead it elsewhere. */
static void configure(PyConfig *config)
{
    PyConfig_InitIsolatedConfig(config);
    config->site_import = 0;
    config->write_bytecode = 0;
    config->use_hash_seed = 1;
    config->hash_seed = 0;
    require_status(PyConfig_SetBytesString(config, &config->program_name, RILL_FUZZ_PYTHON));
}

static void initialise(void)
{
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig); /* keeps the allocator that is installed */
    require_status(Py_PreInitialize(&preconfig));
    PyConfig config;
    configure(&config);
    require_status(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

static PyObject *import_from(const char *module_name, const char *name)
{
    PyObject *module = cpython_require(PyImport_ImportModule(module_name), module_name);
    PyObject *found = cpython_require(PyObject_GetAttrString(module, name), name);
    Py_DECREF(module);
    return found;
}

/* asyncio does without ssl where there is none, and the OpenSSL that it would load may not be
 * rill's. */
static void leave_out_ssl(void)
{
    if (PyDict_SetItemString(PyImport_GetModuleDict(), "ssl", Py_None) < 0) {
        invariant_cpython_works("sys.modules['ssl'] = None");
    }
}

/* What the target does leaves no cycles; a collection in the middle of some run would only take
 * time. */
static void stop_collecting(void)
{
    PyObject *disable = import_from("gc", "disable");
    Py_DECREF(cpython_require(PyObject_CallObject(disable, NULL), "gc.disable()"));
    Py_DECREF(disable);
}

void cpython_start(struct cpython *python)
{
    python->memory = cpython_memory_install();
    initialise();
    leave_out_ssl();
    python->reader_type = import_from("asyncio", "StreamReader");
    PyObject *loop_type = import_from("asyncio.base_events", "BaseEventLoop");
    python->loop = cpython_require(PyObject_CallObject(loop_type, NULL), "BaseEventLoop()");
    Py_DECREF(loop_type);
    for (enum cpython_name name = 0; name < NAMES; name++) {
        const char *text = cpython_name_text(name);
        python->names[name] = cpython_require(PyUnicode_InternFromString(text), text);
    }
    python->takes_tuples = PY_VERSION_HEX >= 0x030D0000;
    /* asyncio has imported signal, which turns an interrupt into a KeyboardInterrupt: it is the
     * engine's. */
    (void)PyOS_setsig(SIGINT, SIG_DFL);
    stop_collecting();
}
