/* SPDX-License-Identifier: MIT
 *
 * Abort, cancellation and the end of the loop in every state; certificates that are refused.
 */
#include <string.h>

#include <openssl/err.h>

#include "tls_endings.h"

enum { ALERT_BAD_CERTIFICATE = 42, ALERT_UNKNOWN_CA = 48 }; /* RFC 8446, 6 */

/* -- a stream in clear, to be upgraded by rill as the client ---------------------------------- */

struct upgrade {
    struct rig *rig;
    struct rill_ssl_context *context;
    const char *name;
    int rc;
    char text[160];
};

static void open_in_clear(struct rig *rig)
{
    EXPECT_INT(rig, rill_open_memory_connection(NULL, NULL, &rig->reader, &rig->writer, &rig->pipe),
               0);
}

static int start_tls(void *arg)
{
    struct upgrade *const upgrade = arg;
    const struct rill_start_tls_options options = {.server_hostname = upgrade->name};

    upgrade->rc = rill_writer_start_tls(upgrade->rig->writer, upgrade->context, &options);
    const struct rill_error *const error = upgrade->rc < 0 ? rill_task_error() : NULL;
    snprintf(upgrade->text, sizeof upgrade->text, "%s", error != NULL ? error->text : "");
    return upgrade->rc;
}

/* -- refused certificates --------------------------------------------------------------------- */

/* The alert is in the pipe when start_tls returns. */
static void refuse(struct rig *rig, struct upgrade *upgrade, int verify_code, int alert)
{
    open_in_clear(rig);
    EXPECT_INT(rig, start_tls(upgrade), RILL_ESSLCERT);
    EXPECT_INT(rig, rill_task_error()->verify_code, verify_code);
    rig->still = true;
    rig_turns(rig);
    rig_carry_to_peer(rig);
    EXPECT_INT(rig, rig_alert(rig, SSL_do_handshake(rig->ssl)), alert);
    EXPECT_INT(rig, rill_memory_peer_end(rig->pipe), RILL_MEMORY_FIN);
    EXPECT_INT(rig, rig_close(rig), RILL_ESSLCERT); /* */
}

static int unknown_authority(void *arg)
{
    struct rig *const rig = arg;
    struct upgrade upgrade = {rig, rig->material->distrust, "localhost", 0, ""};
    refuse(rig, &upgrade, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ALERT_UNKNOWN_CA);
    return 0;
}

static int wrong_name(void *arg) /* */
{
    struct rig *const rig = arg;
    struct upgrade upgrade = {rig, rig->material->client, "elsewhere", 0, ""};
    refuse(rig, &upgrade, X509_V_ERR_HOSTNAME_MISMATCH, ALERT_BAD_CERTIFICATE);
    return 0;
}

/* -- abort ------------------------------------------------------------------------------------ */

/* a FIN and no close_notify. */
static void check_aborted(struct rig *rig, int wanted)
{
    char text[16];
    int end;
    const double began = rig->now;

    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), wanted);
    EXPECT(rig, rig_seconds(rig, began) == 0);
    EXPECT_INT(rig, rill_memory_peer_end(rig->pipe), RILL_MEMORY_FIN);
    rig_carry_to_peer(rig);
    EXPECT_INT(rig, (long long)rig_hear(rig, text, sizeof text, &end), 0);
    EXPECT(rig, end != SSL_ERROR_ZERO_RETURN);
    rill_transport_abort(rill_writer_transport(rig->writer)); /* again: nothing */
    rig_free_pair(rig);
}

static int abort_handshake(void *arg) /* after each number of iterations */
{
    struct rig *const rig = arg;
    struct upgrade upgrade = {rig, rig->material->client, "localhost", 0, ""};
    struct rill_task *task;

    open_in_clear(rig);
    EXPECT_INT(rig, rill_task_create(start_tls, &upgrade, NULL, &task), 0);
    rig->still = true;
    rig_turns(rig);
    rig_carry_to_peer(rig);
    EXPECT_INT(rig, rill_task_done(task), 0);
    rill_transport_abort(rill_writer_transport(rig->writer));
    EXPECT_INT(rig, rill_task_await(task), RILL_ECONNABORTED);
    rill_task_free(task);
    check_aborted(rig, 0);
    return 0;
}

