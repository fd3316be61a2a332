/* SPDX-License-Identifier: MIT
 *
 * The state machine of TLS (specification 8.6, asyncio's SSLProtocol): what the transport below
 * tells, the handshake, and the life of the layer. Data are ssl_data.c's, the ending is
 * ssl_shutdown.c's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sansio/memory.h"
#include "streams/ssl_private.h"

#define HANDSHAKE_TIMEOUT_S 60.0 /* asyncio's SSL_HANDSHAKE_TIMEOUT */
#define SHUTDOWN_TIMEOUT_S  30.0 /* SSL_SHUTDOWN_TIMEOUT */

static const struct rill_protocol_ops lower_ops;

static struct rill__ssl *of(struct rill_protocol *protocol)
{
    return rill__container(protocol, struct rill__ssl, lower);
}

/* -- ending ---------------------------------------------------------------------------------- */

/* Takes over the reference. */
void rill__ssl_force_close_below(struct rill__ssl *self, const struct rill_error *error)
{
    if (self->below != NULL) {
        self->below->ops->force_close(self->below, error);
    } else {
        rill_error_unref(error);
    }
}

/* asyncio's _fatal_error. Takes over the reference. */
void rill__ssl_fatal(struct rill__ssl *self, const struct rill_error *error, const char *message)
{
    const struct rill_exception_context context = {
        .message = message,
        .exception = error,
        .transport = self->below,
        .protocol = &self->lower,
    };

    rill_error_ref(error);
    rill__ssl_force_close_below(self, error);
    rill__report_fatal(self->base.loop, &context);
    rill_error_unref(error);
}

void rill__ssl_set_timer(struct rill__ssl *self, double seconds)
{
    struct rill_loop *loop = self->base.loop;

    rill__timer_stop(&self->timer);
    if (rill__timer_start(loop, &self->timer, rill_loop_time(loop) + seconds) < 0) {
        rill__ssl_fatal(self, rill_error_no_memory(),
                        "SSL handshake failed"); /* no wait without an end */
    }
}

static void tell_opener(struct rill__ssl *self, const struct rill_error *error)
{
    if (self->on_handshake != NULL) {
        void (*const on_handshake)(void *, struct rill__ssl *, const struct rill_error *) =
            self->on_handshake;
        self->on_handshake = NULL;
        on_handshake(self->on_handshake_arg, self, error);
    }
}

/* The protocol above hears of the loss exactly once; then the layer below's reference goes. */
static void deliver_lost(struct rill__ssl *self)
{
    struct rill_protocol *protocol = self->protocol;
    const struct rill_error *error = self->lost_error;

    rill__unready(&self->lost);
    rill__open_remove(self->base.loop, &self->open);
    self->app_state = RILL__APP_LOST;
    self->protocol = NULL;
    self->lost_error = NULL;
    if (protocol != NULL && protocol->ops->connection_lost != NULL) {
        protocol->ops->connection_lost(protocol, error);
    }
    rill_error_unref(error);
    rill_transport_unref(&self->base);
}

static void run_lost(struct rill__entry *entry)
{
    deliver_lost(rill__container(entry, struct rill__ssl, lost));
}

/* The loop goes before the next iteration came. */
static void drop(struct rill__open *open)
{
    deliver_lost(rill__container(open, struct rill__ssl, open));
}

/* */
static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct rill__ssl *self = of(protocol);
    struct rill_transport *below = self->below;

    self->state = RILL__SSL_UNWRAPPED;
    if (self->handshaken && self->end == RILL_TLS_OPEN && error == NULL && !self->closing) {
        self->end = RILL_TLS_TRUNCATED; /* TLS below had no time for what was held back here */
        error = rill__tls_is_strict(self->session) ? rill__tls_truncated() : NULL;
        self->lost_error = error;
    } else {
        self->lost_error = rill_error_ref(error);
    }
    self->closing = true;
    self->gone = true;
    self->lost_writes++;
    self->below = NULL;
    rill__buffer_cleanup(&self->backlog);
    rill__timer_stop(&self->timer);
    rill__unready(&self->close_below);
    rill__unready(&self->resume);
    rill__unready(&self->last_flight);
    self->open.drop = drop;
    rill__open_add(self->base.loop, &self->open);
    rill__ready(self->base.loop, &self->lost);
    if (!self->handshaken && error == NULL) { /* somebody closed the layer below */
        const struct rill_error *closed =
            rill_error_new(RILL_ECONNABORTED, "SSL handshake was interrupted");
        tell_opener(self, closed);
        rill_error_unref(closed);
    } else {
        tell_opener(self, error);
    }
    rill_transport_unref(below);
}

