/* SPDX-License-Identifier: MIT
 *
 * Records of every size, keys that change, tickets that come late, and a reader that does not read.
 */
#include <stdlib.h>
#include <string.h>

#include "tls_endings.h"

#define RECORD_MAX 16384

static void check_said(struct rig *rig, const struct rill_bytes data, const char *said, size_t size)
{
    EXPECT_INT(rig, (long long)data.len, (long long)size);
    EXPECT(rig, data.len == size && memcmp(data.ptr, said, size) == 0);
}

static char *many_bytes(size_t size)
{
    char *const bytes = malloc(size);
    for (size_t i = 0; bytes != NULL && i < size; i++) {
        bytes[i] = (char)(i * 7 % 251);
    }
    return bytes;
}

/* The end that every row here comes to: the stream is whole. */
static int end_well(struct rig *rig)
{
    rill_writer_close(rig->writer);
    rig_turns(rig);
    SSL_shutdown(rig->ssl);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    rig_free_pair(rig);
    return 0;
}

/* -- records ---------------------------------------------------------------------------------- */

static int largest_record(void *arg)
{
    struct rig *const rig = arg;
    char *const bytes = many_bytes(RECORD_MAX);
    char *const heard = malloc(RECORD_MAX + 1);
    struct rill_bytes data;
    int end;

    rig_open(rig, NULL, NULL);
    rig_say(rig, bytes, RECORD_MAX, RECORD_MAX);
    EXPECT_INT(rig, rill_reader_readexactly(rig->reader, RECORD_MAX, &data), 0);
    check_said(rig, data, bytes, RECORD_MAX);
    EXPECT_INT(rig, rill_writer_write(rig->writer, bytes, RECORD_MAX), 0);
    rig_turns(rig);
    EXPECT_INT(rig, (long long)rig_hear(rig, heard, RECORD_MAX + 1, &end), RECORD_MAX);
    EXPECT(rig, memcmp(heard, bytes, RECORD_MAX) == 0);
    free(heard);
    free(bytes);
    return end_well(rig);
}

static int byte_by_byte(void *arg)
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    int turns = 0;

    rig_open(rig, NULL, NULL);
    rig_say(rig, "abc", 3, 1);
    rig->still = true;
    while (rig_carry_to_rill(rig, 1)) {
        rill_sleep(0);
        turns++;
    }
    rig->still = false;
    EXPECT(rig, turns > 3 * 20);
    EXPECT_INT(rig, rill_reader_readexactly(rig->reader, 3, &data), 0);
    check_said(rig, data, "abc", 3);
    EXPECT_INT(rig, rig->watch.events, 3);
    return end_well(rig);
}

static int many_records_in_one_read(void *arg) /* */
{
    struct rig *const rig = arg;
    char *const bytes = many_bytes(2000);
    struct rill_bytes data;

    rig_open(rig, NULL, NULL);
    rig_say(rig, bytes, 2000, 10);
    EXPECT_INT(rig, rill_reader_readexactly(rig->reader, 2000, &data), 0);
    check_said(rig, data, bytes, 2000);
    EXPECT_INT(rig, rig->watch.events, 1);
    free(bytes);
    return end_well(rig);
}

/* -- keys and tickets ------------------------------------------------------------------------- */