static int abort_open(void *arg)
{
    struct rig *const rig = arg;
    rig_open(rig, NULL, NULL);
    rill_transport_abort(rill_writer_transport(rig->writer));
    check_aborted(rig, 0);
    return 0;
}

static int abort_flush(void *arg)
{
    struct rig *const rig = arg;
    static const char text[20000];
    const struct rill_memory_options memory = {.window = RILL_SET(2000)};

    rig_open(rig, NULL, &memory);
    rig->still = true;
    EXPECT_INT(rig, rill_writer_write(rig->writer, text, sizeof text), 0);
    rill_writer_close(rig->writer);
    rig_turns(rig);
    rill_transport_abort(rill_writer_transport(rig->writer));
    check_aborted(rig, 0);
    return 0;
}

static int abort_shutdown(void *arg)
{
    struct rig *const rig = arg;
    const double began = rig->now;

    rig_open(rig, NULL, NULL);
    rill_writer_close(rig->writer);
    rig_turns(rig);
    rill_transport_abort(rill_writer_transport(rig->writer));
    EXPECT_INT(rig, rill_writer_wait_closed(rig->writer), 0);
    EXPECT(rig, rig_seconds(rig, began) == 0);
    EXPECT_INT(rig, rill_memory_peer_end(rig->pipe), RILL_MEMORY_FIN);
    rig_free_pair(rig);
    return 0;
}

/* -- cancellation ----------------------------------------------------------------------------- */

static int open_with_tls(void *arg)
{
    struct upgrade *const upgrade = arg;
    upgrade->rc = rig_open_with(upgrade->rig, rig_context(upgrade->rig));
    return upgrade->rc;
}

/* Lets go of what it got, also when it is cancelled. */
static int connect_and_leave(void *arg)
{
    struct upgrade *const upgrade = arg;
    const int rc = open_with_tls(upgrade);
    if (rc == 0) {
        rill_transport_abort(rill_writer_transport(upgrade->rig->writer));
        rig_free_pair(upgrade->rig);
    }
    return rc;
}

static int upgrade_and_leave(void *arg)
{
    struct upgrade *const upgrade = arg;
    struct rig *const rig = upgrade->rig;
    int rc = rill_open_memory_connection(NULL, NULL, &rig->reader, &rig->writer, &rig->pipe);

    if (rc == 0) {
        rc = start_tls(upgrade);
        rill_transport_abort(rill_writer_transport(rig->writer));
        rig_free_pair(rig);
    }
    return rc;
}

/* Iterations until the handshake is done, with a move of the peer's in each. */
enum { HANDSHAKE_TURNS = 12 };

/* Cancelled after so many iterations; whether it was done before. */
static bool cancel_after(struct rig *rig, rill_task_fn *fn, int turns)
{
    struct upgrade upgrade = {rig, rig->material->client, "localhost", 0, ""};
    struct rill_task *task;

    EXPECT_INT(rig, rill_task_create(fn, &upgrade, NULL, &task), 0);
    for (int i = 0; i < turns; i++) {
        rill_sleep(0);
        if (rig->pipe != NULL) {
            rig_carry(rig);
        }
    }
    const bool done = rill_task_done(task);
    EXPECT_INT(rig, rill_task_cancel(task), !done);
    const int rc = rill_task_await(task);
    EXPECT_INT(rig, rc, done ? 0 : RILL_ECANCELLED);
    rill_task_free(task);
    rig_turns(rig);
    rill_memory_peer_free(rig->pipe);
    rig->pipe = NULL;
    return done;
}

