/* SPDX-License-Identifier: MIT
 *
 * The slow reader (specification sections 1.2 to 1.8).
 */
#include "faults/judge.h"

#include <stdint.h>
#include <string.h>

typedef struct faults_verdict verdict;

static verdict takes(size_t count)
{
    return (verdict){.count = count};
}

static verdict fails(int rc)
{
    return (verdict){.rc = rc};
}

static verdict raises(const struct rill_error *error)
{
    return (verdict){.rc = error->code, .error = error};
}

static verdict waits(const struct faults_state *state)
{
    return fails(state->taken ? RILL_ERUNTIME : RILL__READ_WAIT); /* */
}

static verdict incomplete(const struct faults_state *state)
{
    return (verdict){.rc = RILL_EINCOMPLETE, .count = state->live.len};
}

/* ---- readuntil ---- */

static bool ends_at(struct rill_bytes text, size_t end, struct rill_bytes separator)
{
    return separator.len <= end &&
           memcmp(text.ptr + end - separator.len, separator.ptr, separator.len) == 0;
}

/* the first place where one ends, and of those that do the shortest. */
static bool find(struct rill_bytes text, const struct rill__read *read, size_t *start, size_t *end)
{
    for (*end = 1; *end <= text.len; ++*end) {
        size_t shortest = SIZE_MAX;
        for (size_t i = 0; i < read->separator_count; i++) {
            const struct rill_bytes separator = read->separators[i];
            if (separator.len < shortest && ends_at(text, *end, separator)) {
                shortest = separator.len;
            }
        }
        if (shortest < SIZE_MAX) {
            *start = *end - shortest;
            return true;
        }
    }
    return false;
}

static size_t shortest_of(const struct rill__read *read)
{
    size_t shortest = SIZE_MAX;
    for (size_t i = 0; i < read->separator_count; i++) {
        shortest = read->separators[i].len < shortest ? read->separators[i].len : shortest;
    }
    return shortest;
}

static size_t longest_of(const struct rill__read *read)
{
    size_t longest = 0;
    for (size_t i = 0; i < read->separator_count; i++) {
        longest = read->separators[i].len > longest ? read->separators[i].len : longest;
    }
    return longest;
}

/* Where a separator may still begin. */
static size_t undecided(struct rill_bytes text, const struct rill__read *read)
{
    const size_t longest = longest_of(read);
    return text.len < shortest_of(read) || text.len + 1 < longest ? 0 : text.len + 1 - longest;
}

static verdict exceeds(const struct rill__read *read, size_t consumed, size_t dropped)
{
    const bool line = read->kind == RILL__READ_LINE; /* */
    return (verdict){
        .rc = line ? RILL_EVALUE : RILL_ELIMIT, .consumed = consumed, .count = line ? dropped : 0};
}

static verdict judge_until(const struct faults_state *state, const struct rill__read *read)
{
    size_t start = 0;
    size_t end = 0;

    if (find(state->live, read, &start, &end)) {
        return start > state->limit ? exceeds(read, start, end) : takes(end);
    }
    const size_t offset = undecided(state->live, read);
    if (offset > state->limit) {
        return exceeds(read, offset, state->live.len);
    }
    if (!state->eof) {
        return waits(state);
    }
    return read->kind == RILL__READ_LINE ? takes(state->live.len) : incomplete(state); /* */
}

/* ---- the others ---- */

static verdict judge_all(const struct faults_state *state)
{
    if (state->live.len == 0) {
        return state->eof                 ? (verdict){.whole = true}
               : state->exception != NULL ? raises(state->exception)
                                          : waits(state);
    }
    if (state->exception != NULL) {
        return raises(state->exception);
    }
    for (size_t block = state->limit;; block += state->limit) {
        const size_t read = block < state->live.len ? block : state->live.len;
        if (state->held.len + read > state->read_all_max) { /* */
            return (verdict){.rc = RILL_ELIMIT, .consumed = state->held.len + read};
        }
        if (read == state->live.len) {
            break;
        }
    }
    return state->eof ? (verdict){.count = state->live.len, .whole = true} : waits(state);
}

static verdict judge_all_beside(const struct faults_state *state)
{
    if (state->eof && state->live.len > state->read_all_max) {
        return (verdict){.rc = RILL_ELIMIT, .consumed = state->live.len};
    }
    return state->eof ? takes(state->live.len) : waits(state);
}

static verdict judge_some(const struct faults_state *state, const struct rill__read *read)
{
    if (state->live.len == 0 && !state->eof) {
        return state->exception != NULL ? raises(state->exception) : waits(state);
    }
    return takes(state->live.len < (size_t)read->n ? state->live.len : (size_t)read->n);
}

static verdict judge_exactly(const struct faults_state *state, const struct rill__read *read)
{
    if (state->live.len >= (size_t)read->n) {
        return takes((size_t)read->n);
    }
    return state->eof ? incomplete(state) : waits(state);
}

static verdict judge(const struct faults_state *state, const struct rill__read *read)
{
    switch (read->kind) {
    case RILL__READ_SOME:
        return judge_some(state, read);
    case RILL__READ_TO_EOF:
        return judge_all(state);
    case RILL__READ_EXACTLY:
        return judge_exactly(state, read);
    case RILL__READ_UNTIL:
    case RILL__READ_LINE:
    default:
        return judge_until(state, read);
    }
}

verdict faults_judge_begin(const struct faults_state *state, const struct rill__read *read)
{
    const bool sized = read->kind == RILL__READ_SOME || read->kind == RILL__READ_EXACTLY;

    if ((read->kind == RILL__READ_EXACTLY && read->n < 0) ||
        (read->kind == RILL__READ_UNTIL &&
         (read->separator_count == 0 || shortest_of(read) == 0))) {
        return fails(RILL_EVALUE);
    }
    if (state->exception != NULL) {
        return raises(state->exception); /* */
    }
    if (sized && read->n == 0) {
        return takes(0);
    }
    return read->kind == RILL__READ_TO_EOF && state->taken ? judge_all_beside(state)
                                                           : judge(state, read);
}

verdict faults_judge_step(const struct faults_state *state, const struct rill__read *read)
{
    return judge(state, read);
}
