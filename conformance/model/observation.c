/* SPDX-License-Identifier: MIT
 *
 * Observations compared and printed, and the names of the mistakes.
 */
#include "model.h"

#include <string.h>

void observation_begin(struct observation *seen)
{
    seen->call = 0;
    seen->outcome = (struct model_outcome){.expected = -1};
    seen->refused = NULL;
    seen->flow_count = 0;
}

void observation_flow(struct observation *seen, char what)
{
    if (seen->flow_count < OBSERVATION_FLOW_MAX) {
        seen->flow[seen->flow_count++] = what;
    }
}

static bool same_bytes(struct script_bytes a, struct script_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_outcome(const struct model_outcome *a, const struct model_outcome *b)
{
    return same_text(a->error, b->error) && same_text(a->text, b->text) &&
           same_bytes(a->bytes, b->bytes) && a->expected == b->expected &&
           a->consumed == b->consumed;
}

bool observation_equal(const struct observation *a, const struct observation *b)
{
    return a->call == b->call && (a->call == 0 || same_outcome(&a->outcome, &b->outcome)) &&
           same_text(a->refused, b->refused) && same_bytes(a->buffered, b->buffered) &&
           a->eof == b->eof && a->at_eof == b->at_eof && a->paused == b->paused &&
           a->waiting == b->waiting && a->exception == b->exception &&
           a->flow_count == b->flow_count && memcmp(a->flow, b->flow, a->flow_count) == 0;
}

static void print_hex(struct script_bytes bytes, FILE *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        fprintf(out, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
    }
}

static void print_outcome(size_t call, const struct model_outcome *outcome, FILE *out)
{
    if (outcome->error == NULL) {
        fprintf(out, "%zu=", call);
        print_hex(outcome->bytes, out);
        return;
    }
    fprintf(out, "%zu!%s", call, outcome->error);
    if (strcmp(outcome->error, "IncompleteReadError") == 0) {
        fputs(",partial=", out);
        print_hex(outcome->bytes, out);
        fprintf(out, ",expected=%ld", outcome->expected);
    } else if (strcmp(outcome->error, "LimitOverrunError") == 0) {
        fprintf(out, ",consumed=%zu", outcome->consumed);
    }
    fprintf(out, ",%s", outcome->text);
}

void observation_print(const struct observation *seen, FILE *out)
{
    if (seen->refused != NULL) {
        fprintf(out, "!AssertionError,%s", seen->refused);
    } else if (seen->call != 0) {
        print_outcome(seen->call, &seen->outcome, out);
    }
    fputc('/', out);
    print_hex(seen->buffered, out);
    fprintf(out, "/%s%s%s%s%s/%.*s", seen->eof ? "E" : "", seen->at_eof ? "A" : "",
            seen->paused ? "P" : "", seen->waiting ? "W" : "", seen->exception ? "X" : "",
            (int)seen->flow_count, seen->flow);
}

const char *model_mistake_name(enum model_mistake mistake)
{
    static const char *const names[MODEL_MISTAKES] = {
        [MODEL_RIGHT] = "none",
        [WRONG_FOUND_LIMIT_OFF_BY_ONE] = "found-limit-off-by-one",
        [WRONG_NOT_FOUND_LIMIT_OFF_BY_ONE] = "not-found-limit-off-by-one",
        [WRONG_LIMIT_COUNTS_SEPARATOR] = "limit-counts-separator",
        [WRONG_OFFSET_SKIPS_SPLIT_SEPARATOR] = "offset-skips-split-separator",
        [WRONG_OFFSET_BY_SHORTEST] = "offset-by-shortest",
        [WRONG_OFFSET_NOT_MOVED] = "offset-not-moved",
        [WRONG_EOF_BEFORE_LIMIT] = "eof-before-limit",
        [WRONG_CONSUMED_PAST_SEPARATOR] = "consumed-past-separator",
        [WRONG_PARTIAL_STAYS] = "partial-stays",
        [WRONG_PAUSE_AT_TWICE_THE_LIMIT] = "pause-at-twice-the-limit",
        [WRONG_PAUSE_ABOVE_THE_LIMIT] = "pause-above-the-limit",
        [WRONG_PAUSE_TWICE] = "pause-twice",
        [WRONG_RESUME_BELOW_THE_LIMIT] = "resume-below-the-limit",
        [WRONG_NO_RESUME_BEFORE_WAIT] = "no-resume-before-wait",
        [WRONG_RESUME_AFTER_OVERRUN] = "resume-after-overrun",
        [WRONG_EXACTLY_RETURNS_SHORT_AT_EOF] = "exactly-returns-short-at-eof",
        [WRONG_READ_WAITS_TO_FILL] = "read-waits-to-fill",
        [WRONG_READ_ZERO_WAITS] = "read-zero-waits",
        [WRONG_DATA_BEFORE_EXCEPTION] = "data-before-exception",
        [WRONG_EXCEPTION_BEFORE_ARGUMENT] = "exception-before-argument",
        [WRONG_EOF_WAKES_NOBODY] = "eof-wakes-nobody",
        [WRONG_EXCEPTION_WAKES_NOBODY] = "exception-wakes-nobody",
        [WRONG_FIRST_SEPARATOR_WINS] = "first-separator-wins",
        [WRONG_LONGEST_SEPARATOR_WINS] = "longest-separator-wins",
        [WRONG_LINE_OVERRUN_KEEPS] = "line-overrun-keeps",
        [WRONG_LINE_OVERRUN_CLEARS] = "line-overrun-clears",
        [WRONG_LINE_OVERRUN_LEAVES_NEWLINE] = "line-overrun-leaves-newline",
        [WRONG_AT_EOF_WITH_DATA] = "at-eof-with-data",
        [WRONG_SECOND_CALL_REFUSED_BEFORE_DATA] = "second-call-refused-before-data",
        [WRONG_READ_ALL_IS_ONE_BLOCK] = "read-all-is-one-block",
        [WRONG_CANCEL_DROPS_BUFFER] = "cancel-drops-buffer",
        [WRONG_NEVER_FORGETS_TRANSPORT] = "never-forgets-transport",
    };
    return names[mistake];
}
