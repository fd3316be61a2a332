/* SPDX-License-Identifier: MIT
 *
 * One operation of a task: the call, and what it may answer.
 */
#include <stdint.h>
#include <stdlib.h>

#include "simulated/actor.h"

/* -- what a call may answer ------------------------------------------------------------------ */

enum {
    MAY_VALUE = 1,
    MAY_RUNTIME = 2,
    MAY_INCOMPLETE = 4,
    MAY_LIMIT = 8,
    MAY_BE_LOST = 16, /* the connection's error */
    MAY_WAIT = 32,    /* and so be cancelled */
    READS = MAY_RUNTIME | MAY_BE_LOST | MAY_WAIT,
};

static const unsigned answers[OP_TASK_KINDS] = {
    [OP_READ] = READS,
    [OP_READ_TO_EOF] = READS | MAY_LIMIT,
    [OP_READEXACTLY] = READS | MAY_INCOMPLETE | MAY_VALUE,
    [OP_READLINE] = READS | MAY_VALUE,
    [OP_READUNTIL] = READS | MAY_INCOMPLETE | MAY_LIMIT | MAY_VALUE,
    [OP_READUNTIL_ANY] = READS | MAY_INCOMPLETE | MAY_LIMIT | MAY_VALUE,
    [OP_NEXT_LINE] = READS | MAY_VALUE,
    [OP_SKIP_LINE] = READS,
    [OP_READ_INTO] = READS,
    [OP_WRITE] = MAY_RUNTIME,
    [OP_WRITELINES] = MAY_RUNTIME,
    [OP_WRITE_BORROWED] = MAY_RUNTIME,
    [OP_DRAIN] = MAY_BE_LOST | MAY_WAIT,
    [OP_WRITE_EOF] = MAY_BE_LOST,
    [OP_WAIT_CLOSED] = MAY_BE_LOST | MAY_WAIT,
    [OP_SLEEP] = MAY_WAIT,
    [OP_SET_LIMITS] = MAY_VALUE,
    [OP_YIELD] = MAY_WAIT,
};

static _Noreturn void mismatch_result(const struct actor *actor, const struct op *op, int rc)
{
    rig_print(actor->stage->rig);
    (void)fprintf(stderr, "task %u, operation %u answered %s\n", actor->number, (unsigned)op->kind,
                  rill_error_name(rc));
    abort();
}

static _Noreturn void mismatch_error_object(const struct actor *actor, const struct op *op, int rc)
{
    const struct rill_error *error = rill_task_error();
    rig_print(actor->stage->rig);
    (void)fprintf(stderr, "task %u, operation %u answered %s, but the task's error is %s\n",
                  actor->number, (unsigned)op->kind, rill_error_name(rc),
                  error != NULL ? rill_error_name(error->code) : "none");
    abort();
}

/* An OSError of whatever class. */
static bool is_loss(int rc)
{
    return rc == RILL_ETIMEOUT || (rc <= RILL_EOS && rc > RILL_ESSL && rc != RILL_EGAI);
}

static bool is_allowed(unsigned may, int rc, const struct rig *rig)
{
    switch (rc) {
    case RILL_EVALUE:
        return (may & MAY_VALUE) != 0;
    case RILL_ERUNTIME:
        return (may & MAY_RUNTIME) != 0;
    case RILL_EINCOMPLETE:
        return (may & MAY_INCOMPLETE) != 0;
    case RILL_ELIMIT:
        return (may & MAY_LIMIT) != 0;
    case RILL_ECANCELLED:
        return (may & MAY_WAIT) != 0;
    case RILL_ENOMEM:
        return rig->allocations.failed > 0;
    default:
        return rc >= 0 || ((may & MAY_BE_LOST) != 0 && is_loss(rc));
    }
}

static int judge(const struct actor *actor, const struct op *op, int rc)
{
    const unsigned may = answers[op->kind];
    if (!is_allowed(may, rc, actor->stage->rig)) {
        mismatch_result(actor, op, rc);
    }
    if (rc < 0 && (rill_task_error() == NULL || rill_task_error()->code != rc)) {
        mismatch_error_object(actor, op, rc);
    }
    return rc;
}

/* -- reads ----------------------------------------------------------------------------------- */

static const struct rill_bytes separators[] = {{"\n", 1}, {"\r\n", 2}, {"", 0},    {"\r\r", 2},
                                               {"a", 1},  {"\n\n", 2}, {"zzz", 3}, {"\r", 1}};
enum { SEPARATORS = sizeof separators / sizeof separators[0] };

size_t perform_separators(const struct op *op, const struct rill_bytes **first)
{
    const size_t at = op->aux % SEPARATORS;
    const size_t most = SEPARATORS - at;
    const size_t count = op->kind == OP_READUNTIL_ANY ? op->amount % 4u : 1;
    *first = separators + at;
    return count < most ? count : most;
}

