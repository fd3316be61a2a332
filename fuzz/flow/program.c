/* SPDX-License-Identifier: MIT
 *
 * Bytes to operations, and both to text.
 */
#include "flow/program.h"

#include <stdlib.h>

struct flow_event *flow_note(struct flow_seen *seen, enum flow_what what, size_t number,
                             const char *error)
{
    if (seen->count == FLOW_SEEN_MAX) {
        abort(); /* more than a program can cause */
    }
    struct flow_event *event = &seen->events[seen->count++];
    event->what = what;
    event->number = number;
    event->error = error;
    event->text[0] = '\0';
    return event;
}

/* ---- bytes ---- */

static uint8_t take_byte(struct flow_source *source)
{
    if (source->left == 0) {
        return 0;
    }
    source->left--;
    return *source->at++;
}

static size_t capped(size_t size)
{
    return size < FLOW_SIZE_MAX ? size : FLOW_SIZE_MAX;
}

static size_t length_named(const struct flow_moment *now, unsigned name)
{
    switch (name) {
    case 0:
    case 1:
    case 2:
        return now->high > now->queued ? now->high - now->queued : 0;
    case 3:
    case 4:
        return now->queued > now->low ? now->queued - now->low : 0;
    case 5:
        return now->room;
    case 6:
        return capped(now->room) + capped(now->high);
    case 7:
        return now->queued;
    case 8:
        return now->high;
    case 9:
        return now->low;
    default:
        return (size_t)100 << (name - 10);
    }
}

static size_t take_size(struct flow_source *source, const struct flow_moment *now)
{
    const uint8_t byte = take_byte(source);
    if (byte < 128) {
        return byte;
    }
    const size_t length = capped(length_named(now, byte >> 3 & 15)) + byte % 8;
    return capped(length > 3 ? length - 3 : 0);
}

struct flow_limit flow_take_window(struct flow_source *source)
{
    static const int windows[16] = {0,  1,  2,   3,   5,   10,   16,   20,
                                    64, 99, 100, 101, 500, 1000, 3000, -1};
    const int window = windows[take_byte(source) % 16];
    return (struct flow_limit){window >= 0, window};
}

/* Small ones, negative ones, none, and the largest numbers. */
static struct flow_limit take_limit(struct flow_source *source)
{
    static const long long odd[] = {-1,    -4,    -5,        1000,      65536,
                                    65537, 70000, INT64_MAX, INT64_MIN, INT64_MAX / 4 + 1};
    const uint8_t byte = take_byte(source);
    if (byte < 64) {
        return (struct flow_limit){false, 0};
    }
    if (byte < 200) {
        return (struct flow_limit){true, byte - 64};
    }
    return (struct flow_limit){true, odd[byte % (sizeof odd / sizeof odd[0])]};
}

void flow_take_op(struct flow_source *source, const struct flow_moment *now, struct flow_op *op)
{
    *op = (struct flow_op){.kind = (enum flow_kind)(take_byte(source) % FLOW_KINDS)};
    switch (op->kind) {
    case FLOW_WRITELINES:
        op->size = take_size(source, now);
        op->more = take_size(source, now);
        break;
    case FLOW_DRAIN:
        op->first = (enum flow_first)(take_byte(source) % FIRSTS);
        op->size = op->first == FIRST_WRITE ? take_size(source, now) : 0;
        op->more = take_size(source, now);
        break;
    case FLOW_WRITE:
    case FLOW_LEND:
    case FLOW_CANCEL:
    case FLOW_DISCARD:
        op->size = take_size(source, now);
        break;
    case FLOW_LIMITS:
        op->high = take_limit(source);
        op->low = take_limit(source);
        break;
    case FLOW_WINDOW:
        op->window = flow_take_window(source);
        break;
    default:
        break;
    }
}

/* ---- text ---- */

static void print_limit(const char *name, struct flow_limit limit, FILE *out)
{
    if (limit.given) {
        fprintf(out, " %s=%lld", name, limit.value);
    }
}

void flow_print_op(const struct flow_op *op, FILE *out)
{
    static const char *const names[FLOW_KINDS] = {
        "write",      "writelines", "write_borrowed", "drain", "cancel", "set_write_buffer_limits",
        "window",     "discard",    "write_eof",      "close", "abort",  "peer shutdown",
        "peer close", "peer reset"};
    static const char *const firsts[FIRSTS] = {"", " first=write", " first=close", " first=abort",
                                               " first=write_eof"};
    fprintf(out, "%s%s", names[op->kind], firsts[op->first]);
    if (op->kind <= FLOW_CANCEL || op->kind == FLOW_DISCARD) {
        fprintf(out, " %zu", op->size);
    }
    if (op->kind == FLOW_WRITELINES || op->kind == FLOW_DRAIN) {
        fprintf(out, " then=%zu", op->more);
    }
    print_limit("high", op->high, out);
    print_limit("low", op->low, out);
    print_limit("window", op->window, out);
    fputc('\n', out);
}

void flow_print_seen(const struct flow_seen *seen, FILE *out)
{
    fprintf(out, "buffered=%zu low=%zu high=%zu drains=%zu received=%zu%s%s%s :", seen->buffered,
            seen->low, seen->high, seen->waiting, seen->received, seen->paused ? " paused" : "",
            seen->closing ? " closing" : "", seen->ended ? " ended" : "");
    for (size_t i = 0; i < seen->count; i++) {
        const struct flow_event *event = &seen->events[i];
        fprintf(out, " %c%zu", (char)event->what, event->number);
        if (event->error != NULL) {
            fprintf(out, "!%s \"%s\"", event->error, event->text);
        }
    }
    fputc('\n', out);
}
