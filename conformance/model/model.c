/* SPDX-License-Identifier: MIT
 *
 * The model. Every function does what the rule beside it says, in the plainest way; bytes are
 * copied and moved freely.
 */
#include "model.h"

#include <string.h>

enum progress { ENDED, MUST_WAIT };

static const char found_text[] = "Separator is found, but chunk is longer than limit";
static const char not_found_text[] = "Separator is not found, and chunk exceed the limit";

static bool wrong(const struct model *model, enum model_mistake mistake)
{
    return model->mistake == mistake;
}

void model_init(struct model *model, const struct script *script, bool puts_back,
                enum model_mistake mistake)
{
    model->limit = script->limit;
    model->has_transport = script->transport != SCRIPT_NO_TRANSPORT;
    model->can_pause = script->transport == SCRIPT_PAUSES;
    model->eof = model->paused = model->exception = model->waiting = false;
    model->calls = model->length = model->taken_length = 0;
    model->puts_back = puts_back;
    model->mistake = mistake;
}

/* ---- the buffer ---- */

static void drop_front(struct model *model, size_t count)
{
    memmove(model->buffer, model->buffer + count, model->length - count);
    model->length -= count;
}

static void take(struct model *model, size_t count)
{
    memcpy(model->taken + model->taken_length, model->buffer, count);
    model->taken_length += count;
    drop_front(model, count);
}

static void put_back(struct model *model)
{
    memmove(model->buffer + model->taken_length, model->buffer, model->length);
    memcpy(model->buffer, model->taken, model->taken_length);
    model->length += model->taken_length;
}

/* ---- pausing ---- */

static void maybe_pause(struct model *model, struct observation *seen) /* */
{
    size_t mark = 2 * model->limit;
    if (wrong(model, WRONG_PAUSE_AT_TWICE_THE_LIMIT)) {
        mark--;
    }
    if (wrong(model, WRONG_PAUSE_ABOVE_THE_LIMIT)) {
        mark = model->limit;
    }
    const bool paused = model->paused && !wrong(model, WRONG_PAUSE_TWICE);
    if (!model->has_transport || paused || model->length <= mark) {
        return;
    }
    observation_flow(seen, 'P');
    if (model->can_pause) {
        model->paused = true;
    } else {
        model->has_transport = wrong(model, WRONG_NEVER_FORGETS_TRANSPORT); /* */
    }
}

static void resume(struct model *model, struct observation *seen)
{
    model->paused = false;
    observation_flow(seen, 'R');
}

static void maybe_resume(struct model *model, struct observation *seen) /* */
{
    const size_t mark = model->limit - (wrong(model, WRONG_RESUME_BELOW_THE_LIMIT) ? 1 : 0);
    if (model->paused && model->length <= mark) {
        resume(model, seen);
    }
}

/* ---- how a call ends ---- */

static enum progress raise(struct observation *seen, const char *error, const char *text)
{
    seen->outcome.error = error;
    seen->outcome.text = text;
    return ENDED;
}

static enum progress give(struct model *model, struct observation *seen)
{
    seen->outcome.bytes = (struct script_bytes){model->taken, model->taken_length};
    return ENDED;
}

static enum progress raise_incomplete(struct model *model, long expected, struct observation *seen)
{
    char wanted[24] = "undefined";

    take(model, model->length); /* the buffer is emptied, no resume test */
    if (expected >= 0) {
        snprintf(wanted, sizeof wanted, "%ld", expected);
    }
    snprintf(model->text, sizeof model->text, "%zu bytes read on a total of %s expected bytes",
             model->taken_length, wanted); /* */
    give(model, seen);
    if (wrong(model, WRONG_PARTIAL_STAYS)) {
        put_back(model);
    }
    seen->outcome.expected = expected;
    return raise(seen, "IncompleteReadError", model->text);
}

static enum progress raise_limit(struct model *model, size_t consumed, const char *text,
                                 struct observation *seen)
{
    if (wrong(model, WRONG_RESUME_AFTER_OVERRUN)) {
        resume(model, seen);
    }
    seen->outcome.consumed = consumed; /* buffer intact, no resume test */
    return raise(seen, "LimitOverrunError", text);
}

static enum progress raise_stored(struct observation *seen)
{
    return raise(seen, SCRIPT_EXCEPTION_CLASS, SCRIPT_EXCEPTION_TEXT);
}

/* ---- the calls: as far as what is buffered allows ---- */

