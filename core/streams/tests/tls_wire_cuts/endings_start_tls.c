/* SPDX-License-Identifier: MIT
 *
 * start_tls at moments that nobody waits for: before its first turn, cancelled as it succeeds,
 * twice at once, on what closes or is lost.
 */
#include "streams/ssl_protocol.h"
#include "tls_endings.h"

#include <openssl/err.h>

enum { CARRYING_TURNS = 15 };

static const struct rill_opt_int no_limit = {.given = false};

void rig_end_cleanly(struct rig *rig)
{
    rill_writer_close(rig->writer);
    rig_turns(rig);
    SSL_shutdown(rig->ssl);
    ERR_clear_error();
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    rig_free_pair(rig);
}

void rig_open_in_clear(struct rig *rig)
{
    EXPECT_INT(rig, rill_open_memory_connection(NULL, NULL, &rig->reader, &rig->writer, &rig->pipe),
               0);
}

int rig_start_tls(void *arg)
{
    struct rig_upgrade *const upgrade = arg;
    struct rig *const rig = upgrade->rig;
    const struct rill_start_tls_options options = {.server_hostname = "localhost"};

    upgrade->rc = rill_writer_start_tls(rig->writer, rig->material->client, &options);
    upgrade->closing = rill_writer_is_closing(rig->writer);
    const struct rill_error *const error = upgrade->rc < 0 ? rill_task_error() : NULL;
    snprintf(upgrade->text, sizeof upgrade->text, "%s", error != NULL ? error->text : "");
    return 0;
}

/* -- rows ------------------------------------------------------------------------------------- */

/* As a server's close_clients and abort_clients: the topmost layer, which has not begun yet. */
static void close_top(void *arg)
{
    rill_transport_close(rill__ssl_top(arg));
}

static void abort_top(void *arg)
{
    rill_transport_abort(rill__ssl_top(arg));
}

