/* SPDX-License-Identifier: MIT
 *
 * negotiate.c and what contexts mean in a handshake: ALPN, the choice of a context by name, client
 * certificates, and a chain that is reloaded beside sessions.
 */
#include <pthread.h>

#include <openssl/err.h>

#include "rig.h"
#include "tls/context.h"

static const enum rill_tls_version versions[] = {RILL_TLS_1_2, RILL_TLS_1_3};

static struct rill_ssl_context *client_of(enum rill_tls_version version, const char *cafile)
{
    struct rill_ssl_context *client = rig_client(cafile);
    CHECK_INT(rill_ssl_context_set_versions(client, version, version, NULL), 0);
    return client;
}

/* -- ALPN ------------------------------------------------------------------------------------ */

static const struct {
    int line;
    const char *client[3];
    const char *server[3];
    const char *want;
} protocols[] = {
    {.line = __LINE__,
     .client = {"h2", "http/1.1"},
     .server = {"http/1.1", "h2"},
     .want = "http/1.1"},
    {.line = __LINE__, .client = {"http/1.1", "h2"}, .server = {"h2", "http/1.1"}, .want = "h2"},
    {.line = __LINE__, .client = {"h2"}, .server = {"http/1.1", "h2"}, .want = "h2"},
    {.line = __LINE__, .client = {"h2"}, .server = {"http/1.1"}}, /* none is no failure */
    {.line = __LINE__, .client = {"h2"}},
    {.line = __LINE__, .server = {"h2"}},
    {.line = __LINE__},
};

static void set_protocols(struct rill_ssl_context *context, const char *const *names)
{
    size_t count = 0;
    while (count < 3 && names[count] != NULL) {
        count++;
    }
    CHECK_INT(rill_ssl_context_set_alpn_protocols(context, names, count, NULL), 0);
}

static void test_alpn(void)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            struct rill_ssl_context *client = client_of(versions[v], "ca.crt");
            struct rill_ssl_context *server = rig_server("localhost");
            struct rig_pair pair;
            set_protocols(client, protocols[i].client);
            set_protocols(server, protocols[i].server);
            rig_pair_init(&pair, client, server, "localhost");
            CHECK_ROW(protocols[i].line, rig_pair_run(&pair));
            CHECK_STR_ROW(protocols[i].line,
                          rill_ssl_object_selected_alpn_protocol(pair.client.object),
                          protocols[i].want);
            CHECK_STR_ROW(protocols[i].line,
                          rill_ssl_object_selected_alpn_protocol(pair.server.object),
                          protocols[i].want);
            rig_pair_cleanup(&pair);
            rill_ssl_context_unref(client);
            rill_ssl_context_unref(server);
        }
    }
}

/* -- SNI ------------------------------------------------------------------------------------- */

struct desk {
    struct rill_ssl_context *other; /* for other.test */
    int answer;                     /* what the callback returns */
    int calls;
    char name[64]; /* asked for; "-": none */
};

static int by_name(const struct rill_ssl_object *object, const char *server_name,
                   struct rill_ssl_context **use, void *arg)
{
    struct desk *desk = arg;

    CHECK(rill_ssl_object_server_side(object));
    CHECK(*use == NULL);
    desk->calls++;
    snprintf(desk->name, sizeof desk->name, "%s", server_name != NULL ? server_name : "-");
    if (server_name != NULL && strcmp(server_name, "other.test") == 0) {
        *use = desk->other;
    }
    return desk->answer;
}

/* A server that shows other's certificate to who asks for other.test. */
static struct rill_ssl_context *desk_server(struct desk *desk)
{
    struct rill_ssl_context *server = rig_server("localhost");

    *desk = (struct desk){.other = rig_server(NULL)};
    CHECK_INT(
        rill_ssl_context_load_cert_chain(desk->other, "other-chain.crt", "other.key", NULL, NULL),
        0);
    CHECK_INT(rill_ssl_context_set_sni_callback(server, by_name, desk, NULL), 0);
    return server;
}

