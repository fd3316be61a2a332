/* SPDX-License-Identifier: MIT
 *
 * A slow, obvious model of asyncio's StreamReader: section 1 of docs/spec.md read again, sharing
 * nothing with the library. It plays scripts one operation at a time and says what can be observed
 * after each.
 */
#ifndef MODEL_H
#define MODEL_H

#include "script.h"

/* How a call ended. */
struct model_outcome {
    const char *error;         /* the exception's class; NULL: it returned `bytes` */
    const char *text;          /* str(exception) */
    struct script_bytes bytes; /* what was returned; IncompleteReadError: partial */
    long expected;             /* IncompleteReadError; -1: none */
    size_t consumed;           /* LimitOverrunError */
};

enum { OBSERVATION_FLOW_MAX = 512 };

/* What is seen after one operation. Views hold until the next one. */
struct observation {
    size_t call; /* the call that ended, counted from 1; 0: none did */
    struct model_outcome outcome;
    const char *refused; /* the operation itself raised AssertionError with this text, or NULL */
    struct script_bytes buffered;
    bool eof;
    bool at_eof;
    bool paused;
    bool waiting;   /* a call waits for data */
    bool exception; /* one is stored */
    size_t flow_count;
    char flow[OBSERVATION_FLOW_MAX]; /* P: pause_reading(), R: resume_reading() */
};

void observation_begin(struct observation *seen);
void observation_flow(struct observation *seen, char what);
bool observation_equal(const struct observation *a, const struct observation *b);
/* On one line: OUTCOME/BUFFERED/FLAGS/FLOW. */
void observation_print(const struct observation *seen, FILE *out);

/* Mistakes that a reader can be born with, one at a time, to see whether a set of scripts notices
 * them. */
enum model_mistake {
    MODEL_RIGHT,
    WRONG_FOUND_LIMIT_OFF_BY_ONE,
    WRONG_NOT_FOUND_LIMIT_OFF_BY_ONE,
    WRONG_LIMIT_COUNTS_SEPARATOR,
    WRONG_OFFSET_SKIPS_SPLIT_SEPARATOR,
    WRONG_OFFSET_BY_SHORTEST,
    WRONG_OFFSET_NOT_MOVED,
    WRONG_EOF_BEFORE_LIMIT,
    WRONG_CONSUMED_PAST_SEPARATOR,
    WRONG_PARTIAL_STAYS,
    WRONG_PAUSE_AT_TWICE_THE_LIMIT,
    WRONG_PAUSE_ABOVE_THE_LIMIT,
    WRONG_PAUSE_TWICE,
    WRONG_RESUME_BELOW_THE_LIMIT,
    WRONG_NO_RESUME_BEFORE_WAIT,
    WRONG_RESUME_AFTER_OVERRUN,
    WRONG_EXACTLY_RETURNS_SHORT_AT_EOF,
    WRONG_READ_WAITS_TO_FILL,
    WRONG_READ_ZERO_WAITS,
    WRONG_DATA_BEFORE_EXCEPTION,
    WRONG_EXCEPTION_BEFORE_ARGUMENT,
    WRONG_EOF_WAKES_NOBODY,
    WRONG_EXCEPTION_WAKES_NOBODY,
    WRONG_FIRST_SEPARATOR_WINS,
    WRONG_LONGEST_SEPARATOR_WINS,
    WRONG_LINE_OVERRUN_KEEPS,
    WRONG_LINE_OVERRUN_CLEARS,
    WRONG_LINE_OVERRUN_LEAVES_NEWLINE,
    WRONG_AT_EOF_WITH_DATA,
    WRONG_SECOND_CALL_REFUSED_BEFORE_DATA,
    WRONG_READ_ALL_IS_ONE_BLOCK,
    WRONG_CANCEL_DROPS_BUFFER,
    WRONG_NEVER_FORGETS_TRANSPORT,
    MODEL_MISTAKES,
};
const char *model_mistake_name(enum model_mistake mistake);

/* A call in progress. */
struct model_call {
    size_t number;
    const struct script_op *op;
    long offset; /* readuntil: no separator starts before it */
};

struct model {
    size_t limit;
    bool has_transport;
    bool can_pause;
    bool eof;
    bool paused;
    bool exception;
    size_t calls;
    bool waiting;
    struct model_call waiter;
    size_t length;
    char buffer[SCRIPT_BYTES_MAX];
    size_t taken_length; /* what the current call has taken so far, or took */
    char taken[SCRIPT_BYTES_MAX];
    char aside[SCRIPT_BYTES_MAX];
    char text[96]; /* of the last IncompleteReadError */
    /* Departure Q-17: a read to EOF that fails puts back what it had collected. CPython drops it.
     */
    bool puts_back;
    enum model_mistake mistake;
};

/* A new reader. The model is the caller's memory, and needs no clean-up. */
void model_init(struct model *model, const struct script *script, bool puts_back,
                enum model_mistake mistake);

/* Plays one operation, which must stay where it is while its call waits. */
void model_step(struct model *model, const struct script_op *op, struct observation *seen);

#endif
