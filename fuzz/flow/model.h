/* SPDX-License-Identifier: MIT
 *
 * A slow, obvious model of the write side: sections 2.2, 3 and 4.2 of docs/spec.md read again, for
 * a peer that takes as many bytes as its window has room for. It counts bytes and shares nothing
 * with the library.
 */
#ifndef FUZZ_FLOW_MODEL_H
#define FUZZ_FLOW_MODEL_H

#include "flow/program.h"

enum flow_loss { LOSS_CLEAN, LOSS_RESET, LOSS_PIPE };

struct flow_task {
    size_t number;
    size_t more; /* to write when the drain is over */
    bool fails;  /* woken by a loss with an error */
};

struct flow_piece {
    size_t number;
    size_t end; /* of the bytes that were queued, counted from the beginning */
};

struct flow_model {
    struct flow_seen *seen;
    size_t written; /* went out or is queued */
    size_t queued;
    size_t received;
    struct flow_limit window;
    long long high;
    long long low;
    bool paused;
    bool closing;
    bool eof;  /* write_eof was called */
    bool shut; /* and carried out */
    bool reading;
    bool loss_is_due; /* connection_lost will be called */
    bool lost;
    enum flow_loss loss;
    bool peer_shut;
    bool peer_closed;
    bool reset_is_due; /* the next call on the socket fails */
    size_t tasks;      /* started so far */
    size_t pieces;
    size_t waiting_count;
    struct flow_task waiting[FLOW_OPS_MAX];
    size_t woken_count;
    struct flow_task woken[FLOW_OPS_MAX]; /* run in the next iteration */
    size_t lent_count;
    struct flow_piece lent[FLOW_LENT_MAX];
};

void flow_model_init(struct flow_model *model, struct flow_limit window);
struct flow_moment flow_model_moment(const struct flow_model *model);
void flow_model_step(struct flow_model *model, const struct flow_op *op, struct flow_seen *seen);
/* abort(): everything ends. */
void flow_model_end(struct flow_model *model, struct flow_seen *seen);

#endif
