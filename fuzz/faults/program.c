/* SPDX-License-Identifier: MIT
 *
 * Bytes to operations, and operations to text.
 */
#include "faults/program.h"

#include <string.h>

static uint8_t take_byte(struct faults_source *source)
{
    if (source->left == 0) {
        return 0;
    }
    source->left--;
    return *source->at++;
}

struct faults_head faults_take_head(struct faults_source *source)
{
    static const size_t limits[16] = {1,  2,  3,  4,  5,   8,   12,   16,
                                      20, 33, 64, 99, 500, 700, 1024, 3000};
    const uint8_t byte = take_byte(source);
    return (struct faults_head){.limit = limits[byte % 16],
                                .has_transport = byte >> 4 & 1,
                                .can_pause = (byte >> 5 & 3) != 0};
}

static size_t length_named(const struct faults_moment *now, unsigned name)
{
    switch (name % 5) {
    case 0:
        return now->limit;
    case 1:
        return 2 * now->limit;
    case 2:
        return now->live;
    case 3:
        return now->room;
    default:
        return 1000;
    }
}

static size_t take_size(struct faults_source *source, const struct faults_moment *now)
{
    const uint8_t byte = take_byte(source);
    if (byte < 96) {
        return byte;
    }
    const size_t named = length_named(now, byte >> 3);
    const size_t length = (named < FAULTS_SIZE_MAX ? named : FAULTS_SIZE_MAX) + byte % 8;
    return length > 3 ? length - 3 : 0;
}

/* Mostly what a transport would ask for, now and then what nobody can have. */
static size_t take_least(struct faults_source *source, const struct faults_moment *now)
{
    static const size_t absurd[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 8};
    const uint8_t byte = take_byte(source);
    if (byte >= 240) {
        return absurd[byte % 3];
    }
    return byte < 96 ? byte : length_named(now, byte >> 3);
}

static void take_numbers(struct faults_source *source, const struct faults_moment *now,
                         struct faults_op *op)
{
    switch (op->kind) {
    case FAULTS_RECEIVE:
        op->least = take_least(source, now);
        op->size = take_size(source, now);
        break;
    case FAULTS_FEED:
    case FAULTS_READ:
    case FAULTS_READEXACTLY:
    case FAULTS_BOUND:
        op->size = take_size(source, now);
        break;
    case FAULTS_SHRINK:
    case FAULTS_NO_MEMORY:
        op->size = take_byte(source);
        break;
    default:
        break;
    }
}

static bool has_variant(enum faults_kind kind)
{
    return kind == FAULTS_FEED || kind == FAULTS_RECEIVE || kind == FAULTS_FEED_VIEW ||
           kind == FAULTS_SET_EXCEPTION || kind == FAULTS_READUNTIL || kind == FAULTS_RUN ||
           kind == FAULTS_READ || kind == FAULTS_READEXACTLY || kind >= FAULTS_ERROR;
}

void faults_take_op(struct faults_source *source, const struct faults_moment *now,
                    struct faults_op *op)
{
    *op = (struct faults_op){.kind = (enum faults_kind)(take_byte(source) % FAULTS_KINDS)};
    take_numbers(source, now, op);
    op->variant = has_variant(op->kind) ? take_byte(source) : 0;
    op->variant2 = op->kind >= FAULTS_ERROR ? take_byte(source) : 0;
    if (op->kind == FAULTS_READ || op->kind == FAULTS_READEXACTLY) {
        op->negative = op->variant == 1;
    }
}

size_t faults_separators(unsigned variant, struct rill_bytes separators[FAULTS_SEPARATORS_MAX])
{
    static const char *const sets[][FAULTS_SEPARATORS_MAX] = {
        {"\n"},        {"\r\n"},      {"abc"},      {"ab", "b"},   {"abc", "ab", "c"},
        {"\n", "abc"}, {NULL},        {""},         {"ab", ""},    {"\r", "\r\n"},
        {"aaaa"},      {"aab", "aa"}, {"b", "abc"}, {"abc", "\n"}, {"c", "b", "a"},
    };
    const char *const *set = sets[variant % (sizeof sets / sizeof sets[0])];
    size_t count = 0;

    while (count < FAULTS_SEPARATORS_MAX && set[count] != NULL) {
        separators[count] = rill_bytes_of(set[count]);
        count++;
    }
    return count;
}

void faults_fill(char *bytes, size_t size, size_t position, unsigned variant)
{
    static const char *const texts[] = {"",   "\n", "\r\n", "abc", "ab",   "b",  "\r",    "aab",
                                        "aa", "bc", "c",    "a",   "\n\n", "\n", "aaaaa", "\r\n"};
    const char *text = texts[variant % 16];
    const size_t length = strlen(text);

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(unsigned char)(128 + (position + i) % 127);
    }
    if (length <= size) { /* from its front to its end, in sixteenths */
        memcpy(bytes + (size - length) * (variant >> 4 & 15) / 15, text, length);
    }
}

void faults_print_op(const struct faults_op *op, FILE *out)
{
    static const char *const names[FAULTS_KINDS] = {
        "feed",   "feed a view", "receive",     "eof",      "set_exception", "clear exception",
        "read",   "read all",    "readexactly", "readline", "line now",      "readuntil",
        "cancel", "run",         "shrink",      "bound",    "no memory",     "memory",
        "error",  "cause",       "group",       "share",    "drop"};
    (void)fprintf(out, "%s %s%zu least=%zu variants %u %u\n", names[op->kind],
                  op->negative ? "-" : "", op->size, op->least, op->variant, op->variant2);
}
