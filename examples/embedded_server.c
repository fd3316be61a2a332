/* SPDX-License-Identifier: MIT
 *
 * A server inside an application that has a libev loop of its own: the application's timer and its
 * signal watcher run beside the server's tasks, in one thread, so both use the same data without a
 * lock. Each line that a client sends is answered with how often the timer has fired.
 */
#include <stdio.h>
#include <stdlib.h>

#include <ev.h>
#include <rill/rill.h>

#include "endpoint.h"
#include "serving.h"

#define TICK_S 0.05

struct application {
    struct ev_loop *ev;
    struct endpoint endpoint;
    struct ev_timer timer;
    struct ev_signal interrupt;
    unsigned long ticks;
    struct rill_task *server; /* the task that serves */
    int status;
};

/* -- the application's own watchers ---------------------------------------------------------- */

static void on_tick(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
    struct application *application = timer->data;

    (void)ev;
    (void)revents;
    application->ticks++;
}

/* Nobody else looks at SIGINT: it is rill_run that does, and there is none here. */
static void on_interrupt(struct ev_loop *ev, struct ev_signal *interrupt, int revents)
{
    const struct application *application = interrupt->data;

    (void)ev;
    (void)revents;
    rill_task_cancel(application->server);
}

/* -- the server ------------------------------------------------------------------------------ */

static int handle_client(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    const struct application *application = arg;
    struct rill_bytes line;
    char answer[32];
    int rc;

    while ((rc = rill_reader_next_line(reader, &line)) > 0) {
        const int size = snprintf(answer, sizeof answer, "tick %lu\n", application->ticks);
        rc = rill_writer_write(writer, answer, (size_t)size);
        if (rc < 0) {
            return rc;
        }
        rc = rill_writer_drain(writer);
        if (rc < 0) {
            return rc;
        }
    }
    rill_writer_close(writer);
    return rc == RILL_ECONNRESET ? 0 : rc;
}

static int start_and_serve(struct application *application)
{
    struct rill_server *server;

    const int rc = rill_start_server(handle_client, application, application->endpoint.host,
                                     application->endpoint.port, NULL, &server);
    return rc < 0 ? rc : serving_until_interrupted(server);
}

/* When the server has ended the application stops its own watchers. ev_run then returns as soon as
 * rill has nothing to do either: the clients' tasks still see that their connections are closed. */
static int serve(void *arg)
{
    struct application *application = arg;

    const int rc = start_and_serve(application);
    if (rc < 0 && rc != RILL_ECANCELLED) {
        fprintf(stderr, "%s: %s\n", rill_error_name(rc), rill_task_error()->text);
        application->status = EXIT_FAILURE;
    }
    ev_signal_stop(application->ev, &application->interrupt);
    ev_timer_stop(application->ev, &application->timer);
    return 0;
}

/* -- the application ------------------------------------------------------------------------- */

static void start_watchers(struct application *application)
{
    ev_timer_init(&application->timer, on_tick, TICK_S, TICK_S);
    application->timer.data = application;
    ev_timer_start(application->ev, &application->timer);

    ev_signal_init(&application->interrupt, on_interrupt, SIGINT);
    application->interrupt.data = application;
    ev_signal_start(application->ev, &application->interrupt);
}

static int run(struct application *application)
{
    const struct rill_loop_options options = {.ev = application->ev};
    struct rill_loop *loop;

    int rc = rill_loop_new(&options, &loop);
    if (rc < 0) {
        return rc;
    }
    const struct rill_task_options task_options = {.loop = loop};
    rc = rill_task_create(serve, application, &task_options, &application->server);
    if (rc >= 0) {
        start_watchers(application);
        ev_run(application->ev, 0);
        rill_task_free(application->server);
    }
    rill_loop_free(loop);
    return rc;
}

int main(int argc, char **argv)
{
    struct application application = {.status = EXIT_SUCCESS};

    if (!endpoint_parse(argc, argv, "embedded_server", &application.endpoint)) {
        return ENDPOINT_USAGE;
    }
    application.ev = ev_loop_new(EVFLAG_AUTO);
    if (application.ev == NULL) {
        fprintf(stderr, "embedded_server: libev has no loop\n");
        return EXIT_FAILURE;
    }
    const int rc = run(&application);
    if (rc < 0) {
        fprintf(stderr, "%s\n", rill_error_name(rc));
        application.status = EXIT_FAILURE;
    }
    ev_loop_destroy(application.ev);
    return application.status;
}
