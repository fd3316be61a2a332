/* SPDX-License-Identifier: MIT
 *
 * The judge's table and its reading.
 */
#include "judge.h"

#include <math.h>
#include <string.h>

#define PATIENCE_S  100 /* run_rill_side's */
#define HANDSHAKE_S 60
#define SHUTDOWN_S  30
#define DEADLINE_S  40

const char *const ending_names[ENDINGS] = {"fin", "rst", "stall", "drip"};
const char *const direction_names[2] = {"peer", "rill"};

static const char *const phase_names[PHASES] = {
    "open", "clear line", "start_tls", "drain", "read", "read to the end", "wait_closed",
};

enum {
    OPENS = 1 << PHASE_OPEN | 1 << PHASE_START_TLS,
    READS = 1 << PHASE_CLEAR | 1 << PHASE_READ,
    ENDS_READ = 1 << PHASE_READ_END,
    DRAINS = 1 << PHASE_DRAIN,
    CLOSES = 1 << PHASE_CLOSED,
    BY_FIN = 1 << END_FIN,
    BY_RST = 1 << END_RST,
    BY_STALL = 1 << END_STALL,
    PEERS = 1 << FROM_PEER,
    RILLS = 1 << FROM_RILL,
};

#define RESET  "[Errno 104] Connection reset by peer"
#define BROKEN "[Errno 32] Broken pipe"

/* Close waits for no answer of the peer's, so that no timeout of TLS is due: the stream is still in
 * clear, or the peer's close_notify has come. */
static bool only_flush_is_left(const struct run *run)
{
    return run->exchange->peer_closes_first || run->verdicts[PHASE_CLEAR].code < 0;
}

/* What may be said besides success, which every call may say. Time passes only where a timeout is
 * what ends it. */
static const struct allowed {
    const char *rule;
    unsigned phases;
    unsigned endings;
    unsigned directions;
    int code;
    const char *text;
    double seconds;
    bool is_short;
    bool (*where)(const struct run *run); /* NULL: everywhere */
} table[] = {
    {"R-825 FIN in the handshake", OPENS, BY_FIN, PEERS | RILLS, RILL_ECONNRESET, "", 0, false,
     NULL},
    {"R-826 RST in the handshake", OPENS, BY_RST, PEERS | RILLS, RILL_ECONNRESET, RESET, 0, false,
     NULL},
    {"R-811 the handshake's timeout", OPENS, BY_STALL, PEERS | RILLS, RILL_ECONNABORTED,
     "SSL handshake is taking longer than 60.0 seconds: aborting the connection", HANDSHAKE_S,
     false, NULL},
    {"R-853 truncation looks like an end", READS, BY_FIN, PEERS | RILLS, 0, "", 0, true, NULL},
    {"R-252 drain or start_tls after the loss", DRAINS | 1 << PHASE_START_TLS, BY_FIN | BY_RST,
     PEERS | RILLS, RILL_ECONNRESET, "Connection lost", 0, false, NULL},
    {"R-423, R-478 written to a peer that is gone", OPENS | READS | ENDS_READ | DRAINS | CLOSES,
     BY_FIN, RILLS, RILL_EPIPE, BROKEN, 0, false, NULL},
    {"R-854 RST", READS | ENDS_READ | CLOSES, BY_RST, PEERS | RILLS, RILL_ECONNRESET, RESET, 0,
     false, NULL},
    {"R-930 the program's own patience", READS | ENDS_READ, BY_STALL, PEERS | RILLS, RILL_ETIMEOUT,
     "", PATIENCE_S, false, NULL},
    {"R-862 the shutdown's timeout", CLOSES, BY_STALL, PEERS | RILLS, RILL_ETIMEOUT,
     "SSL shutdown timed out", SHUTDOWN_S, false, NULL},
    {"Q-28 the program's deadline where only a flush is left (R-451, R-885)", CLOSES, BY_STALL,
     RILLS, 0, "", DEADLINE_S, false, only_flush_is_left},
};

static bool matches(const struct allowed *row, const struct run *run, enum phase phase)
{
    const struct verdict *const verdict = &run->verdicts[phase];
    const struct cut *const cut = &run->wire.cut;

    return (row->phases >> phase & 1) != 0 && (row->endings >> cut->ending & 1) != 0 &&
           (row->directions >> cut->direction & 1) != 0 && row->code == verdict->code &&
           row->is_short == verdict->is_short && strcmp(row->text, verdict->text) == 0 &&
           fabs(row->seconds - verdict->seconds) < 1e-6 && (row->where == NULL || row->where(run));
}

/* a connection whose start_tls failed ends by that very error. */
static bool repeats_start_tls(const struct run *run, enum phase phase)
{
    const struct verdict *const first = &run->verdicts[PHASE_START_TLS];
    const struct verdict *const second = &run->verdicts[phase];

    return phase == PHASE_CLOSED && first->given && first->code < 0 &&
           first->code == second->code && strcmp(first->text, second->text) == 0 &&
           fabs(second->seconds) < 1e-6;
}

static bool is_documented(const struct run *run, enum phase phase)
{
    const struct verdict *const verdict = &run->verdicts[phase];

    if (!verdict->given ||
        (verdict->code == 0 && !verdict->is_short && fabs(verdict->seconds) < 1e-6) ||
        repeats_start_tls(run, phase)) {
        return true;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0] && run->wire.cut.given; i++) {
        if (matches(&table[i], run, phase)) {
            return true;
        }
    }
    return false;
}

const char *judge_calls(const struct run *run)
{
    static char text[300];

    for (enum phase phase = 0; phase < PHASES; phase++) {
        const struct verdict *const verdict = &run->verdicts[phase];
        if (!is_documented(run, phase)) {
            snprintf(text, sizeof text, "%s: %d %s '%s'%s after %g s", phase_names[phase],
                     verdict->code, rill_error_name(verdict->code), verdict->text,
                     verdict->is_short ? " (short)" : "", verdict->seconds);
            return text;
        }
    }
    return NULL;
}

/* A line that ended, or one that drips, carries everything. */
static bool all_is_due(const struct run *run)
{
    const bool closed = run->verdicts[PHASE_CLOSED].given && run->verdicts[PHASE_CLOSED].code == 0;
    const bool talked = run->verdicts[PHASE_READ].given;

    if (!run->wire.cut.given || run->wire.cut.ending == END_DRIP) {
        return true;
    }
    return closed && talked && run->wire.cut.direction == FROM_PEER;
}

const char *judge_bytes(const struct run *run)
{
    const struct peer *const peer = &run->peer;
    const size_t said = strlen(message_of_rill);
    const bool whole = !run->wire.cut.given || run->wire.cut.ending == END_DRIP;

    if (run->garbled) {
        return "rill read what the peer had not written";
    }
    if (peer->state > PEER_HANDSHAKE && peer->heard <= said &&
        memcmp(peer->got, message_of_rill, peer->heard) != 0) {
        return "the peer read what rill had not written";
    }
    if (peer->heard > said) {
        return "the peer read more than rill had written";
    }
    if (all_is_due(run) && peer->heard < said) {
        return "drain and close succeeded, and the peer has not everything";
    }
    if (whole && (peer->state != PEER_DONE || !run->verdicts[PHASE_CLOSED].given)) {
        return "a whole exchange did not end with close_notify both ways";
    }
    return NULL;
}
