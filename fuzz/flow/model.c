/* SPDX-License-Identifier: MIT
 *
 * The model. Every function does what the rule beside it says.
 */
#include "flow/model.h"

#include <string.h>

enum { DEFAULT_HIGH = 65536 };

void flow_model_init(struct flow_model *model, struct flow_limit window)
{
    *model = (struct flow_model){.window = window,
                                 .high = DEFAULT_HIGH,
                                 .low = DEFAULT_HIGH / 4,
                                 .reading = true}; /* */
}

static size_t room(const struct flow_model *model)
{
    if (!model->window.given) {
        return SIZE_MAX;
    }
    const size_t window = (size_t)model->window.value;
    return window > model->received ? window - model->received : 0;
}

struct flow_moment flow_model_moment(const struct flow_model *model)
{
    return (struct flow_moment){.queued = model->queued,
                                .room = room(model),
                                .high = (size_t)model->high,
                                .low = (size_t)model->low};
}

static void note_error(struct flow_model *model, enum flow_what what, size_t number,
                       const char *error, const char *text)
{
    struct flow_event *event = flow_note(model->seen, what, number, error);
    (void)snprintf(event->text, sizeof event->text, "%s", text);
}

static void note(struct flow_model *model, enum flow_what what, size_t number)
{
    (void)flow_note(model->seen, what, number, NULL);
}

/* ---- pausing ---- */

static void maybe_pause(struct flow_model *model) /* */
{
    if (!model->paused && (long long)model->queued > model->high) {
        model->paused = true;
        note(model, SAW_PAUSE, 0);
    }
}

/* ---- losing ---- */

/* Pieces whose bytes are all out, or all of them. */
static void give_back(struct flow_model *model, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < model->lent_count; i++) {
        if (all || model->lent[i].end <= model->written - model->queued) {
            note(model, SAW_DONE, model->lent[i].number);
        } else {
            model->lent[kept++] = model->lent[i];
        }
    }
    model->lent_count = kept;
}

/* what is queued is dropped, connection_lost comes in the next iteration. */
static void force_close(struct flow_model *model, enum flow_loss loss)
{
    if (model->loss_is_due || model->lost) {
        return;
    }
    model->closing = true;
    model->reading = false;
    model->loss_is_due = true;
    model->loss = loss;
    model->queued = 0;
    give_back(model, true);
}

static void close_it(struct flow_model *model) /* */
{
    if (model->closing) {
        return;
    }
    model->closing = true;
    model->reading = false;
    if (model->queued == 0) {
        model->loss_is_due = true;
        model->loss = LOSS_CLEAN;
    }
}

/* ---- sending ---- */

enum sent { SENT, LATER, FAILED };

/* One send(2) of all that is given; FAILED: the connection is being lost. */
static enum sent send_some(struct flow_model *model, size_t size, size_t *sent)
{
    *sent = 0;
    if (model->reset_is_due) {
        model->reset_is_due = false;
        force_close(model, LOSS_RESET);
        return FAILED;
    }
    if (model->peer_closed || model->shut) {
        force_close(model, LOSS_PIPE);
        return FAILED;
    }
    *sent = size < room(model) ? size : room(model);
    model->received += *sent;
    return *sent > 0 ? SENT : LATER;
}

static bool refuse_after_eof(struct flow_model *model, size_t task, const char *call)
{
    char text[64];
    if (model->eof) {
        (void)snprintf(text, sizeof text, "Cannot call %s() after write_eof()", call);
        note_error(model, SAW_ERROR, task, "RuntimeError", text);
    }
    return model->eof;
}

/* True when the bytes are taken, to be sent or queued. */
static bool send_or_queue(struct flow_model *model, size_t size)
{
    size_t sent = 0;
    if (size == 0 || model->loss_is_due || model->lost ||
        (model->queued == 0 && send_some(model, size, &sent) == FAILED)) {
        return false;
    }
    model->written += size;
    model->queued += size - sent;
    return true;
}

static void write_now(struct flow_model *model, size_t task, size_t size)
{
    if (!refuse_after_eof(model, task, "write") && send_or_queue(model, size)) {
        maybe_pause(model);
    }
}

static void lend(struct flow_model *model, size_t size)
{
    if (refuse_after_eof(model, 0, "write")) {
        return;
    }
    const size_t number = ++model->pieces;
    if (!send_or_queue(model, size) || model->queued == 0) {
        note(model, SAW_DONE, number);
        return;
    }
    model->lent[model->lent_count++] = (struct flow_piece){number, model->written};
    maybe_pause(model);
}

