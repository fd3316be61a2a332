/* SPDX-License-Identifier: MIT
 *
 * The rig: a loop in virtual time for each row, and the peer's calls.
 */
#include "rig.h"

#include <math.h>
#include <string.h>

#include <openssl/err.h>

#include "check.h"

enum { SETTLING = 12 };

/* -- checks ----------------------------------------------------------------------------------- */

void rig_expect(struct rig *rig, const char *file, int line, bool ok, const char *what)
{
    check_at(file, line, rig->line, ok, what);
}

void rig_expect_int(struct rig *rig, const char *file, int line, long long got, long long want,
                    const char *what)
{
    check_int_at(file, line, rig->line, got, want, what);
}

void rig_expect_str(struct rig *rig, const char *file, int line, const char *got, const char *want,
                    const char *what)
{
    check_str_at(file, line, rig->line, got, want, what);
}

int rig_report(const char *name)
{
    return check_report(name);
}

/* -- carrying --------------------------------------------------------------------------------- */

bool rig_carry_to_peer(struct rig *rig)
{
    const struct rill_bytes all = rill_memory_peer_received(rig->pipe);
    if (all.len == 0) {
        return false;
    }
    BIO_write(rig->in, all.ptr, (int)all.len);
    rill_memory_peer_discard(rig->pipe, all.len);
    return true;
}

bool rig_carry_to_rill(struct rig *rig, size_t at_most)
{
    char *data = NULL;
    const long pending = BIO_get_mem_data(rig->out, &data);
    const size_t size = (size_t)pending < at_most ? (size_t)pending : at_most;
    char *const copy = size > 0 ? malloc(size) : NULL;

    if (copy == NULL || BIO_read(rig->out, copy, (int)size) != (int)size) {
        free(copy);
        return false;
    }
    EXPECT_INT(rig, rill_memory_peer_send(rig->pipe, copy, size), 0);
    free(copy);
    return true;
}

static void shake_hands(struct rig *rig)
{
    if (!SSL_is_init_finished(rig->ssl)) {
        SSL_do_handshake(rig->ssl);
        ERR_clear_error();
    }
}

bool rig_carry(struct rig *rig)
{
    random_use(RANDOM_OF_PEER);
    const bool to_peer = rig_carry_to_peer(rig);
    shake_hands(rig);
    if (rig->on_move != NULL) {
        rig->on_move(rig->on_move_arg);
    }
    const bool to_rill = rig_carry_to_rill(rig, SIZE_MAX);
    random_use(RANDOM_OF_RILL);
    return to_peer || to_rill;
}

void rig_turns(struct rig *rig)
{
    for (int i = 0; i < SETTLING; i++) {
        EXPECT_INT(rig, rill_sleep(0), 0);
        EXPECT_INT(rig, (long long)ERR_peek_error(), 0);
        if (rig->pipe != NULL && !rig->still) {
            rig_carry(rig);
        }
    }
}

/* -- the peer --------------------------------------------------------------------------------- */

void rig_say(struct rig *rig, const char *data, size_t length, size_t size)
{
    for (size_t done = 0; done < length;) {
        const size_t piece = length - done < size ? length - done : size;
        EXPECT_INT(rig, SSL_write(rig->ssl, data + done, (int)piece), (int)piece);
        done += piece;
    }
    ERR_clear_error();
}

size_t rig_hear(struct rig *rig, char *data, size_t size, int *end)
{
    size_t used = 0;
    int result = 1;

    while (used < size && result > 0) {
        result = SSL_read(rig->ssl, data + used, (int)(size - used));
        used += result > 0 ? (size_t)result : 0;
    }
    *end = result > 0 ? SSL_ERROR_NONE : SSL_get_error(rig->ssl, result);
    ERR_clear_error();
    return used;
}

int rig_alert(struct rig *rig, int result)
{
    const int judged = SSL_get_error(rig->ssl, result);
    const int reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    return judged == SSL_ERROR_SSL && reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET
                                                                    : 0;
}

