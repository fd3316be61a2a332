/* SPDX-License-Identifier: MIT
 *
 * engine.c: a call that succeeds leaves OpenSSL's error queue empty as well.
 */
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

/* OpenSSL puts errors into the queue also where it succeeds: without memory for what it can do
 * without. */
static void test_errors_of_success(void)
{
    struct rill_ssl_context *client = rig_client("ca.crt");
    struct rill_ssl_context *server = rig_server("localhost");
    const struct rill_error *error;
    struct rig_pair pair;
    struct rill__buffer sent;
    char space[16];
    size_t count;

    rig_pair_init(&pair, client, server, "localhost");
    SSL_set_info_callback(ssl_of(&pair.client), raise_when_done);
    CHECK(rig_pair_run(&pair));
    SSL_set_msg_callback(ssl_of(&pair.client), raise_in_message);
    SSL_set_msg_callback(ssl_of(&pair.server), raise_in_message);

    CHECK_INT(rill__tls_write(pair.client.object, rill_bytes_of("text"), &count, &error),
              RILL__TLS_OK);
    CHECK(ERR_peek_error() == 0);
    hand_over(&pair.client, &sent, &pair.server);
    CHECK_INT(rill__tls_read(pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_OK);
    CHECK(count == 4);
    CHECK(ERR_peek_error() == 0);
    CHECK_INT(rill__tls_settle(pair.server.object), 0);
    rill__buffer_cleanup(&sent);

    CHECK_INT(rill__tls_shutdown(pair.client.object, &error), RILL__TLS_WANT);
    SSL_set_msg_callback(ssl_of(&pair.server), NULL);
    hand_over(&pair.client, &sent, &pair.server);
    CHECK_INT(rill__tls_read(pair.server.object, space, sizeof space, &count, &error),
              RILL__TLS_CLOSED);
    CHECK_INT(rill__tls_settle(pair.server.object), 0);
    rill__buffer_cleanup(&sent);
    SSL_set_msg_callback(ssl_of(&pair.server), raise_in_message);
    CHECK_INT(rill__tls_shutdown(pair.server.object, &error), RILL__TLS_OK);
    CHECK(ERR_peek_error() == 0);

    rig_pair_cleanup(&pair);
    rill_ssl_context_unref(client);
    rill_ssl_context_unref(server);
}

int main(int count, char **arguments)
{
    rig_enter(count, arguments);
    test_errors_of_success();
    return check_report("tls engine_test");
}
