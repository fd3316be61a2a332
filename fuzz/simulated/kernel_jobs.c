/* SPDX-License-Identifier: MIT
 *
 * Helper threads that are none. These two functions stand in for core/loop/workers.c, which the
 * linker then leaves out of the program: a job is kept, and its work is done when whoever plays
 * asks for it, in one thread and always in the same order.
 */
#include "simulated/kernel.h"

#include "loop/workers.h"

/* The jobs that wait, of the one loop that runs. The functions' signatures have no place for it. */
static struct {
    struct rill__list waiting;
    bool begun;
} jobs;

static struct rill__list *waiting_jobs(void)
{
    if (!jobs.begun) {
        rill__list_init(&jobs.waiting);
        jobs.begun = true;
    }
    return &jobs.waiting;
}

static void run_done(struct rill__entry *entry)
{
    struct rill__job *job = rill__container(entry, struct rill__job, entry);
    job->loop->jobs--;
    job->done(job);
}

int rill__job_start(struct rill_loop *loop, struct rill__job *job)
{
    job->loop = loop;
    job->entry.run = run_done;
    loop->jobs++;
    rill__list_append(waiting_jobs(), &job->entry.link);
    return 0;
}

void kernel_run_jobs(struct kernel *kernel)
{
    struct rill__link *link;
    (void)kernel;
    while ((link = rill__list_first(waiting_jobs())) != NULL) {
        struct rill__job *job = rill__container(link, struct rill__job, entry.link);
        rill__list_remove(link);
        job->work(job);
        rill__ready_threadsafe(job->loop, &job->entry);
    }
}

/* The loop ends: every job does, too, and is told so at once. */
void rill__workers_join(struct rill_loop *loop)
{
    struct rill__link *link;
    kernel_run_jobs(NULL);
    rill__list_splice(&loop->ready, &loop->threadsafe);
    for (link = rill__list_first(&loop->ready); link != NULL;) {
        struct rill__entry *entry = rill__container(link, struct rill__entry, link);
        link = rill__list_after(&loop->ready, link);
        if (entry->run == run_done) {
            rill__unready(entry);
            run_done(entry);
        }
    }
}
