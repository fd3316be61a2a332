/* SPDX-License-Identifier: MIT
 *
 * The transport that TLS is to the protocol above it (asyncio's _SSLProtocolTransport).
 */
#include <string.h>

#include "sansio/memory.h"
#include "streams/ssl_private.h"

static struct rill__ssl *of(struct rill_transport *transport)
{
    return rill__container(transport, struct rill__ssl, base);
}

static const struct rill_error *ssl_write(struct rill_transport *transport, struct rill_bytes data)
{
    return data.len > 0 ? rill__ssl_write(of(transport), &data, 1) : NULL;
}

static const struct rill_error *ssl_writelines(struct rill_transport *transport,
                                               const struct rill_bytes *parts, size_t count)
{
    return rill__ssl_write(of(transport), parts, count);
}

static const struct rill_error *ssl_write_eof(struct rill_transport *transport)
{
    (void)transport;
    return rill_error_new(RILL_ENOTIMPLEMENTED, "%s", ""); /* */
}

static bool ssl_can_write_eof(struct rill_transport *transport)
{
    (void)transport;
    return false; /* */
}

/* Idempotent. */
static void ssl_close(struct rill_transport *transport)
{
    of(transport)->closing = true;
    rill__ssl_start_shutdown(of(transport));
}

static void ssl_force_close(struct rill_transport *transport, const struct rill_error *error)
{
    of(transport)->closing = true;
    rill__ssl_abort(of(transport), error);
}

static bool ssl_is_closing(struct rill_transport *transport)
{
    return of(transport)->closing;
}

static int ssl_pause_reading(struct rill_transport *transport)
{
    of(transport)->app_reading_paused = true;
    return 0;
}

static void ssl_resume_reading(struct rill_transport *transport)
{
    rill__ssl_resume_reading(of(transport));
}

static bool ssl_is_reading(struct rill_transport *transport)
{
    return !of(transport)->app_reading_paused;
}

/* The layer below gets the same marks, so that its pauses and resumes are the moments at which
 * both layers' bytes cross them. */
static const struct rill_error *ssl_set_limits(struct rill_transport *transport,
                                               const long long *high, const long long *low)
{
    struct rill__ssl *self = of(transport);
    const struct rill_error *error =
        rill__water_set(&self->water, high, low, RILL__SSL_WRITE_HIGH_WATER);

    if (error == NULL && self->below != NULL) {
        const long long new_high = (long long)self->water.high;
        const long long new_low = (long long)self->water.low;
        rill_error_unref(
            self->below->ops->set_write_buffer_limits(self->below, &new_high, &new_low));
        rill__ssl_control_writing(self);
    }
    return error;
}

static void ssl_get_limits(struct rill_transport *transport, size_t *low, size_t *high)
{
    *low = of(transport)->water.low;
    *high = of(transport)->water.high;
}

static size_t ssl_get_write_buffer_size(struct rill_transport *transport)
{
    return rill__ssl_unsent(of(transport));
}

int rill_ssl_transport_set_read_buffer_limits(struct rill_transport *transport,
                                              struct rill_opt_int high, struct rill_opt_int low,
                                              const struct rill_error **error)
{
    struct rill__ssl *self = rill__ssl_of(transport);
    const struct rill_error *failure =
        self == NULL ? rill_error_new(RILL_ENOTIMPLEMENTED, "%s", "")
                     : rill__water_set(&self->read_water, high.given ? &high.value : NULL,
                                       low.given ? &low.value : NULL, RILL__SSL_READ_HIGH_WATER);
    const int rc = failure != NULL ? failure->code : 0;

    if (failure == NULL) {
        rill__ssl_control_reading(self);
    }
    if (error != NULL) {
        *error = failure;
    } else {
        rill_error_unref(failure);
    }
    return rc;
}

bool rill_ssl_transport_get_read_buffer_limits(struct rill_transport *transport, size_t *low,
                                               size_t *high)
{
    const struct rill__ssl *self = rill__ssl_of(transport);

    *low = self != NULL ? self->read_water.low : 0;
    *high = self != NULL ? self->read_water.high : 0;
    return self != NULL;
}

size_t rill_ssl_transport_get_read_buffer_size(struct rill_transport *transport)
{
    const struct rill__ssl *self = rill__ssl_of(transport);
    return self != NULL ? rill__tls_incoming(self->session) : 0;
}

static bool asks_session(const char *name)
{
    return strcmp(name, "ssl_object") == 0 || strcmp(name, "peercert") == 0 ||
           strcmp(name, "cipher") == 0 || strcmp(name, "compression") == 0;
}

/* what TLS knows stays after the loss, what the socket knows goes with it. */
static void ssl_get_extra_info(struct rill_transport *transport, const char *name,
                               struct rill_extra_info *info)
{
    struct rill__ssl *self = of(transport);

    if (strcmp(name, "sslcontext") == 0) {
        info->kind = RILL_EXTRA_SSL_CONTEXT;
        info->ssl_context = rill_ssl_object_context(self->session);
    } else if (self->handshaken && asks_session(name)) {
        info->kind = RILL_EXTRA_SSL_OBJECT;
        info->ssl_object = self->session;
    } else if (self->below != NULL) {
        self->below->ops->get_extra_info(self->below, name, info);
    }
}

static void ssl_set_protocol(struct rill_transport *transport, struct rill_protocol *protocol)
{
    of(transport)->protocol = protocol;
}

static struct rill_protocol *ssl_get_protocol(struct rill_transport *transport)
{
    return of(transport)->protocol;
}

static void ssl_destroy(struct rill_transport *transport)
{
    struct rill__ssl *self = of(transport);

    rill__timer_stop(&self->timer);
    rill__unready(&self->resume);
    rill__unready(&self->close_below);
    rill__unready(&self->lost);
    rill__unready(&self->last_flight);
    rill__buffer_cleanup(&self->backlog);
    rill__tls_free(self->session);
    rill_error_unref(self->lost_error);
    rill__free(self);
}

const struct rill_transport_ops rill__ssl_transport_ops = {
    .write = ssl_write,
    .writelines = ssl_writelines,
    .write_eof = ssl_write_eof,
    .can_write_eof = ssl_can_write_eof,
    .close = ssl_close,
    .force_close = ssl_force_close,
    .is_closing = ssl_is_closing,
    .pause_reading = ssl_pause_reading,
    .resume_reading = ssl_resume_reading,
    .is_reading = ssl_is_reading,
    .set_write_buffer_limits = ssl_set_limits,
    .get_write_buffer_limits = ssl_get_limits,
    .get_write_buffer_size = ssl_get_write_buffer_size,
    .get_extra_info = ssl_get_extra_info,
    .set_protocol = ssl_set_protocol,
    .get_protocol = ssl_get_protocol,
    .destroy = ssl_destroy,
};
