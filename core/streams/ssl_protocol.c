/* SPDX-License-Identifier: MIT
 *
 * The state machine of TLS (specification 8.6, asyncio's SSLProtocol): what the transport below
 * tells, and what becomes of it above.
 */
#include "streams/ssl_protocol.h"

#include <stdio.h>
#include <stdlib.h>

#include "sansio/memory.h"
#include "streams/selector.h"

#define HANDSHAKE_TIMEOUT_S   60.0                 /* asyncio's SSL_HANDSHAKE_TIMEOUT */
#define SHUTDOWN_TIMEOUT_S    30.0                 /* SSL_SHUTDOWN_TIMEOUT */
#define WRITE_HIGH_WATER      ((size_t)512 * 1024) /* FLOW_CONTROL_HIGH_WATER_SSL_WRITE */
#define READ_HIGH_WATER       ((size_t)256 * 1024) /* FLOW_CONTROL_HIGH_WATER_SSL_READ */
#define READ_LOW_WATER        (READ_HIGH_WATER / 4)
#define ENCRYPT_MAX           ((size_t)256 * 1024) /* plaintext that is encrypted before it is sent */
#define RECORD_MAX            ((size_t)16384)      /* plaintext of one record */
#define LOST_WRITES_THRESHOLD 5                    /* asyncio's LOG_THRESHOLD_FOR_CONNLOST_WRITES */

static const struct rill_protocol_ops lower_ops;

static struct rill__ssl *of(struct rill_protocol *protocol)
{
    return rill__container(protocol, struct rill__ssl, lower);
}

static void do_read(struct rill__ssl *self);
static void do_shutdown(struct rill__ssl *self);

/* -- ending ---------------------------------------------------------------------------------- */

/* Takes over the reference. */
static void force_close_below(struct rill__ssl *self, const struct rill_error *error)
{
    if (self->below != NULL) {
        self->below->ops->force_close(self->below, error);
    } else {
        rill_error_unref(error);
    }
}

/* asyncio's _fatal_error. Takes over the reference. */
static void fatal(struct rill__ssl *self, const struct rill_error *error, const char *message)
{
    const struct rill_exception_context context = {
        .message = message,
        .exception = error,
        .transport = self->below,
        .protocol = &self->lower,
    };

    rill_error_ref(error);
    force_close_below(self, error);
    rill__report_fatal(self->base.loop, &context);
    rill_error_unref(error);
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
    self->closing = true;
    self->lost_writes++;
    self->lost_error = rill_error_ref(error);
    self->below = NULL;
    rill__buffer_cleanup(&self->backlog);
    rill__timer_stop(&self->timer);
    rill__unready(&self->close_below);
    rill__unready(&self->resume);
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
    force_close_below(self, error);
}

/* -- flow control ---------------------------------------------------------------------------- */

size_t rill__ssl_unsent(const struct rill__ssl *self)
{
    return rill__buffer_length(&self->backlog) +
           (self->below != NULL ? rill_transport_get_write_buffer_size(self->below) : 0);
}

static void apply_flow(struct rill__ssl *self, enum rill__flow_event event)
{
    struct rill_protocol *protocol = self->protocol;

    if (protocol == NULL) {
        return;
    }
    if (event == RILL__FLOW_PAUSE && protocol->ops->pause_writing != NULL) {
        protocol->ops->pause_writing(protocol);
    } else if (event == RILL__FLOW_RESUME && protocol->ops->resume_writing != NULL) {
        protocol->ops->resume_writing(protocol);
    }
}

void rill__ssl_control_writing(struct rill__ssl *self)
{
    const size_t size = rill__ssl_unsent(self);
    apply_flow(self, rill__water_grew(&self->water, size));
    apply_flow(self, rill__water_shrank(&self->water, size));
}

/* */
static void control_reading(struct rill__ssl *self)
{
    const size_t size = rill__tls_incoming(self->session);

    if (self->below == NULL) {
        return;
    }
    if (size >= READ_HIGH_WATER && !self->below_reading_paused) {
        self->below_reading_paused = true;
        rill_transport_pause_reading(self->below);
    } else if (size <= READ_LOW_WATER && self->below_reading_paused) {
        self->below_reading_paused = false;
        rill_transport_resume_reading(self->below);
    }
}

/* -- out ------------------------------------------------------------------------------------- */

/* Hands ciphertext down. It queues there, and its marks are ours, so nothing is held back here. */
static void send_outgoing(struct rill__ssl *self)
{
    struct rill__buffer outgoing;
    const struct rill_error *error = NULL;

    rill__tls_take_outgoing(self->session, &outgoing);
    const struct rill_bytes bytes = {rill__buffer_data(&outgoing), rill__buffer_length(&outgoing)};
    if (bytes.len > 0 && self->below != NULL) {
        error = self->below->ops->write(self->below, bytes);
    }
    rill__buffer_cleanup(&outgoing);
    if (error != NULL) { /* a hole in the stream: it cannot go on */
        fatal(self, error, "Fatal error on SSL protocol");
    }
}