static void test_switch(void)
{
    const char *h2 = "h2";

    for (size_t v = 0; v < 2; v++) {
        struct desk desk;
        struct rig_pair pair;
        struct rill_ssl_context *client = client_of(versions[v], "ca.crt");
        struct rill_ssl_context *server = desk_server(&desk);
        struct rill_ssl_context *chosen = desk.other;
        CHECK_INT(rill_ssl_context_set_alpn_protocols(client, &h2, 1, NULL), 0);
        CHECK_INT(rill_ssl_context_set_alpn_protocols(chosen, &h2, 1, NULL), 0);

        rig_pair_init(&pair, client, server, "localhost");
        CHECK(rig_pair_run(&pair));
        CHECK_STR(desk.name, "localhost");
        CHECK(rill_ssl_object_context(pair.server.object) == server);
        CHECK_STR(rill_ssl_object_selected_alpn_protocol(pair.server.object), NULL);
        rig_pair_cleanup(&pair);

        rig_pair_init(&pair, client, server, "other.test");
        rill_ssl_context_unref(server); /* the sessions keep what they need */
        CHECK(rig_pair_run(&pair));
        CHECK_STR(desk.name, "other.test");
        CHECK(rill_ssl_object_context(pair.server.object) == chosen);
        CHECK_STR(rill_ssl_object_selected_alpn_protocol(pair.server.object), "h2");
        rill_ssl_context_unref(chosen);
        rig_pair_cleanup(&pair);
        rill_ssl_context_unref(client);
    }
}

/* The client's first key share does not suit: OpenSSL asks by name twice, the second time perhaps
 * the first context again. */
static void test_switch_and_retry(void)
{
    struct desk desk;
    struct rig_pair pair;
    struct rill_ssl_context *client = client_of(RILL_TLS_1_3, "ca.crt");
    struct rill_ssl_context *server = desk_server(&desk);

    CHECK_INT(SSL_CTX_set1_groups_list(server->ctx, "P-384"), 1);
    CHECK_INT(SSL_CTX_set1_groups_list(desk.other->ctx, "P-384"), 1);
    rig_pair_init(&pair, client, server, "other.test");
    rill_ssl_context_unref(server);
    CHECK(rig_pair_run(&pair));
    CHECK_INT(desk.calls, 1);
    CHECK(rill_ssl_object_context(pair.server.object) == desk.other);
    rig_pair_cleanup(&pair);
    rill_ssl_context_unref(desk.other);
    rill_ssl_context_unref(client);
}

static const struct {
    int line;
    int answer;
    const char *host;
    const char *want_client;
} alerts[] = {
    {.line = __LINE__,
     .answer = 112,
     .host = "localhost",
     .want_client = "[SSL: TLSV1_UNRECOGNIZED_NAME] tlsv1 unrecognized name"},
    {.line = __LINE__,
     .answer = 40,
     .host = "other.test",
     .want_client = "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure"},
    {.line = __LINE__, /* numbers that are no alert */
     .answer = 256,
     .host = "localhost",
     .want_client = "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error"},
    {.line = __LINE__,
     .answer = RILL_EVALUE,
     .host = "localhost",
     .want_client = "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error"},
};

static void test_alerts(void)
{
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        struct desk desk;
        struct rill_ssl_context *client = rig_client("ca.crt");
        struct rill_ssl_context *server = desk_server(&desk);
        desk.answer = alerts[i].answer;
        const struct rig_outcome outcome = rig_connect(client, server, alerts[i].host);
        CHECK_ROW(alerts[i].line, !outcome.connected);
        CHECK_STR_ROW(alerts[i].line, outcome.client, alerts[i].want_client);
        CHECK_STR_ROW(alerts[i].line, outcome.server, "[SSL: CALLBACK_FAILED] callback failed");
        rill_ssl_context_unref(client);
        rill_ssl_context_unref(server);
        rill_ssl_context_unref(desk.other);
    }
}

