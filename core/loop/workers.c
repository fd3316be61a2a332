/* SPDX-License-Identifier: MIT
 *
 * A small pool of helper threads, started as jobs come.
 */
#include "loop/workers.h"

#include <signal.h>

#include "sansio/memory.h"

#define WORKERS_MAX 4

struct rill__workers {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct rill__list queue;
    pthread_t threads[WORKERS_MAX];
    size_t count;
    size_t idle;
    bool stopping;
};

static void run_done(struct rill__entry *entry)
{
    struct rill__job *job = rill__container(entry, struct rill__job, entry);
    job->loop->jobs--;
    job->done(job);
}

static void *worker(void *arg)
{
    struct rill__workers *workers = arg;
    struct rill__link *link;

    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while ((link = rill__list_first(&workers->queue)) == NULL && !workers->stopping) {
            workers->idle++;
            pthread_cond_wait(&workers->more, &workers->lock);
            workers->idle--;
        }
        if (link == NULL) {
            break;
        }
        rill__list_remove(link);
        pthread_mutex_unlock(&workers->lock);
        struct rill__job *job = rill__container(link, struct rill__job, entry.link);
        job->work(job);
        rill__ready_threadsafe(job->loop, &job->entry);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

static struct rill__workers *workers_of(struct rill_loop *loop)
{
    if (loop->workers == NULL) {
        struct rill__workers *workers = rill__alloc_zeroed(sizeof *workers);
        if (workers == NULL) {
            return NULL;
        }
        rill__list_init(&workers->queue);
        pthread_mutex_init(&workers->lock, NULL);
        pthread_cond_init(&workers->more, NULL);
        loop->workers = workers;
    }
    return loop->workers;
}

/* Signals stay with the application's threads. */
static int start_thread(struct rill__workers *workers)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&workers->threads[workers->count], NULL, worker, workers);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int rill__job_start(struct rill_loop *loop, struct rill__job *job)
{
    struct rill__workers *workers = workers_of(loop);
    int error = 0;

    if (workers == NULL) {
        return RILL_ENOMEM;
    }
    job->loop = loop;
    job->entry.run = run_done;
    pthread_mutex_lock(&workers->lock);
    if (workers->idle == 0 && workers->count < WORKERS_MAX) {
        error = start_thread(workers);
        if (error == 0) {
            workers->count++;
        }
    }
    if (workers->count > 0) {
        rill__list_append(&workers->queue, &job->entry.link);
        pthread_cond_signal(&workers->more);
        loop->jobs++;
        error = 0;
    }
    pthread_mutex_unlock(&workers->lock);
    return error == 0 ? 0 : rill_error_code_of_errno(error);
}

void rill__workers_join(struct rill_loop *loop)
{
    struct rill__workers *workers = loop->workers;
    struct rill__link *link;

    if (workers == NULL) {
        return;
    }
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->more);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->count; i++) {
        pthread_join(workers->threads[i], NULL);
    }
    rill__list_splice(&loop->ready, &loop->threadsafe);
    for (link = rill__list_first(&loop->ready); link != NULL;) {
        struct rill__entry *entry = rill__container(link, struct rill__entry, link);
        link = rill__list_after(&loop->ready, link);
        if (entry->run == run_done) {
            rill__unready(entry);
            run_done(entry);
        }
    }
    pthread_cond_destroy(&workers->more);
    pthread_mutex_destroy(&workers->lock);
    rill__free(workers);
    loop->workers = NULL;
}