static int cancel_everywhere(struct rig *rig, rill_task_fn *fn)
{
    int turns = 0;
    while (turns < HANDSHAKE_TURNS && !cancel_after(rig, fn, turns)) {
        rig_restart_peer(rig);
        turns++;
    }
    EXPECT(rig, turns > 2 && turns < HANDSHAKE_TURNS);
    return 0;
}

static int cancel_open(void *arg) /* */
{
    return cancel_everywhere(arg, connect_and_leave);
}

static int cancelled_before_open(void *arg) /* the cancellation waits for the first suspension */
{
    struct rig *const rig = arg;

    EXPECT(rig, rill_task_cancel(rill_current_task()));
    EXPECT_INT(rig, rig_open_with(rig, rig_context(rig)), RILL_ECANCELLED);
    EXPECT(rig, rig->pipe == NULL);
    EXPECT_INT(rig, rill_task_uncancel(rill_current_task()), 0);
    return 0;
}

static int cancel_start_tls(void *arg) /* */
{
    return cancel_everywhere(arg, upgrade_and_leave);
}

const struct rig_row state_rows[] = {
    {.line = __LINE__, .name = "unknown_authority", .fn = unknown_authority, .client_only = true},
    {.line = __LINE__, .name = "wrong_name", .fn = wrong_name, .client_only = true},
    {.line = __LINE__, .name = "abort_handshake", .fn = abort_handshake, .client_only = true},
    {.line = __LINE__, .name = "abort_open", .fn = abort_open},
    {.line = __LINE__, .name = "abort_flush", .fn = abort_flush},
    {.line = __LINE__, .name = "abort_shutdown", .fn = abort_shutdown},
    {.line = __LINE__, .name = "cancel_open", .fn = cancel_open},
    {.line = __LINE__, .name = "cancelled_before_open", .fn = cancelled_before_open},
    {.line = __LINE__, .name = "cancel_start_tls", .fn = cancel_start_tls, .client_only = true},
};
const size_t state_row_count = sizeof state_rows / sizeof state_rows[0];

/* -- the loop goes ---------------------------------------------------------------------------- */

/* A loop that is freed after so many iterations of a handshake. */
static void free_loop_after(struct rig *rig, rill_task_fn *fn, int turns)
{
    struct upgrade upgrade = {rig, rig->material->client, "localhost", 0, ""};

    rig_begin(rig);
    const struct rill_task_options options = {.loop = rig->loop};
    EXPECT_INT(rig, rill_task_create(fn, &upgrade, &options, NULL), 0);
    for (int i = 0; i < turns; i++) {
        rill_loop_step(rig->loop);
        if (rig->pipe != NULL) {
            rig_carry(rig);
        }
    }
    rig_end(rig, false);
}

static const struct {
    int line;
    rill_task_fn *fn;
    bool server_side;
} freed[] = {
    {__LINE__, connect_and_leave, false},
    {__LINE__, connect_and_leave, true},
    {__LINE__, upgrade_and_leave, false},
};

/* Twice each, so that the second time nothing may be left. */
static void free_loops(const struct material *material, size_t row, int version, int turns)
{
    struct counts rill = counts_of_rill();
    struct counts openssl = counts_of_openssl();

    for (int time = 0; time < 2; time++) {
        struct rig rig = {.material = material,
                          .line = freed[row].line,
                          .version = version,
                          .server_side = freed[row].server_side};
        rill = counts_of_rill();
        openssl = counts_of_openssl();
        free_loop_after(&rig, freed[row].fn, turns);
        EXPECT(&rig, time == 0 || counts_equal(counts_of_rill(), rill));
        EXPECT(&rig, time == 0 || counts_equal(counts_of_openssl(), openssl));
    }
}

void free_loops_everywhere(const struct material *material)
{
    for (size_t row = 0; row < sizeof freed / sizeof freed[0]; row++) {
        for (int turns = 0; turns <= HANDSHAKE_TURNS; turns++) {
            free_loops(material, row, TLS1_2_VERSION, turns);
            free_loops(material, row, TLS1_3_VERSION, turns);
        }
    }
}