static int call_read(struct connection *on, const struct op *op, struct rill_bytes *data)
{
    const size_t size = script_size(op->amount);
    const struct rill_bytes *first;
    size_t count;
    switch ((enum task_op)op->kind) {
    case OP_READ:
        return rill_reader_read(on->reader, (ssize_t)size, data);
    case OP_READEXACTLY:
        on->largest = size > on->largest ? size : on->largest;
        return rill_reader_readexactly(on->reader, op->aux == 63 ? -1 : (ssize_t)size, data);
    case OP_READLINE:
        return rill_reader_readline(on->reader, data);
    case OP_NEXT_LINE:
        return rill_reader_next_line(on->reader, data);
    case OP_READUNTIL:
        (void)perform_separators(op, &first);
        return rill_reader_readuntil(on->reader, *first, data);
    case OP_READUNTIL_ANY:
        count = perform_separators(op, &first);
        return rill_reader_readuntil_any(on->reader, first, count, data);
    default:
        on->collecting++;
        on->unbounded = true;
        const int rc = rill_reader_read(on->reader, -1, data);
        on->collecting--;
        return rc;
    }
}

static int read_into(struct connection *on, const struct op *op)
{
    char space[256];
    const size_t size = op->amount;
    const ssize_t rc = rill_reader_read_into(on->reader, space, size);
    if (rc > 0) {
        connection_dropped(on, space, (size_t)rc);
    }
    return rc < 0 ? (int)rc : 0;
}

static int skip_line(struct connection *on)
{
    on->collecting++; /* what it has dropped so far only it knows */
    const int rc = rill_reader_skip_line(on->reader);
    on->collecting--;
    connection_skipped(on);
    return rc;
}

static int read_view(struct connection *on, const struct op *op)
{
    struct rill_bytes data = {NULL, 0};
    const int rc = call_read(on, op, &data);
    if (rc >= 0) {
        connection_read(on, data);
    } else if (rc == RILL_EINCOMPLETE) {
        const struct rill_bytes partial = rill_reader_error(on->reader)->partial;
        connection_dropped(on, partial.ptr, partial.len);
    } else if (rc == RILL_EVALUE) { /* readline has dropped what was too long */
        connection_skipped(on);
    }
    return rc < 0 ? rc : 0;
}

static int read_some(struct connection *on, const struct op *op)
{
    connection_read_begins(on);
    on->reading++;
    const int rc = op->kind == OP_READ_INTO   ? read_into(on, op)
                   : op->kind == OP_SKIP_LINE ? skip_line(on)
                                              : read_view(on, op);
    on->reading--;
    on->reads_ended++;
    return rc;
}

/* -- writes ---------------------------------------------------------------------------------- */

static void lent_is_back(void *arg)
{
    struct connection *on = arg;
    on->lent--;
}

static int writelines(struct connection *on, size_t size, size_t parts)
{
    struct rill_bytes lines[4];
    size_t at = 0;
    for (size_t i = 0; i < parts; i++) {
        const size_t length = i + 1 < parts ? size / parts : size - at;
        lines[i] = (struct rill_bytes){text_at(on->written + at), length};
        at += length;
    }
    return rill_writer_writelines(on->writer, lines, parts);
}

static int call_write(struct connection *on, const struct op *op, size_t size)
{
    if (op->kind == OP_WRITELINES) {
        return writelines(on, size, 1 + op->aux % 4u);
    }
    if (op->kind == OP_WRITE) {
        return rill_writer_write(on->writer, text_at(on->written), size);
    }
    on->lent++;
    const int rc =
        rill_writer_write_borrowed(on->writer, text_at(on->written), size, lent_is_back, on);
    if (rc < 0) {
        on->lent--;
    }
    return rc;
}

/* What is written while the transport closes is taken only behind what still waits. */
static int write_some(struct connection *on, const struct op *op)
{
    struct rill_transport *transport = rill_writer_transport(on->writer);
    const bool taken = !rill_transport_is_closing(transport) ||
                       rill_transport_get_write_buffer_size(transport) > 0;
    const size_t size = script_size(op->amount);

    if (on->written + size > TEXT_SIZE) {
        return 0;
    }
    const int rc = call_write(on, op, size);
    if (rc == 0 && taken) {
        on->written += size;
    }
    return rc;
}

static int set_limits(struct connection *on, const struct op *op)
{
    const struct rill_error *error = NULL;
    const struct rill_opt_int high = {(op->aux & 1u) != 0, (long long)script_size(op->amount)};
    const struct rill_opt_int low = {(op->aux & 2u) != 0, op->aux - 4};
    const int rc = rill_transport_set_write_buffer_limits(rill_writer_transport(on->writer), high,
                                                          low, &error);
    return error != NULL ? rill_task_fail(error) : rc;
}

/* -- the rest -------------------------------------------------------------------------------- */