static void write_eof(struct flow_model *model, size_t task) /* */
{
    if (model->closing || model->eof) {
        return;
    }
    model->eof = true;
    if (model->queued == 0 && model->peer_closed) {
        note_error(model, SAW_ERROR, task, "OSError",
                   "[Errno 107] Transport endpoint is not connected");
    } else if (model->queued == 0) {
        model->shut = true;
    }
}

/* ---- draining ---- */

static void raise_loss(struct flow_model *model, const struct flow_task *task)
{
    if (model->loss == LOSS_RESET) {
        note_error(model, SAW_ENDED, task->number, "ConnectionResetError",
                   "[Errno 104] Connection reset by peer");
    } else {
        note_error(model, SAW_ENDED, task->number, "BrokenPipeError", "[Errno 32] Broken pipe");
    }
}

static void drained(struct flow_model *model, const struct flow_task *task)
{
    if (task->more > 0) {
        write_now(model, task->number, task->more);
    }
    note(model, SAW_ENDED, task->number);
}

/* Every waiting drain goes on; what pauses again before it runs does not stop it. */
static void wake_all(struct flow_model *model, bool fails)
{
    for (size_t i = 0; i < model->waiting_count; i++) {
        model->woken[model->woken_count] = model->waiting[i];
        model->woken[model->woken_count++].fails = fails;
    }
    model->waiting_count = 0;
}

static bool run_woken(struct flow_model *model)
{
    const size_t count = model->woken_count;
    for (size_t i = 0; i < count; i++) {
        const struct flow_task *task = &model->woken[i];
        if (task->fails) {
            raise_loss(model, task);
        } else {
            drained(model, task);
        }
    }
    model->woken_count = 0;
    return count > 0;
}

/* those that wait raise the error, or return after a clean loss. */
static void lose(struct flow_model *model)
{
    model->loss_is_due = false;
    model->lost = true;
    wake_all(model, model->loss != LOSS_CLEAN);
}

/* The order of section 2.2. */
static void drain(struct flow_model *model, struct flow_task task)
{
    if (model->lost && model->loss != LOSS_CLEAN) {
        raise_loss(model, &task); /* */
        return;
    }
    if (model->closing && model->loss_is_due) {
        lose(model); /* during the iteration for which it yields */
    }
    if (model->lost) { /* */
        note_error(model, SAW_ENDED, task.number, "ConnectionResetError", "Connection lost");
    } else if (model->paused) {
        model->waiting[model->waiting_count++] = task;
    } else {
        drained(model, &task); /* */
    }
}

static void drain_in_task(struct flow_model *model, const struct flow_op *op)
{
    const struct flow_task task = {.number = ++model->tasks, .more = op->more};
    switch (op->first) {
    case FIRST_WRITE:
        write_now(model, task.number, op->size);
        break;
    case FIRST_CLOSE:
        close_it(model);
        break;
    case FIRST_ABORT:
        force_close(model, LOSS_CLEAN);
        break;
    case FIRST_WRITE_EOF:
        write_eof(model, task.number);
        break;
    default:
        break;
    }
    drain(model, task);
}

static void cancel(struct flow_model *model, size_t which) /* */
{
    if (model->waiting_count == 0) {
        return;
    }
    which %= model->waiting_count;
    note_error(model, SAW_ENDED, model->waiting[which].number, "CancelledError", "");
    model->waiting_count--;
    memmove(&model->waiting[which], &model->waiting[which + 1],
            (model->waiting_count - which) * sizeof model->waiting[0]);
}

/* ---- what happens by itself ---- */

static bool read_turn(struct flow_model *model)
{
    if (!model->reading) {
        return false;
    }
    if (model->reset_is_due) {
        model->reset_is_due = false;
        force_close(model, LOSS_RESET);
        return true;
    }
    model->reading = !model->peer_shut; /* stays open for writing */
    return model->peer_shut;
}

static void maybe_resume(struct flow_model *model) /* */
{
    if (model->paused && (long long)model->queued <= model->low) {
        model->paused = false;
        note(model, SAW_RESUME, 0);
        wake_all(model, false);
    }
}

static void flushed(struct flow_model *model)
{
    if (model->closing) {
        lose(model); /* at once */
    } else if (model->eof) {
        model->shut = true;
    }
}