static void on_message(int sent, int version, int type, const void *data, size_t size, SSL *ssl,
                       void *arg)
{
    struct rig *const rig = arg;
    (void)version;
    (void)ssl;
    if (sent == 0 && type == SSL3_RT_HANDSHAKE && size > 0 &&
        *(const unsigned char *)data == SSL3_MT_KEY_UPDATE) {
        rig->key_updates++;
    }
}

/* The line of a key log that has the secret with which the peer sends. */
static void on_key_log(const SSL *ssl, const char *line)
{
    struct rig *const rig = SSL_get_app_data(ssl);
    const char *const label =
        SSL_is_server(ssl) ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
    const char *const digits = strrchr(line, ' ');
    size_t size = 0;

    if (rig != NULL && digits != NULL && strncmp(line, label, strlen(label)) == 0) {
        OPENSSL_hexstr2buf_ex(rig->secret, sizeof rig->secret, &size, digits + 1, '\0');
        EXPECT_INT(rig, (long long)size, sizeof rig->secret);
    }
}

static void make_peer(struct rig *rig)
{
    random_restart();
    rig->ssl = SSL_new(rig->material->peer);
    rig->in = BIO_new(BIO_s_mem());
    rig->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(rig->in, -1);
    BIO_up_ref(rig->out);
    SSL_set_bio(rig->ssl, rig->in, rig->out);
    SSL_set_min_proto_version(rig->ssl, rig->version);
    SSL_set_max_proto_version(rig->ssl, rig->version);
    SSL_set_app_data(rig->ssl, rig);
    SSL_CTX_set_keylog_callback(rig->material->peer, on_key_log);
    SSL_set_msg_callback(rig->ssl, on_message);
    SSL_set_msg_callback_arg(rig->ssl, rig);
    if (rig->server_side) {
        SSL_set_connect_state(rig->ssl);
    } else {
        SSL_set_accept_state(rig->ssl);
    }
}

static void drop_peer(struct rig *rig)
{
    SSL_free(rig->ssl);
    BIO_free(rig->out);
}

void rig_restart_peer(struct rig *rig)
{
    drop_peer(rig);
    make_peer(rig);
}

/* -- rill's side ------------------------------------------------------------------------------ */

struct rill_ssl_context *rig_context(const struct rig *rig)
{
    return rig->server_side ? rig->material->server : rig->material->client;
}

static int open_pair(struct rig *rig, const struct rill_connection_options *given,
                     const struct rill_memory_options *given_memory,
                     struct rill_ssl_context *context)
{
    struct rill_connection_options options = {.limit = {.given = false}};
    struct rill_memory_options memory = {.server_side = rig->server_side};

    if (given != NULL) {
        options = *given;
    }
    if (given_memory != NULL) {
        memory = *given_memory;
        memory.server_side = rig->server_side;
    }
    options.ssl = context;
    options.server_hostname = rig->server_side ? NULL : "localhost";
    const int rc =
        rill_open_memory_connection(&options, &memory, &rig->reader, &rig->writer, &rig->pipe);
    return rc;
}

static void watch_pair(struct rig *rig)
{
    watch_attach(&rig->watch, rill_writer_transport(rig->writer));
}

int rig_open(struct rig *rig, const struct rill_connection_options *options,
             const struct rill_memory_options *memory)
{
    const int rc = open_pair(rig, options, memory, rig_context(rig));
    EXPECT_INT(rig, rc, 0);
    if (rc == 0) {
        watch_pair(rig);
        rig_turns(rig); /* what follows the handshake: tickets */
    }
    return rc;
}

int rig_open_with(struct rig *rig, struct rill_ssl_context *context)
{
    const int rc = open_pair(rig, NULL, NULL, context);
    if (rc == 0) {
        watch_pair(rig);
    }
    return rc;
}

void rig_open_unwatched(struct rig *rig)
{
    EXPECT_INT(rig, open_pair(rig, NULL, NULL, rig_context(rig)), 0);
    rig_turns(rig);
}

