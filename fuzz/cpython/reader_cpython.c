/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `reader_cpython`: the bytes are a script for one reader (conformance/model/codec.h),
 * played by rill, by CPython's own StreamReader in this process, and by the model, of which the
 * other targets take it that it is equal to CPython. CPython's branches steer the fuzzer beside
 * rill's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cpython/player.h"
#include "cpython/steering.h"
#include "reader/duel.h"
#include "reader/ledger.h"
#include "reader/program.h"
#include "target.h"

enum { REPEATS = 4 }; /* of a script that may have lost some of CPython's memory */

struct target {
    struct cpython python;
    size_t most_used; /* bytes of Python's memory behind a script, so far */
    struct cpython_player cpython;
    struct observation of_model;
};

/* An engine calls its target with bytes and nothing else: what lasts is the process's. */
static struct target *the_target(void)
{
    static struct target target;
    return &target;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct target *target = the_target();
    (void)argc;
    (void)argv;
    (void)ledger_open();
    cpython_start(&target->python);
    cpython_player_init(&target->cpython, &target->python, true);
    const char *steers = cpython_steer(&target->python) ? "its branches steer" : "without steering";
    fprintf(stderr, "CPython %s, %s\n", PY_VERSION, steers);
    target->most_used = cpython_memory_used(target->python.memory);
    return 0;
}

/* AddressSanitizer need not watch every access to a thread's own memory, of which CPython makes a
 * hundred for each operation: the block is there from the start, and LeakSanitizer knows it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}

/* ---- what must hold ---- */

static void print_observation(const char *whose, const struct observation *seen)
{
    fprintf(stderr, "%-8s", whose);
    observation_print(seen, stderr);
    fputc('\n', stderr);
}

/* rill is right, and the model, which judges it elsewhere, is not. */
static _Noreturn void mismatch_model_and_cpython(const struct duel *duel,
                                                 const struct observation *of_model)
{
    fprintf(stderr, "%s at operation %zu\n", __func__, duel->step + 1);
    print_observation("model", of_model);
    print_observation("cpython", &duel->of_model);
    script_print(duel->script, stderr);
    fputc('\n', stderr);
    abort();
}

/* Something of CPython's that this script made is still there. */
static _Noreturn void invariant_cpython_memory_left(const struct script *script)
{
    fprintf(stderr, "%s\n", __func__);
    script_print(script, stderr);
    fputc('\n', stderr);
    abort();
}

/* ---- playing ---- */

static void play_step(struct target *target, struct duel *duel)
{
    const struct script_op *op = &duel->script->ops[duel->step];

    player_step(&duel->rill, op, &duel->of_rill);
    cpython_player_step(&target->cpython, op, &duel->of_model);
    model_step(&duel->model, op, &target->of_model);
    if (!observation_equal(&duel->of_rill, &duel->of_model)) {
        duel_lost(duel);
    }
    if (!observation_equal(&target->of_model, &duel->of_model)) {
        mismatch_model_and_cpython(duel, &target->of_model);
    }
    invariants_of_player(duel);
}

static void play(struct target *target, const struct script *script)
{
    const struct ledger *ledger = ledger_open();
    const size_t before = ledger->blocks;
    struct duel duel;

    duel.judge = "cpython";
    duel.script = script;
    player_begin(&duel.rill, script);
    cpython_player_begin(&target->cpython, script);
    model_init(&duel.model, script, true, MODEL_RIGHT); /* as rill departs by Q-17 */
    for (duel.step = 0; duel.step < script->count; duel.step++) {
        play_step(target, &duel);
    }
    cpython_player_end(&target->cpython);
    player_end(&duel.rill);
    invariant_nothing_left(&duel, before, ledger->blocks);
}

/* An interpreter takes memory for caches and lists of free objects, and some day has enough; what
 * is lost is lost each time. */
static bool always_grows(struct target *target, const struct script *script)
{
    for (size_t i = 0; i < REPEATS; i++) {
        const size_t before = cpython_memory_used(target->python.memory);
        play(target, script);
        if (cpython_memory_used(target->python.memory) <= before) {
            return false;
        }
    }
    return true;
}

/* Whatever is lost makes a new maximum, which otherwise is rare. */
static void check_memory(struct target *target, const struct script *script)
{
    if (cpython_memory_used(target->python.memory) <= target->most_used) {
        return;
    }
    if (always_grows(target, script)) {
        invariant_cpython_memory_left(script);
    }
    target->most_used = cpython_memory_used(target->python.memory);
}

/* A CPython before 3.13 does not know them. */
static void leave_out_tuples(struct script *script)
{
    size_t kept = 0;
    for (size_t i = 0; i < script->count; i++) {
        if (script->ops[i].kind != SCRIPT_READUNTIL_TUPLE) {
            script->ops[kept++] = script->ops[i];
        }
    }
    script->count = kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target *target = the_target();
    struct program program;

    program_read_readuntil(&program, data, size);
    if (!target->python.takes_tuples) {
        leave_out_tuples(&program.script);
    }
    play(target, &program.script);
    check_memory(target, &program.script);
    return 0;
}
