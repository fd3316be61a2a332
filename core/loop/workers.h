/* SPDX-License-Identifier: MIT
 *
 * Helper threads for calls that block (getaddrinfo): asyncio's default executor.
 */
#ifndef RILL__WORKERS_H
#define RILL__WORKERS_H

#include "loop/loop.h"

/* A job: `work` runs on a helper thread, then `done` on the loop's thread, in its ready queue. The
 * struct must live until done was called; nothing interrupts work. */
struct rill__job {
    struct rill__entry entry;
    struct rill_loop *loop;
    void (*work)(struct rill__job *job);
    void (*done)(struct rill__job *job);
};

/* 0, RILL_ENOMEM, or an OSError code when no thread can be made. */
int rill__job_start(struct rill_loop *loop, struct rill__job *job);

/* Waits for the jobs that run and calls done for all that started (rill_loop_free). */
void rill__workers_join(struct rill_loop *loop);

#endif
