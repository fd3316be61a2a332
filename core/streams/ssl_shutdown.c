/* SPDX-License-Identifier: MIT
 *
 * How a TLS stream ends (specification 8.4): close_notify both ways, the peer's bare end, and the
 * time that it may take.
 */
#include "sansio/memory.h"
#include "streams/ssl_private.h"

void rill__ssl_call_eof_received(struct rill__ssl *self)
{
    struct rill_protocol *protocol = self->protocol;
    int keep_open = 0;

    if (self->app_state != RILL__APP_MADE) {
        return;
    }
    self->app_state = RILL__APP_EOF;
    if (protocol != NULL && protocol->ops->eof_received != NULL) {
        keep_open = protocol->ops->eof_received(protocol);
    }
    if (keep_open > 0) { /* */
        rill__log(self->base.loop, RILL_LOG_WARNING,
                  "returning true from eof_received() has no effect when using ssl");
    } else if (keep_open < 0) {
        rill__ssl_fatal(self, rill__error_of_code(keep_open), "Error calling eof_received()");
    }
}

void rill__ssl_run_close_below(struct rill__entry *entry)
{
    struct rill__ssl *self = rill__container(entry, struct rill__ssl, close_below);
    if (self->below != NULL) {
        rill_transport_close(self->below);
    }
}

/* the time begins when everything is sent; before that it measures that something moves. */
static void run_shutdown_timeout(struct rill__entry *entry)
{
    struct rill__ssl *self =
        rill__container(rill__container(entry, struct rill__timer, entry), struct rill__ssl, timer);
    const size_t unsent = rill__ssl_unsent(self);

    if (unsent < self->unsent) {
        self->unsent = unsent;
        rill__ssl_set_timer(self, self->shutdown_timeout);
    } else {
        rill__ssl_force_close_below(self, rill_error_new(RILL_ETIMEOUT, "SSL shutdown timed out"));
    }
}

void rill__ssl_start_shutdown_timer(struct rill__ssl *self)
{
    self->unsent = rill__ssl_unsent(self);
    self->timer.entry.run = run_shutdown_timeout;
    rill__ssl_set_timer(self, self->shutdown_timeout);
    if (self->unsent > 0 && !self->water.paused) { /* to hear when the last byte is gone */
        const long long zero = 0;
        rill_error_unref(self->below->ops->set_write_buffer_limits(self->below, &zero, &zero));
    }
}

/* asyncio's _on_shutdown_complete: the transport below goes in the next iteration. */
static void shutdown_complete(struct rill__ssl *self, const struct rill_error *error)
{
    rill__timer_stop(&self->timer);
    if (error != NULL) {
        rill__ssl_fatal(self, error, "Fatal error on transport");
    } else if (self->below != NULL) {
        rill__ready(self->base.loop, &self->close_below);
    }
}

/* True when it is an error: the reader then hears of that and of no end. */
static bool truncated(struct rill__ssl *self)
{
    self->end = RILL_TLS_TRUNCATED;
    if (!rill__tls_is_strict(self->session) || self->closing) {
        return false;
    }
    rill__ssl_fatal(self, rill__tls_truncated(), "Fatal error on SSL protocol");
    return true;
}

/* Exchanges close_notify, as far as the peer's side is still there. */
void rill__ssl_do_shutdown(struct rill__ssl *self)
{
    const struct rill_error *error = NULL;
    enum rill__tls_result result = RILL__TLS_OK;

    if (!self->eof_received) {
        result = rill__tls_shutdown(self->session, &error);
    }
    rill__ssl_process_outgoing(self);
    if (self->state != RILL__SSL_SHUTDOWN || result == RILL__TLS_WANT) {
        rill_error_unref(error);
        return;
    }
    if (result == RILL__TLS_OK) {
        if (!self->eof_received) {
            self->end = RILL_TLS_CLEAN;
        }
        rill__ssl_call_eof_received(self);
    }
    shutdown_complete(self, error);
}

void rill__ssl_do_flush(struct rill__ssl *self)
{
    rill__ssl_do_read(self);
    if (self->state != RILL__SSL_FLUSHING) {
        return;
    }
    self->state = RILL__SSL_SHUTDOWN;
    if (self->eof_received && self->end == RILL_TLS_OPEN && truncated(self)) {
        return;
    }
    rill__ssl_do_shutdown(self);
}

/* close() while a paused reader holds back what came before the peer's end: it will not ask for it
 * any more. */
static void close_behind_end(struct rill__ssl *self)
{
    rill_transport_ref(&self->base);
    self->closing = true;
    self->state = RILL__SSL_SHUTDOWN;
    if (self->end == RILL_TLS_OPEN) {
        self->end = RILL_TLS_TRUNCATED;
    }
    rill__ssl_do_shutdown(self);
    rill_transport_unref(&self->base);
}

/* close() from above, or the peer's close_notify. */
void rill__ssl_start_shutdown(struct rill__ssl *self)
{
    if (self->state == RILL__SSL_FLUSHING && self->eof_received && self->app_reading_paused) {
        close_behind_end(self);
        return;
    }
    if (self->state != RILL__SSL_HANDSHAKE && self->state != RILL__SSL_WRAPPED) {
        return;
    }
    self->closing = true;
    if (self->state == RILL__SSL_HANDSHAKE) { /* */
        rill__ssl_abort(self, NULL);
        return;
    }
    rill_transport_ref(&self->base);
    self->state = RILL__SSL_FLUSHING;
    rill__ssl_do_flush(self);
    if (self->state == RILL__SSL_SHUTDOWN && !rill__linked(&self->close_below.link) &&
        self->below != NULL && !rill_transport_is_closing(self->below)) {
        rill__ssl_start_shutdown_timer(self);
    }
    rill__ssl_control_reading(self); /* what was held back is discarded now */
    rill_transport_unref(&self->base);
}