/* asyncio's _abort. Takes over the reference. */
void rill__ssl_abort(struct rill__ssl *self, const struct rill_error *error)
{
    self->state = RILL__SSL_UNWRAPPED;
    rill__ssl_force_close_below(self, error);
}

/* -- the handshake --------------------------------------------------------------------------- */

static void handshake_failed(struct rill__ssl *self, const struct rill_error *error)
{
    rill__timer_stop(&self->timer);
    self->state = RILL__SSL_UNWRAPPED;
    rill__ssl_fatal(self, rill_error_ref(error),
                    error->code == RILL_ESSLCERT
                        ? "SSL handshake failed on verifying the certificate"
                        : "SSL handshake failed");
    tell_opener(self, error);
    rill_error_unref(error);
}

/* A peer that wrote behind its last message is answered soon, and a server's last messages, the
 * tickets, go in the same send: at the latest when the tasks that this made ready have run. */
static void handshake_done(struct rill__ssl *self)
{
    rill__timer_stop(&self->timer);
    self->state = RILL__SSL_WRAPPED;
    self->handshaken = true;
    const bool asked = rill_ssl_object_server_side(self->session) &&
                       self->app_state == RILL__APP_INIT && rill__tls_incoming(self->session) > 0;
    if (!asked) {
        rill__ssl_send_outgoing(self);
    }
    if (self->app_state == RILL__APP_INIT) {
        self->app_state = RILL__APP_MADE;
        if (self->protocol != NULL && self->protocol->ops->connection_made != NULL) {
            self->protocol->ops->connection_made(self->protocol, &self->base);
        }
    }
    tell_opener(self, NULL);
    self->answers_soon = asked;
    rill__ssl_do_read(self);
    if (self->answers_soon) {
        self->answers_soon = false;
        rill__ready(self->base.loop, &self->last_flight);
    }
}

/* Nobody answered. */
static void run_last_flight(struct rill__entry *entry)
{
    struct rill__ssl *self = rill__container(entry, struct rill__ssl, last_flight);

    rill_transport_ref(&self->base);
    rill__ssl_process_outgoing(self);
    rill_transport_unref(&self->base);
}

static void do_handshake(struct rill__ssl *self)
{
    const struct rill_error *error;

    switch (rill__tls_handshake(self->session, &error)) {
    case RILL__TLS_OK:
        handshake_done(self);
        break;
    case RILL__TLS_WANT:
        rill__ssl_process_outgoing(self);
        break;
    case RILL__TLS_CLOSED:
        error = rill_error_new(RILL_ECONNRESET, "%s", "");
        handshake_failed(self, error);
        break;
    case RILL__TLS_FAILED:
        rill__ssl_send_outgoing(self); /* the alert */
        handshake_failed(self, error);
        break;
    }
}

/* As Python prints a number: no exponent where there need be none. */
static void print_number(double value, char *text, size_t size)
{
    snprintf(text, size, "%.15g", value);
    if (strtod(text, NULL) != value) {
        snprintf(text, size, "%.17g", value);
    }
}

static void run_handshake_timeout(struct rill__entry *entry)
{
    struct rill__ssl *self =
        rill__container(rill__container(entry, struct rill__timer, entry), struct rill__ssl, timer);
    char seconds[32] = "60.0";

    if (!self->default_timeout) {
        print_number(self->handshake_timeout, seconds, sizeof seconds);
    }
    rill__ssl_fatal(
        self,
        rill_error_new(RILL_ECONNABORTED, /* */
                       "SSL handshake is taking longer than %s seconds: aborting the connection",
                       seconds),
        "Fatal error on transport");
}