static int end_before_first_turn(struct rig *rig, void (*end)(void *arg))
{
    struct rig_upgrade upgrade = {.rig = rig};
    const double began = rig->now;

    rig_open_in_clear(rig);
    rig->still = true;
    EXPECT_INT(rig, rill_call_soon(rig->loop, end, rill_writer_transport(rig->writer), NULL), 0);
    rig_start_tls(&upgrade);
    EXPECT_INT(rig, upgrade.rc, RILL_ECONNABORTED);
    EXPECT_STR(rig, upgrade.text, "SSL handshake was interrupted");
    EXPECT(rig, rig_seconds(rig, began) == 0);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

static int close_before_first_turn(void *arg)
{
    return end_before_first_turn(arg, close_top);
}

static int abort_before_first_turn(void *arg)
{
    return end_before_first_turn(arg, abort_top);
}

enum { IN_CLEAR = 200000 };

static int start_tls_twice(void *arg) /* while the first still drains what is in clear */
{
    struct rig *const rig = arg;
    static const char text[IN_CLEAR];
    const struct rill_memory_options memory = {.window = RILL_SET(10)};
    struct rig_upgrade upgrades[2] = {{.rig = rig, .rc = 1}, {.rig = rig, .rc = 1}};
    struct rill_task *tasks[2];

    EXPECT_INT(
        rig, rill_open_memory_connection(NULL, &memory, &rig->reader, &rig->writer, &rig->pipe), 0);
    rig->still = true;
    EXPECT_INT(rig, rill_writer_write(rig->writer, text, sizeof text), 0);
    for (size_t i = 0; i < 2; i++) {
        EXPECT_INT(rig, rill_task_create(rig_start_tls, &upgrades[i], NULL, &tasks[i]), 0);
    }
    rig_turns(rig);
    EXPECT_INT(rig, upgrades[0].rc, 1); /* it drains */
    EXPECT_INT(rig, upgrades[1].rc, RILL_ERUNTIME);
    EXPECT_STR(rig, upgrades[1].text, "start_tls() is in progress");
    rill_memory_peer_set_window(rig->pipe, no_limit);
    rig_turns(rig);
    rill_memory_peer_discard(rig->pipe, IN_CLEAR);
    rig->still = false;
    for (size_t i = 0; i < 2; i++) {
        EXPECT_INT(rig, rill_task_await(tasks[i]), 0);
        rill_task_free(tasks[i]);
    }
    EXPECT_INT(rig, upgrades[0].rc, 0);
    rig_end_cleanly(rig);
    return 0;
}

struct collecting {
    struct rig *rig;
    int rc;
    size_t count;
};

static int read_to_end(void *arg)
{
    struct collecting *const self = arg;
    struct rill_bytes data = {NULL, 0};

    self->rc = rill_reader_read(self->rig->reader, -1, &data);
    self->count = data.len;
    return 0;
}

/* what a read to the end holds already came in clear too, and is not read yet. */
static int start_tls_under_read_to_end(void *arg)
{
    struct rig *const rig = arg;
    struct rig_upgrade upgrade = {.rig = rig};
    struct collecting collecting = {.rig = rig, .rc = 1};
    struct rill_task *reading;

    rig_open_in_clear(rig);
    rig->still = true;
    EXPECT_INT(rig, rill_task_create(read_to_end, &collecting, NULL, &reading), 0);
    for (int i = 0; i < 2; i++) { /* the second piece comes when the first is collected */
        EXPECT_INT(rig, rill_memory_peer_send(rig->pipe, "clear", 5), 0);
        rig_turns(rig);
    }
    EXPECT_INT(rig, collecting.rc, 1);
    rig_start_tls(&upgrade);
    EXPECT_INT(rig, upgrade.rc, RILL_ERUNTIME);
    EXPECT_STR(rig, upgrade.text, "start_tls() with 10 bytes received in clear and not read yet");
    EXPECT(rig, !upgrade.closing);
    rill_memory_peer_shutdown_write(rig->pipe);
    EXPECT_INT(rig, rill_task_await(reading), 0);
    rill_task_free(reading);
    EXPECT_INT(rig, collecting.rc, 0);
    EXPECT_INT(rig, (long long)collecting.count, 10);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

/* Cancelled in the very iteration in which the handshake ends: the stream has gone over to TLS, and
 * closes (as asyncio's does in clear). */
static int cancel_behind_handshake(void *arg)
{
    struct rig *const rig = arg;
    struct rig_upgrade upgrade = {.rig = rig};
    struct rill_ssl_object *object = NULL;
    struct rill_task *task;

    rig_open_in_clear(rig);
    rig->still = true;
    EXPECT_INT(rig, rill_task_create(rig_start_tls, &upgrade, NULL, &task), 0);
    for (int i = 0; i < CARRYING_TURNS && object == NULL; i++) {
        rig_carry(rig);
        EXPECT_INT(rig, rill_sleep(0), 0);
        (void)rill_writer_get_ssl_object(rig->writer, &object);
    }
    EXPECT(rig, object != NULL && !rill_task_done(task));
    EXPECT(rig, rill_task_cancel(task));
    EXPECT_INT(rig, rill_task_await(task), 0);
    rill_task_free(task);
    EXPECT_INT(rig, upgrade.rc, RILL_ECANCELLED);
    EXPECT(rig, upgrade.closing);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

/* A transport with a protocol of ours: two tasks of which each would be the one. */
struct bare_upgrade {
    struct rig *rig;
    struct rill_transport *transport;
    struct rill_transport *made;
    struct rill_protocol protocol;
    int rc;
};

static int start_tls_on_bare(void *arg)
{
    struct bare_upgrade *const self = arg;
    const struct rill_start_tls_options options = {.server_hostname = "localhost"};

    self->rc = rill_start_tls(self->transport, &self->protocol, self->rig->material->client,
                              &options, &self->made);
    return 0;
}

static int start_tls_twice_on_bare(void *arg) /* */
{
    struct rig *const rig = arg;
    static const struct rill_protocol_ops no_ops = {.connection_lost = NULL};
    struct bare_upgrade first = {.rig = rig, .protocol.ops = &no_ops, .rc = 1};
    struct bare_upgrade second;
    struct rill_task *task;

    EXPECT_INT(
        rig,
        rill_memory_transport_new(rig->loop, &first.protocol, NULL, &first.transport, &rig->pipe),
        0);
    rig->still = true;
    rill_sleep(0);
    second = first;
    EXPECT_INT(rig, rill_task_create(start_tls_on_bare, &first, NULL, &task), 0);
    rill_sleep(0);
    start_tls_on_bare(&second);
    EXPECT_INT(rig, second.rc, RILL_ERUNTIME);
    EXPECT_STR(rig, rill_task_error()->text, "start_tls() is in progress");
    EXPECT(rig, second.made == NULL);
    rig->still = false;
    rig_turns(rig);
    EXPECT_INT(rig, rill_task_await(task), 0);
    rill_task_free(task);
    EXPECT_INT(rig, first.rc, 0);
    rill_transport_abort(first.made);
    rig_turns(rig);
    rill_transport_unref(first.made);
    return 0;
}

/* Refused at once, also while it still flushes; asyncio's ClientHello would be the last that
 * is flushed. */
static int start_tls_on_closing_stream(void *arg)
{
    struct rig *const rig = arg;
    const struct rill_memory_options memory = {.window = RILL_SET(2)};
    struct rig_upgrade upgrade = {.rig = rig};

    EXPECT_INT(
        rig, rill_open_memory_connection(NULL, &memory, &rig->reader, &rig->writer, &rig->pipe), 0);
    rig->still = true;
    EXPECT_INT(rig, rill_writer_write(rig->writer, "clear", 5), 0);
    rill_writer_close(rig->writer);
    const double began = rig->now;
    rig_start_tls(&upgrade);
    EXPECT_INT(rig, upgrade.rc, RILL_ECONNRESET);
    EXPECT_STR(rig, upgrade.text, "Connection lost");
    EXPECT(rig, rig_seconds(rig, began) == 0);
    rill_memory_peer_set_window(rig->pipe, no_limit);
    rig_turns(rig);
    EXPECT_INT(rig, (long long)rill_memory_peer_received(rig->pipe).len, 5);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

static int start_tls_on_lost_transport(void *arg) /* refused at once, not after the timeout */
{
    struct rig *const rig = arg;
    static const struct rill_protocol_ops no_ops = {.connection_lost = NULL};
    const struct rill_start_tls_options options = {.server_hostname = "localhost"};
    struct rill_protocol protocol = {&no_ops};
    struct rill_transport *transport;
    struct rill_transport *made;

    EXPECT_INT(rig, rill_memory_transport_new(rig->loop, &protocol, NULL, &transport, &rig->pipe),
               0);
    rig->still = true;
    rill_sleep(0);
    rill_transport_abort(transport);
    rig_turns(rig);
    const double began = rig->now;
    EXPECT_INT(rig, rill_start_tls(transport, &protocol, rig->material->client, &options, &made),
               RILL_ECONNRESET);
    EXPECT(rig, made == NULL);
    EXPECT(rig, rig_seconds(rig, began) == 0);
    rill_transport_unref(transport);
    return 0;
}

const struct rig_row start_tls_rows[] = {
    {.line = __LINE__,
     .name = "close_before_first_turn",
     .fn = close_before_first_turn,
     .client_only = true},
    {.line = __LINE__,
     .name = "abort_before_first_turn",
     .fn = abort_before_first_turn,
     .client_only = true},
    {.line = __LINE__,
     .name = "cancel_behind_handshake",
     .fn = cancel_behind_handshake,
     .client_only = true},
    {.line = __LINE__, .name = "start_tls_twice", .fn = start_tls_twice, .client_only = true},
    {.line = __LINE__,
     .name = "start_tls_under_read_to_end",
     .fn = start_tls_under_read_to_end,
     .client_only = true},
    {.line = __LINE__,
     .name = "start_tls_twice_on_bare",
     .fn = start_tls_twice_on_bare,
     .client_only = true},
    {.line = __LINE__,
     .name = "start_tls_on_closing_stream",
     .fn = start_tls_on_closing_stream,
     .client_only = true},
    {.line = __LINE__,
     .name = "start_tls_on_lost_transport",
     .fn = start_tls_on_lost_transport,
     .client_only = true},
};
const size_t start_tls_row_count = sizeof start_tls_rows / sizeof start_tls_rows[0];