static int key_updates(void *arg) /* */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    char text[16];
    int end;

    rig_open(rig, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        EXPECT_INT(rig, SSL_key_update(rig->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        rig_say(rig, "ping\n", 5, 5);
        EXPECT_INT(rig, rill_reader_readline(rig->reader, &data), 0);
        check_said(rig, data, "ping\n", 5);
        EXPECT_INT(rig, rill_writer_write(rig->writer, "pong\n", 5), 0);
        rig_turns(rig);
        EXPECT_INT(rig, (long long)rig_hear(rig, text, sizeof text, &end), 5);
        EXPECT_INT(rig, memcmp(text, "pong\n", 5), 0);
        EXPECT_INT(rig, rig->key_updates, i + 1);
    }
    return end_well(rig);
}

static int tickets_after_close(void *arg)
{
    struct rig *const rig = arg;

    rig_open(rig, NULL, NULL);
    rill_writer_close(rig->writer);
    rig_turns(rig);
    EXPECT_INT(rig, SSL_new_session_ticket(rig->ssl), 1);
    rig_say(rig, "late", 4, 4); /* the ticket goes with it */
    rig_turns(rig);
    SSL_shutdown(rig->ssl);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    rig_free_pair(rig);
    return 0;
}

/* -- a reader that does not read -------------------------------------------------------------- */

enum {
    LIMIT = 1000,
    FLOOD = 1 << 20,
    PENDING_MAX = 256 * 1024,
    EVENT_MAX = 256 * 1024,
    PIECE = 10000
};

/* What rill has taken of the flood; one receive below is one event. */
static size_t flood(struct rig *rig, const char *bytes)
{
    rig_say(rig, bytes, FLOOD, RECORD_MAX);
    while (rig_carry_to_rill(rig, PIECE)) {
    }
    const size_t sent = rill_memory_peer_unread(rig->pipe);
    for (size_t i = 0; i < sent / PIECE; i++) { /* more iterations than events that could come */
        rig_turns(rig);
    }
    return sent - rill_memory_peer_unread(rig->pipe);
}

static int reader_does_not_read(void *arg) /* */
{
    struct rig *const rig = arg;
    const struct rill_connection_options options = {.limit = RILL_SET(LIMIT)};
    char *const bytes = many_bytes(FLOOD);
    struct rill_bytes data;

    rig_open(rig, &options, NULL);
    const size_t before = counts_of_rill().bytes;
    const size_t taken = flood(rig, bytes);
    const size_t kept = counts_of_rill().bytes - before - rill_memory_peer_unread(rig->pipe);
    EXPECT(rig, taken >= PENDING_MAX); /* it went on decrypting nothing, up to the mark */
    EXPECT(rig, taken < PENDING_MAX + EVENT_MAX + 2 * LIMIT);
    EXPECT(rig, kept <= 2 * LIMIT + 256 * 1024 + 512 * 1024);
    EXPECT_INT(rig, rill_reader_readexactly(rig->reader, FLOOD, &data), 0);
    check_said(rig, data, bytes, FLOOD);
    free(bytes);
    return end_well(rig);
}

static int end_waits_for_reader(void *arg) /* close_notify behind what is not read yet */
{
    struct rig *const rig = arg;
    const struct rill_connection_options options = {.limit = RILL_SET(LIMIT)};
    char *const bytes = many_bytes(FLOOD);
    struct rill_bytes data;

    rig_open(rig, &options, NULL);
    flood(rig, bytes);
    SSL_shutdown(rig->ssl);
    rig_turns(rig);
    rill_memory_peer_shutdown_write(rig->pipe);
    rig_turns(rig);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), 0);
    check_said(rig, data, bytes, FLOOD);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer), RILL_TLS_CLEAN);
    EXPECT_INT(rig, rig_close(rig), 0);
    free(bytes);
    return 0;
}

/* A paused reader holds back what came before the peer's end, and will not ask for it. */
static int close_behind_end(struct rig *rig, bool notified)
{
    const struct rill_connection_options options = {.limit = RILL_SET(LIMIT)};
    char *const bytes = many_bytes(5 * LIMIT);
    const double began = rig->now;

    rig_open(rig, &options, NULL);
    for (int i = 0; i < 2; i++) {
        rig_say(rig, bytes, 5 * LIMIT, LIMIT);
        rig_turns(rig);
    }
    if (notified) {
        SSL_shutdown(rig->ssl);
        rig_turns(rig);
    }
    rill_memory_peer_shutdown_write(rig->pipe);
    rig_turns(rig);
    EXPECT(rig, rill_ssl_transport_get_read_buffer_size(rill_writer_transport(rig->writer)) > 0);
    rill_writer_close(rig->writer);
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT_INT(rig, rill_writer_tls_end(rig->writer),
               RILL_TLS_TRUNCATED); /* for who did not read */
    EXPECT(rig, rig_seconds(rig, began) == 0);
    rig_free_pair(rig);
    free(bytes);
    return 0;
}

static int close_behind_fin(void *arg)
{
    return close_behind_end(arg, false);
}

static int close_behind_notify(void *arg)
{
    return close_behind_end(arg, true);
}

static int no_read_buffer(void *arg) /* limits of 0 pause when something waits, not before */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    const struct rill_opt_int zero = RILL_SET(0);

    rig_open(rig, NULL, NULL);
    struct rill_transport *const transport = rill_writer_transport(rig->writer);
    EXPECT_INT(rig, rill_ssl_transport_set_read_buffer_limits(transport, zero, zero, NULL), 0);
    for (int i = 0; i < 2; i++) {
        rig_say(rig, "hello", 5, 5);
        EXPECT_INT(rig, rill_reader_readexactly(rig->reader, 5, &data), 0);
        check_said(rig, data, "hello", 5);
    }
    return end_well(rig);
}

static int read_ahead(void *arg) /* an adopted context may keep whole records inside OpenSSL */
{
    struct rig *const rig = arg;
    SSL_CTX *const ctx = SSL_CTX_new(TLS_client_method());
    struct rill_ssl_context *context;
    struct rill_bytes data;

    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), rig->material->certificate);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(ctx, 1);
    EXPECT_INT(rig, rill_ssl_context_adopt(ctx, false, &context, NULL), 0);
    SSL_CTX_free(ctx);
    EXPECT_INT(rig, rig_open_with(rig, context), 0);
    rill_ssl_context_unref(context);
    rig_turns(rig);
    rig_say(rig, "hello", 5, 1);
    EXPECT_INT(rig, rill_reader_readexactly(rig->reader, 5, &data), 0);
    check_said(rig, data, "hello", 5);
    return end_well(rig);
}