void rig_free_pair(struct rig *rig)
{
    rill_writer_free(rig->writer);
    rig->writer = NULL;
    rig->reader = NULL;
}

int rig_close(struct rig *rig)
{
    rill_writer_close(rig->writer);
    const int rc = rill_writer_wait_closed(rig->writer);
    rig_free_pair(rig);
    return rc;
}

double rig_seconds(const struct rig *rig, double began)
{
    return rig->now - began;
}

/* -- rows ------------------------------------------------------------------------------------- */

static double rig_now(void *arg)
{
    const struct rig *const rig = arg;
    return rig->now;
}

static int rig_idle(void *arg, double until)
{
    struct rig *const rig = arg;
    struct rill_loop_state state;

    EXPECT_INT(rig, (long long)ERR_peek_error(), 0);
    const bool moved = rig->pipe != NULL && !rig->still && rig_carry(rig);
    rill_observe_loop(rig->loop, &state);
    if (moved || state.ready > 0) {
        return 0;
    }
    if (isinf(until)) {
        rig_expect(rig, __FILE__, __LINE__, false, "nothing moves any more");
        rill_task_cancel(rig->task);
    } else if (until > rig->now) {
        rig->now = until;
    }
    return 0;
}

static int row_task(void *arg)
{
    struct rig *const rig = arg;
    rig->task = rill_current_task();
    return rig->fn(rig);
}

static void settle(struct rig *rig)
{
    struct rill_loop_state state;
    for (int i = 0; i < SETTLING; i++) {
        rill_loop_step(rig->loop);
    }
    rill_observe_loop(rig->loop, &state);
    EXPECT_INT(rig, (long long)state.transports, 0);
    EXPECT_INT(rig, (long long)state.timers, 0);
    EXPECT_INT(rig, (long long)state.tasks, 0);
    EXPECT(rig, watch_is_fine(&rig->watch));
}

void rig_begin(struct rig *rig)
{
    const struct rill_clock clock = {.now = rig_now, .idle = rig_idle, .arg = rig};
    const struct rill_loop_options options = {.clock = &clock};

    EXPECT_INT(rig, rill_loop_new(&options, &rig->loop), 0);
    make_peer(rig);
}

void rig_end(struct rig *rig, bool settled)
{
    if (settled) {
        settle(rig);
    }
    EXPECT_INT(rig, (long long)ERR_peek_error(), 0);
    rill_loop_free(rig->loop);
    EXPECT_INT(rig, (long long)ERR_peek_error(), 0);
    rill_memory_peer_free(rig->pipe);
    drop_peer(rig);
}

static void run_variant(const struct material *material, const struct rig_row *row, int version,
                        bool server_side)
{
    struct counts rill = counts_of_rill();
    struct counts openssl = counts_of_openssl();

    for (int time = 0; time < 2; time++) {
        struct rig rig = {.material = material,
                          .fn = row->fn,
                          .line = row->line,
                          .version = version,
                          .server_side = server_side};
        rill = counts_of_rill();
        openssl = counts_of_openssl();
        const int before = check_failures;
        rig_begin(&rig);
        EXPECT_INT(&rig, rill_loop_run_until_complete(rig.loop, row_task, &rig), 0);
        rig_end(&rig, true);
        if (check_failures > before) {
            fprintf(stderr, "    %s, in TLS 1.%d with rill as the %s\n", row->name,
                    version - TLS1_VERSION, server_side ? "server" : "client");
        }
    }
    CHECK_ROW(row->line, counts_equal(counts_of_rill(), rill));
    CHECK_ROW(row->line, counts_equal(counts_of_openssl(), openssl));
}

void rig_run_rows(const struct material *material, const struct rig_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            if (rows[i].version != 0 && rows[i].version != version) {
                continue;
            }
            run_variant(material, &rows[i], version, false);
            if (!rows[i].client_only) {
                run_variant(material, &rows[i], version, true);
            }
        }
    }
}
