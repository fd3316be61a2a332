/* SPDX-License-Identifier: MIT
 *
 * The calls on a connection's transport.
 */
#include "calls.h"

#include "events.h"

static int call_abort(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    (void)value;
    if (rc == 0) {
        rill_transport_abort(transport);
    }
    return rc;
}

static int call_pause_reading(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    (void)value;
    if (rc < 0) {
        return rc;
    }
    emit_flow(at->replay, at->number, "pause_reading");
    return rill_transport_pause_reading(transport);
}

static int call_resume_reading(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    (void)value;
    if (rc == 0) {
        emit_flow(at->replay, at->number, "resume_reading");
        rill_transport_resume_reading(transport);
    }
    return rc;
}

static int call_is_reading(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    if (rc == 0) {
        value->json = json_boolean(rill_transport_is_reading(transport));
    }
    return rc;
}

static int call_get_size(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    const int rc = transport_of(at, &transport);
    (void)call;
    if (rc == 0) {
        value->json = json_integer((json_int_t)rill_transport_get_write_buffer_size(transport));
    }
    return rc;
}

static int call_set_limits(struct at *at, const json_t *call, struct value *value)
{
    const struct rill_error *error = NULL;
    struct rill_transport *transport;
    int rc = transport_of(at, &transport);
    (void)value;
    if (rc == 0) {
        rc = rill_transport_set_write_buffer_limits(transport, int_argument(call, "high"),
                                                    int_argument(call, "low"), &error);
    }
    return error != NULL ? call_fail(at, error) : rc;
}

static int call_get_limits(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    size_t low;
    size_t high;
    const int rc = transport_of(at, &transport);
    (void)call;
    if (rc == 0) {
        rill_transport_get_write_buffer_limits(transport, &low, &high);
        value->json = json_pack("[I, I]", (json_int_t)low, (json_int_t)high);
    }
    return rc;
}

const struct call transport_calls[] = {
    {"abort", call_abort},
    {"pause_reading", call_pause_reading},
    {"resume_reading", call_resume_reading},
    {"is_reading", call_is_reading},
    {"get_write_buffer_size", call_get_size},
    {"set_write_buffer_limits", call_set_limits},
    {"get_write_buffer_limits", call_get_limits},
    {NULL, NULL},
};
