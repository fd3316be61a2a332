/* SPDX-License-Identifier: MIT
 *
 * server: a server on the simulated kernel, up to eight who connect to it, their handlers and a
 * task that manages it. The input is
 *
 *     flags      bit 0: cancel at the end; bit 1: a cancelled task goes on; bit 2: debug mode;
 *                bit 3: plain callbacks instead of tasks; bit 4: over a Unix socket; bits 5 to 7
 * all set: a loop of its own, freed with everything on it options    bit 0: does not serve at
 * first; bit 1: a limit of 10; bit 2: three hosts; bit 3: a backlog of 1; bit 4: no handler; bit 5:
 * it is handed a socket fault      of a system call: which one, modulo their number number     of
 * the first such call that fails; 0: none errno      which one, of a table, and in the upper four
 * bits how many calls fail, less one number     of the first allocation that fails; 0: none count
 * of those that fail, less one script     script.h: actors 0 to 2 are the handlers, by turns, actor
 * 3 the manager
 *
 * What must hold: stream's invariants on every connection, and that everybody who connects is
 * accepted as long as the server serves, also after an accept that failed; that every handler ends
 * when its peer has; that wait_closed returns when they all have.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/mutator.h"
#include "simulated/server.h"
#include "simulated/world.h"
#include "target.h"

enum { RETRY_S = 2 };

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

const size_t mutator_head = 7;

static const int errnos[16] = {EMFILE, ENFILE,  ENOBUFS,    ENOMEM,        ECONNABORTED, EAGAIN,
                               EINTR,  EPERM,   EADDRINUSE, EADDRNOTAVAIL, EACCES,       ECONNRESET,
                               EPIPE,  ENOTSUP, EBADF,      EINVAL};

static void decode_settings(struct server_run *run, struct input *input)
{
    run->flags = input_byte(input);
    run->options = input_byte(input);
    run->plan.fresh = (run->flags & SERVER_DROPS) == SERVER_DROPS;
    run->plan.debug = (run->flags & SERVER_DEBUG) != 0;
    run->fault.call = (enum kernel_call)(input_byte(input) % KERNEL_CALLS);
    run->fault.first = input_byte(input);
    const uint8_t which = input_byte(input);
    run->fault.os_errno = errnos[which & 15u];
    run->fault.count = (which >> 4) + 1u;
    run->plan.fail_first = input_byte(input);
    run->plan.fail_count = input_byte(input) + 1u;
}

static void print_run(const void *story)
{
    const struct server_run *run = story;
    (void)fprintf(stderr, "  flags %u, options %u, call %d fails %zu times from %zu on: %d\n",
                  (unsigned)run->flags, (unsigned)run->options, (int)run->fault.call,
                  run->fault.count, run->fault.first, run->fault.os_errno);
    script_print(&run->script, server_world_names, stderr);
}

/* -- what must not be ------------------------------------------------------------------------ */

static _Noreturn void invariant_everybody_is_accepted(size_t waiting)
{
    rig_print(&rig);
    (void)fprintf(stderr, "the server serves, and %zu wait to be accepted\n", waiting);
    abort();
}

static _Noreturn void invariant_handler_ends(const struct server_run *run)
{
    rig_print(&rig);
    (void)fprintf(stderr, "%zu handlers wait for nothing\n", run->handlers);
    abort();
}

/* -- the end --------------------------------------------------------------------------------- */

static size_t waiting_to_be_accepted(void)
{
    size_t waiting = 0;
    const struct kernel_socket *listener;
    for (size_t i = 0; (listener = kernel_listener(&rig.kernel, i)) != NULL; i++) {
        waiting += listener->pending_count;
    }
    return waiting;
}

/* A second after an accept that failed, the next one is tried. */
static void check_accepted(const struct server_run *run)
{
    rig_settle_until(&rig, rig.kernel.now + RETRY_S);
    const size_t waiting = waiting_to_be_accepted();
    if (run->server != NULL && rill_server_is_serving(run->server) && waiting > 0 &&
        rig.allocations.failed == 0) {
        invariant_everybody_is_accepted(waiting);
    }
}