static void process_outgoing(struct rill__ssl *self)
{
    send_outgoing(self);
    rill__ssl_control_writing(self);
}

/* Encrypts and sends. *taken bytes are done for good; fewer than data.len when the session wants
 * input first. False: fatal. */
static bool encrypt(struct rill__ssl *self, struct rill_bytes data, size_t *taken)
{
    const struct rill_error *error;
    size_t count;

    *taken = 0;
    while (*taken < data.len && self->below != NULL && !rill_transport_is_closing(self->below)) {
        const size_t rest = data.len - *taken;
        const struct rill_bytes piece = {data.ptr + *taken,
                                         rest < ENCRYPT_MAX ? rest : ENCRYPT_MAX};
        const enum rill__tls_result result = rill__tls_write(self->session, piece, &count, &error);
        if (result == RILL__TLS_WANT) {
            return true;
        }
        if (result != RILL__TLS_OK) {
            fatal(self, error != NULL ? error : rill_error_new(RILL_ESSL, "%s", "write failed"),
                  "Fatal error on SSL protocol");
            return false;
        }
        *taken += count;
        if (rest > ENCRYPT_MAX) {
            send_outgoing(self);
        }
    }
    *taken = data.len; /* or the connection is lost below, and so are the bytes */
    return true;
}

static void push_backlog(struct rill__ssl *self)
{
    const struct rill_bytes rest = {rill__buffer_data(&self->backlog),
                                    rill__buffer_length(&self->backlog)};
    size_t taken;

    if (rest.len > 0 && encrypt(self, rest, &taken)) {
        rill__buffer_discard(&self->backlog, taken);
        rill__buffer_shrink(&self->backlog, 0);
    }
    process_outgoing(self);
}

static const struct rill_error *write_part(struct rill__ssl *self, struct rill_bytes data)
{
    size_t taken = 0;

    if (data.len == 0) {
        return NULL;
    }
    if (self->state == RILL__SSL_WRAPPED && rill__buffer_length(&self->backlog) == 0 &&
        !encrypt(self, data, &taken)) {
        return NULL; /* the connection's failure: drain and the reader tell */
    }
    return taken < data.len &&
                   rill__buffer_append(&self->backlog, data.ptr + taken, data.len - taken) < 0
               ? rill_error_no_memory()
               : NULL;
}

/* asyncio's _write_appdata. */
const struct rill_error *rill__ssl_write(struct rill__ssl *self, const struct rill_bytes *parts,
                                         size_t count)
{
    const struct rill_error *error = NULL;

    if (self->state != RILL__SSL_WRAPPED && self->state != RILL__SSL_HANDSHAKE) { /* */
        if (self->lost_writes >= LOST_WRITES_THRESHOLD) {
            rill__log(self->base.loop, RILL_LOG_WARNING, "SSL connection is closed");
        }
        self->lost_writes++;
        return NULL;
    }
    rill_transport_ref(&self->base);
    for (size_t i = 0; i < count && error == NULL; i++) {
        error = write_part(self, parts[i]);
    }
    process_outgoing(self);
    rill_transport_unref(&self->base);
    return error;
}

/* -- the end of a stream --------------------------------------------------------------------- */

static void call_eof_received(struct rill__ssl *self)
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
        fatal(self, rill__error_of_code(keep_open), "Error calling eof_received()");
    }
}

static void run_close_below(struct rill__entry *entry)
{
    struct rill__ssl *self = rill__container(entry, struct rill__ssl, close_below);
    if (self->below != NULL) {
        rill_transport_close(self->below);
    }
}

static void set_timer(struct rill__ssl *self, double seconds)
{
    struct rill_loop *loop = self->base.loop;

    rill__timer_stop(&self->timer);
    if (rill__timer_start(loop, &self->timer, rill_loop_time(loop) + seconds) < 0) {
        fatal(self, rill_error_no_memory(), "SSL handshake failed"); /* no wait without an end */
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
        set_timer(self, self->shutdown_timeout);
    } else {
        force_close_below(self, rill_error_new(RILL_ETIMEOUT, "SSL shutdown timed out"));
    }
}

static void start_shutdown_timer(struct rill__ssl *self)
{
    self->unsent = rill__ssl_unsent(self);
    self->timer.entry.run = run_shutdown_timeout;
    set_timer(self, self->shutdown_timeout);
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
        fatal(self, error, "Fatal error on transport");
    } else if (self->below != NULL) {
        rill__ready(self->base.loop, &self->close_below);
    }
}