static enum progress read_some(struct model *model, size_t most, struct observation *seen)
{
    if (model->length == 0 && !model->eof) {
        return MUST_WAIT; /* */
    }
    if (wrong(model, WRONG_READ_WAITS_TO_FILL) && model->length < most && !model->eof) {
        return MUST_WAIT;
    }
    take(model, most < model->length ? most : model->length); /* */
    maybe_resume(model, seen);                                /* */
    return give(model, seen);
}

static enum progress read_all(struct model *model, struct observation *seen) /* */
{
    for (;;) {
        const size_t before = model->taken_length;
        if (read_some(model, model->limit, seen) == MUST_WAIT) {
            return MUST_WAIT;
        }
        if (model->taken_length == before || wrong(model, WRONG_READ_ALL_IS_ONE_BLOCK)) {
            return ENDED;
        }
    }
}

static enum progress readexactly(struct model *model, size_t n, struct observation *seen)
{
    if (model->length < n && !model->eof) {
        return MUST_WAIT; /* */
    }
    if (model->length < n && !wrong(model, WRONG_EXACTLY_RETURNS_SHORT_AT_EOF)) {
        return raise_incomplete(model, (long)n, seen); /* */
    }
    take(model, n < model->length ? n : model->length); /* */
    maybe_resume(model, seen);
    return give(model, seen);
}

/* The first place at or behind `from` where the separator stands, or -1. */
static long find(const struct model *model, struct script_bytes separator, long from)
{
    for (long at = from; at + (long)separator.len <= (long)model->length; at++) {
        if (model->buffer[at] == separator.ptr[0] &&
            memcmp(model->buffer + at, separator.ptr, separator.len) == 0) {
            return at;
        }
    }
    return -1;
}

/* the smallest end wins, on equal ends the shortest. False: there is none. */
static bool find_any(const struct model *model, const struct model_call *call, long *start,
                     long *end)
{
    *end = -1;
    for (size_t i = 0; i < call->op->separator_count; i++) {
        const struct script_bytes separator = call->op->separators[i];
        const long found = find(model, separator, call->offset);
        const long stops = found + (long)separator.len;
        if (found < 0 || (*end >= 0 && wrong(model, WRONG_FIRST_SEPARATOR_WINS))) {
            continue;
        }
        const bool better_on_equal =
            wrong(model, WRONG_LONGEST_SEPARATOR_WINS) ? found < *start : found > *start;
        if (*end < 0 || stops < *end || (stops == *end && better_on_equal)) {
            *start = found;
            *end = stops;
        }
    }
    return *end >= 0;
}

static long shortest(const struct script_op *op)
{
    size_t length = op->separators[0].len;
    for (size_t i = 1; i < op->separator_count; i++) {
        length = op->separators[i].len < length ? op->separators[i].len : length;
    }
    return (long)length;
}

static long longest(const struct script_op *op)
{
    size_t length = 0;
    for (size_t i = 0; i < op->separator_count; i++) {
        length = op->separators[i].len > length ? op->separators[i].len : length;
    }
    return (long)length;
}

/* Where the next search begins (1.5, R-158). */
static long next_offset(const struct model *model, const struct script_op *op)
{
    long overlap = longest(op) - 1;
    if (wrong(model, WRONG_OFFSET_SKIPS_SPLIT_SEPARATOR)) {
        overlap = 0;
    }
    if (wrong(model, WRONG_OFFSET_BY_SHORTEST)) {
        overlap = shortest(op) - 1;
    }
    const long offset = (long)model->length - overlap;
    return offset > 0 && !wrong(model, WRONG_OFFSET_NOT_MOVED) ? offset : 0;
}

static enum progress take_to(struct model *model, long start, long end, struct observation *seen)
{
    long limit = (long)model->limit;
    long consumed = start;
    if (wrong(model, WRONG_FOUND_LIMIT_OFF_BY_ONE)) {
        limit--;
    }
    if (wrong(model, WRONG_LIMIT_COUNTS_SEPARATOR)) {
        start = end;
    }
    if (wrong(model, WRONG_CONSUMED_PAST_SEPARATOR)) {
        consumed = end;
    }
    if (start > limit) { /* */
        return raise_limit(model, (size_t)consumed, found_text, seen);
    }
    take(model, (size_t)end);
    maybe_resume(model, seen);
    return give(model, seen);
}

static enum progress readuntil(struct model *model, struct model_call *call,
                               struct observation *seen)
{
    const struct script_op *op = call->op;
    const long limit =
        (long)model->limit - (wrong(model, WRONG_NOT_FOUND_LIMIT_OFF_BY_ONE) ? 1 : 0);
    const bool eof_first = wrong(model, WRONG_EOF_BEFORE_LIMIT) && model->eof;

