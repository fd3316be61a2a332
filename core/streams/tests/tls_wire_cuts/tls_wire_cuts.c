/* SPDX-License-Identifier: MIT
 *
 * Wire cuts: exchanges between rill and OpenSSL over the memory transport, in virtual time, each
 * recorded once and then run again for every byte of it and every way in which a line can end
 * there. Each run ends with success or a documented error, nothing hangs, nothing leaks.
 *
 *     tls_wire_cuts [--every N] [EXCHANGE [peer|rill BYTE fin|rst|stall|drip]]
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include <rill/observe.h>

#include "counts.h"
#include "judge.h"
#include "loop/loop.h"

enum { SHOWN_FAULTS = 20, SETTLING_STEPS = 100, WARM_UPS = 3 };

static const struct exchange exchanges[] = {
    {"tls1.2-client", ROLE_CLIENT, TLS1_2_VERSION, false, false},
    {"tls1.3-client", ROLE_CLIENT, TLS1_3_VERSION, false, false},
    {"tls1.2-server", ROLE_SERVER, TLS1_2_VERSION, false, false},
    {"tls1.3-server", ROLE_SERVER, TLS1_3_VERSION, false, false},
    {"start_tls-client", ROLE_START_TLS_CLIENT, TLS1_3_VERSION, false, false},
    {"start_tls-server", ROLE_START_TLS_SERVER, TLS1_3_VERSION, false, false},
    {"tls1.2-rill-closes", ROLE_CLIENT, TLS1_2_VERSION, false, true},
    {"tls1.3-rill-closes", ROLE_CLIENT, TLS1_3_VERSION, false, true},
    {"tls1.2-peer-closes", ROLE_SERVER, TLS1_2_VERSION, true, true},
    {"tls1.3-peer-closes", ROLE_SERVER, TLS1_3_VERSION, true, true},
    {"start_tls-rill-closes", ROLE_START_TLS_SERVER, TLS1_3_VERSION, false, true},
    {"start_tls-peer-closes", ROLE_START_TLS_CLIENT, TLS1_3_VERSION, true, true},
};

struct tally {
    size_t cuts;
    size_t hang;
    size_t leak;
    size_t undocumented;
    size_t shown;
    char last[300]; /* fault shown: neighbours of the same kind are counted only */
};

struct bench {
    struct material material;
    struct wire *wire; /* of the run under way */
    struct rill_loop *loop;
    int logged;
    struct counts rill;
    struct counts openssl;
    struct tally tally;
    size_t every;
};

/* -- the loop, one for all runs --------------------------------------------------------------- */

static double bench_now(void *arg)
{
    const struct bench *const bench = arg;
    return bench->wire != NULL ? bench->wire->now : 0;
}

static int bench_idle(void *arg, double until)
{
    const struct bench *const bench = arg;
    return wire_idle(bench->wire, until);
}

static void bench_log(void *arg, enum rill_log_level level, const char *text,
                      const struct rill_error *exception)
{
    struct bench *const bench = arg;
    (void)exception;
    if (level >= RILL_LOG_WARNING) {
        bench->logged++;
        fprintf(stderr, "log: %s\n", text);
    }
}

static bool bench_open(struct bench *bench)
{
    const struct rill_clock clock = {.now = bench_now, .idle = bench_idle, .arg = bench};
    const struct rill_loop_options options = {.clock = &clock, .log = bench_log, .log_arg = bench};
    material_make(&bench->material);
    return rill_loop_new(&options, &bench->loop) == 0;
}

/* -- one run ---------------------------------------------------------------------------------- */

static void show(struct bench *bench, const struct run *run, const char *what)
{
    const struct cut *const cut = &run->wire.cut;
    if (strcmp(bench->tally.last, what) == 0 || bench->tally.shown++ >= SHOWN_FAULTS) {
        return;
    }
    snprintf(bench->tally.last, sizeof bench->tally.last, "%s", what);
    fprintf(stderr, "%s", run->exchange->name);
    if (cut->given) {
        fprintf(stderr, " %s %zu %s", direction_names[cut->direction], cut->at,
                ending_names[cut->ending]);
    }
    fprintf(stderr, ": %s\n", what);
}

