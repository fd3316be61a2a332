/* SPDX-License-Identifier: MIT
 *
 * protocol: the layer below streams. One of the eight calls that make connections and servers, with
 * arguments of which many are refused, and protocols whose callbacks do whatever the input says.
 * The input is
 *
 *     flags      bit 2: debug mode; bit 3: the call is made in no task; bit 4: no file at a Unix
 *                socket's path; bits 5 to 7 all set: a loop of its own, freed with everything on it
 *     arguments  three bytes: protocol_arguments.c
 *     outcome    of connects: at once, later, refused at once; modulo three
 *     fault      of a system call: which one, modulo their number
 *     number     of the first such call that fails; 0: none
 *     errno      which one, of a table, and in the upper four bits how many calls fail, less one
 *     number     of the first allocation that fails; 0: none
 *     count      of those that fail, less one
 *     moods      eight bytes, of which each callback takes the next, round and round
 *     script     script.h: everything is the world's
 *
 * What must hold: a call is refused exactly when the specification says so, with its text;
 * callbacks come in the order that transport.h promises and tell every byte once; what is written
 * arrives; and in the end nothing is left, on the loop, of descriptors and of memory.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "repeatable.h"
#include "simulated/mutator.h"
#include "simulated/protocol.h"
#include "target.h"

enum { ROUNDS = 4 };

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

const size_t mutator_head = 18;

static const int errnos[16] = {EMFILE,       ENFILE, ENOBUFS,    ENOMEM,   ECONNABORTED, EAGAIN,
                               EINTR,        EPERM,  EADDRINUSE, ENOTCONN, EACCES,       ECONNRESET,
                               ECONNREFUSED, EPIPE,  EBADF,      ENOENT};

static _Noreturn void invariant_call_ends(void)
{
    rig_print(&rig);
    (void)fprintf(stderr, "the call waits, and nothing will wake it\n");
    abort();
}

static _Noreturn void invariant_server_ends(const struct protocol_run *run)
{
    rig_print(&rig);
    (void)fprintf(stderr, "%zu tasks wait for a server that is closed and has nobody\n",
                  run->asking);
    abort();
}

static void decode(struct protocol_run *run, struct input *input)
{
    run->flags = input_byte(input);
    run->plan.fresh = (run->flags & PROTOCOL_DROPS) == PROTOCOL_DROPS;
    run->plan.debug = (run->flags & PROTOCOL_DEBUG) != 0;
    arguments_decode(&run->arguments, input);
    run->outcome = (enum kernel_outcome)(input_byte(input) % 3u);
    run->fault.call = (enum kernel_call)(input_byte(input) % KERNEL_CALLS);
    run->fault.first = input_byte(input);
    const uint8_t which = input_byte(input);
    run->fault.os_errno = errnos[which & 15u];
    run->fault.count = (which >> 4) + 1u;
    run->plan.fail_first = input_byte(input);
    run->plan.fail_count = input_byte(input) + 1u;
    for (size_t i = 0; i < PROTOCOL_MOODS; i++) {
        run->moods[i] = input_byte(input);
    }
    script_decode(&run->script, input, PROTOCOL_CONNECTIONS, PROTOCOL_WORLD_KINDS);
    for (size_t i = 0; i < run->script.count; i++) { /* nobody else is there */
        struct op *op = &run->script.ops[i];
        op->kind = (uint8_t)(op->kind % PROTOCOL_WORLD_KINDS);
        op->actor = SCRIPT_WORLD;
    }
}

static void print_run(const void *story)
{
    const struct protocol_run *run = story;
    arguments_print(&run->arguments);
    (void)fprintf(stderr,
                  "  flags %u, call %d fails %zu times from %zu on: %d, allocation %zu fails\n"
                  "  moods",
                  (unsigned)run->flags, (int)run->fault.call, run->fault.count, run->fault.first,
                  run->fault.os_errno, run->plan.fail_first);
    for (size_t i = 0; i < PROTOCOL_MOODS; i++) {
        (void)fprintf(stderr, " %u", (unsigned)run->moods[i]);
    }
    (void)fputs("\n", stderr);
    script_print(&run->script, protocol_world_names, stderr);
}

/* -- the beginning --------------------------------------------------------------------------- */

