/* SPDX-License-Identifier: MIT
 *
 * Every way in which a TLS stream ends: with close_notify, without, late, never, at once from both
 * sides; what comes after the end.
 */
#include "tls_endings.h"

#include <stdlib.h>
#include <string.h>

#define SHUTDOWN_TIMEOUT_S 30. /* */

/* -- without close_notify --------------------------------------------------------------------- */

/* The peer says `abcd`, and its side of the line ends. */
static int open_and_hear(struct rig *rig, struct rill_ssl_context *context)
{
    struct rill_bytes data;

    EXPECT_INT(rig, rig_open_with(rig, context), 0);
    rig_turns(rig);
    rig_say(rig, "abcd", 4, 4);
    EXPECT_INT(rig, rill_reader_readexactly(rig->reader, 4, &data), 0);
    EXPECT(rig, data.len == 4 && memcmp(data.ptr, "abcd", 4) == 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_OPEN);
    return 0;
}

static int fin_is_an_end(void *arg) /* */
{
    struct rig *const rig = arg;
    struct rill_bytes data;

    open_and_hear(rig, rig_context(rig));
    rill_memory_peer_shutdown_write(rig->pipe);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    EXPECT_INT(rig, (long long)data.len, 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_TRUNCATED);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

static int fin_is_an_error(void *arg) /* Q-01, strict */
{
    struct rig *const rig = arg;
    struct rill_bytes data;

    open_and_hear(rig, rig->material->strict);
    rill_memory_peer_shutdown_write(rig->pipe);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), RILL_ESSLEOF);
    EXPECT_STR(rig, rill_task_error()->text, "EOF occurred in violation of protocol");
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_TRUNCATED);
    EXPECT_INT(rig, rig_close(rig), RILL_ESSLEOF);
    return 0;
}

static int reset_is_an_error(struct rig *rig, struct rill_ssl_context *context) /* */
{
    struct rill_bytes data;

    open_and_hear(rig, context);
    rill_memory_peer_reset(rig->pipe);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), RILL_ECONNRESET);
    EXPECT_STR(rig, rill_task_error()->text, "[Errno 104] Connection reset by peer");
    EXPECT_INT(rig, rig_close(rig), RILL_ECONNRESET);
    return 0;
}

static int reset_in_a_usual_stream(void *arg)
{
    struct rig *const rig = arg;
    return reset_is_an_error(rig, rig_context(rig));
}

static int reset_in_a_strict_stream(void *arg)
{
    struct rig *const rig = arg;
    return reset_is_an_error(rig, rig->material->strict);
}

static int notified_strict_stream_is_clean(void *arg)
{
    struct rig *const rig = arg;
    struct rill_bytes data;

    open_and_hear(rig, rig->material->strict);
    EXPECT_INT(rig, SSL_shutdown(rig->ssl), 0);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

/* -- close_notify ----------------------------------------------------------------------------- */

/* Whether the peer's next read says that rill's close_notify came, and nothing before it. */
static void check_notified(struct rig *rig)
{
    char text[16];
    int end;

    EXPECT_INT(rig, (long long)rig_hear(rig, text, sizeof text, &end), 0);
    EXPECT_INT(rig, end, SSL_ERROR_ZERO_RETURN);
}

static int peer_closes_first(void *arg) /* */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    const double began = rig->now;

    open_and_hear(rig, rig_context(rig));
    rig_say(rig, "last", 4, 4);
    EXPECT_INT(rig, SSL_shutdown(rig->ssl), 0);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    EXPECT(rig, data.len == 4 && memcmp(data.ptr, "last", 4) == 0);
    rig_turns(rig);
    EXPECT(rig, rill_writer_is_closing(rig->writer)); /* */
    EXPECT_INT(rig, rill_memory_peer_end(rig->pipe), RILL_MEMORY_FIN);
    check_notified(rig);
    EXPECT_INT(rig, rig_close(rig), 0);
    EXPECT(rig, rig_seconds(rig, began) == 0);
    return 0;
}

static int data_after_the_peers_end(void *arg) /* ciphertext behind close_notify goes nowhere */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    static const char record[] = "\x17\x03\x03\x00\x20 this is no record of this session";

    open_and_hear(rig, rig_context(rig));
    EXPECT_INT(rig, SSL_shutdown(rig->ssl), 0);
    BIO_write(rig->out, record, (int)sizeof record - 1);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    EXPECT_INT(rig, (long long)data.len, 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

static int data_after_our_end(void *arg) /* discarded, and the end is clean */
{
    struct rig *const rig = arg;

    open_and_hear(rig, rig_context(rig));
    rill_writer_close(rig->writer);
    rig_turns(rig);
    rig_say(rig, "more and more", 13, 5);
    rig_turns(rig);
    EXPECT_INT(rig, rill_memory_peer_end(rig->pipe), RILL_MEMORY_OPEN);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_OPEN);
    check_notified(rig);
    EXPECT_INT(rig, SSL_shutdown(rig->ssl), 1);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    rig_free_pair(rig);
    return 0;
}

static int both_close_at_once(void *arg)
{
    struct rig *const rig = arg;
    const double began = rig->now;

    open_and_hear(rig, rig_context(rig));
    rig->still = true;
    rill_writer_close(rig->writer);
    EXPECT_INT(rig, SSL_shutdown(rig->ssl), 0);
    rig->still = false;
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    rig_turns(rig);
    check_notified(rig);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    EXPECT(rig, rig_seconds(rig, began) == 0);
    rig_free_pair(rig);
    return 0;
}

static int answered_by_fin(void *arg) /* */
{
    struct rig *const rig = arg;

    open_and_hear(rig, rig_context(rig));
    rill_writer_close(rig->writer);
    rig_turns(rig);
    check_notified(rig);
    rill_memory_peer_shutdown_write(rig->pipe);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    rig_free_pair(rig);
    return 0;
}

