/* SPDX-License-Identifier: MIT
 *
 * Scripts on asyncio.StreamReader, by the C API.
 */
#include "cpython/player.h"

#include "cpython/ask.h"
#include "cpython/transport.h"

#include <string.h>

/* ---- the buffer ---- */

/* The reader's, which keeps it. */
static PyObject *buffer_of(const struct cpython_player *player)
{
    PyObject *buffer = ask_attribute(player->python, player->reader, NAME_BUFFER);
    Py_DECREF(buffer);
    return buffer;
}

/* How many of the bytes fed so far have left the buffer, whose bytes are the last ones. */
static size_t gone(const struct cpython_player *player)
{
    return player->fed_length - (size_t)PyByteArray_GET_SIZE(buffer_of(player));
}

/* ---- how a call ended ---- */

static void forget_outcome(struct cpython_player *player)
{
    Py_CLEAR(player->outcome);
    Py_CLEAR(player->text);
}

/* type(error).__name__ */
static const char *class_name(PyObject *error)
{
    const char *name = Py_TYPE(error)->tp_name;
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

static const char *text_of(struct cpython_player *player, PyObject *error)
{
    player->text = cpython_require(PyObject_Str(error), "str(error)");
    return PyUnicode_AsUTF8(player->text);
}

static void see_error(struct cpython_player *player, PyObject *error, struct model_outcome *outcome)
{
    outcome->error = class_name(error);
    outcome->text = text_of(player, error);
    if (strcmp(outcome->error, "IncompleteReadError") == 0) {
        PyObject *partial = ask_attribute(player->python, error, NAME_PARTIAL);
        outcome->bytes = view_bytes(partial);
        Py_DECREF(partial); /* the error, which is kept, has it */
        outcome->expected = ask_number(ask_attribute(player->python, error, NAME_EXPECTED), -1);
    } else if (strcmp(outcome->error, "LimitOverrunError") == 0) {
        outcome->consumed =
            (size_t)ask_number(ask_attribute(player->python, error, NAME_CONSUMED), 0);
    }
}

/* what a read to EOF had taken goes back. */
static void put_back(struct cpython_player *player, size_t began)
{
    const size_t end = gone(player);
    if (began < end) {
        PyObject *lost = ask_bytes((struct script_bytes){player->fed + began, end - began});
        if (PySequence_SetSlice(buffer_of(player), 0, 0, lost) < 0) {
            invariant_cpython_works("buffer[:0] = lost");
        }
        Py_DECREF(lost);
    }
}

/* The call is over; its coroutine and `out` are given away. */
static void end_call(struct cpython_player *player, const struct cpython_call *ended,
                     enum python_sent how, PyObject *out, struct observation *seen)
{
    Py_DECREF(ended->coroutine);
    forget_outcome(player);
    player->outcome = out;
    seen->call = ended->number;
    if (how == PYTHON_RETURNED) {
        seen->outcome.bytes = view_bytes(out);
        return;
    }
    see_error(player, out, &seen->outcome);
    if (player->departs && ended->op->kind == SCRIPT_READ && ended->op->n < 0) {
        put_back(player, ended->began);
    }
}

/* ---- calls ---- */

static _Noreturn void invariant_one_call_waits(void)
{
    invariant_cpython_works("a second call waits");
}

/* As far as it comes now. */
static void send(struct cpython_player *player, const struct cpython_call *going,
                 struct observation *seen)
{
    PyObject *out;
    const enum python_sent how = python_send(going->coroutine, &out);
    if (how != PYTHON_WAITS) {
        end_call(player, going, how, out, seen);
        return;
    }
    if (player->waiting.coroutine != NULL) {
        invariant_one_call_waits();
    }
    player->waiting = *going;
    player->future = out;
}

/* What the loop's turns would do. */
static void settle(struct cpython_player *player, struct observation *seen)
{
    while (player->future != NULL &&
           ask_true(ask_must_call(player->python, player->future, NAME_DONE, NULL))) {
        const struct cpython_call going = player->waiting;
        Py_CLEAR(player->future);
        player->waiting.coroutine = NULL;
        send(player, &going, seen);
    }
}

static PyObject *tuple_of(const struct script_op *op)
{
    PyObject *tuple = cpython_require(PyTuple_New((Py_ssize_t)op->separator_count), "tuple");
    for (size_t i = 0; i < op->separator_count; i++) {
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, ask_bytes(op->separators[i]));
    }
    return tuple;
}

static PyObject *make_call(const struct cpython_player *player, const struct script_op *op)
{
    PyObject *reader = player->reader;
    switch (op->kind) {
    case SCRIPT_READ:
        return ask_must_call(player->python, reader, NAME_READ, PyLong_FromLong(op->n));
    case SCRIPT_READEXACTLY:
        return ask_must_call(player->python, reader, NAME_READEXACTLY, PyLong_FromLong(op->n));
    case SCRIPT_READLINE:
        return ask_must_call(player->python, reader, NAME_READLINE, NULL);
    case SCRIPT_READUNTIL:
        return ask_must_call(player->python, reader, NAME_READUNTIL, ask_bytes(op->separators[0]));
    default:
        return ask_must_call(player->python, reader, NAME_READUNTIL, tuple_of(op));
    }
}

static void start_call(struct cpython_player *player, const struct script_op *op,
                       struct observation *seen)
{
    player->calls++;
    const struct cpython_call started = {.coroutine = make_call(player, op),
                                         .number = player->calls,
                                         .op = op,
                                         .began = gone(player)};
    send(player, &started, seen);
}

