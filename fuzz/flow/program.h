/* SPDX-License-Identifier: MIT
 *
 * Programs for one writer and its peer, and what can be seen of them. After every operation
 * everything that can happen has happened.
 *
 * Every string of bytes is a program. Byte 0: the window, its low four bits an entry of a table;
 * then operations, each a byte whose value modulo FLOW_KINDS is its kind, followed by its sizes. A
 * size is a byte: up to 127 it is itself; above, its bits 3 to 6 name a length of the moment (the
 * room below the high mark, the marks, the window ...) and its low three what to add, -3 to 4.
 */
#ifndef FUZZ_FLOW_PROGRAM_H
#define FUZZ_FLOW_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    FLOW_OPS_MAX = 64,
    FLOW_SIZE_MAX = 3000,
    FLOW_SEEN_MAX = 2 * FLOW_OPS_MAX + 16,
    FLOW_LENT_MAX = 6, /* pieces at a time: one send takes sixteen parts */
};

enum flow_kind {
    FLOW_WRITE,
    FLOW_WRITELINES, /* two parts */
    FLOW_LEND,       /* write_borrowed */
    FLOW_DRAIN,      /* a task: something first, drain, then perhaps a write */
    FLOW_CANCEL,     /* a task that waits; nothing when none does */
    FLOW_LIMITS,
    FLOW_WINDOW,  /* how many bytes fit between the two */
    FLOW_DISCARD, /* the peer reads */
    FLOW_WRITE_EOF,
    FLOW_CLOSE,
    FLOW_ABORT,
    FLOW_PEER_SHUTDOWN,
    FLOW_PEER_CLOSE,
    FLOW_PEER_RESET,
    FLOW_KINDS,
};

/* What a draining task does first. */
enum flow_first {
    FIRST_NOTHING,
    FIRST_WRITE,
    FIRST_CLOSE,
    FIRST_ABORT,
    FIRST_WRITE_EOF,
    FIRSTS,
};

struct flow_limit {
    bool given;
    long long value;
};

struct flow_op {
    enum flow_kind kind;
    enum flow_first first; /* DRAIN */
    size_t size;           /* of what is written (DRAIN: first), discarded; CANCEL: which one */
    size_t more;           /* WRITELINES: of the second part; DRAIN: written afterwards */
    struct flow_limit high;
    struct flow_limit low;
    struct flow_limit window;
};

/* Things that happened during one operation. */
enum flow_what {
    SAW_PAUSE = 'P', /* pause_writing() */
    SAW_RESUME = 'R',
    SAW_ENDED = 'T', /* the task with this number, which drained */
    SAW_DONE = 'D',  /* a lent piece was given back */
    SAW_ERROR = 'E', /* a call returned one; 0: the operation itself, else the task */
};

struct flow_event {
    enum flow_what what;
    size_t number;
    const char *error; /* the class; NULL: none */
    char text[80];
};

struct flow_seen {
    size_t count;
    struct flow_event events[FLOW_SEEN_MAX];
    size_t buffered;
    size_t low;
    size_t high;
    size_t waiting;  /* drains */
    size_t received; /* by the peer, and not read */
    bool paused;
    bool closing;
    bool ended; /* the peer sees the end of the stream */
};

/* The next event, for the caller to fill in. */
struct flow_event *flow_note(struct flow_seen *seen, enum flow_what what, size_t number,
                             const char *error);

/* Lengths of the moment. */
struct flow_moment {
    size_t queued;
    size_t room;
    size_t high;
    size_t low;
};

struct flow_source {
    const uint8_t *at;
    size_t left;
};

struct flow_limit flow_take_window(struct flow_source *source);
void flow_take_op(struct flow_source *source, const struct flow_moment *now, struct flow_op *op);

void flow_print_op(const struct flow_op *op, FILE *out);
void flow_print_seen(const struct flow_seen *seen, FILE *out);

#endif
