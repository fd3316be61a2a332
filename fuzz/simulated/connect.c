/* SPDX-License-Identifier: MIT
 *
 * connect: four tasks that open connections on the simulated kernel and talk on them. The input is
 *
 *     flags      bit 0: cancel at the end; bit 1: a cancelled task goes on; bit 2: debug mode; bits
 * 5 to 7 all set: a loop of its own, freed with everything on it look-up    lower four bits: how
 * many addresses it finds, up to eight; bits 4 and 5: how it ends families   bit i: the i-th
 * address is of IPv6 fault      of a system call: which one, modulo their number number     of the
 * first such call that fails; 0: none errno      which one, of a table, and in the upper four bits
 * how many calls fail, less one number     of the first allocation that fails; 0: none count of
 * those that fail, less one script     script.h; every task has a connection of its own, and
 * special opens it
 *
 * What must hold: stream's invariants on each connection that was made, and that none is half made:
 * a call that fails or is cancelled, at any point of look-ups and races, leaves no descriptor.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/connect.h"
#include "simulated/mutator.h"
#include "simulated/world.h"
#include "target.h"

enum { ROUNDS_MAX = 200 };

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

const size_t mutator_head = 8;

static const int errnos[16] = {EMFILE,       ENFILE,        ENOBUFS,      ENOMEM,
                               ECONNREFUSED, ENETUNREACH,   EHOSTUNREACH, EINTR,
                               EADDRINUSE,   EADDRNOTAVAIL, EACCES,       ECONNRESET,
                               ETIMEDOUT,    EAFNOSUPPORT,  EAGAIN,       EPERM};
static const int endings[4] = {0, EAI_NONAME, EAI_AGAIN, EAI_SYSTEM};

int connect_errno(uint8_t which)
{
    return errnos[which & 15u];
}

static void decode_settings(struct connect_run *run, struct input *input)
{
    run->flags = input_byte(input);
    run->plan.fresh = (run->flags & CONNECT_DROPS) == CONNECT_DROPS;
    run->plan.debug = (run->flags & CONNECT_DEBUG) != 0;
    run->lookup = input_byte(input);
    run->families = input_byte(input);
    run->fault.call = (enum kernel_call)(input_byte(input) % KERNEL_CALLS);
    run->fault.first = input_byte(input);
    const uint8_t which = input_byte(input);
    run->fault.os_errno = connect_errno(which);
    run->fault.count = (which >> 4) + 1u;
    run->plan.fail_first = input_byte(input);
    run->plan.fail_count = input_byte(input) + 1u;
}

static void print_run(const void *story)
{
    const struct connect_run *run = story;
    (void)fprintf(stderr, "  flags %u, look-up %u %u, call %d fails %zu times from %zu on: %d\n",
                  (unsigned)run->flags, (unsigned)run->lookup, (unsigned)run->families,
                  (int)run->fault.call, run->fault.count, run->fault.first, run->fault.os_errno);
    script_print(&run->script, connect_world_names, stderr);
}

static void set_kernel(const struct connect_run *run)
{
    rig.kernel.fault = run->fault;
    rig.kernel.answers = run->lookup % (KERNEL_ANSWERS + 1u);
    rig.kernel.lookup_status = endings[run->lookup >> 4 & 3u];
    rig.kernel.families = run->families;
    rig.kernel.outcome = KERNEL_LATER;
}

/* -- the end --------------------------------------------------------------------------------- */

/* The kernel answers whatever waits: look-ups end, connects succeed, peers let go. */
static void answer_everything(struct connect_run *run)
{
    rig.kernel.outcome = KERNEL_AT_ONCE;
    stage_settle(&run->stage);
    for (int round = 0; round < ROUNDS_MAX && !stage_is_over(&run->stage); round++) {
        kernel_run_jobs(&rig.kernel);
        (void)kernel_decide(&rig.kernel, 0, 0);
        for (size_t i = 0; i < SCRIPT_TASKS; i++) {
            connection_let_go(&run->connections[i]);
        }
        rig_settle_until(&rig, INFINITY);
    }
}

static void free_connections(struct connect_run *run)
{
    for (size_t i = 0; i < SCRIPT_TASKS; i++) {
        connection_let_go(&run->connections[i]);
        connection_free_pair(&run->connections[i]);
    }
    kernel_run_jobs(&rig.kernel); /* of look-ups that nobody waits for any more */
    rig_settle_until(&rig, INFINITY);
    for (size_t i = 0; i < SCRIPT_TASKS; i++) {
        run->connections[i].aborted |= rig.kernel.failed > 0;
        connection_check_end(&run->connections[i]);
        connection_free(&run->connections[i]);
    }
}

static void drop_everything(struct connect_run *run)
{
    stage_cleanup(&run->stage);
    rig_free_loop(&rig);
    for (size_t i = 0; i < SCRIPT_TASKS; i++) {
        connection_free(&run->connections[i]);
    }
}

static void end_run(struct connect_run *run)
{
    if ((run->flags & CONNECT_CANCELS) != 0) {
        stage_cancel(&run->stage);
    } else {
        answer_everything(run);
    }
    stage_check_over(&run->stage);
    stage_cleanup(&run->stage);
    free_connections(run);
    rig_check_idle(&rig);
}

static void play(struct input *input)
{
    struct connect_run run = {.stage = {.rig = &rig, .special = connect_special}};

    run.stage.script = &run.script;
    run.stage.connections = run.connections;
    decode_settings(&run, input);
    run.stage.drops = run.plan.fresh;
    run.stage.goes_on = (run.flags & CONNECT_GOES_ON) != 0 && !run.plan.fresh;
    script_decode(&run.script, input, SCRIPT_TASKS, CONNECT_WORLD_KINDS);
    rig_story(&rig, print_run, &run);
    if (rig_begin(&rig, &run.plan)) {
        set_kernel(&run);
        connect_play(&run);
        allocations_heal(&rig.allocations);
        rig.kernel.fault.first = 0;
        rig.kernel.transfer_most = SIZE_MAX; /* byte by byte, a large send takes too many turns */
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
