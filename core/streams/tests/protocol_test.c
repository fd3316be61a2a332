/* SPDX-License-Identifier: MIT
 *
 * The layer below streams: create_connection and create_server with a protocol table, in asyncio's
 * order of events, and what handlers that raise do.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../loop/tests/virtual.h"

struct logger {
    struct rill_protocol base;
    struct rill_transport *transport;
    struct trace *trace;
    int data_result;
    int eof_result;
};

static void made(struct rill_protocol *self, struct rill_transport *transport)
{
    struct logger *logger = (struct logger *)self;
    logger->transport = transport;
    trace_add(logger->trace, "made");
}

static int received(struct rill_protocol *self, struct rill_bytes data)
{
    struct logger *logger = (struct logger *)self;
    char word[32];
    snprintf(word, sizeof word, "data:%.*s", (int)data.len, data.ptr);
    trace_add(logger->trace, word);
    return logger->data_result;
}

static int ended(struct rill_protocol *self)
{
    struct logger *logger = (struct logger *)self;
    trace_add(logger->trace, "eof");
    return logger->eof_result;
}

static void lost(struct rill_protocol *self, const struct rill_error *error)
{
    struct logger *logger = (struct logger *)self;
    trace_add(logger->trace, error == NULL ? "lost" : rill_error_name(error->code));
}

static void paused(struct rill_protocol *self)
{
    trace_add(((struct logger *)self)->trace, "pause");
}

static void resumed(struct rill_protocol *self)
{
    trace_add(((struct logger *)self)->trace, "resume");
}

static const struct rill_protocol_ops logger_ops = {
    .connection_made = made,
    .data_received = received,
    .eof_received = ended,
    .connection_lost = lost,
    .pause_writing = paused,
    .resume_writing = resumed,
};

static struct rill_protocol *factory(void *arg)
{
    return arg;
}

static void turns(int count)
{
    while (count-- > 0) {
        CHECK_INT(rill_sleep(0), 0);
    }
}

struct row {
    int line;
    int data_result;
    int eof_result;
    const char *want_trace;
    int want_reports;
};

static const struct row rows[] = {
    {__LINE__, 0, 0, "made data:abc eof lost", 0},
    {__LINE__, 0, 1, "made data:abc eof", 0},
    {__LINE__, RILL_EVALUE, 0, "made data:abc ValueError", 1},
    {__LINE__, 0, RILL_EVALUE, "made data:abc eof ValueError", 1},
    {__LINE__, RILL_ECONNRESET, 0, "made data:abc ConnectionResetError",
     0}, /* an OSError: debug log only */
};

static void count_report(void *arg, struct rill_loop *loop,
                         const struct rill_exception_context *context)
{
    (void)loop;
    CHECK(context->transport != NULL && context->protocol != NULL && context->exception != NULL);
    ++*(int *)arg;
}

static int run_row(void *arg)
{
    const struct row *row = arg;
    struct trace trace = {0};
    struct logger logger = {.base.ops = &logger_ops,
                            .trace = &trace,
                            .data_result = row->data_result,
                            .eof_result = row->eof_result};
    struct rill_transport *transport;
    struct rill_memory_peer *peer;
    int reports = 0;

    rill_loop_set_exception_handler(rill_running_loop(), count_report, &reports);
    CHECK_INT(rill_memory_transport_new(rill_running_loop(), &logger.base, NULL, &transport, &peer),
              0);
    CHECK_INT(rill_memory_peer_send(peer, "abc", 3), 0);
    rill_memory_peer_shutdown_write(peer);
    turns(6);
    CHECK_STR_ROW(row->line, trace.text, row->want_trace);
    CHECK_INT_ROW(row->line, reports, row->want_reports);
    rill_transport_abort(transport);
    turns(2);
    rill_transport_unref(transport);
    rill_memory_peer_free(peer);
    return 0;
}

