/* SPDX-License-Identifier: MIT
 *
 * What happens to the target protocol's connections and server: the script, which has no tasks but
 * the one that makes the call and those that wait for the server.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/protocol.h"
#include "simulated/world.h"

const char *const protocol_world_names[PROTOCOL_WORLD_KINDS] = {
    [WORLD_FREE_KIND] = "observe",         [PROTOCOL_DIAL] = "dial",
    [PROTOCOL_RUN_JOBS] = "run jobs",      [PROTOCOL_DECIDE] = "decide",
    [PROTOCOL_OUTCOME] = "outcome",        [PROTOCOL_ASK] = "ask the server",
    [PROTOCOL_SERVER] = "tell the server", [PROTOCOL_OUTSIDE_CALL] = "call in no task",
    [PROTOCOL_TRANSPORT] = "transport",
};

static _Noreturn void mismatch_outside(const struct protocol_run *run, const char *what, int rc)
{
    rig_print(run->rig);
    (void)fprintf(stderr, "%s in no task answered %s\n", what, rill_error_name(rc));
    abort();
}

static _Noreturn void mismatch_look(const struct protocol_run *run, const char *what)
{
    rig_print(run->rig);
    (void)fprintf(stderr, "a transport's %s is not what it was told to be\n", what);
    abort();
}

/* -- the server ------------------------------------------------------------------------------ */

static int ask_server(void *arg)
{
    const struct question *question = arg;
    struct protocol_run *run = question->run;
    int rc = 0;
    run->asking++;
    switch (question->ask) {
    case ASK_SERVE_FOREVER:
        rc = rill_server_serve_forever(run->server);
        break;
    case ASK_WAIT_CLOSED:
        rc = rill_server_wait_closed(run->server);
        break;
    case ASK_WAIT_CLOSED_FOR:
        rc = rill_server_wait_closed_for(run->server, question->seconds);
        break;
    default:
        rc = rill_server_start_serving(run->server);
        break;
    }
    run->asking--;
    return rc == RILL_ECANCELLED ? rc : 0;
}

static void ask(struct protocol_run *run, const struct op *op)
{
    const struct rill_task_options options = {.loop = run->rig->loop};
    struct question *question = &run->questions[run->asked];
    struct rill_task *task;
    if (run->server == NULL) {
        return;
    }
    run->asked++;
    *question = (struct question){run, (enum ask)(op->aux % ASK_KINDS), script_seconds(op->amount)};
    if (rill_task_create(ask_server, question, &options, &task) < 0) {
        return;
    }
    rill_task_free(task); /* nobody waits for it: the server's end is its */
}

static void look_at(const struct rill_server *server)
{
    struct rill_address address;
    for (size_t i = 0; i <= rill_server_socket_count(server); i++) {
        (void)rill_server_socket(server, i);
        (void)rill_server_sockname(server, i, &address);
    }
    (void)rill_server_is_serving(server);
    (void)rill_server_error(server);
}

static void tell_server(struct protocol_run *run, const struct op *op)
{
    if (run->server == NULL) {
        return;
    }
    switch (op->aux % 4u) {
    case 0:
        rill_server_close(run->server);
        break;
    case 1:
        rill_server_close_clients(run->server);
        break;
    case 2:
        run->fails = true;
        rill_server_abort_clients(run->server);
        break;
    default:
        look_at(run->server);
        break;
    }
}

/* -- what only a task may do ----------------------------------------------------------------- */

static void expect_refusal(const struct protocol_run *run, const char *what, int rc)
{
    if (rc != RILL_ERUNTIME && run->rig->allocations.failed == 0) {
        mismatch_outside(run, what, rc);
    }
}

static void call_outside(struct protocol_run *run, struct connection *on, const struct op *op)
{
    const struct rill_opt_int limit = {op->amount != 0, 0};
    struct rill_reader *reader = NULL;
    struct rill_bytes data;
    const int rc = rill_reader_new(limit, &reader);
    if (rc != (limit.given ? RILL_EVALUE : RILL_ERUNTIME) && run->rig->allocations.failed == 0) {
        mismatch_outside(run, "a reader's making", rc);
    }
    if (run->server != NULL) {
        expect_refusal(run, "start_serving", rill_server_start_serving(run->server));
        expect_refusal(run, "serve_forever", rill_server_serve_forever(run->server));
        expect_refusal(run, "wait_closed", rill_server_wait_closed(run->server));
        expect_refusal(run, "wait_closed_for", rill_server_wait_closed_for(run->server, 1));
    }
    if (on->writer != NULL) {
        expect_refusal(run, "drain", rill_writer_drain(on->writer));
        expect_refusal(run, "wait_closed", rill_writer_wait_closed(on->writer));
        on->unordered = true; /* what is there already needs no task, nor does an error */
        const int read = rill_reader_read(on->reader, 10, &data);
        if (read < 0 && rill_reader_exception(on->reader) == NULL) {
            expect_refusal(run, "read", read);
        }
    }
}

/* -- a transport's own calls ----------------------------------------------------------------- */

static void look(const struct told *told)
{
    static const char *const names[] = {"peername",    "sockname",   "socket",
                                        "sslcontext",  "ssl_object", "peercert",
                                        "compression", "cipher",     "nonsense"};
    struct rill_transport *transport = told->transport;
    struct rill_extra_info info;
    size_t low;
    size_t high;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)rill_transport_get_extra_info(transport, names[i], &info);
    }
    (void)rill_transport_get_protocol(transport);
    (void)rill_transport_is_reading(transport);
    (void)rill_transport_get_write_buffer_size(transport);
    rill_transport_get_write_buffer_limits(transport, &low, &high);
    if (low > high) {
        mismatch_look(told->run, "lower limit");
    }
    if (rill_transport_can_write_eof(transport) != told_in_clear(told->run)) {
        mismatch_look(told->run, "can_write_eof");
    }
}