/* No name, an address (never sent, R-802), no callback any more, and a choice that cannot be. */
static void test_other_choices(void)
{
    struct desk desk;
    struct rill_ssl_context *client = rig_client("ca.crt");
    struct rill_ssl_context *server = desk_server(&desk);
    struct rill_ssl_context *real = desk.other;

    rill_ssl_context_insecure_skip_hostname(client);
    CHECK(rig_connect(client, server, NULL).connected);
    CHECK_STR(desk.name, "-");
    CHECK(rig_connect(client, server, "127.0.0.1").connected);
    CHECK_STR(desk.name, "-");
    struct rill_ssl_context *wrong[] = {client, rill_ssl_default};
    for (size_t i = 0; i < 2; i++) {
        desk.other = wrong[i];
        const struct rig_outcome outcome = rig_connect(client, server, "other.test");
        CHECK_STR(outcome.client, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error");
    }
    desk.other = server; /* the one that it has */
    CHECK(rig_connect(client, server, "other.test").connected);
    CHECK_INT(desk.calls, 5);
    CHECK_INT(rill_ssl_context_set_sni_callback(server, NULL, NULL, NULL), 0);
    CHECK(rig_connect(client, server, "other.test").connected);
    CHECK_INT(desk.calls, 5);
    rill_ssl_context_unref(client);
    rill_ssl_context_unref(server);
    rill_ssl_context_unref(real);
}

/* -- client certificates --------------------------------------------------------------------- */

#define REQUIRED_1_2 "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure"
#define REQUIRED_1_3 "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"
#define UNKNOWN_CA   "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca"

static const struct {
    int line;
    enum rill_ssl_client_certificate mode;
    const char *show;
    const char *want[2]; /* the client's error in TLS 1.2 and 1.3; NULL: connected */
} demands[] = {
    {.line = __LINE__, .mode = RILL_SSL_CERT_REQUIRED, .show = "client"},
    {.line = __LINE__, .mode = RILL_SSL_CERT_OPTIONAL, .show = "client"},
    {.line = __LINE__, .mode = RILL_SSL_CERT_OPTIONAL},
    {.line = __LINE__, .mode = RILL_SSL_CERT_REQUIRED, .want = {REQUIRED_1_2, REQUIRED_1_3}},
    {.line = __LINE__,
     .mode = RILL_SSL_CERT_OPTIONAL,
     .show = "stranger",
     .want = {UNKNOWN_CA, UNKNOWN_CA}},
    {.line = __LINE__,
     .mode = RILL_SSL_CERT_REQUIRED,
     .show = "stranger",
     .want = {UNKNOWN_CA, UNKNOWN_CA}},
};

static void show(struct rill_ssl_context *context, const char *name)
{
    char certfile[64];
    char keyfile[64];

    if (name != NULL) {
        snprintf(certfile, sizeof certfile, "%s.crt", name);
        snprintf(keyfile, sizeof keyfile, "%s.key", name);
        CHECK_INT(rill_ssl_context_load_cert_chain(context, certfile, keyfile, NULL, NULL), 0);
    }
}

static void ask(struct rill_ssl_context *context, enum rill_ssl_client_certificate mode)
{
    CHECK_INT(rill_ssl_context_load_verify_locations(context, "ca.crt", NULL,
                                                     (struct rill_bytes){NULL, 0}, NULL),
              0);
    CHECK_INT(rill_ssl_context_verify_client(context, mode, NULL), 0);
}

/* Asked by the context that the server was given, and by the one that it chose by name. */
static void test_client_certificates(void)
{
    for (size_t i = 0; i < sizeof demands / sizeof demands[0]; i++) {
        for (size_t v = 0; v < 2; v++) {
            for (int by_choice = 0; by_choice < 2; by_choice++) {
                struct desk desk;
                struct rill_ssl_context *client = client_of(versions[v], "ca.crt");
                struct rill_ssl_context *server = desk_server(&desk);
                show(client, demands[i].show);
                ask(by_choice ? desk.other : server, demands[i].mode);
                const struct rig_outcome outcome =
                    rig_connect(client, server, by_choice ? "other.test" : "localhost");
                const char *want = demands[i].want[v];
                CHECK_INT_ROW(demands[i].line, outcome.connected, want == NULL);
                CHECK_STR_ROW(demands[i].line, outcome.client, want != NULL ? want : "");
                rill_ssl_context_unref(client);
                rill_ssl_context_unref(server);
                rill_ssl_context_unref(desk.other);
            }
        }
    }
}

/* A client's certificates are demanded by the first context and not by the chosen one: the demand
 * stands. */
static void test_demand_stands(void)
{
    struct desk desk;
    struct rill_ssl_context *client = rig_client("ca.crt");
    struct rill_ssl_context *server = desk_server(&desk);

    ask(server, RILL_SSL_CERT_REQUIRED);
    CHECK_STR(rig_connect(client, server, "other.test").client, REQUIRED_1_3);
    rill_ssl_context_unref(client);
    rill_ssl_context_unref(server);
    rill_ssl_context_unref(desk.other);
}

/* -- resumption ------------------------------------------------------------------------------ */

/* A session that the client got for `first` and offers for `second`; whether that connects, and
 * what the server then has. */
struct second {
    bool connected;
    bool resumed;
    const struct rill_ssl_context *context;
};

static struct second resume(struct rill_ssl_context *client, struct rill_ssl_context *server,
                            const char *first, const char *second)
{
    struct rig_pair pair;

    rig_pair_init(&pair, client, server, first);
    CHECK(rig_pair_run(&pair));
    SSL *ssl = rill_ssl_object_native(pair.client.object);
    SSL_SESSION *session = SSL_get1_session(ssl);
    SSL_shutdown(ssl); /* else it may not be resumed */
    rig_pair_cleanup(&pair);

    rig_pair_init(&pair, client, server, second);
    SSL_SESSION_set1_hostname(session, second); /* who attacks lies */
    CHECK_INT(SSL_set_session(rill_ssl_object_native(pair.client.object), session), 1);
    SSL_SESSION_free(session);
    const struct second outcome = {
        .connected = rig_pair_run(&pair),
        .resumed = rill_ssl_object_session_reused(pair.server.object),
        .context = rill_ssl_object_context(pair.server.object),
    };
    rig_pair_cleanup(&pair);
    return outcome;
}

/* A session of a name that asks for no certificate opens no name that does. */
static void test_resumption(void)
{
    for (size_t v = 0; v < 2; v++) {
        struct desk desk;
        struct rill_ssl_context *client = client_of(versions[v], "ca.crt");
        struct rill_ssl_context *server = desk_server(&desk);
        show(client, "client"); /* a good one, but who resumes shows none */

        struct second second = resume(client, server, "localhost", "localhost");
        CHECK(second.connected && second.resumed && second.context == server);
        second = resume(client, server, "other.test", "other.test");
        CHECK(second.connected && second.resumed && second.context == desk.other);

        ask(desk.other, RILL_SSL_CERT_REQUIRED);
        second = resume(client, server, "localhost", "other.test");
        if (versions[v] == RILL_TLS_1_2) { /* its sessions have the name in them: still localhost */
            CHECK(second.connected && second.resumed && second.context == server);
        } else {
            CHECK(!second.connected);
        }
        second = resume(client, server, "other.test", "other.test");
        CHECK(second.connected && !second.resumed && second.context == desk.other);
        second = resume(client, server, "other.test", "localhost");
        CHECK(second.connected && !second.resumed && second.context == server);
        rill_ssl_context_unref(client);
        rill_ssl_context_unref(server);
        rill_ssl_context_unref(desk.other);
    }
}

/* -- reload ---------------------------------------------------------------------------------- */

/* Live sessions keep the old chain, new ones get the new one; a reload that fails changes nothing.
 */
static void test_reload(void)
{
    struct rig_pair before;
    struct rill_ssl_context *client = rig_client("ca.crt");
    struct rill_ssl_context *server = rig_server("localhost");

    rig_pair_init(&before, client, server, "localhost");
    CHECK_INT(rill_ssl_context_load_cert_chain(server, "stranger.crt", "stranger.key", NULL, NULL),
              0);
    CHECK_STR(rig_connect(client, server, "localhost").client,
              "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local "
              "issuer certificate");
    CHECK(rig_pair_run(&before));
    rig_pair_cleanup(&before);

    CHECK_INT(rill_ssl_context_load_cert_chain(server, "localhost.pem", NULL, NULL, NULL), 0);
    CHECK_INT(rill_ssl_context_load_cert_chain(server, "other.crt", "localhost.key", NULL, NULL),
              RILL_ESSL);
    CHECK_INT(rill_ssl_context_load_cert_chain(server, "other.crt", "no.key", NULL, NULL),
              RILL_ENOENT);
    CHECK(rig_connect(client, server, "localhost").connected);
    rill_ssl_context_unref(client);
    rill_ssl_context_unref(server);
}

enum { ROUNDS = 300 };

static void *reload_often(void *arg)
{
    size_t failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const bool odd = i % 2 == 1;
        failed +=
            rill_ssl_context_load_cert_chain(arg, odd ? "localhost.crt" : "other-chain.crt",
                                             odd ? "localhost.key" : "other.key", NULL, NULL) != 0;
    }
    return failed == 0 ? arg : NULL;
}

/* Sessions are made while another thread reloads: each has a certificate with its own key. */
static void test_reload_beside_sessions(void)
{
    struct rill_ssl_context *server = rig_server("localhost");
    pthread_t thread;
    void *result;
    int mismatches = 0;

    CHECK_INT(pthread_create(&thread, NULL, reload_often, server), 0);
    for (int i = 0; i < ROUNDS; i++) {
        SSL *ssl = rill__ssl_context_session(server);
        mismatches += ssl == NULL || SSL_check_private_key(ssl) != 1;
        SSL_free(ssl);
    }
    pthread_join(thread, &result);
    CHECK(result == server);
    CHECK_INT(mismatches, 0);
    rill_ssl_context_unref(server);
}

int main(int count, char **arguments)
{
    rig_enter(count, arguments);
    test_alpn();
    test_switch();
    test_switch_and_retry();
    test_alerts();
    test_other_choices();
    test_client_certificates();
    test_demand_stands();
    test_resumption();
    test_reload();
    test_reload_beside_sessions();
    return check_report("tls negotiate_test");
}