/* Water marks on the wire: pause above high, resume at low, once each. */
static int water_marks(void *arg)
{
    const struct rill_memory_options window = {.window = RILL_SET(0)};
    const struct rill_opt_int high = RILL_SET(10);
    const struct rill_opt_int low = RILL_SET(4);
    const struct rill_opt_int bad = RILL_SET(-1);
    const struct rill_opt_int none = {0};
    const struct rill_error *error;
    struct trace trace = {0};
    struct logger logger = {.base.ops = &logger_ops, .trace = &trace};
    struct rill_transport *transport;
    struct rill_memory_peer *peer;
    size_t got_low;
    size_t got_high;

    (void)arg;
    CHECK_INT(
        rill_memory_transport_new(rill_running_loop(), &logger.base, &window, &transport, &peer),
        0);
    turns(2);
    CHECK_INT(rill_transport_set_write_buffer_limits(transport, none, bad, &error), RILL_EVALUE);
    CHECK_STR(error->text, "high (-4) must be >= low (-1) must be >= 0"); /* */
    rill_error_unref(error);
    CHECK_INT(rill_transport_set_write_buffer_limits(transport, high, low, NULL), 0);
    rill_transport_get_write_buffer_limits(transport, &got_low, &got_high);
    CHECK(got_low == 4 && got_high == 10);
    CHECK_INT(rill_transport_write(transport, "0123456789", 10, NULL), 0);
    CHECK_STR(trace.text, "made");
    CHECK_INT(rill_transport_write(transport, "x", 1, NULL), 0);
    CHECK_STR(trace.text, "made pause");
    rill_memory_peer_set_window(peer, (struct rill_opt_int)RILL_SET(6));
    turns(2);
    CHECK_INT((long long)rill_transport_get_write_buffer_size(transport), 5);
    CHECK_STR(trace.text, "made pause");
    rill_memory_peer_set_window(peer, (struct rill_opt_int)RILL_SET(7));
    turns(2);
    CHECK_STR(trace.text, "made pause resume");
    /* writelines beside queued data sends before it looks at the mark: no pause that is taken back
     * at once. */
    const struct rill_bytes lines[] = {rill_bytes_of("ab"), rill_bytes_of(""),
                                       rill_bytes_of("cdefgh")};
    rill_memory_peer_set_window(peer, (struct rill_opt_int)RILL_SET(17));
    CHECK_INT(rill_transport_writelines(transport, lines, 3, NULL), 0);
    CHECK_STR(trace.text, "made pause resume");
    CHECK_INT((long long)rill_transport_get_write_buffer_size(transport), 2);
    rill_transport_close(transport);
    CHECK_INT(rill_transport_write(transport, "tail", 4, NULL),
              0); /* still flushing: accepted */
    rill_memory_peer_set_window(peer, none);
    turns(2);
    CHECK_STR(trace.text, "made pause resume lost");
    CHECK_INT((long long)rill_memory_peer_received(peer).len, 23);
    rill_transport_unref(transport);
    rill_memory_peer_free(peer);
    return 0;
}

static int over_sockets(void *arg)
{
    struct trace server_trace = {0};
    struct trace client_trace = {0};
    struct logger server_side = {.base.ops = &logger_ops, .trace = &server_trace};
    struct logger client_side = {.base.ops = &logger_ops, .trace = &client_trace};
    struct rill_extra_info info;
    struct rill_transport *transport;
    struct rill_protocol *protocol;
    struct rill_server *server;
    struct rill_address address;
    char port[8];

    (void)arg;
    CHECK_INT(rill_create_server(factory, &server_side, "127.0.0.1", NULL, NULL, &server), 0);
    CHECK(rill_server_sockname(server, 0, &address));
    snprintf(port, sizeof port, "%d", address.port);
    CHECK_INT(rill_create_connection(factory, &client_side, "127.0.0.1", port, NULL, &transport,
                                     &protocol),
              0);
    CHECK(protocol == &client_side.base);
    CHECK(rill_transport_get_extra_info(transport, "peername", &info));
    CHECK_INT(info.address.port, address.port);
    CHECK(!rill_transport_get_extra_info(transport, "cipher", &info));
    CHECK_INT(rill_transport_write(transport, "hello", 5, NULL), 0);
    while (server_trace.used == 0 || strstr(server_trace.text, "hello") == NULL) {
        turns(1);
    }
    rill_transport_close(transport);
    while (strstr(server_trace.text, "lost") == NULL) {
        turns(1);
    }
    CHECK_STR(server_trace.text, "made data:hello eof lost");
    CHECK_STR(client_trace.text, "made lost");
    CHECK(rill_transport_get_extra_info(transport, "peername", &info)); /* */
    CHECK(rill_transport_get_extra_info(transport, "socket", &info) && info.socket == -1);
    rill_transport_unref(transport);
    rill_server_close(server);
    CHECK_INT(rill_server_wait_closed(server), 0);
    rill_server_free(server);
    return 0;
}

int main(void)
{
    struct virtual_time time = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct row row = rows[i];
        CHECK_INT_ROW(row.line, run_virtual(run_row, &row, &time), 0);
    }
    CHECK_INT(run_virtual(water_marks, NULL, &time), 0);
    CHECK_INT(rill_run(over_sockets, NULL, NULL), 0);
    return check_report("protocol");
}
