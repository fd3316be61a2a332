/* SPDX-License-Identifier: MIT
 *
 * How a duel ends badly: one function for each kind of difference and for each invariant. What is
 * printed before is enough to begin with: the operation, both observations, and the script up to
 * there as a line and as a case.
 */
#include <stdlib.h>
#include <string.h>

#include "reader/duel.h"

static void print_script(const struct duel *duel, FILE *out)
{
    struct script played = *duel->script;
    if (duel->step < played.count) {
        played.count = duel->step + 1;
    }
    fputs("script  ", out);
    script_print(&played, out);
    fputs("\n\n", out);
    script_print_case(&played, "found/name-me", out);
}

/* Of long buffers only the beginning. */
static void print_observation(const char *whose, const struct observation *seen, FILE *out)
{
    enum { SHOWN = 300 };
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL) {
        return;
    }
    observation_print(seen, memory);
    fclose(memory);
    fprintf(out, "%-8s%.*s%s\n", whose, SHOWN, text, size > SHOWN ? "..." : "");
    free(text);
}

static _Noreturn void die(const struct duel *duel, const char *kind)
{
    fprintf(stderr, "%s at operation %zu\n", kind, duel->step + 1);
    print_observation("rill", &duel->of_rill, stderr);
    print_observation(duel->judge, &duel->of_model, stderr);
    print_script(duel, stderr);
    abort();
}

/* ---- differences ---- */

/* Which call ended, or whether one did. */
static _Noreturn void mismatch_call(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_refused(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_error(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_text(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_result(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_partial(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_expected(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_consumed(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_buffer(const struct duel *duel)
{
    die(duel, __func__);
}

/* pause_reading and resume_reading: how often, in which order. */
static _Noreturn void mismatch_flow(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_paused(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_eof(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_at_eof(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_waiting(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_exception(const struct duel *duel)
{
    die(duel, __func__);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_bytes(struct script_bytes a, struct script_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void compare_outcome(const struct duel *duel)
{
    const struct model_outcome *rill = &duel->of_rill.outcome;
    const struct model_outcome *model = &duel->of_model.outcome;

    if (!same_text(rill->error, model->error)) {
        mismatch_error(duel);
    }
    if (!same_text(rill->text, model->text)) {
        mismatch_text(duel);
    }
    if (rill->expected != model->expected) {
        mismatch_expected(duel);
    }
    if (rill->consumed != model->consumed) {
        mismatch_consumed(duel);
    }
    if (!same_bytes(rill->bytes, model->bytes)) {
        (rill->error != NULL ? mismatch_partial : mismatch_result)(duel);
    }
}

static void compare_state(const struct duel *duel)
{
    const struct observation *rill = &duel->of_rill;
    const struct observation *model = &duel->of_model;

    if (!same_bytes(rill->buffered, model->buffered)) {
        mismatch_buffer(duel);
    }
    if (rill->eof != model->eof) {
        mismatch_eof(duel);
    }
    if (rill->at_eof != model->at_eof) {
        mismatch_at_eof(duel);
    }
    if (rill->paused != model->paused) {
        mismatch_paused(duel);
    }
    if (rill->waiting != model->waiting) {
        mismatch_waiting(duel);
    }
    if (rill->exception != model->exception) {
        mismatch_exception(duel);
    }
}

_Noreturn void duel_lost(const struct duel *duel)
{
    if (duel->of_rill.call != duel->of_model.call) {
        mismatch_call(duel);
    }
    if (!same_text(duel->of_rill.refused, duel->of_model.refused)) {
        mismatch_refused(duel);
    }
    compare_outcome(duel);
    compare_state(duel);
    mismatch_flow(duel); /* all that is left */
}

/* ---- invariants ---- */

/* A capacity is a power of two from 1 KiB on, and below three times what had to be kept when it
 * grew (sansio/buffer.h: 2 * (1.5 * kept + asked for)). */
static _Noreturn void invariant_buffer_too_large(const struct duel *duel)
{
    fprintf(stderr, "capacity %zu, at most %zu bytes kept\n", duel->rill.reader.buffer.capacity,
            duel->rill.most_kept);
    die(duel, __func__);
}

/* Besides the buffer's own block at most two are kept: for the view of the last call, and for that
 * of a call which waited meanwhile. */
static _Noreturn void invariant_retired_blocks_pile_up(const struct duel *duel)
{
    die(duel, __func__);
}

/* A call that waits could have been answered. */
static _Noreturn void invariant_lost_wake_up(const struct duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void invariant_memory_left(const struct duel *duel)
{
    die(duel, __func__);
}

static bool buffer_in_its_formula(const struct player *player)
{
    const size_t capacity = player->reader.buffer.capacity;
    return (capacity & (capacity - 1)) == 0 &&
           (capacity <= RILL__BUFFER_CAPACITY_MIN || capacity < 3 * player->most_kept);
}

void invariants_of_player(const struct duel *duel)
{
    const struct rill__reader *reader = &duel->rill.reader;

    if (!buffer_in_its_formula(&duel->rill)) {
        invariant_buffer_too_large(duel);
    }
    const struct rill__block *retired = reader->buffer.retired;
    if (retired != NULL && retired->next != NULL && retired->next->next != NULL) {
        invariant_retired_blocks_pile_up(duel);
    }
    if (reader->waiter != NULL && (reader->eof || reader->waiter->woken)) {
        invariant_lost_wake_up(duel);
    }
}

void invariant_nothing_left(const struct duel *duel, size_t before, size_t after)
{
    if (after != before) {
        fprintf(stderr, "%zu blocks before, %zu after\n", before, after);
        invariant_memory_left(duel);
    }
}
