/* SPDX-License-Identifier: MIT
 *
 * The layer of a server between a client's session and a protocol, both of this test: how many
 * sends it takes to tell the client the tickets and the first answer.
 */
#include <string.h>

#include <rill/rill.h>

#include "streams/ssl_protocol.h"
#include "tls/tests/rig.h"

/* What is below: every write is one send. */
struct below {
    struct rill_transport transport;
    struct rill__buffer sent;
    int writes;
    bool from_task; /* the writer is told by rill_current_task, also below */
};

static struct below *of(struct rill_transport *transport)
{
    return (struct below *)(void *)transport;
}

static const struct rill_error *write_below(struct rill_transport *transport,
                                            struct rill_bytes data)
{
    of(transport)->writes++;
    CHECK(!of(transport)->from_task || rill_current_task() != NULL);
    CHECK_INT(rill__buffer_append(&of(transport)->sent, data.ptr, data.len), 0);
    return NULL;
}

static bool is_closing(struct rill_transport *transport)
{
    (void)transport;
    return false;
}

static void force_close(struct rill_transport *transport, const struct rill_error *error)
{
    (void)transport;
    rill_error_unref(error);
}

static const struct rill_error *set_limits(struct rill_transport *transport, const long long *high,
                                           const long long *low)
{
    (void)transport, (void)high, (void)low;
    return NULL;
}

static size_t get_size(struct rill_transport *transport)
{
    (void)transport;
    return 0;
}

static void destroy(struct rill_transport *transport)
{
    (void)transport; /* of this test's stack */
}

static const struct rill_transport_ops below_ops = {
    .write = write_below,
    .is_closing = is_closing,
    .force_close = force_close,
    .set_write_buffer_limits = set_limits,
    .get_write_buffer_size = get_size,
    .destroy = destroy,
};

static int ignore(struct rill_protocol *protocol, struct rill_bytes data)
{
    (void)protocol, (void)data;
    return 0;
}

static const struct rill_protocol_ops above_ops = {.data_received = ignore};

static void take_all(struct rill_ssl_object *client, struct rill_bytes sent, const char *want)
{
    const struct rill_error *error;
    char text[16];
    size_t count;
    size_t size = 0;

    rill__tls_feed(client, sent);
    while (rill__tls_read(client, text + size, sizeof text - size, &count, &error) ==
           RILL__TLS_OK) {
        size += count;
    }
    CHECK(error == NULL);
    CHECK(size == strlen(want) && memcmp(text, want, size) == 0);
    CHECK_INT(rill__tls_settle(client), 0);
}

static void hand_to(struct rill__ssl *layer, struct rill_ssl_object *client)
{
    struct rill__buffer hello;

    rill__tls_take_outgoing(client, &hello);
    const struct rill_bytes bytes = {rill__buffer_data(&hello), rill__buffer_length(&hello)};
    CHECK_INT(layer->lower.ops->data_received(&layer->lower, bytes), 0);
    rill__buffer_cleanup(&hello);
}

static struct rill_bytes sent_by(const struct below *below)
{
    return (struct rill_bytes){rill__buffer_data(&below->sent), rill__buffer_length(&below->sent)};
}

static const struct row {
    bool asks;    /* behind its Finished, in the same bytes */
    bool answers; /* in the iteration in which the question came */
    int want_at_once;
    int want_in_all;
} rows[] = {
    {.asks = false, .answers = false, .want_at_once = 1, .want_in_all = 1},
    {.asks = false, .answers = true, .want_at_once = 1, .want_in_all = 2},
    {.asks = true, .answers = false, .want_at_once = 0, .want_in_all = 1},
    {.asks = true, .answers = true, .want_at_once = 0, .want_in_all = 1},
};

static void run_row(const struct row *row, struct rill__ssl *layer, struct rill_ssl_object *client,
                    struct below *below)
{
    const int line = (int)(row - rows);
    const struct rill_error *error;
    size_t count;

    rill__ssl_start(layer, &below->transport);
    CHECK_INT_ROW(line, rill__tls_handshake(client, &error), RILL__TLS_WANT);
    hand_to(layer, client);
    rill__tls_feed(client, sent_by(below));
    CHECK_INT_ROW(line, rill__tls_handshake(client, &error), RILL__TLS_OK);
    CHECK_INT_ROW(line, rill__tls_settle(client), 0);
    rill__buffer_discard(&below->sent, rill__buffer_length(&below->sent));
    below->writes = 0;
    if (row->asks) {
        CHECK_INT_ROW(line, rill__tls_write(client, rill_bytes_of("ask"), &count, &error),
                      RILL__TLS_OK);
    }
    hand_to(layer, client);
    CHECK_INT_ROW(line, below->writes, row->want_at_once);
    if (row->answers) {
        below->from_task = true;
        CHECK_INT_ROW(line, rill_transport_write(&layer->base, "yes", 3, NULL), 0);
        below->from_task = false;
    }
    CHECK_INT_ROW(line, rill_sleep(0), 0);
    CHECK_INT_ROW(line, rill_sleep(0), 0);
    CHECK_INT_ROW(line, below->writes, row->want_in_all);
    take_all(client, sent_by(below), row->answers ? "yes" : "");
    layer->lower.ops->connection_lost(&layer->lower, NULL);
    CHECK_INT_ROW(line, rill_sleep(0), 0);
}

static int run_rows(void *arg)
{
    struct rill_ssl_context *const client_context = rig_client("ca.crt");
    const struct rill__ssl_params params = {.context = rig_server("localhost"),
                                            .server_side = true};

    (void)arg;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct below below = {.transport = {&below_ops, rill_running_loop(), 1}};
        struct rill_protocol above = {&above_ops};
        const struct rill_error *error;
        struct rill__ssl *layer;
        struct rill_ssl_object *const client =
            rill__tls_new(client_context, false, "localhost", false, &error);

        rill__buffer_init(&below.sent);
        CHECK_INT(rill__ssl_new(below.transport.loop, &params, &above, false, &layer, &error), 0);
        run_row(&rows[i], layer, client, &below);
        rill_transport_unref(&layer->base);
        rill__tls_free(client);
        rill__buffer_cleanup(&below.sent);
    }
    rill_ssl_context_unref(params.context);
    rill_ssl_context_unref(client_context);
    return 0;
}

int main(int count, char **arguments)
{
    rig_enter(count, arguments);
    CHECK_INT(rill_main(run_rows, NULL), 0);
    return check_report("tls ssl_layer_test");
}