static void undocumented(struct bench *bench, const struct run *run, const char *what)
{
    if (what != NULL) {
        bench->tally.undocumented++;
        show(bench, run, what);
    }
}

static void leaked(struct bench *bench, const struct run *run, bool fine, const char *what)
{
    if (!fine) {
        bench->tally.leak++;
        show(bench, run, what);
    }
}

/* Until the loop has nothing more to run; false: it always has. */
static bool settle(struct bench *bench)
{
    int steps = 0;
    while (steps < SETTLING_STEPS && rill_loop_step(bench->loop)) {
        steps++;
    }
    return steps < SETTLING_STEPS;
}

static void judge_loop(struct bench *bench, const struct run *run)
{
    struct rill_loop_state state;
    rill_observe_loop(bench->loop, &state);
    leaked(bench, run, state.transports == 0, "a transport is left");
    leaked(bench, run, state.timers == 0, "a timer is left");
    leaked(bench, run, state.tasks == 0, "a task is left");
    leaked(bench, run, state.watchers == 0, "a descriptor is watched");
    leaked(bench, run, state.ready == 0, "an entry is queued");
}

static void judge_run(struct bench *bench, const struct run *run)
{
    if (run->wire.hang) {
        bench->tally.hang++;
        show(bench, run, "hangs");
    } else {
        undocumented(bench, run, judge_calls(run));
        undocumented(bench, run, judge_bytes(run));
    }
    undocumented(bench, run, run->wire.errors_left ? "OpenSSL's error queue is not empty" : NULL);
    undocumented(bench, run,
                 watch_is_fine(&run->watch) ? NULL : "not exactly one end of the stream");
    undocumented(bench, run, bench->logged > 0 ? "something was logged" : NULL);
    undocumented(bench, run,
                 run->wire.cut.given && !run->wire.reached ? "the cut was not reached" : NULL);
}

/* The caller has what the run left behind in *run. */
static void run_once(struct bench *bench, struct run *run, const struct exchange *exchange,
                     const struct cut *cut)
{
    run_init(run, exchange, &bench->material, cut);
    run->wire.loop = bench->loop;
    bench->wire = &run->wire;
    bench->logged = 0;
    rill_loop_run_until_complete(bench->loop, run_rill_side, run);
    run->wire.hang = !settle(bench) || run->wire.hang;
    wire_drain(&run->wire);
    run->wire.errors_left = run->wire.errors_left || ERR_peek_error() != 0;
    judge_run(bench, run);
    run_cleanup(run);
    run->wire.hang = !settle(bench) || run->wire.hang;
    rill__spares_cleanup(&bench->loop->blocks); /* at hand for the next readers: nobody's loss */
    judge_loop(bench, run);
}

static void cut_once(struct bench *bench, const struct exchange *exchange, const struct cut *cut)
{
    struct run run;

    run_once(bench, &run, exchange, cut);
    bench->tally.cuts++;
    leaked(bench, &run, counts_equal(counts_of_rill(), bench->rill), "memory of rill is left");
    leaked(bench, &run, counts_equal(counts_of_openssl(), bench->openssl),
           "memory of OpenSSL is left");
    bench->rill = counts_of_rill(); /* a leak is told once */
    bench->openssl = counts_of_openssl();
}

/* -- one exchange ----------------------------------------------------------------------------- */

struct range {
    size_t from;
    size_t to;
};

/* Whole runs: the first ones fill what the loop and OpenSSL keep, the last one is the record. */
static void record(struct bench *bench, const struct exchange *exchange, struct range ranges[2])
{
    const struct cut none = {.given = false};
    struct run run;

    for (int i = 0; i < WARM_UPS; i++) {
        run_once(bench, &run, exchange, &none);
    }
    bench->rill = counts_of_rill();
    bench->openssl = counts_of_openssl();
    ranges[FROM_PEER] = (struct range){0, run.closing.from_peer};
    ranges[FROM_RILL] = (struct range){0, run.closing.from_rill};
    if (exchange->cuts_closing) {
        ranges[FROM_PEER] = (struct range){run.closing.from_peer, run.wire.sent};
        ranges[FROM_RILL] = (struct range){run.closing.from_rill, run.wire.taken};
    }
}