static void look(struct connection *on)
{
    static const char *const names[] = {"peername", "sockname", "socket", "peercert", "nonsense"};
    struct rill_extra_info info;
    struct rill_address address;
    struct rill_writer_state writer;
    size_t low;
    size_t high;
    int fd;

    (void)rill_reader_at_eof(on->reader);
    (void)rill_reader_exception(on->reader);
    (void)rill_reader_error(on->reader);
    (void)rill_reader_leftover(on->reader);
    if (on->writer == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)rill_writer_get_extra_info(on->writer, names[i], &info);
    }
    (void)rill_writer_get_peername(on->writer, &address);
    (void)rill_writer_get_sockname(on->writer, &address);
    (void)rill_writer_get_socket(on->writer, &fd);
    (void)rill_writer_can_write_eof(on->writer);
    (void)rill_writer_error(on->writer);
    rill_observe_writer(on->writer, &writer);
    rill_transport_get_write_buffer_limits(rill_writer_transport(on->writer), &low, &high);
    (void)rill_transport_is_reading(rill_writer_transport(on->writer));
}

/* What a writer's connection can be told without waiting. */
static int tell(struct connection *on, const struct op *op)
{
    struct rill_transport *transport = rill_writer_transport(on->writer);
    const struct rill_opt_real seconds = {true, script_seconds(op->amount)};

    switch ((enum task_op)op->kind) {
    case OP_WRITE_EOF:
        return rill_writer_write_eof(on->writer);
    case OP_CLOSE:
        rill_writer_close(on->writer);
        return 0;
    case OP_SET_LIMITS:
        return set_limits(on, op);
    case OP_SET_CLOSE_TIMEOUT:
        on->aborted = true; /* it may be */
        rill_writer_set_close_timeout(on->writer, seconds);
        return 0;
    case OP_ABORT:
        on->aborted = true;
        rill_transport_abort(transport);
        return 0;
    case OP_PAUSE_READING:
        return rill_transport_pause_reading(transport);
    case OP_RESUME_READING:
        on->unbounded = true;
        rill_transport_resume_reading(transport);
        return 0;
    default:
        return write_some(on, op);
    }
}

static int on_writer(struct connection *on, const struct op *op)
{
    if (on->writer == NULL) {
        return 0;
    }
    if (op->kind == OP_DRAIN) {
        return rill_writer_drain(on->writer);
    }
    if (op->kind == OP_WAIT_CLOSED) {
        return rill_writer_wait_closed(on->writer);
    }
    return tell(on, op);
}

static int on_reader(struct connection *on, const struct op *op)
{
    const struct rill_opt_int most = {op->aux != 0, (long long)script_size(op->amount)};
    switch ((enum task_op)op->kind) {
    case OP_SET_READ_ALL_MAX:
        rill_reader_set_read_all_max(on->reader, most);
        return 0;
    case OP_LOOK:
        look(on);
        return 0;
    default:
        return read_some(on, op);
    }
}

static int on_connection(struct connection *on, const struct op *op)
{
    if (op->kind == OP_FREE) {
        if (on->users == 0 && !on->is_servers) {
            connection_free_pair(on);
        }
        return 0;
    }
    on->users++;
    on->asked[op->actor] = (struct asked){op, on->reads_ended};
    const bool reads =
        op->kind <= OP_READ_INTO || op->kind == OP_SET_READ_ALL_MAX || op->kind == OP_LOOK;
    const int rc = reads ? on_reader(on, op) : on_writer(on, op);
    on->asked[op->actor].op = NULL;
    on->users--;
    return rc;
}

/* A task that waits for one behind it closes no circle. */
static int await(const struct actor *actor, const struct op *op)
{
    const unsigned whom = actor->number + 1 + op->amount % SCRIPT_TASKS;
    struct rill_task *task = whom < SCRIPT_TASKS ? actor->stage->actors[whom].task : NULL;
    if (task == NULL || actor->own != NULL || actor->stage->drops) {
        return 0;
    }
    const int rc = (op->aux & 1u) != 0 ? rill_shield(task) : rill_task_await(task);
    return rc == RILL_ECANCELLED ? rc : 0;
}

int perform(struct actor *actor, const struct op *op)
{
    struct connection *on =
        actor->own != NULL ? actor->own : &actor->stage->connections[op->connection];
    struct rill_task *other = actor->stage->actors[op->amount % SCRIPT_TASKS].task;

    switch ((enum task_op)op->kind) {
    case OP_SLEEP:
        return judge(actor, op, rill_sleep(script_seconds(op->amount)));
    case OP_YIELD:
        return judge(actor, op, rill_sleep(0));
    case OP_AWAIT:
        return await(actor, op);
    case OP_RAISE:
        return rill_task_fail(rill_error_new(RILL_EUSER, "raised"));
    case OP_CANCEL:
        if (other != NULL) {
            (void)rill_task_cancel_text(other, (op->aux & 1u) != 0 ? "text" : NULL);
        }
        return 0;
    case OP_SPECIAL:
        return actor->stage->special(actor, op);
    default:
        break;
    }
    /* A server frees a handler's pair when the handler has ended: it is for nobody else. */
    if (on->reader == NULL || (on->is_servers && actor->own != on)) {
        return 0;
    }
    return judge(actor, op, on_connection(on, op));
}