static bool write_turn(struct flow_model *model)
{
    size_t sent;
    if (model->queued == 0 || model->loss_is_due || model->lost) {
        return false;
    }
    const enum sent what = send_some(model, model->queued, &sent);
    if (what != SENT) {
        return what == FAILED;
    }
    model->queued -= sent;
    maybe_resume(model);
    if (model->queued == 0) {
        flushed(model);
    }
    give_back(model, false);
    return true;
}

static void settle(struct flow_model *model)
{
    bool moved = true;
    while (moved) {
        const bool read = read_turn(model);
        const bool wrote = write_turn(model);
        const bool lost = model->loss_is_due;
        if (lost) {
            lose(model);
        }
        moved = run_woken(model) || read || wrote || lost;
    }
}

/* ---- operations ---- */

/* In asyncio's own numbers, which have no end; rill's stop at a long long. */
static long long four_times(long long low)
{
    if (low > INT64_MAX / 4) {
        return INT64_MAX;
    }
    return low < INT64_MIN / 4 ? INT64_MIN : 4 * low;
}

static long long floor_of_quarter(long long high)
{
    return high >= 0 ? high / 4 : -((-(high + 1)) / 4) - 1;
}

static void set_limits(struct flow_model *model, const struct flow_op *op) /* */
{
    long long high = op->low.given ? four_times(op->low.value) : DEFAULT_HIGH;
    if (op->high.given) {
        high = op->high.value;
    }
    const long long low = op->low.given ? op->low.value : floor_of_quarter(high);
    if (high < low || low < 0) {
        char text[80];
        (void)snprintf(text, sizeof text, "high (%lld) must be >= low (%lld) must be >= 0", high,
                       low);
        note_error(model, SAW_ERROR, 0, "ValueError", text);
        return;
    }
    model->high = high;
    model->low = low;
    maybe_pause(model);
}

static void discard(struct flow_model *model, size_t size)
{
    model->received -= size < model->received ? size : model->received;
}

/* Bytes that the peer has not read make its close a reset. */
static void peer_close(struct flow_model *model, bool reset)
{
    model->peer_shut = true;
    model->peer_closed = true;
    model->reset_is_due = model->reset_is_due || reset || model->received > 0;
}

static void writelines(struct flow_model *model, const struct flow_op *op)
{
    if (!refuse_after_eof(model, 0, "writelines") &&
        send_or_queue(model, op->size + op->more)) { /* */
        maybe_pause(model);
    }
}

static void play(struct flow_model *model, const struct flow_op *op)
{
    switch (op->kind) {
    case FLOW_WRITE:
        write_now(model, 0, op->size);
        break;
    case FLOW_WRITELINES:
        writelines(model, op);
        break;
    case FLOW_LEND:
        lend(model, op->size);
        break;
    case FLOW_DRAIN:
        drain_in_task(model, op);
        break;
    case FLOW_CANCEL:
        cancel(model, op->size);
        break;
    case FLOW_LIMITS:
        set_limits(model, op);
        break;
    case FLOW_WINDOW:
        model->window = op->window;
        break;
    case FLOW_DISCARD:
        discard(model, op->size);
        break;
    case FLOW_WRITE_EOF:
        write_eof(model, 0);
        break;
    case FLOW_CLOSE:
        close_it(model);
        break;
    case FLOW_ABORT:
        force_close(model, LOSS_CLEAN);
        break;
    case FLOW_PEER_SHUTDOWN:
        model->peer_shut = true;
        break;
    default:
        peer_close(model, op->kind == FLOW_PEER_RESET);
        break;
    }
}

static void see(const struct flow_model *model, struct flow_seen *seen)
{
    seen->buffered = model->queued;
    seen->low = (size_t)model->low;
    seen->high = (size_t)model->high;
    seen->waiting = model->waiting_count;
    seen->received = model->received;
    seen->paused = model->paused;
    seen->closing = model->closing;
    seen->ended = model->shut || model->lost;
}

void flow_model_step(struct flow_model *model, const struct flow_op *op, struct flow_seen *seen)
{
    seen->count = 0;
    model->seen = seen;
    play(model, op);
    settle(model);
    see(model, seen);
}

void flow_model_end(struct flow_model *model, struct flow_seen *seen)
{
    flow_model_step(model, &(struct flow_op){.kind = FLOW_ABORT}, seen);
}