void rill__ssl_start(struct rill__ssl *self, struct rill_transport *below)
{
    const long long high = (long long)self->water.high;
    const long long low = (long long)self->water.low;

    self->below = rill_transport_ref(below);
    if (self->closing) { /* cancelled before it began */
        rill__ssl_abort(self, NULL);
        return;
    }
    rill_error_unref(below->ops->set_write_buffer_limits(below, &high, &low));
    self->state = RILL__SSL_HANDSHAKE;
    self->timer.entry.run = run_handshake_timeout;
    rill__ssl_set_timer(self, self->handshake_timeout);
    rill_transport_ref(&self->base);
    do_handshake(self);
    rill_transport_unref(&self->base);
}

/* -- the side of the transport below --------------------------------------------------------- */

static void connection_made(struct rill_protocol *protocol, struct rill_transport *below)
{
    rill__ssl_start(of(protocol), below);
}

static void take_input(struct rill__ssl *self)
{
    switch (self->state) {
    case RILL__SSL_UNWRAPPED:
        break;
    case RILL__SSL_HANDSHAKE:
        do_handshake(self);
        break;
    case RILL__SSL_WRAPPED:
        rill__ssl_do_read(self);
        break;
    case RILL__SSL_FLUSHING:
        rill__ssl_do_flush(self);
        break;
    case RILL__SSL_SHUTDOWN:
        rill__ssl_do_shutdown(self);
        break;
    }
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    struct rill__ssl *self = of(protocol);

    rill_transport_ref(&self->base);
    rill__tls_feed(self->session, data);
    take_input(self);
    if (rill__tls_settle(self->session) < 0) {
        rill__ssl_fatal(self, rill_error_no_memory(), "Fatal error on SSL protocol");
    }
    rill__ssl_control_reading(self);
    rill_transport_unref(&self->base);
    return 0;
}

static int eof_received(struct rill_protocol *protocol)
{
    struct rill__ssl *self = of(protocol);
    int keep_open = 0;

    self->eof_received = true;
    rill_transport_ref(&self->base);
    if (self->state == RILL__SSL_HANDSHAKE) { /* */
        handshake_failed(self, rill_error_new(RILL_ECONNRESET, "%s", ""));
    } else if (self->state == RILL__SSL_WRAPPED) { /* */
        self->state = RILL__SSL_FLUSHING;
        /* TLS below cannot stay open: what came is delivered now, paused or not. */
        self->app_reading_paused = self->app_reading_paused && rill__ssl_of(self->below) == NULL;
        keep_open = self->app_reading_paused;
        if (!keep_open) {
            rill__ssl_do_flush(self);
        }
    } else if (self->state == RILL__SSL_FLUSHING) {
        rill__ssl_push_backlog(self);
        self->state = RILL__SSL_SHUTDOWN;
        rill__ssl_do_shutdown(self);
    } else if (self->state == RILL__SSL_SHUTDOWN) {
        if (self->end == RILL_TLS_OPEN) {
            self->end = RILL_TLS_TRUNCATED;
        }
        rill__ssl_do_shutdown(self);
    }
    rill_transport_unref(&self->base);
    return keep_open;
}

static void pause_writing(struct rill_protocol *protocol)
{
    rill__ssl_control_writing(of(protocol));
}

static void resume_writing(struct rill_protocol *protocol)
{
    struct rill__ssl *self = of(protocol);

    rill__ssl_control_writing(self);
    if (self->state == RILL__SSL_SHUTDOWN && self->timer.armed) { /* the flush moves, or is done */
        rill__ssl_start_shutdown_timer(self);
    }
}

static const struct rill_protocol_ops lower_ops = {
    .connection_made = connection_made,
    .data_received = data_received,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
    .pause_writing = pause_writing,
    .resume_writing = resume_writing,
};