static void set_limits(const struct told *told, const struct op *op)
{
    const struct rill_opt_int high = {(op->amount & 1u) != 0, (long long)script_size(op->amount)};
    const struct rill_opt_int low = {(op->amount & 2u) != 0, op->amount - 4};
    const struct rill_error *error = NULL;
    if (rill_transport_set_write_buffer_limits(told->transport, high, low, &error) < 0) {
        rill_error_unref(error);
    }
}

static void pause(const struct told *told)
{
    const bool was = rill_transport_is_closing(told->transport);
    if (rill_transport_pause_reading(told->transport) == 0 && !was &&
        rill_transport_is_reading(told->transport)) {
        mismatch_look(told->run, "pause");
    }
}

static void move_transport(struct told *told, const struct op *op)
{
    struct rill_transport *transport = told->transport;
    if (transport == NULL) {
        return;
    }
    switch (op->aux >> 1 & 15u) {
    case 0:
        rill_transport_close(transport);
        break;
    case 1:
        told->books.aborted = true;
        rill_transport_abort(transport);
        break;
    case 2:
        pause(told);
        break;
    case 3:
        rill_transport_resume_reading(transport);
        break;
    case 4:
        (void)rill_transport_write_eof(transport, NULL);
        break;
    case 5:
        set_limits(told, op);
        break;
    case 6:
        told_set_next_protocol(told);
        break;
    case 7:
        look(told);
        break;
    default:
        told_write(told, script_size(op->amount), (op->aux & 32u) != 0);
        break;
    }
}

/* -- the script ------------------------------------------------------------------------------ */

static void dial(struct protocol_run *run, const struct op *op)
{
    if (run->count == PROTOCOL_CONNECTIONS || (run->arguments.call & CALL_SERVER) == 0) {
        return;
    }
    struct kernel_wire *wire = kernel_dial(kernel_listener(&run->rig->kernel, op->amount % 2u),
                                           PROTOCOL_PORTS + (int)run->count);
    if (wire != NULL) {
        struct connection *on = &run->connections[run->count++].books;
        on->peer_ops = &kernel_peer_ops;
        on->peer = wire;
    }
}

static void turn(void *self)
{
    struct protocol_run *run = self;
    (void)rill_loop_step(run->rig->loop);
    for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
        told_check(&run->connections[i]);
    }
}

/* TLS's bytes are no text: nobody counts them. */
static void discard(const struct protocol_run *run, struct connection *on, const struct op *op)
{
    if (told_in_clear(run) && (run->arguments.call & CALL_STREAMS) == 0) {
        connection_discard(on, script_size(op->amount));
    } else {
        const size_t most = on->peer_ops->received(on->peer).len;
        const size_t size = script_size(op->amount);
        on->peer_ops->discard(on->peer, size < most ? size : most);
    }
}

static void move_kernel(struct protocol_run *run, const struct op *op)
{
    static const int errnos[] = {0, ECONNREFUSED, ENETUNREACH, EINTR};
    struct kernel *kernel = &run->rig->kernel;
    if (op->kind == PROTOCOL_RUN_JOBS) {
        kernel_run_jobs(kernel);
    } else if (op->kind == PROTOCOL_DECIDE) {
        (void)kernel_decide(kernel, 0, errnos[op->aux % 3u]);
    } else if (op->kind == PROTOCOL_OUTCOME) {
        kernel->outcome = (enum kernel_outcome)(op->amount % 3u);
        kernel->outcome_errno = errnos[1 + op->aux % 3u];
    } else {
        (void)world_move_kernel(kernel, op);
    }
}

static void observe(struct connection *on)
{
    if (on->writer != NULL) {
        rill_observe_hold(on->writer);
        rill_observe_release(on->writer);
        (void)rill_writer_write_borrowed(on->writer, text_at(on->written), 1, NULL, NULL);
    }
}

static void move(void *self, const struct op *op)
{
    struct protocol_run *run = self;
    struct told *told = &run->connections[op->connection];
    struct connection *on = &told->books;
    if (op->kind == WORLD_DISCARD && on->peer != NULL) {
        discard(run, on, op);
    } else if (op->kind >= WORLD_SEND && op->kind < WORLD_DISCARD && on->peer != NULL) {
        world_move_peer(on, op);
    } else if (op->kind == WORLD_CANCEL && run->opener != NULL) {
        (void)rill_task_cancel(run->opener);
    } else if (op->kind == WORLD_ADVANCE) {
        world_advance(run->rig, op);
    } else if (op->kind == WORLD_FREE_KIND) {
        observe(on);
    } else if (op->kind == PROTOCOL_DIAL) {
        dial(run, op);
    } else if (op->kind == PROTOCOL_ASK) {
        ask(run, op);
    } else if (op->kind == PROTOCOL_SERVER) {
        tell_server(run, op);
    } else if (op->kind == PROTOCOL_OUTSIDE_CALL) {
        call_outside(run, on, op);
    } else if (op->kind == PROTOCOL_TRANSPORT) {
        move_transport(told, op);
    } else {
        move_kernel(run, op);
    }
}

void protocol_world(struct protocol_run *run)
{
    static const struct world_ops ops = {move, turn};
    world_play(&run->script, &ops, run);
}