    if ((long)model->length - call->offset >= shortest(op)) {
        long start = 0;
        long end;
        if (find_any(model, call, &start, &end)) {
            return take_to(model, start, end, seen);
        }
        call->offset = next_offset(model, op);
        if (call->offset > limit && !eof_first) { /* */
            return raise_limit(model, (size_t)call->offset, not_found_text, seen);
        }
    }
    return model->eof ? raise_incomplete(model, -1, seen) : MUST_WAIT; /* */
}

/* what readline drops after an overrun. */
static void discard_line(struct model *model, size_t consumed)
{
    const bool newline = consumed < model->length && model->buffer[consumed] == '\n';
    if (wrong(model, WRONG_LINE_OVERRUN_KEEPS)) {
        return;
    }
    if (!newline || wrong(model, WRONG_LINE_OVERRUN_CLEARS)) {
        model->length = 0;
    } else {
        drop_front(model, consumed + (wrong(model, WRONG_LINE_OVERRUN_LEAVES_NEWLINE) ? 0 : 1));
    }
}

static enum progress readline(struct model *model, struct model_call *call,
                              struct observation *seen)
{
    static const struct script_op until_newline = {
        .kind = SCRIPT_READUNTIL, .separator_count = 1, .separators = {{"\n", 1}}};

    struct model_call search = {.op = &until_newline, .offset = call->offset}; /* */
    const enum progress progress = readuntil(model, &search, seen);
    call->offset = search.offset;
    if (progress == MUST_WAIT) {
        return MUST_WAIT;
    }
    const char *error = seen->outcome.error;
    if (error != NULL && strcmp(error, "IncompleteReadError") == 0) { /* */
        seen->outcome.error = seen->outcome.text = NULL;
    } else if (error != NULL) { /* LimitOverrunError */
        discard_line(model, seen->outcome.consumed);
        maybe_resume(model, seen);
        seen->outcome.error = "ValueError";
        seen->outcome.consumed = 0;
    }
    seen->outcome.expected = -1;
    return ENDED;
}

static enum progress advance(struct model *model, struct model_call *call, struct observation *seen)
{
    const int n = call->op->n;
    switch (call->op->kind) {
    case SCRIPT_READ:
        return n < 0 ? read_all(model, seen) : read_some(model, (size_t)n, seen);
    case SCRIPT_READEXACTLY:
        return readexactly(model, (size_t)n, seen);
    case SCRIPT_READLINE:
        return readline(model, call, seen);
    default:
        return readuntil(model, call, seen);
    }
}

/* ---- beginning, waiting, waking ---- */

/* What is wrong with the arguments, or NULL. */
static const char *refuse_arguments(const struct script_op *op)
{
    if (op->kind == SCRIPT_READEXACTLY && op->n < 0) {
        return "readexactly size can not be less than zero"; /* */
    }
    if (op->kind == SCRIPT_READUNTIL_TUPLE && op->separator_count == 0) {
        return "Separator should contain at least one element"; /* */
    }
    if ((op->kind == SCRIPT_READUNTIL_TUPLE || op->kind == SCRIPT_READUNTIL) && shortest(op) == 0) {
        return "Separator should be at least one-byte string"; /* */
    }
    return NULL;
}

static const char *second_waiter_text(enum script_kind kind) /* */
{
    switch (kind) {
    case SCRIPT_READ:
        return "read() called while another coroutine is already waiting for incoming data";
    case SCRIPT_READEXACTLY:
        return "readexactly() called while another coroutine is already waiting for incoming data";
    default:
        return "readuntil() called while another coroutine is already waiting for incoming data";
    }
}

/* A read to EOF ends without an answer: Q-17. */
static void let_go_of_taken(struct model *model)
{
    if (model->puts_back) {
        put_back(model);
    }
}

static void go_on(struct model *model, struct model_call *call, struct observation *seen)
{
    if (advance(model, call, seen) == ENDED) {
        seen->call = call->number;
        return;
    }
    if (model->paused && !wrong(model, WRONG_NO_RESUME_BEFORE_WAIT)) {
        resume(model, seen); /* */
    }
    model->waiting = true;
    model->waiter = *call;
}

/* A call beside one that waits: served from the buffer or refused. What the other
 * one has taken so far is kept aside. */
static void go_on_beside_waiter(struct model *model, struct model_call *call,
                                struct observation *seen)
{
    char *others = model->aside;
    const size_t others_length = model->taken_length;