/* -- life ------------------------------------------------------------------------------------ */

static const struct rill_error *check_timeout(const char *name, struct rill_opt_real timeout)
{
    char number[32];

    if (!timeout.given || timeout.value > 0) {
        return NULL;
    }
    print_number(timeout.value, number, sizeof number);
    return rill_error_new(RILL_EVALUE, "%s should be a positive number, got %s", name, number);
}

const struct rill_error *rill__ssl_check_timeouts(struct rill_opt_real handshake_timeout,
                                                  struct rill_opt_real shutdown_timeout)
{
    const struct rill_error *error = check_timeout("ssl_handshake_timeout", handshake_timeout);
    return error != NULL ? error : check_timeout("ssl_shutdown_timeout", shutdown_timeout);
}

static struct rill_ssl_object *new_session(const struct rill__ssl_params *params,
                                           const struct rill_error **error)
{
    *error = rill__ssl_check_timeouts(params->handshake_timeout, params->shutdown_timeout);
    if (*error != NULL) {
        return NULL;
    }
    struct rill_ssl_context *context = rill__ssl_context_for(params->context, error);
    if (context == NULL) {
        return NULL;
    }
    struct rill_ssl_object *session = rill__tls_new(
        context, params->server_side, params->server_hostname, params->skip_hostname, error);
    rill_ssl_context_unref(context);
    return session;
}

int rill__ssl_new(struct rill_loop *loop, const struct rill__ssl_params *params,
                  struct rill_protocol *protocol, bool made_already, struct rill__ssl **made,
                  const struct rill_error **error)
{
    struct rill_ssl_object *session = new_session(params, error);
    if (session == NULL) {
        return (*error)->code;
    }
    struct rill__ssl *self = rill__alloc_zeroed(sizeof *self);
    if (self == NULL) {
        rill__tls_free(session);
        *error = rill_error_no_memory();
        return RILL_ENOMEM;
    }
    self->base.ops = &rill__ssl_transport_ops;
    self->base.loop = loop;
    self->base.references = 2; /* the layer below's and the caller's */
    self->lower.ops = &lower_ops;
    self->protocol = protocol;
    self->session = session;
    self->app_state = made_already ? RILL__APP_MADE : RILL__APP_INIT;
    self->end = RILL_TLS_OPEN;
    self->default_timeout = !params->handshake_timeout.given;
    self->handshake_timeout =
        params->handshake_timeout.given ? params->handshake_timeout.value : HANDSHAKE_TIMEOUT_S;
    self->shutdown_timeout =
        params->shutdown_timeout.given ? params->shutdown_timeout.value : SHUTDOWN_TIMEOUT_S;
    rill__buffer_init(&self->backlog);
    rill__water_init(&self->water, RILL__SSL_WRITE_HIGH_WATER);
    rill__water_init(&self->read_water, RILL__SSL_READ_HIGH_WATER);
    self->resume.run = rill__ssl_run_resume;
    self->close_below.run = rill__ssl_run_close_below;
    self->lost.run = run_lost;
    self->last_flight.run = run_last_flight;
    *made = self;
    return 0;
}

void rill__ssl_discard(struct rill__ssl *self)
{
    rill_transport_unref(&self->base); /* the layer below's, which never was */
    rill_transport_unref(&self->base);
}

void rill__ssl_forget_protocol(struct rill__ssl *self)
{
    self->protocol = NULL;
}

struct rill__ssl *rill__ssl_of(struct rill_transport *transport)
{
    return transport->ops == &rill__ssl_transport_ops
               ? rill__container(transport, struct rill__ssl, base)
               : NULL;
}

struct rill_transport *rill__ssl_top(struct rill_transport *transport)
{
    struct rill_protocol *protocol = rill_transport_get_protocol(transport);

    while (protocol != NULL && protocol->ops == &lower_ops) {
        transport = &of(protocol)->base;
        protocol = of(protocol)->protocol;
    }
    return transport;
}
