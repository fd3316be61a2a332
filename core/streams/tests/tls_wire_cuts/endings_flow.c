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
};
const size_t flow_row_count = sizeof flow_rows / sizeof flow_rows[0];
