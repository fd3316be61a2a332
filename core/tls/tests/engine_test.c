/* SPDX-License-Identifier: MIT
 *
 * engine.c: a call that succeeds leaves OpenSSL's error queue empty as well, and what another user
 * of OpenSSL left there changes no call's result; where ciphertext goes that is to be sent.
 */
#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "rig.h"

static SSL *ssl_of(const struct rig_side *side)
{
    return rill_ssl_object_native(side->object);
}

static void raise_in_message(int sent, int version, int type, const void *data, size_t size,
                             SSL *ssl, void *arg)
{
    (void)sent, (void)version, (void)type, (void)data, (void)size, (void)ssl, (void)arg;
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
}

static void raise_when_done(const SSL *ssl, int where, int value)
{
    (void)ssl, (void)value;
    if ((where & SSL_CB_HANDSHAKE_DONE) != 0) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    }
}

static void hand_over(struct rig_side *from, struct rill__buffer *sent, struct rig_side *to)
{
    rill__tls_take_outgoing(from->object, sent);
    rill__tls_feed(to->object,
                   (struct rill_bytes){rill__buffer_data(sent), rill__buffer_length(sent)});
}

/* Two ends that have shaken hands; begun and ended by each test. */
struct session {
    struct rill_ssl_context *client;
    struct rill_ssl_context *server;
    struct rig_pair pair;
};

static void session_init(struct session *self)
{
    self->client = rig_client("ca.crt");
    self->server = rig_server("localhost");
    rig_pair_init(&self->pair, self->client, self->server, "localhost");
}

static void session_cleanup(struct session *self)
{
    rig_pair_cleanup(&self->pair);
    rill_ssl_context_unref(self->client);
    rill_ssl_context_unref(self->server);
}

/* OpenSSL puts errors into the queue also where it succeeds: without memory for what it can do
 * without. */