static void truncated(struct rill__ssl *self)
{
    self->end = RILL_TLS_TRUNCATED; /* */
    if (rill__tls_is_strict(self->session) && !self->closing) {
        fatal(self, rill__tls_truncated(), "Fatal error on SSL protocol");
    }
}

/* Exchanges close_notify, as far as the peer's side is still there. */
static void do_shutdown(struct rill__ssl *self)
{
    const struct rill_error *error = NULL;
    enum rill__tls_result result = RILL__TLS_OK;

    if (!self->eof_received) {
        result = rill__tls_shutdown(self->session, &error);
    }
    process_outgoing(self);
    if (self->state != RILL__SSL_SHUTDOWN || result == RILL__TLS_WANT) {
        rill_error_unref(error);
        return;
    }
    if (result == RILL__TLS_OK) {
        if (!self->eof_received) {
            self->end = RILL_TLS_CLEAN;
        }
        call_eof_received(self);
    }
    shutdown_complete(self, error);
}

static void do_flush(struct rill__ssl *self)
{
    do_read(self);
    if (self->state != RILL__SSL_FLUSHING) {
        return;
    }
    self->state = RILL__SSL_SHUTDOWN;
    if (self->eof_received && self->end == RILL_TLS_OPEN) {
        truncated(self);
    }
    do_shutdown(self);
}

/* close() from above, or the peer's close_notify. */
void rill__ssl_start_shutdown(struct rill__ssl *self)
{
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
    do_flush(self);
    if (self->state == RILL__SSL_SHUTDOWN && !rill__linked(&self->close_below.link) &&
        self->below != NULL && !rill_transport_is_closing(self->below)) {
        start_shutdown_timer(self);
    }
    control_reading(self); /* what was held back is discarded now */
    rill_transport_unref(&self->base);
}

/* -- in -------------------------------------------------------------------------------------- */

/* Plaintext on its way up: straight into the protocol's space, or collected for one data_received.
 * What comes from one event below is one event above. */
struct delivery {
    struct rill__buffer collected; /* for a protocol without get_buffer */
    char *space;
    size_t size;
    size_t filled;
    bool in_place;
};

static bool get_space(struct rill__ssl *self, struct delivery *delivery, size_t hint)
{
    const struct rill_protocol_ops *ops = self->protocol->ops;

    delivery->filled = 0;
    delivery->size = ops->get_buffer != NULL && rill__buffer_length(&delivery->collected) == 0
                         ? ops->get_buffer(self->protocol, hint, &delivery->space)
                         : 0;
    delivery->in_place = delivery->size > 0;
    return delivery->in_place ||
           rill__buffer_space(&delivery->collected, hint, &delivery->space, &delivery->size) == 0;
}

static int hand_up(struct rill__ssl *self, struct delivery *delivery)
{
    const size_t filled = delivery->filled;
    int rc = 0;

    delivery->filled = 0;
    if (filled == 0 || self->protocol == NULL) {
        return 0;
    }
    if (delivery->in_place) {
        rc = self->protocol->ops->buffer_updated(self->protocol, filled);
    } else {
        rill__buffer_filled(&delivery->collected, filled);
    }
    return rc;
}

static int finish_delivery(struct rill__ssl *self, struct delivery *delivery)
{
    const struct rill_bytes data = {rill__buffer_data(&delivery->collected),
                                    rill__buffer_length(&delivery->collected)};
    if (data.len == 0 || self->protocol == NULL) {
        return 0;
    }
    return self->protocol->ops->data_received != NULL
               ? self->protocol->ops->data_received(self->protocol, data)
               : RILL_ENOMEM; /* its get_buffer had no space */
}

/* Everything that is decryptable. Below 0: a protocol's failure, or no memory. */
static int decrypt_all(struct rill__ssl *self, struct delivery *delivery,
                       enum rill__tls_result *result, const struct rill_error **error)
{
    size_t hint = rill__tls_incoming(self->session);
    size_t count;
    int rc = 0;

    *result = RILL__TLS_OK;
    hint = hint > READ_HIGH_WATER ? READ_HIGH_WATER : hint;
    while (rc == 0 && *result == RILL__TLS_OK) {
        if (!get_space(self, delivery, hint > 0 ? hint : 1)) {
            *error = rill_error_no_memory();
            *result = RILL__TLS_FAILED;
            return 0;
        }
        hint = RECORD_MAX;
        while (*result == RILL__TLS_OK && delivery->filled < delivery->size) {
            *result = rill__tls_read(self->session, delivery->space + delivery->filled,
                                     delivery->size - delivery->filled, &count, error);
            delivery->filled += count;
            if (*result == RILL__TLS_OK && !rill__tls_may_have_more(self->session)) {
                *result = RILL__TLS_WANT;
            }
        }
        if (*result != RILL__TLS_FAILED) { /* what came with a broken record is dropped with it */
            rc = hand_up(self, delivery);
        }
    }
    return rc == 0 && *result != RILL__TLS_FAILED ? finish_delivery(self, delivery) : rc;
}