static int never_answered(void *arg) /* */
{
    struct rig *const rig = arg;
    struct rill_bytes data;

    open_and_hear(rig, rig_context(rig));
    const double began = rig->now;
    rill_writer_close(rig->writer);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), RILL_ETIMEOUT);
    EXPECT_STR(rig, rill_task_error()->text, "SSL shutdown timed out");
    EXPECT(rig, rig_seconds(rig, began) == SHUTDOWN_TIMEOUT_S);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), RILL_ETIMEOUT);
    check_notified(rig);
    rig_free_pair(rig);
    return 0;
}

/* -- a slow peer ------------------------------------------------------------------------------ */

enum { WINDOW = 1000, SLOW_BYTES = 20000 };
static const double slow_pause = 20; /* seconds between two windows: less than the timeout */

static size_t unflushed(const struct rig *rig)
{
    return rill_transport_get_write_buffer_size(rill_writer_transport(rig->writer));
}

/* rill closes with much to flush; the peer takes a window's worth each time, so often, or until
 * rill has handed over everything. */
static void close_before_slow_peer(struct rig *rig, int windows)
{
    static const char text[SLOW_BYTES];
    const struct rill_memory_options memory = {.window = RILL_SET(WINDOW)};

    rig_open(rig, NULL, &memory);
    rig->still = true;
    EXPECT_INT(rig, rill_writer_write(rig->writer, text, sizeof text), 0);
    rill_writer_close(rig->writer);
    for (int i = 0; i < windows && unflushed(rig) > 0; i++) {
        EXPECT_INT(rig, rill_sleep(slow_pause), 0);
        rig_carry_to_peer(rig);
        rig_turns(rig);
    }
}

static int slow_but_moving(void *arg) /* longer than the timeout, and nothing is cut off */
{
    struct rig *const rig = arg;
    char text[SLOW_BYTES + 16];
    int end;

    close_before_slow_peer(rig, SLOW_BYTES);
    EXPECT(rig, rig->now >= 20 * slow_pause);
    rig_carry_to_peer(rig);
    EXPECT_INT(rig, (long long)rig_hear(rig, text, sizeof text, &end), SLOW_BYTES);
    EXPECT_INT(rig, end, SSL_ERROR_ZERO_RETURN);
    SSL_shutdown(rig->ssl);
    rig_carry_to_rill(rig, SIZE_MAX);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    rig_free_pair(rig);
    return 0;
}

static int slow_and_silent(void *arg) /* 30 s from the end of the flush */
{
    struct rig *const rig = arg;

    close_before_slow_peer(rig, SLOW_BYTES);
    const double flushed = rig->now;
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), RILL_ETIMEOUT);
    EXPECT_STR(rig, rill_task_error()->text, "SSL shutdown timed out");
    EXPECT(rig, rig_seconds(rig, flushed) == SHUTDOWN_TIMEOUT_S);
    rig_free_pair(rig);
    return 0;
}

static int slow_and_stopped(void *arg) /* no progress for the timeout's length */
{
    struct rig *const rig = arg;

    close_before_slow_peer(rig, 6);
    const double stopped = rig->now;
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), RILL_ETIMEOUT);
    EXPECT_STR(rig, rill_task_error()->text, "SSL shutdown timed out");
    EXPECT(rig, rig_seconds(rig, stopped) >= SHUTDOWN_TIMEOUT_S);
    EXPECT(rig, rig_seconds(rig, stopped) <= 2 * SHUTDOWN_TIMEOUT_S);
    rig_free_pair(rig);
    return 0;
}

static const struct rig_row rows[] = {
    {.line = __LINE__, .name = "fin_is_an_end", .fn = fin_is_an_end},
    {.line = __LINE__, .name = "fin_is_an_error", .fn = fin_is_an_error, .client_only = true},
    {.line = __LINE__, .name = "reset_in_a_usual_stream", .fn = reset_in_a_usual_stream},
    {.line = __LINE__,
     .name = "reset_in_a_strict_stream",
     .fn = reset_in_a_strict_stream,
     .client_only = true},
    {.line = __LINE__,
     .name = "notified_strict_stream_is_clean",
     .fn = notified_strict_stream_is_clean,
     .client_only = true},
    {.line = __LINE__, .name = "peer_closes_first", .fn = peer_closes_first},
    {.line = __LINE__, .name = "data_after_the_peers_end", .fn = data_after_the_peers_end},
    {.line = __LINE__, .name = "data_after_our_end", .fn = data_after_our_end},
    {.line = __LINE__, .name = "both_close_at_once", .fn = both_close_at_once},
    {.line = __LINE__, .name = "answered_by_fin", .fn = answered_by_fin},
    {.line = __LINE__, .name = "never_answered", .fn = never_answered},
    {.line = __LINE__, .name = "slow_but_moving", .fn = slow_but_moving},
    {.line = __LINE__, .name = "slow_and_silent", .fn = slow_and_silent},
    {.line = __LINE__, .name = "slow_and_stopped", .fn = slow_and_stopped},
};

int main(void)
{
    struct material material;

    if (!counts_install()) {
        return EXIT_FAILURE;
    }
    material_make(&material);
    rig_run_rows(&material, rows, sizeof rows / sizeof rows[0]);
    rig_run_rows(&material, flow_rows, flow_row_count);
    rig_run_rows(&material, nested_rows, nested_row_count);
    rig_run_rows(&material, reentry_rows, reentry_row_count);
    rig_run_rows(&material, start_tls_rows, start_tls_row_count);
    rig_run_rows(&material, state_rows, state_row_count);
    free_loops_everywhere(&material);
    material_free(&material);
    return rig_report("tls_endings");
}