static void cut_everywhere(struct bench *bench, const struct exchange *exchange)
{
    const size_t before = bench->tally.cuts;
    struct range ranges[2];

    record(bench, exchange, ranges);
    for (enum direction direction = FROM_PEER; direction <= FROM_RILL; direction++) {
        for (size_t at = ranges[direction].from; at < ranges[direction].to; at += bench->every) {
            for (enum ending ending = 0; ending < ENDINGS; ending++) {
                const struct cut cut = {true, direction, at, ending};
                cut_once(bench, exchange, &cut);
            }
        }
    }
    const size_t of_peer = ranges[FROM_PEER].to - ranges[FROM_PEER].from;
    const size_t of_rill = ranges[FROM_RILL].to - ranges[FROM_RILL].from;
    printf("%-22s bytes=%zu (peer %zu, rill %zu) cuts=%zu\n", exchange->name, of_peer + of_rill,
           of_peer, of_rill, bench->tally.cuts - before);
    fflush(stdout);
}

/* -- the command line ------------------------------------------------------------------------- */

static int usage(void)
{
    fprintf(stderr, "usage: tls_wire_cuts [--every N] [EXCHANGE [peer|rill BYTE "
                    "fin|rst|stall|drip]]\n");
    return 2;
}

static const struct exchange *find_exchange(const char *name)
{
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        if (strcmp(exchanges[i].name, name) == 0) {
            return &exchanges[i];
        }
    }
    return NULL;
}

static bool parse_cut(char **arguments, struct cut *cut)
{
    *cut = (struct cut){.given = true, .ending = ENDINGS};
    cut->direction = strcmp(arguments[0], "peer") == 0 ? FROM_PEER : FROM_RILL;
    cut->at = strtoul(arguments[1], NULL, 10);
    for (enum ending ending = 0; ending < ENDINGS; ending++) {
        cut->ending = strcmp(arguments[2], ending_names[ending]) == 0 ? ending : cut->ending;
    }
    return cut->ending != ENDINGS;
}

static int cut_exchanges(struct bench *bench, int count, char **arguments)
{
    const struct exchange *const only = count > 0 ? find_exchange(arguments[0]) : NULL;
    struct range ranges[2];
    struct cut cut;

    if ((count > 0 && only == NULL) ||
        (count > 1 && (count != 4 || !parse_cut(arguments + 1, &cut)))) {
        return usage();
    }
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        if (count == 0 || (count == 1 && only == &exchanges[i])) {
            cut_everywhere(bench, &exchanges[i]);
        }
    }
    if (count == 4) {
        record(bench, only, ranges);
        cut_once(bench, only, &cut);
    }
    return 0;
}

int main(int count, char **arguments)
{
    static struct bench bench = {.every = 1};
    int used = 1;

    if (count > 2 && strcmp(arguments[1], "--every") == 0) {
        bench.every = strtoul(arguments[2], NULL, 10);
        used = 3;
    }
    if (bench.every == 0) {
        return usage();
    }
    if (!counts_install() || !bench_open(&bench)) {
        fprintf(stderr, "tls_wire_cuts: no loop\n");
        return EXIT_FAILURE;
    }
    const int rc = cut_exchanges(&bench, count - used, arguments + used);
    rill_loop_free(bench.loop);
    material_free(&bench.material);
    const struct tally *const tally = &bench.tally;
    if (rc == 0) {
        printf("tls_wire_cuts: cuts=%zu hang=%zu leak=%zu undocumented=%zu", tally->cuts,
               tally->hang, tally->leak, tally->undocumented);
        printf(bench.every == 1 ? " (every byte)\n" : " (SAMPLED: every %zuth byte)\n",
               bench.every);
    }
    const bool fine = tally->cuts > 0 && tally->hang + tally->leak + tally->undocumented == 0;
    return rc != 0 ? rc : fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