static void cancel(struct cpython_player *player)
{
    if (player->future != NULL) {
        Py_DECREF(ask_must_call(player->python, player->future, NAME_CANCEL, NULL));
    }
}

/* ---- events ---- */

static void feed(struct cpython_player *player, struct script_bytes bytes, struct observation *seen)
{
    PyObject *data = ask_bytes(bytes);
    PyObject *done = ask_call(player->python, player->reader, NAME_FEED_DATA, data);
    Py_DECREF(data);
    if (done != NULL) {
        Py_DECREF(done);
        if (bytes.len > 0) {
            memcpy(player->fed + player->fed_length, bytes.ptr, bytes.len);
            player->fed_length += bytes.len;
        }
        return;
    }
    player->outcome = python_raised();
    if (!PyErr_GivenExceptionMatches(player->outcome, PyExc_AssertionError)) {
        invariant_cpython_works("feed_data()");
    }
    seen->refused = text_of(player, player->outcome);
}

static void set_exception(struct cpython_player *player)
{
    PyObject *exception =
        PyObject_CallFunction(PyExc_ConnectionResetError, "s", SCRIPT_EXCEPTION_TEXT);
    Py_DECREF(ask_must_call(player->python, player->reader, NAME_SET_EXCEPTION, exception));
}

static void clear_exception(struct cpython_player *player)
{
    if (!ask_something(ask_attribute(player->python, player->reader, NAME_WAITER))) {
        Py_INCREF(Py_None);
        Py_DECREF(ask_must_call(player->python, player->reader, NAME_SET_EXCEPTION, Py_None));
    }
}

static void play(struct cpython_player *player, const struct script_op *op,
                 struct observation *seen)
{
    switch (op->kind) {
    case SCRIPT_FEED:
        feed(player, op->bytes, seen);
        break;
    case SCRIPT_EOF:
        Py_DECREF(ask_must_call(player->python, player->reader, NAME_FEED_EOF, NULL));
        break;
    case SCRIPT_SET_EXCEPTION:
        set_exception(player);
        break;
    case SCRIPT_CLEAR_EXCEPTION:
        clear_exception(player);
        break;
    case SCRIPT_CANCEL:
        cancel(player);
        break;
    default:
        start_call(player, op, seen);
        break;
    }
}

/* ---- what is seen ---- */

static void see_reader(const struct cpython_player *player, struct observation *seen)
{
    PyObject *reader = player->reader;
    PyObject *buffer = buffer_of(player);
    seen->buffered =
        (struct script_bytes){PyByteArray_AS_STRING(buffer), (size_t)PyByteArray_GET_SIZE(buffer)};
    seen->eof = ask_true(ask_attribute(player->python, reader, NAME_EOF));
    seen->at_eof = ask_true(ask_must_call(player->python, reader, NAME_AT_EOF, NULL));
    seen->paused = ask_true(ask_attribute(player->python, reader, NAME_PAUSED));
    seen->waiting = ask_something(ask_attribute(player->python, reader, NAME_WAITER));
    seen->exception = ask_something(ask_must_call(player->python, reader, NAME_EXCEPTION, NULL));
}

/* What put_back relies on. */
static void invariant_buffer_is_fed_bytes(const struct cpython_player *player,
                                          struct script_bytes buffered)
{
    if (buffered.len > player->fed_length ||
        memcmp(player->fed + player->fed_length - buffered.len, buffered.ptr, buffered.len) != 0) {
        invariant_cpython_works("the buffer has not what was fed last");
    }
}

void cpython_player_step(struct cpython_player *player, const struct script_op *op,
                         struct observation *seen)
{
    observation_begin(seen);
    forget_outcome(player);
    player->watched = seen;
    play(player, op, seen);
    settle(player, seen);
    see_reader(player, seen);
    invariant_buffer_is_fed_bytes(player, seen->buffered);
}

/* ---- from begin to end ---- */

void cpython_player_init(struct cpython_player *player, struct cpython *python, bool departs)
{
    *player = (struct cpython_player){.python = python, .departs = departs};
    player->transport = cpython_transport_new(player);
}

void cpython_player_begin(struct cpython_player *player, const struct script *script)
{
    player->can_pause = script->transport == SCRIPT_PAUSES;
    player->calls = 0;
    player->fed_length = 0;
    player->reader =
        cpython_require(PyObject_CallFunction(player->python->reader_type, "nO",
                                              (Py_ssize_t)script->limit, player->python->loop),
                        "StreamReader()");
    if (script->transport != SCRIPT_NO_TRANSPORT) {
        Py_INCREF(player->transport);
        Py_DECREF(
            ask_must_call(player->python, player->reader, NAME_SET_TRANSPORT, player->transport));
    }
}

/* Then it goes, with all that it refers to, when the player lets go. */
static void invariant_nobody_knows_the_reader(const struct cpython_player *player)
{
    if (player->waiting.coroutine != NULL || Py_REFCNT(player->reader) != 1) {
        invariant_cpython_works("a call has not ended, or the reader is still referred to");
    }
}

void cpython_player_end(struct cpython_player *player)
{
    struct observation ignored;
    observation_begin(&ignored);
    player->watched = &ignored;
    cancel(player);
    settle(player, &ignored);
    forget_outcome(player);
    invariant_nobody_knows_the_reader(player);
    Py_CLEAR(player->reader);
}