/* -- a peer that only asks -------------------------------------------------------------------- */

enum { ASKED_AT_ONCE = 16, ASKING_TURNS = 160, ANSWERS_MAX = 64 * 1024 };

static void ask_for_keys(struct rig *rig)
{
    for (int i = 0; i < ASKED_AT_ONCE; i++) {
        EXPECT_INT(rig, SSL_key_update(rig->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        EXPECT_INT(rig, SSL_do_handshake(rig->ssl), 1);
    }
    rig_carry_to_rill(rig, SIZE_MAX);
    rill_sleep(0);
    rill_sleep(0);
}

static int key_update_flood(void *arg) /* whose answers nobody reads: an end, and bounded memory */
{
    struct rig *const rig = arg;
    struct rill_bytes data;
    int turns = 0;
    size_t queued = 0;

    rig_open(rig, NULL, NULL);
    const size_t before = counts_of_rill().bytes;
    rig->still = true;
    rill_memory_peer_set_window(rig->pipe, (struct rill_opt_int)RILL_SET(1));
    while (turns < ASKING_TURNS && !rill_writer_is_closing(rig->writer)) {
        const size_t size =
            rill_transport_get_write_buffer_size(rill_writer_transport(rig->writer));
        queued = size > queued ? size : queued;
        ask_for_keys(rig);
        turns++;
    }
    EXPECT(rig, turns < ASKING_TURNS);
    EXPECT(rig, queued > ANSWERS_MAX / 2 && queued <= ANSWERS_MAX);
    EXPECT(rig, counts_of_rill().bytes <= before + 4 * ANSWERS_MAX);
    EXPECT_INT(rig, rill_reader_read(rig->reader, -1, &data), RILL_ESSL);
    EXPECT_STR(rig, rill_task_error()->text, "the peer asks for more than it reads");
    EXPECT_INT(rig, rig_close(rig), RILL_ESSL);
    return 0;
}

static int key_updates_without_end(void *arg) /* of a peer that reads them: no matter how many */
{
    struct rig *const rig = arg;
    char text[8];
    int end;

    rig_open(rig, NULL, NULL);
    rig->still = true;
    for (int i = 0; i < ASKING_TURNS; i++) {
        ask_for_keys(rig);
        rig_carry_to_peer(rig);
        EXPECT_INT(rig, (long long)rig_hear(rig, text, sizeof text, &end), 0);
    }
    rig->still = false;
    EXPECT_INT(rig, rill_writer_write(rig->writer, "x", 1), 0); /* the last answer goes with it */
    rig_turns(rig);
    EXPECT_INT(rig, (long long)rig_hear(rig, text, sizeof text, &end), 1);
    EXPECT_INT(rig, rig->key_updates, ASKING_TURNS * ASKED_AT_ONCE);
    return end_well(rig);
}

const struct rig_row flow_rows[] = {
    {.line = __LINE__, .name = "largest_record", .fn = largest_record},
    {.line = __LINE__, .name = "byte_by_byte", .fn = byte_by_byte},
    {.line = __LINE__, .name = "many_records_in_one_read", .fn = many_records_in_one_read},
    {.line = __LINE__, .name = "key_updates", .fn = key_updates, .version = TLS1_3_VERSION},
    {.line = __LINE__,
     .name = "tickets_after_close",
     .fn = tickets_after_close,
     .version = TLS1_3_VERSION,
     .client_only = true},
    {.line = __LINE__, .name = "reader_does_not_read", .fn = reader_does_not_read},
    {.line = __LINE__, .name = "end_waits_for_reader", .fn = end_waits_for_reader},
    {.line = __LINE__, .name = "close_behind_fin", .fn = close_behind_fin},
    {.line = __LINE__, .name = "close_behind_notify", .fn = close_behind_notify},
    {.line = __LINE__, .name = "no_read_buffer", .fn = no_read_buffer},
    {.line = __LINE__, .name = "read_ahead", .fn = read_ahead, .client_only = true},
    {.line = __LINE__,
     .name = "key_update_flood",
     .fn = key_update_flood,
     .version = TLS1_3_VERSION,
     .client_only = true},
    {.line = __LINE__,
     .name = "key_updates_without_end",
     .fn = key_updates_without_end,
     .version = TLS1_3_VERSION,
     .client_only = true},
};
const size_t flow_row_count = sizeof flow_rows / sizeof flow_rows[0];