static void begin(struct protocol_run *run)
{
    const struct rill_task_options options = {.loop = rig.loop};
    rig.kernel.fault = run->fault;
    rig.kernel.outcome = run->outcome;
    rig.kernel.outcome_errno = ECONNREFUSED;
    rig.kernel.answers = 2;
    rig.kernel.families = 2;
    rig.kernel.no_socket_file = (run->flags & PROTOCOL_NO_FILE) != 0;
    for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
        run->connections[i].run = run;
        run->connections[i].books.rig = &rig;
    }
    if ((run->flags & PROTOCOL_OUTSIDE) != 0) {
        (void)calls_make(run);
    } else {
        (void)rill_task_create(calls_make, run, &options, &run->opener);
    }
}

/* -- the end --------------------------------------------------------------------------------- */

/* The kernel answers whatever waits, the peers let go, transports close. */
static void let_go(struct protocol_run *run)
{
    rig.kernel.outcome = KERNEL_AT_ONCE;
    rig.kernel.transfer_most = SIZE_MAX;
    for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
        run->connections[i].generous = true;
    }
    for (int round = 0; round < ROUNDS; round++) {
        kernel_run_jobs(&rig.kernel);
        (void)kernel_decide(&rig.kernel, 0, 0);
        rig_settle(&rig);
        if (run->server != NULL) {
            rill_server_close(run->server);
        }
        for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
            struct told *told = &run->connections[i];
            connection_let_go(&told->books);
            if (told->transport != NULL) {
                rill_transport_resume_reading(told->transport);
                rill_transport_close(told->transport);
            }
        }
        rig_settle_until(&rig, INFINITY);
    }
    if (run->server != NULL) {
        rill_server_abort_clients(run->server); /* those that nobody has */
        rig_settle_until(&rig, INFINITY);
    }
}

static void check_arrived(struct protocol_run *run, struct told *told)
{
    told->books.aborted |= run->fails || rig.kernel.failed > 0 || !told_in_clear(run) ||
                           (run->arguments.call & CALL_STREAMS) != 0;
    if (!told->books.aborted) {
        connection_check_end(&told->books);
    }
    told_check_end(told);
}

static void free_connections(struct protocol_run *run)
{
    for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
        struct told *told = &run->connections[i];
        connection_free_pair(&told->books);
        rill_transport_unref(told->transport);
        told->transport = NULL;
    }
    if (rig.loop != NULL) {
        rig_settle_until(&rig, INFINITY);
    }
    for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
        connection_free(&run->connections[i].books);
    }
    rill_server_free(run->server);
}

static void close_left(const struct protocol_run *run)
{
    const int fd = (int)run->left.value;
    if (run->left.given && kernel_socket_of(&rig.kernel, fd) != NULL) {
        (void)rig.sys.close(rig.sys.arg, fd);
    }
}

static void end_run(struct protocol_run *run)
{
    let_go(run);
    if (run->opener != NULL && !rill_task_done(run->opener)) {
        invariant_call_ends();
    }
    if (run->asking > 0) {
        invariant_server_ends(run);
    }
    for (size_t i = 0; i < PROTOCOL_CONNECTIONS; i++) {
        check_arrived(run, &run->connections[i]);
    }
    rill_task_free(run->opener);
    free_connections(run);
    rig_check_idle(&rig);
}

static void drop_everything(struct protocol_run *run)
{
    rill_task_free(run->opener);
    rig_free_loop(&rig);
    free_connections(run);
}

static void play(struct input *input)
{
    static struct protocol_run run; /* too large for a stack */
    memset(&run, 0, sizeof run);
    run.rig = &rig;
    decode(&run, input);
    repeatable_restart();
    rig_story(&rig, print_run, &run);
    if (rig_begin(&rig, &run.plan)) {
        begin(&run);
        protocol_world(&run);
        allocations_heal(&rig.allocations);
        rig.kernel.fault.first = 0;
        run.plan.fresh ? drop_everything(&run) : end_run(&run);
        close_left(&run);
    }
    rig_end(&rig);
    rig_story(&rig, NULL, NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    text_init();
    repeatable_install();
    rig_init(&rig, rig_warm_up, &rig);
    calls_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    play(&input);
    return 0;
}
