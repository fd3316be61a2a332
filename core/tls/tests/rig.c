/* SPDX-License-Identifier: MIT
 *
 * Two sessions in memory, see rig.h.
 */
#include "rig.h"

#include <unistd.h>

#include <openssl/err.h>

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "rig: %s failed\n", what);
        exit(EXIT_FAILURE);
    }
}

void rig_enter(int count, char **arguments)
{
    must(count == 2 && chdir(arguments[1]) == 0, "the folder of make-files as the only argument");
}

struct rill_ssl_context *rig_server(const char *name)
{
    struct rill_ssl_context *context;
    char certfile[64];
    char keyfile[64];

    must(rill_ssl_context_new_server(&context, NULL) == 0, "a server's context");
    if (name != NULL) {
        snprintf(certfile, sizeof certfile, "%s.crt", name);
        snprintf(keyfile, sizeof keyfile, "%s.key", name);
        must(rill_ssl_context_load_cert_chain(context, certfile, keyfile, NULL, NULL) == 0, name);
    }
    return context;
}

struct rill_ssl_context *rig_client(const char *cafile)
{
    struct rill_ssl_context *context;

    must(rill_ssl_context_new_client(&context, NULL) == 0, "a client's context");
    must(cafile == NULL || rill_ssl_context_load_verify_locations(
                               context, cafile, NULL, (struct rill_bytes){NULL, 0}, NULL) == 0,
         "authorities");
    return context;
}

void rig_pair_init(struct rig_pair *pair, struct rill_ssl_context *client,
                   struct rill_ssl_context *server, const char *host)
{
    const struct rill_error *error;

    *pair = (struct rig_pair){.client = {.result = RILL__TLS_WANT}};
    pair->server.result = RILL__TLS_WANT;
    pair->client.object = rill__tls_new(client, false, host, false, &error);
    pair->server.object = rill__tls_new(server, true, NULL, false, &error);
    must(pair->client.object != NULL && pair->server.object != NULL, "a session");
}

static void step(struct rig_side *side)
{
    char space[4096];
    size_t count;

    if (side->result == RILL__TLS_FAILED) {
        return;
    }
    if (!side->ready) {
        side->result = rill__tls_handshake(side->object, &side->error);
        side->ready = side->result == RILL__TLS_OK;
        CHECK(ERR_peek_error() == 0);
    }
    if (side->ready) {
        side->result = rill__tls_read(side->object, space, sizeof space, &count, &side->error);
    }
    CHECK(ERR_peek_error() == 0);
}

static bool carry(struct rig_side *from, struct rig_side *to)
{
    struct rill__buffer sent;

    rill__tls_take_outgoing(from->object, &sent);
    const struct rill_bytes bytes = {rill__buffer_data(&sent), rill__buffer_length(&sent)};
    if (bytes.len > 0) {
        rill__tls_feed(to->object, bytes);
        step(to);
        CHECK_INT(rill__tls_settle(to->object), 0);
    }
    rill__buffer_cleanup(&sent);
    return bytes.len > 0;
}

bool rig_pair_run(struct rig_pair *pair)
{
    bool goes_on = true;

    step(&pair->client);
    while (goes_on) {
        goes_on = carry(&pair->client, &pair->server);
        goes_on = carry(&pair->server, &pair->client) || goes_on;
    }
    return pair->client.ready && pair->server.ready && pair->client.result != RILL__TLS_FAILED &&
           pair->server.result != RILL__TLS_FAILED;
}

void rig_pair_cleanup(struct rig_pair *pair)
{
    rill_error_unref(pair->client.error);
    rill_error_unref(pair->server.error);
    rill__tls_free(pair->client.object);
    rill__tls_free(pair->server.object);
}

struct rig_outcome rig_connect(struct rill_ssl_context *client, struct rill_ssl_context *server,
                               const char *host)
{
    struct rig_pair pair;
    struct rig_outcome outcome;

    rig_pair_init(&pair, client, server, host);
    outcome.connected = rig_pair_run(&pair);
    snprintf(outcome.client, sizeof outcome.client, "%s",
             pair.client.error != NULL ? pair.client.error->text : "");
    snprintf(outcome.server, sizeof outcome.server, "%s",
             pair.server.error != NULL ? pair.server.error->text : "");
    rig_pair_cleanup(&pair);
    return outcome;
}