    memcpy(others, model->taken, others_length);
    model->taken_length = 0;
    seen->call = call->number;
    if (wrong(model, WRONG_SECOND_CALL_REFUSED_BEFORE_DATA) ||
        advance(model, call, seen) == MUST_WAIT) {
        seen->outcome = (struct model_outcome){.expected = -1};
        raise(seen, "RuntimeError", second_waiter_text(call->op->kind));
        let_go_of_taken(model);
    }
    /* The answer may refer to `taken`, so what the other call has collected stands behind it. */
    const size_t own = model->taken_length;
    memmove(model->taken + others_length, model->taken, own);
    memcpy(model->taken, others, others_length);
    if (seen->outcome.bytes.len > 0) {
        seen->outcome.bytes.ptr = model->taken + others_length;
    }
    model->taken_length = others_length;
}

static void begin(struct model *model, struct model_call *call, struct observation *seen)
{
    const struct script_op *op = call->op;
    const char *refusal = refuse_arguments(op);
    const bool exception =
        model->exception && !(wrong(model, WRONG_DATA_BEFORE_EXCEPTION) && model->length > 0);
    const bool exception_first = exception && wrong(model, WRONG_EXCEPTION_BEFORE_ARGUMENT);

    seen->call = call->number;
    if (refusal != NULL && !exception_first) {
        raise(seen, "ValueError", refusal);
        return;
    }
    if (exception) { /* on entry only */
        raise_stored(seen);
        return;
    }
    const bool counted = op->kind == SCRIPT_READ || op->kind == SCRIPT_READEXACTLY;
    if (counted && op->n == 0 && !wrong(model, WRONG_READ_ZERO_WAITS)) {
        seen->outcome.bytes = (struct script_bytes){"", 0}; /* */
        return;
    }
    seen->call = 0;
    if (model->waiting) {
        go_on_beside_waiter(model, call, seen);
        return;
    }
    model->taken_length = 0;
    go_on(model, call, seen);
}

static void wake(struct model *model, struct observation *seen) /* */
{
    if (model->waiting) {
        model->waiting = false;
        struct model_call call = model->waiter;
        go_on(model, &call, seen);
    }
}

/* The waiting call ends by an error from outside. */
static void end_waiting(struct model *model, const char *error, const char *text,
                        struct observation *seen)
{
    if (!model->waiting) {
        return;
    }
    model->waiting = false;
    seen->call = model->waiter.number;
    let_go_of_taken(model);
    raise(seen, error, text);
}

static void feed_data(struct model *model, struct script_bytes data, struct observation *seen)
{
    if (model->eof) {
        seen->refused = "feed_data after feed_eof"; /* */
        return;
    }
    if (data.len == 0) { /* */
        return;
    }
    memcpy(model->buffer + model->length, data.ptr, data.len);
    model->length += data.len;
    maybe_pause(model, seen);
    wake(model, seen); /* the woken call runs later: R-011 */
}

static void feed_eof(struct model *model, struct observation *seen) /* */
{
    model->eof = true;
    if (!wrong(model, WRONG_EOF_WAKES_NOBODY)) {
        wake(model, seen);
    }
}

static void set_exception(struct model *model, struct observation *seen) /* */
{
    model->exception = true;
    if (!wrong(model, WRONG_EXCEPTION_WAKES_NOBODY)) {
        end_waiting(model, SCRIPT_EXCEPTION_CLASS, SCRIPT_EXCEPTION_TEXT, seen);
    }
}

static void cancel(struct model *model, struct observation *seen) /* */
{
    if (model->waiting && wrong(model, WRONG_CANCEL_DROPS_BUFFER)) {
        model->length = 0;
    }
    end_waiting(model, "CancelledError", "", seen);
}

static void play(struct model *model, const struct script_op *op, struct observation *seen)
{
    switch (op->kind) {
    case SCRIPT_FEED:
        feed_data(model, op->bytes, seen);
        break;
    case SCRIPT_EOF:
        feed_eof(model, seen);
        break;
    case SCRIPT_SET_EXCEPTION:
        set_exception(model, seen);
        break;
    case SCRIPT_CLEAR_EXCEPTION:
        model->exception = model->exception && model->waiting;
        break;
    case SCRIPT_CANCEL:
        cancel(model, seen);
        break;
    default:
        model->calls++;
        begin(model, &(struct model_call){.number = model->calls, .op = op}, seen);
        break;
    }
}

void model_step(struct model *model, const struct script_op *op, struct observation *seen)
{
    observation_begin(seen);
    play(model, op, seen);
    seen->buffered = (struct script_bytes){model->buffer, model->length};
    seen->eof = model->eof;
    seen->at_eof =
        model->eof && (model->length == 0 || wrong(model, WRONG_AT_EOF_WITH_DATA)); /* */
    seen->paused = model->paused;
    seen->waiting = model->waiting;
    seen->exception = model->exception;
}
