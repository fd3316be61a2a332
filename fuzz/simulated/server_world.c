/* SPDX-License-Identifier: MIT
 *
 * The server of the target server: how it is made, its handlers, its manager, and those who
 * connect.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/server.h"
#include "simulated/world.h"

const char *const server_world_names[SERVER_WORLD_KINDS] = {
    [SERVER_DIAL] = "dial",
    [SERVER_RUN_JOBS] = "run jobs",
};

static _Noreturn void mismatch_server(const struct server_run *run, const char *what, int rc)
{
    rig_print(run->stage.rig);
    (void)fprintf(stderr, "%s answered %s\n", what, rill_error_name(rc));
    abort();
}

static _Noreturn void mismatch_peer(const struct server_run *run, int port)
{
    rig_print(run->stage.rig);
    (void)fprintf(stderr, "a handler's peer has port %d; %zu have connected\n", port,
                  run->stage.connection_count);
    abort();
}

/* -- handlers -------------------------------------------------------------------------------- */

/* Whose connection this is, by the port it came from. NULL: the kernel refused to tell. */
static struct connection *connection_of(struct server_run *run, const struct rill_writer *writer)
{
    struct rill_address peer;
    if (!rill_writer_get_peername(writer, &peer) || peer.family != AF_INET) {
        return NULL;
    }
    if (peer.port < SERVER_FIRST_PORT ||
        (size_t)(peer.port - SERVER_FIRST_PORT) >= run->stage.connection_count) {
        mismatch_peer(run, peer.port);
    }
    return &run->connections[peer.port - SERVER_FIRST_PORT];
}

static struct actor *actor_for(struct server_run *run, struct connection *on)
{
    const size_t index = (size_t)(on - run->connections);
    struct actor *actor = &run->handler_actors[index];
    *actor =
        (struct actor){.stage = &run->stage, .number = (unsigned)index % SERVER_MANAGER, .own = on};
    return actor;
}

static int handle(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct server_run *run = arg;
    struct connection *on = connection_of(run, writer);
    if (on == NULL) {
        return 0;
    }
    on->reader = reader;
    on->writer = writer;
    on->is_servers = true;
    const size_t index = (size_t)(on - run->connections);
    run->handlers++;
    run->handler_tasks[index] = rill_current_task();
    const int rc = actor_run(actor_for(run, on));
    run->handler_tasks[index] = NULL;
    run->handlers--;
    connection_check(on);
    on->view = (struct rill_bytes){NULL, 0};
    on->reader = NULL;
    on->writer = NULL;
    return rc;
}

/* A plain callback owns its pair: it is freed at the end of the run. */
static int take(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct server_run *run = arg;
    struct connection *on = connection_of(run, writer);
    if (on == NULL) {
        rill_writer_free(writer);
        return 0;
    }
    on->reader = reader;
    on->writer = writer;
    if (on->sent % 2 == 1) { /* it fails, and rill frees the pair */
        on->reader = NULL;
        on->writer = NULL;
        return RILL_EUSER;
    }
    return 0;
}

/* -- the server ------------------------------------------------------------------------------ */

static struct rill_server_options options_of(const struct server_run *run)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "::1"};
    struct rill_server_options options = {0};
    options.plain_cb = (run->flags & SERVER_PLAIN) != 0 ? take : NULL;
    options.start_serving.given = (run->options & SERVER_IDLE_AT_FIRST) != 0;
    options.limit = (struct rill_opt_int){(run->options & SERVER_SMALL_LIMIT) != 0, 10};
    options.backlog = (struct rill_opt_int){(run->options & SERVER_SMALL_BACKLOG) != 0, 1};
    if ((run->options & SERVER_THREE_HOSTS) != 0) {
        options.hosts = hosts;
        options.host_count = (struct rill_opt_int){true, 3};
    }
    return options;
}

static int open_socket(struct server_run *run, int family)
{
    const struct rill_sys *sys = &run->stage.rig->sys;
    return sys->socket(sys->arg, family, SOCK_STREAM, 0);
}

/* What was handed in stays the caller's when no server was made of it. */
static int settle_socket(const struct server_run *run, int fd, int rc)
{
    const struct rill_sys *sys = &run->stage.rig->sys;
    if (rc < 0 && fd >= 0) {
        (void)sys->close(sys->arg, fd);
    }
    return rc;
}

static int make_tcp(struct server_run *run)
{
    struct rill_server_options options = options_of(run);
    rill_client_connected_task *handler = (run->options & SERVER_NO_HANDLER) != 0 ? NULL : handle;
    if ((run->options & SERVER_OF_SOCKET) == 0) {
        return rill_start_server(handler, run, options.hosts == NULL ? "127.0.0.1" : NULL, "80",
                                 &options, &run->server);
    }
    const int fd = open_socket(run, AF_INET);
    options.host_count.given = false;
    options.sock = (struct rill_opt_int){fd >= 0, fd};
    return settle_socket(run, fd,
                         rill_start_server(handler, run, NULL, NULL, &options, &run->server));
}

static int make_unix(struct server_run *run)
{
    const struct rill_server_options common = options_of(run);
    struct rill_unix_server_options options = {.limit = common.limit,
                                               .backlog = common.backlog,
                                               .start_serving = common.start_serving,
                                               .plain_cb = common.plain_cb};
    static const char abstract[] = "\0name";
    struct rill_bytes path = rill_bytes_of("/run/x");
    int fd = -1;
    if ((run->options & SERVER_THREE_HOSTS) != 0) {
        path = (struct rill_bytes){abstract, sizeof abstract - 1};
    }
    if ((run->options & SERVER_OF_SOCKET) != 0) {
        fd = open_socket(run, AF_UNIX);
        options.sock = (struct rill_opt_int){fd >= 0, fd};
        path = (struct rill_bytes){NULL, 0};
    }
    return settle_socket(run, fd,
                         rill_start_unix_server(handle, run, path, &options, &run->server));
}

