/* SPDX-License-Identifier: MIT
 *
 * The writer and the model in step, and how that ends badly: one function for each kind of
 * difference.
 */
#include "flow/duel.h"

#include <stdlib.h>
#include <string.h>

static void print_duel(const void *story)
{
    const struct flow_duel *duel = story;
    if (duel->player.window.given) {
        (void)fprintf(stderr, "window %lld\n", duel->player.window.value);
    }
    for (size_t i = 0; i < duel->count; i++) {
        flow_print_op(&duel->ops[i], stderr);
    }
}

static _Noreturn void die(const struct flow_duel *duel, const char *kind)
{
    print_duel(duel);
    (void)fprintf(stderr, "%s at operation %zu\nrill    ", kind, duel->count);
    flow_print_seen(&duel->of_rill, stderr);
    (void)fputs("model   ", stderr);
    flow_print_seen(&duel->of_model, stderr);
    abort();
}

/* pause_writing, resume_writing, drains and lent pieces: what happened, in which order. */
static _Noreturn void mismatch_events(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_error(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_buffered(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_limits(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_paused(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_waiting(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_closing(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_received(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static _Noreturn void mismatch_end(const struct flow_duel *duel)
{
    die(duel, __func__);
}

static void compare_events(const struct flow_duel *duel)
{
    const struct flow_seen *rill = &duel->of_rill;
    const struct flow_seen *model = &duel->of_model;
    if (rill->count != model->count) {
        mismatch_events(duel);
    }
    for (size_t i = 0; i < rill->count; i++) {
        const struct flow_event *a = &rill->events[i];
        const struct flow_event *b = &model->events[i];
        if (a->what != b->what || a->number != b->number ||
            (a->error == NULL) != (b->error == NULL)) {
            mismatch_events(duel);
        }
        if (a->error != NULL &&
            (strcmp(a->error, b->error) != 0 || strcmp(a->text, b->text) != 0)) {
            mismatch_error(duel);
        }
    }
}

static void compare(const struct flow_duel *duel)
{
    const struct flow_seen *rill = &duel->of_rill;
    const struct flow_seen *model = &duel->of_model;

    compare_events(duel);
    if (rill->buffered != model->buffered) {
        mismatch_buffered(duel);
    }
    if (rill->low != model->low || rill->high != model->high) {
        mismatch_limits(duel);
    }
    if (rill->paused != model->paused) {
        mismatch_paused(duel);
    }
    if (rill->waiting != model->waiting) {
        mismatch_waiting(duel);
    }
    if (rill->closing != model->closing) {
        mismatch_closing(duel);
    }
    if (rill->received != model->received) {
        mismatch_received(duel);
    }
    if (rill->ended != model->ended) {
        mismatch_end(duel);
    }
}

/* Pieces that are lent at the same time are few: one send takes so many parts and no more, and the
 * model's sends take everything. */
static bool is_too_much(const struct flow_duel *duel, const struct flow_op *op)
{
    return op->kind == FLOW_LEND && duel->model.lent_count == FLOW_LENT_MAX;
}

static void play(struct flow_duel *duel, struct flow_source *source)
{
    while (source->left > 0 && duel->count < FLOW_OPS_MAX) {
        const struct flow_moment now = flow_model_moment(&duel->model);
        struct flow_op *op = &duel->ops[duel->count];
        flow_take_op(source, &now, op);
        if (is_too_much(duel, op)) {
            continue;
        }
        duel->count++;
        flow_model_step(&duel->model, op, &duel->of_model);
        flow_player_step(&duel->player, op, &duel->of_rill);
        compare(duel);
    }
}

static void begin(struct flow_duel *duel, struct rig *rig, struct flow_limit window)
{
    const struct rig_plan plan = {.fresh = false};
    if (!rig_begin(rig, &plan) || !flow_player_begin(&duel->player, rig, window)) {
        abort(); /* nothing fails here on purpose */
    }
    rig_story(rig, print_duel, duel);
}

void flow_duel_play(struct flow_duel *duel, struct rig *rig, const uint8_t *data, size_t size)
{
    struct flow_source source = {data, size};
    const struct flow_limit window = flow_take_window(&source);

    duel->count = 0;
    flow_model_init(&duel->model, window);
    begin(duel, rig, window);
    play(duel, &source);
    flow_model_end(&duel->model, &duel->of_model);
    flow_player_end(&duel->player, &duel->of_rill);
    compare(duel);
    rig_end(rig);
}

void flow_duel_play_alone(struct flow_duel *duel, struct rig *rig)
{
    begin(duel, rig, duel->player.window);
    for (size_t i = 0; i < duel->count; i++) {
        flow_player_step(&duel->player, &duel->ops[i], &duel->of_rill);
    }
    flow_player_end(&duel->player, &duel->of_rill);
    rig_end(rig);
}
