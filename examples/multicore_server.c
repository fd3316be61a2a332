/* SPDX-License-Identifier: MIT
 *
 * A server on several cores: a thread for each, with its own loop and its own listening socket on
 * the same port (SO_REUSEPORT), so that the kernel spreads the connections. The threads share
 * nothing. Each line comes back behind the number of the thread. Until Ctrl-C.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rill/rill.h>

#include "endpoint.h"
#include "repr.h"

enum { THREADS_MAX = 64 };

#define FOR_EVER_S 1e9 /* 31 years */

struct worker {
    unsigned number;
    const char *host;
    char port[8]; /* of the first worker's socket for all later ones */
    pthread_t thread;
    sem_t started;
    sem_t released; /* the main thread makes no call on the loop any more */
    bool told;      /* that it has started, or has not */
    int rc;         /* of starting: below 0 the thread ends by itself */
    struct rill_address address;
    struct rill_loop *loop;
    struct rill_task *task;
};

/* -- in the worker's thread ------------------------------------------------------------------ */

static int echo_lines(const struct worker *worker, struct rill_reader *reader,
                      struct rill_writer *writer)
{
    char label[16];
    struct rill_bytes line;
    int rc;

    snprintf(label, sizeof label, "%u: ", worker->number);
    while ((rc = rill_reader_next_line(reader, &line)) > 0) {
        const struct rill_bytes parts[] = {rill_bytes_of(label), line};
        rc = rill_writer_writelines(writer, parts, 2);
        if (rc < 0) {
            return rc;
        }
        rc = rill_writer_drain(writer);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

static int handle_client(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    const int rc = echo_lines(arg, reader, writer);

    rill_writer_close(writer);
    return rc == RILL_ECONNRESET ? 0 : rc; /* that a client is gone is no failure here */
}

static int start(struct worker *worker, struct rill_server **server)
{
    const struct rill_server_options options = {.reuse_port = RILL_SET(1)};

    const int rc =
        rill_start_server(handle_client, worker, worker->host, worker->port, &options, server);
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", rill_error_name(rc), rill_task_error()->text);
        return rc;
    }
    rill_server_sockname(*server, 0, &worker->address);
    worker->loop = rill_running_loop();
    worker->task = rill_current_task();
    return 0;
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) { /* interrupted by a signal's handler */
    }
}

/* From here on the main thread may look at the worker, and call stop when it serves. */
static void tell(struct worker *worker, int rc)
{
    if (!worker->told) {
        worker->told = true;
        worker->rc = rc;
        sem_post(&worker->started);
    }
}

static int serve(void *arg)
{
    struct worker *worker = arg;
    struct rill_server *server;

    int rc = start(worker, &server);
    tell(worker, rc);
    if (rc < 0) {
        return rc;
    }
    rc = rill_sleep(FOR_EVER_S); /* until stop */
    wait_for(&worker->released); /* the loop must outlive the call that brought stop here */
    rill_server_close(server);
    rill_server_abort_clients(server);
    rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

static void stop(void *arg)
{
    const struct worker *worker = arg;

    rill_task_cancel(worker->task);
}

static void *run_worker(void *arg)
{
    const struct rill_run_options options = {.leave_sigint_alone = true};
    struct worker *worker = arg;

    tell(worker, rill_run(serve, worker, &options)); /* no loop, no task: serve said nothing */
    return NULL;
}

/* -- in the main thread ---------------------------------------------------------------------- */

static void destroy_semaphores(struct worker *worker)
{
    sem_destroy(&worker->started);
    sem_destroy(&worker->released);
}

/* True when the worker serves. */
static bool start_worker(struct worker *worker)
{
    sem_init(&worker->started, 0, 0);
    sem_init(&worker->released, 0, 0);
    if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0) {
        perror("pthread_create");
        destroy_semaphores(worker);
        return false;
    }
    wait_for(&worker->started);
    if (worker->rc < 0) {
        pthread_join(worker->thread, NULL);
        destroy_semaphores(worker);
        return false;
    }
    return true;
}

/* One after the other: with port 0 the first one finds the port for all. The number of those that
 * serve. */
static size_t start_workers(struct worker *workers, size_t count, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.number = (unsigned)i, .host = endpoint->host};
        if (i == 0) {
            snprintf(workers[i].port, sizeof workers[i].port, "%s", endpoint->port);
        } else {
            snprintf(workers[i].port, sizeof workers[i].port, "%d", workers[0].address.port);
        }
        if (!start_worker(&workers[i])) {
            return i;
        }
    }
    return count;
}

static void stop_workers(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rill_call_soon_threadsafe(workers[i].loop, stop, &workers[i]) < 0) {
            fprintf(stderr, "multicore_server: out of memory\n");
            exit(EXIT_FAILURE); /* a thread that cannot be told cannot be waited for */
        }
        sem_post(&workers[i].released);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        destroy_semaphores(&workers[i]);
    }
}

static size_t core_count(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1) {
        return 1;
    }
    return cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    struct endpoint endpoint;
    sigset_t interrupts;
    int signal_number;

    if (!endpoint_parse(argc, argv, "multicore_server", &endpoint)) {
        return ENDPOINT_USAGE;
    }
    /* Blocked before the threads are there, so in all of them: Ctrl-C waits for sigwait below. */
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupts, NULL);

    const size_t wanted = core_count();
    const size_t serving = start_workers(workers, wanted, &endpoint);
    if (serving == wanted) {
        printf("Serving on %s with %zu threads\n", repr_address(&workers[0].address).text, serving);
        fflush(stdout);
        sigwait(&interrupts, &signal_number);
    }
    stop_workers(workers, serving);
    return serving == wanted ? EXIT_SUCCESS : EXIT_FAILURE;
}