static void deliver(struct rill__ssl *self)
{
    struct delivery delivery = {.space = NULL};
    enum rill__tls_result result;
    const struct rill_error *error = NULL;

    rill__buffer_init(&delivery.collected);
    const int rc = decrypt_all(self, &delivery, &result, &error);
    rill__buffer_cleanup(&delivery.collected);
    if (rc < 0) {
        rill_error_unref(error);
        fatal(self, rill__error_of_code(rc), "Fatal error on SSL protocol");
    } else if (result == RILL__TLS_FAILED) {
        send_outgoing(self); /* the alert */
        fatal(self, error, "Fatal error on SSL protocol");
    } else if (result == RILL__TLS_CLOSED) {
        self->end = RILL_TLS_CLEAN;
        call_eof_received(self);
        rill__ssl_start_shutdown(self);
    }
}

static void do_read(struct rill__ssl *self)
{
    if (self->state != RILL__SSL_WRAPPED && self->state != RILL__SSL_FLUSHING) {
        return;
    }
    if (!self->app_reading_paused && self->protocol != NULL) {
        deliver(self);
        push_backlog(self);
    }
}

static void run_resume(struct rill__entry *entry)
{
    struct rill__ssl *self = rill__container(entry, struct rill__ssl, resume);

    rill_transport_ref(&self->base);
    if (self->state == RILL__SSL_WRAPPED) {
        do_read(self);
    } else if (self->state == RILL__SSL_FLUSHING) { /* */
        do_flush(self);
    } else if (self->state == RILL__SSL_SHUTDOWN) {
        do_shutdown(self);
    }
    control_reading(self);
    rill_transport_unref(&self->base);
}

void rill__ssl_resume_reading(struct rill__ssl *self)
{
    if (self->app_reading_paused) {
        self->app_reading_paused = false;
        rill__ready(self->base.loop, &self->resume);
    }
}

/* -- the handshake --------------------------------------------------------------------------- */

static void handshake_failed(struct rill__ssl *self, const struct rill_error *error)
{
    rill__timer_stop(&self->timer);
    self->state = RILL__SSL_UNWRAPPED;
    fatal(self, rill_error_ref(error),
          error->code == RILL_ESSLCERT ? "SSL handshake failed on verifying the certificate"
                                       : "SSL handshake failed");
    tell_opener(self, error);
    rill_error_unref(error);
}

static void handshake_done(struct rill__ssl *self)
{
    rill__timer_stop(&self->timer);
    self->state = RILL__SSL_WRAPPED;
    self->handshaken = true;
    send_outgoing(self);
    if (self->app_state == RILL__APP_INIT) {
        self->app_state = RILL__APP_MADE;
        if (self->protocol != NULL && self->protocol->ops->connection_made != NULL) {
            self->protocol->ops->connection_made(self->protocol, &self->base);
        }
    }
    tell_opener(self, NULL);
    do_read(self);
}

static void do_handshake(struct rill__ssl *self)
{
    const struct rill_error *error;

    switch (rill__tls_handshake(self->session, &error)) {
    case RILL__TLS_OK:
        handshake_done(self);
        break;
    case RILL__TLS_WANT:
        process_outgoing(self);
        break;
    case RILL__TLS_CLOSED:
        error = rill_error_new(RILL_ECONNRESET, "%s", "");
        handshake_failed(self, error);
        break;
    case RILL__TLS_FAILED:
        send_outgoing(self); /* the alert */
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
    fatal(self,
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
    rill_error_unref(below->ops->set_write_buffer_limits(below, &high, &low));
    self->state = RILL__SSL_HANDSHAKE;
    self->timer.entry.run = run_handshake_timeout;
    set_timer(self, self->handshake_timeout);
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
        do_read(self);
        break;
    case RILL__SSL_FLUSHING:
        do_flush(self);
        break;
    case RILL__SSL_SHUTDOWN:
        do_shutdown(self);
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
        fatal(self, rill_error_no_memory(), "Fatal error on SSL protocol");
    }
    control_reading(self);
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
        keep_open = self->app_reading_paused;
        if (!keep_open) {
            do_flush(self);
        }
    } else if (self->state == RILL__SSL_FLUSHING) {
        push_backlog(self);
        self->state = RILL__SSL_SHUTDOWN;
        do_shutdown(self);
    } else if (self->state == RILL__SSL_SHUTDOWN) {
        if (self->end == RILL_TLS_OPEN) {
            self->end = RILL_TLS_TRUNCATED;
        }
        do_shutdown(self);
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
        start_shutdown_timer(self);
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
    rill__water_init(&self->water, WRITE_HIGH_WATER);
    self->resume.run = run_resume;
    self->close_below.run = run_close_below;
    self->lost.run = run_lost;
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
