/* SPDX-License-Identifier: MIT
 *
 * The calls of the target connect, and how the world answers them.
 */
#include <stdlib.h>
#include <string.h>

#include "simulated/connect.h"
#include "simulated/world.h"

const char *const connect_world_names[CONNECT_WORLD_KINDS] = {
    [CONNECT_RUN_JOBS] = "run jobs",
    [CONNECT_DECIDE] = "decide",
    [CONNECT_OUTCOME] = "outcome",
};

static _Noreturn void mismatch_open(const struct rig *rig, int rc)
{
    rig_print(rig);
    (void)fprintf(stderr, "open_connection answered %s\n", rill_error_name(rc));
    abort();
}

static _Noreturn void mismatch_socket(const struct rig *rig, int fd)
{
    rig_print(rig);
    (void)fprintf(stderr, "a connection's descriptor %d is no connected socket\n", fd);
    abort();
}

/* -- opening --------------------------------------------------------------------------------- */

/* A connected socket of the caller's own, or -1. */
static int make_socket(struct rig *rig, int family, int type)
{
    const struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
    const enum kernel_outcome outcome = rig->kernel.outcome;
    int fd = rig->sys.socket(rig->sys.arg, family, type, 0);

    rig->kernel.outcome = KERNEL_AT_ONCE;
    if (fd >= 0 &&
        rig->sys.connect(rig->sys.arg, fd, (const struct sockaddr *)&any, sizeof any) < 0) {
        (void)rig->sys.close(rig->sys.arg, fd);
        fd = -1;
    }
    rig->kernel.outcome = outcome;
    return fd;
}

/* A socket that was handed in is the caller's still when the call fails, but not when it is
 * cancelled: its transport was made by then and closes it. */
static int give_back(const struct rig *rig, int fd, int rc)
{
    if (rc < 0 && rc != RILL_ECANCELLED && fd >= 0) {
        (void)rig->sys.close(rig->sys.arg, fd);
    }
    return rc;
}

static int open_tcp(struct connection *on, const struct op *op)
{
    static const char *const hosts[] = {"name",       "127.0.0.1", "::1",  "127.0.0.1.",
                                        "fe80::1%lo", "localhost", "name", NULL};
    static const char *const ports[] = {"80", "http", "65536", " 8_0 "};
    const unsigned many = op->amount;
    struct rill_connection_options options = {
        .limit = {(many & 1u) != 0, 10},
        .happy_eyeballs_delay = {(many & 2u) != 0, 0.25},
        .interleave = {(many & 4u) != 0, 1},
        .all_errors = {(many & 8u) != 0, 1},
        .local_host = (many & 16u) != 0 ? "127.0.0.1" : NULL,
        .local_port = (many & 32u) != 0 ? "0" : NULL,
        .family = (many & 64u) != 0 ? AF_INET6 : 0,
    };
    int fd = -1;
    const char *host = hosts[op->aux % 8u];
    const char *port = host != NULL ? ports[op->aux / 8u % 4u] : NULL;
    if (host == NULL && (many & 128u) != 0) {
        fd = make_socket(on->rig, AF_INET, (many & 64u) != 0 ? SOCK_DGRAM : SOCK_STREAM);
        options.sock = (struct rill_opt_int){fd >= 0, fd};
    }
    on->limit = (many & 1u) != 0 ? 10 : 65536;
    return give_back(on->rig, fd,
                     rill_open_connection(host, port, &options, &on->reader, &on->writer));
}

static int open_unix(struct connection *on, const struct op *op)
{
    static const char long_path[200] = {'/'};
    struct rill_unix_connection_options options = {0};
    struct rill_bytes path = rill_bytes_of("/run/x");
    int fd = -1;
    if ((op->amount & 3u) == 1) {
        path = (struct rill_bytes){"\0name", 5};
    } else if ((op->amount & 3u) == 2) {
        path = (struct rill_bytes){long_path, op->amount < sizeof long_path ? op->amount : 109};
    } else if ((op->amount & 3u) == 3) {
        path = (struct rill_bytes){NULL, 0};
        fd = make_socket(on->rig, (op->amount & 4u) != 0 ? AF_INET : AF_UNIX, SOCK_STREAM);
        options.sock = (struct rill_opt_int){fd >= 0, fd};
    }
    on->limit = 65536;
    return give_back(on->rig, fd,
                     rill_open_unix_connection(path, &options, &on->reader, &on->writer));
}

static bool is_documented(int rc)
{
    return rc == RILL_ECANCELLED || rc == RILL_EVALUE || rc == RILL_EOVERFLOW || rc == RILL_EGAI ||
           rc == RILL_EGROUP || rc == RILL_ETIMEOUT || (rc <= RILL_EOS && rc > RILL_ESSL);
}

/* The kernel's side of what was made, which the world moves from now on. */
static void take_peer(struct connection *on)
{
    struct kernel *kernel = &on->rig->kernel;
    int fd = -1;
    (void)rill_writer_get_socket(on->writer, &fd);
    struct kernel_wire *wire = kernel_peer_of(kernel_socket_of(kernel, fd));
    if (wire == NULL) {
        mismatch_socket(on->rig, fd);
    }
    on->peer_ops = &kernel_peer_ops;
    on->peer = wire;
}

int connect_special(struct actor *actor, const struct op *op)
{
    struct rig *rig = actor->stage->rig;
    struct connection *on = &actor->stage->connections[actor->number];
    if (on->reader != NULL || on->peer != NULL) {
        return 0;
    }
    *on = (struct connection){.rig = rig};
    struct connection made = {.rig = rig}; /* nobody else sees it before it is there */
    const int rc = op->aux >= 48 ? open_unix(&made, op) : open_tcp(&made, op);
    if (rc == 0) {
        *on = made;
        take_peer(on);
    } else if (!is_documented(rc) && (rc != RILL_ENOMEM || rig->allocations.failed == 0)) {
        mismatch_open(rig, rc);
    }
    return rc == RILL_ECANCELLED ? rc : 0;
}

/* -- the world ------------------------------------------------------------------------------- */

static void move(void *self, const struct op *op)
{
    struct connect_run *run = self;
    struct kernel *kernel = &run->stage.rig->kernel;

    if (op->kind == CONNECT_RUN_JOBS) {
        kernel_run_jobs(kernel);
    } else if (op->kind == CONNECT_DECIDE) {
        const int os_errno = op->aux % 4u == 0 ? 0 : connect_errno(op->aux);
        (void)kernel_decide(kernel, op->amount % 4u, os_errno);
    } else if (op->kind == CONNECT_OUTCOME) {
        kernel->outcome = (enum kernel_outcome)(op->amount % 3u);
        kernel->outcome_errno = connect_errno(op->aux);
    } else if (!world_move_stage(&run->stage, op)) {
        (void)world_move_kernel(kernel, op);
    }
}

void connect_play(struct connect_run *run)
{
    static const struct world_ops ops = {move, world_turn_stage};
    for (size_t i = 0; i < SCRIPT_TASKS; i++) {
        run->connections[i] = (struct connection){.rig = run->stage.rig};
    }
    run->stage.connection_count = SCRIPT_TASKS;
    stage_start(&run->stage);
    world_play(&run->script, &ops, run);
}