static void test_errors_of_success(void)
{
    struct session session;
    const struct rill_error *error;
    struct rill__buffer sent;
    char space[16];
    size_t count;

    session_init(&session);
    SSL_set_info_callback(ssl_of(&session.pair.client), raise_when_done);
    CHECK(rig_pair_run(&session.pair));
    SSL_set_msg_callback(ssl_of(&session.pair.client), raise_in_message);
    SSL_set_msg_callback(ssl_of(&session.pair.server), raise_in_message);

    CHECK_INT(rill__tls_write(session.pair.client.object, rill_bytes_of("text"), &count, &error),
              RILL__TLS_OK);
    CHECK(ERR_peek_error() == 0);
    CHECK_INT(rill__tls_write(session.pair.client.object, rill_bytes_of("text"), &count, &error),
              RILL__TLS_OK);
    hand_over(&session.pair.client, &sent, &session.pair.server);
    CHECK_INT(rill__tls_read(session.pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_OK);
    CHECK(count == 4);
    CHECK(ERR_peek_error() == 0);
    CHECK_INT(rill__tls_read(session.pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_OK);
    CHECK_INT(rill__tls_settle(session.pair.server.object), 0);
    rill__buffer_cleanup(&sent);

    CHECK_INT(rill__tls_shutdown(session.pair.client.object, &error), RILL__TLS_WANT);
    SSL_set_msg_callback(ssl_of(&session.pair.server), NULL);
    hand_over(&session.pair.client, &sent, &session.pair.server);
    CHECK_INT(rill__tls_read(session.pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_CLOSED);
    CHECK_INT(rill__tls_settle(session.pair.server.object), 0);
    rill__buffer_cleanup(&sent);
    SSL_set_msg_callback(ssl_of(&session.pair.server), raise_in_message);
    CHECK_INT(rill__tls_shutdown(session.pair.server.object, &error), RILL__TLS_OK);
    CHECK(ERR_peek_error() == 0);

    session_cleanup(&session);
}

static void read_from(struct rill_ssl_object *object, struct rill_bytes sent, int dirty,
                      enum rill__tls_result want)
{
    const struct rill_error *error;
    char space[16];
    size_t count;

    rill__tls_feed(object, sent);
    if (dirty == ERR_LIB_SSL) {
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    } else if (dirty == ERR_LIB_SYS) { /* SSL_get_error goes by the first entry */
        ERR_raise(ERR_LIB_SYS, EIO);
    }
    CHECK_INT(rill__tls_read(object, space, sizeof space, &count, &error), want);
    CHECK(count == (want == RILL__TLS_OK ? 4 : 0));
    CHECK((error != NULL) == (want == RILL__TLS_FAILED));
    if (error != NULL) {
        CHECK_STR(error->reason, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
        CHECK_INT(error->os_errno, 1);
        rill_error_unref(error);
    }
    if (want != RILL__TLS_OK) { /* there it may stay */
        CHECK(ERR_peek_error() == 0);
    }
    ERR_clear_error();
    CHECK_INT(rill__tls_settle(object), 0);
}

/* Every record that the client sends, in pieces; the last one is broken. */
static void test_errors_of_others(void)
{
    static const int left[] = {0, ERR_LIB_SSL, ERR_LIB_SYS};
    const struct rill_error *error;

    for (size_t row = 0; row < 6; row++) {
        const int dirty = left[row % 3];
        const bool broken = row / 3 != 0;
        struct session session;
        char room[256];
        size_t count;

        session_init(&session);
        CHECK(rig_pair_run(&session.pair));
        struct rill_ssl_object *const reader = session.pair.server.object;
        rill__tls_lend_room(session.pair.client.object, room, sizeof room);
        CHECK_INT(
            rill__tls_write(session.pair.client.object, rill_bytes_of("text"), &count, &error),
            RILL__TLS_OK);
        const size_t size = rill__tls_return_room(session.pair.client.object);
        CHECK(size > 4 && rill__tls_outgoing(session.pair.client.object) == 0);
        read_from(reader, (struct rill_bytes){NULL, 0}, dirty, RILL__TLS_WANT);
        read_from(reader, (struct rill_bytes){room, 3}, dirty, RILL__TLS_WANT);
        read_from(reader, (struct rill_bytes){room + 3, 4}, dirty, RILL__TLS_WANT);
        read_from(reader, (struct rill_bytes){room + 7, size - 7}, dirty, RILL__TLS_OK);

        rill__tls_lend_room(session.pair.client.object, room, sizeof room);
        CHECK_INT(rill__tls_shutdown(session.pair.client.object, &error), RILL__TLS_WANT);
        const struct rill_bytes last = {room, rill__tls_return_room(session.pair.client.object)};
        room[last.len - 1] ^= (char)(broken ? 1 : 0);
        read_from(reader, last, dirty, broken ? RILL__TLS_FAILED : RILL__TLS_CLOSED);
        session_cleanup(&session);
    }
}

/* Two records, of which only the first has room. */
static void test_room(void)
{
    struct session session;
    const struct rill_error *error;
    struct rill__buffer sent;
    char room[32];
    char space[16];
    size_t count;

    session_init(&session);
    CHECK(rig_pair_run(&session.pair));
    rill__tls_lend_room(session.pair.client.object, room, sizeof room);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(rill__tls_write(session.pair.client.object,
                                  rill_bytes_of(i == 0 ? "once" : "more"), &count, &error),
                  RILL__TLS_OK);
    }
    const struct rill_bytes first = {room, rill__tls_return_room(session.pair.client.object)};
    CHECK(first.len > 4 && first.len < sizeof room);
    rill__tls_feed(session.pair.server.object, first);
    CHECK_INT(rill__tls_read(session.pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_OK);
    CHECK(count == 4 && memcmp(space, "once", 4) == 0);
    CHECK_INT(rill__tls_settle(session.pair.server.object), 0);
    hand_over(&session.pair.client, &sent, &session.pair.server);
    CHECK_INT(rill__tls_read(session.pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_OK);
    CHECK(count == 4 && memcmp(space, "more", 4) == 0);
    CHECK_INT(rill__tls_settle(session.pair.server.object), 0);
    rill__buffer_cleanup(&sent);
    session_cleanup(&session);
}

int main(int count, char **arguments)
{
    rig_enter(count, arguments);
    test_errors_of_success();
    test_errors_of_others();
    test_room();
    return check_report("tls engine_test");
}