static int make_server(void *arg)
{
    struct server_run *run = arg;
    const int rc = (run->flags & SERVER_UNIX) != 0 ? make_unix(run) : make_tcp(run);
    const bool failed = run->stage.rig->kernel.failed > 0 || run->stage.rig->allocations.failed > 0;
    /* A Unix socket handed in is bound to nothing here, which is refused. */
    if (rc < 0 && !failed && (run->options & SERVER_OF_SOCKET) == 0) {
        mismatch_server(run, "start_server", rc);
    }
    return rc;
}

/* -- operations on the server ---------------------------------------------------------------- */

enum server_op {
    ASK_SERVE_FOREVER,
    ASK_WAIT_CLOSED,
    ASK_WAIT_CLOSED_FOR,
    ASK_START_SERVING,
    ASK_CLOSE,
    ASK_CLOSE_CLIENTS,
    ASK_ABORT_CLIENTS,
    ASK_LOOK,
    ASK_KINDS
};

static void look(const struct server_run *run)
{
    struct rill_address address;
    char text[64];
    for (size_t i = 0; i <= rill_server_socket_count(run->server); i++) {
        (void)rill_server_socket(run->server, i);
        if (rill_server_sockname(run->server, i, &address)) {
            (void)rill_address_repr(&address, text, sizeof text);
        }
    }
    (void)rill_server_is_serving(run->server);
    (void)rill_server_error(run->server);
}

static void abort_clients(struct server_run *run)
{
    for (size_t i = 0; i < run->stage.connection_count; i++) {
        run->connections[i].aborted = true;
    }
    rill_server_abort_clients(run->server);
}

static int ask(struct server_run *run, const struct op *op)
{
    switch ((enum server_op)(op->aux % ASK_KINDS)) {
    case ASK_SERVE_FOREVER:
        return rill_server_serve_forever(run->server);
    case ASK_WAIT_CLOSED:
        return rill_server_wait_closed(run->server);
    case ASK_WAIT_CLOSED_FOR:
        return rill_server_wait_closed_for(run->server, script_seconds(op->amount));
    case ASK_START_SERVING:
        return rill_server_start_serving(run->server);
    case ASK_CLOSE:
        rill_server_close(run->server);
        return 0;
    case ASK_CLOSE_CLIENTS:
        rill_server_close_clients(run->server);
        return 0;
    case ASK_ABORT_CLIENTS:
        abort_clients(run);
        return 0;
    default:
        look(run);
        return 0;
    }
}

static bool is_documented(int rc)
{
    return rc == 0 || rc == RILL_ECANCELLED || rc == RILL_ERUNTIME || rc == RILL_ETIMEOUT ||
           rc == RILL_ETYPE;
}

int server_special(struct actor *actor, const struct op *op)
{
    struct server_run *run = (struct server_run *)(void *)actor->stage; /* its first member */
    const struct rig *rig = actor->stage->rig;
    if (run->server == NULL) {
        return 0;
    }
    const int rc = ask(run, op);
    if (!is_documented(rc) && rig->kernel.failed == 0 && rig->allocations.failed == 0) {
        mismatch_server(run, "the server", rc);
    }
    return rc == RILL_ECANCELLED ? rc : 0;
}

/* -- the world ------------------------------------------------------------------------------- */

static void dial(struct server_run *run, const struct op *op)
{
    struct rig *rig = run->stage.rig;
    if (run->stage.connection_count == SERVER_CONNECTIONS) {
        return;
    }
    struct kernel_wire *wire = kernel_dial(kernel_listener(&rig->kernel, op->amount % 3u),
                                           SERVER_FIRST_PORT + (int)run->stage.connection_count);
    if (wire != NULL) {
        run->connections[run->stage.connection_count++] =
            (struct connection){.rig = rig,
                                .peer_ops = &kernel_peer_ops,
                                .peer = wire,
                                .limit = (run->options & SERVER_SMALL_LIMIT) != 0 ? 10 : 65536};
    }
}

static void cancel(const struct server_run *run, const struct op *op)
{
    struct rill_task *task = op->amount < SERVER_CONNECTIONS
                                 ? run->handler_tasks[op->amount]
                                 : run->stage.actors[SERVER_MANAGER].task;
    if (task != NULL) {
        (void)rill_task_cancel(task);
    }
}

static void move(void *self, const struct op *op)
{
    struct server_run *run = self;
    struct kernel *kernel = &run->stage.rig->kernel;

    if (op->kind == SERVER_DIAL) {
        dial(run, op);
    } else if (op->kind == SERVER_RUN_JOBS) {
        kernel_run_jobs(kernel);
    } else if (op->kind == WORLD_CANCEL) {
        cancel(run, op);
    } else if (!world_move_stage(&run->stage, op)) {
        (void)world_move_kernel(kernel, op);
    }
}

static int make_and_look_up(struct server_run *run)
{
    struct rig *rig = run->stage.rig;
    const struct rill_task_options options = {.loop = rig->loop};
    struct rill_task *task;
    rig->kernel.answers = 2;
    rig->kernel.families = 2;
    rig->kernel.no_socket_file = run->flags % 2u == 0;
    if (rill_task_create(make_server, run, &options, &task) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        rig_settle(rig);
        kernel_run_jobs(&rig->kernel);
    }
    rig_settle(rig);
    rill_task_free(task);
    return 0;
}

void server_play(struct server_run *run)
{
    static const struct world_ops ops = {move, world_turn_stage};
    (void)make_and_look_up(run);
    stage_start(&run->stage);
    world_play(&run->script, &ops, run);
}
