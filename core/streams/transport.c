/* SPDX-License-Identifier: MIT
 *
 * The public calls on a transport: reference counting and dispatch through its table.
 */
#include <rill/transport.h>

#include <string.h>

#include "loop/loop.h"

struct rill_transport *rill_transport_ref(struct rill_transport *transport)
{
    transport->references++;
    return transport;
}

void rill_transport_unref(struct rill_transport *transport)
{
    if (transport != NULL && --transport->references == 0) {
        transport->ops->destroy(transport);
    }
}

/* Hands the object out, or drops it when nobody wants it; the code is the result. */
static int answer(const struct rill_error *made, const struct rill_error **error)
{
    const int code = made != NULL ? made->code : 0;
    if (error != NULL) {
        *error = made;
    } else {
        rill_error_unref(made);
    }
    return code;
}

int rill_transport_write(struct rill_transport *transport, const void *data, size_t size,
                         const struct rill_error **error)
{
    const struct rill_bytes bytes = {data, size};
    return answer(transport->ops->write(transport, bytes), error);
}

int rill_transport_writelines(struct rill_transport *transport, const struct rill_bytes *parts,
                              size_t count, const struct rill_error **error)
{
    return answer(transport->ops->writelines(transport, parts, count), error);
}

int rill_transport_write_eof(struct rill_transport *transport, const struct rill_error **error)
{
    return answer(transport->ops->write_eof(transport), error);
}

bool rill_transport_can_write_eof(struct rill_transport *transport)
{
    return transport->ops->can_write_eof(transport);
}

void rill_transport_close(struct rill_transport *transport)
{
    transport->ops->close(transport);
}

void rill_transport_abort(struct rill_transport *transport)
{
    transport->ops->force_close(transport, NULL);
}

bool rill_transport_is_closing(struct rill_transport *transport)
{
    return transport->ops->is_closing(transport);
}

int rill_transport_pause_reading(struct rill_transport *transport)
{
    return transport->ops->pause_reading(transport);
}

void rill_transport_resume_reading(struct rill_transport *transport)
{
    transport->ops->resume_reading(transport);
}

bool rill_transport_is_reading(struct rill_transport *transport)
{
    return transport->ops->is_reading(transport);
}

int rill_transport_set_write_buffer_limits(struct rill_transport *transport,
                                           struct rill_opt_int high, struct rill_opt_int low,
                                           const struct rill_error **error)
{
    return answer(transport->ops->set_write_buffer_limits(
                      transport, high.given ? &high.value : NULL, low.given ? &low.value : NULL),
                  error);
}

void rill_transport_get_write_buffer_limits(struct rill_transport *transport, size_t *low,
                                            size_t *high)
{
    transport->ops->get_write_buffer_limits(transport, low, high);
}

size_t rill_transport_get_write_buffer_size(struct rill_transport *transport)
{
    return transport->ops->get_write_buffer_size(transport);
}

bool rill_transport_get_extra_info(struct rill_transport *transport, const char *name,
                                   struct rill_extra_info *info)
{
    memset(info, 0, sizeof *info);
    info->socket = -1;
    transport->ops->get_extra_info(transport, name, info);
    return info->kind != RILL_EXTRA_NONE;
}

void rill_transport_set_protocol(struct rill_transport *transport, struct rill_protocol *protocol)
{
    transport->ops->set_protocol(transport, protocol);
}

struct rill_protocol *rill_transport_get_protocol(struct rill_transport *transport)
{
    return transport->ops->get_protocol(transport);
}