/* Each cancellation takes a handler one operation further at least. */
static void cancel_handlers(struct server_run *run)
{
    for (size_t round = 0; round <= run->script.count && run->handlers > 0; round++) {
        for (size_t i = 0; i < run->stage.connection_count; i++) {
            if (run->handler_tasks[i] != NULL) {
                (void)rill_task_cancel(run->handler_tasks[i]);
            }
        }
        rig_settle(&rig);
    }
    if (run->handlers > 0) {
        invariant_handler_ends(run);
    }
}

/* Nobody has them then: they would stay open. */
static bool has_no_handler(const struct server_run *run)
{
    return (run->options & SERVER_NO_HANDLER) != 0 &&
           (run->flags & (SERVER_UNIX | SERVER_PLAIN)) == 0;
}

static void let_go(struct server_run *run)
{
    for (size_t i = 0; i < run->stage.connection_count; i++) {
        connection_let_go(&run->connections[i]);
    }
    if (run->server != NULL && has_no_handler(run)) {
        rill_server_abort_clients(run->server);
    }
    rig_settle_until(&rig, INFINITY);
}

static void free_connections(struct server_run *run)
{
    for (size_t i = 0; i < run->stage.connection_count; i++) {
        struct connection *on = &run->connections[i];
        on->is_servers ? (void)(on->reader = NULL, on->writer = NULL) : connection_free_pair(on);
    }
    if (rig.loop != NULL) {
        rig_settle_until(&rig, INFINITY);
    }
    for (size_t i = 0; i < run->stage.connection_count; i++) {
        connection_free(&run->connections[i]);
    }
}

static void drop_everything(struct server_run *run)
{
    stage_cleanup(&run->stage);
    rig_free_loop(&rig);
    free_connections(run);
    rill_server_free(run->server);
}

static void end_run(struct server_run *run)
{
    check_accepted(run);
    stage_settle(&run->stage);
    if (run->server != NULL) {
        rill_server_close(run->server);
    }
    if ((run->flags & SERVER_CANCELS) != 0) {
        cancel_handlers(run);
        stage_cancel(&run->stage);
    }
    let_go(run);
    stage_check_over(&run->stage);
    if (run->handlers > 0) {
        invariant_handler_ends(run);
    }
    for (size_t i = 0; i < run->stage.connection_count; i++) {
        run->connections[i].aborted |= rig.kernel.failed > 0;
        connection_check_end(&run->connections[i]);
    }
    stage_cleanup(&run->stage);
    free_connections(run);
    rill_server_free(run->server);
    rig_check_idle(&rig);
}

static void play(struct input *input)
{
    static struct server_run run; /* too large for a stack */
    memset(&run, 0, sizeof run);
    run.stage = (struct stage){.rig = &rig,
                               .script = &run.script,
                               .connections = run.connections,
                               .first = SERVER_MANAGER,
                               .special = server_special};
    decode_settings(&run, input);
    run.stage.drops = run.plan.fresh;
    run.stage.goes_on = (run.flags & SERVER_GOES_ON) != 0 && !run.plan.fresh;
    script_decode(&run.script, input, SERVER_CONNECTIONS, SERVER_WORLD_KINDS);
    rig_story(&rig, print_run, &run);
    if (rig_begin(&rig, &run.plan)) {
        rig.kernel.fault = run.fault;
        server_play(&run);
        allocations_heal(&rig.allocations);
        rig.kernel.fault.first = 0;
        rig.kernel.transfer_most = SIZE_MAX;
        run.plan.fresh ? drop_everything(&run) : end_run(&run);
    }
    rig_end(&rig);
    rig_story(&rig, NULL, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    text_init();
    rig_init(&rig, rig_warm_up, &rig);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    play(&input);
    return 0;
}
