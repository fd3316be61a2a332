/* SPDX-License-Identifier: MIT
 *
 * What rill says of a failing thing, for oracle_errors.py, which does the same with Python's ssl:
 * one line for each error, its fields between tabs.
 *
 *     error_driver version
 *     error_driver chain CERTFILE KEYFILE|- PASSWORD|-
 *     error_driver trust CAFILE|- CAPATH|- CADATA|-    (the name of a file that holds the data)
 *     error_driver set ciphers|ciphersuites|alpn VALUE
 *     error_driver handshake NAME=VALUE...             (see `struct scene`)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "tls/engine.h"

/* -- printing -------------------------------------------------------------------------------- */

static const char *or_none(const char *text)
{
    return text != NULL ? text : "None";
}

static void tell(const char *who, const struct rill_error *error)
{
    if (ERR_peek_error() != 0) {
        printf("%s\tOpenSSL's queue is not empty\n", who);
    } else if (error == NULL) {
        printf("%s\tok\n", who);
    } else {
        printf("%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s\n", who, rill_error_name(error->code), error->text,
               error->os_errno, or_none(error->library), or_none(error->reason), error->verify_code,
               or_none(error->verify_message));
    }
}

static const char *given(const char *argument)
{
    return strcmp(argument, "-") == 0 ? NULL : argument;
}

/* -- contexts -------------------------------------------------------------------------------- */

static struct rill_ssl_context *new_context(bool server_side)
{
    struct rill_ssl_context *context;
    const int made = server_side ? rill_ssl_context_new_server(&context, NULL)
                                 : rill_ssl_context_new_client(&context, NULL);
    if (made != 0) {
        exit(2);
    }
    return context;
}

static char data_space[65536];

static struct rill_bytes data_of(const char *path)
{
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    size_t length = 0;

    if (file != NULL) {
        length = fread(data_space, 1, sizeof data_space, file);
        fclose(file);
    }
    return (struct rill_bytes){data_space, length};
}

static void chain(char **arguments)
{
    struct rill_ssl_context *context = new_context(true);
    const struct rill_error *error;

    rill_ssl_context_load_cert_chain(context, arguments[0], given(arguments[1]),
                                     given(arguments[2]), &error);
    tell("chain", error);
    rill_error_unref(error);
    rill_ssl_context_unref(context);
}

static void trust(char **arguments)
{
    struct rill_ssl_context *context = new_context(false);
    const struct rill_error *error;

    rill_ssl_context_load_verify_locations(context, given(arguments[0]), given(arguments[1]),
                                           data_of(given(arguments[2])), &error);
    tell("trust", error);
    rill_error_unref(error);
    rill_ssl_context_unref(context);
}

static void set(const char *what, const char *value)
{
    struct rill_ssl_context *context = new_context(false);
    const struct rill_error *error;

    if (strcmp(what, "ciphers") == 0) {
        rill_ssl_context_set_ciphers(context, value, &error);
    } else if (strcmp(what, "alpn") == 0) {
        rill_ssl_context_set_alpn_protocols(context, &value, 1, &error);
    } else {
        rill_ssl_context_set_ciphersuites(context, value, &error);
    }
    tell("set", error);
    rill_error_unref(error);
    rill_ssl_context_unref(context);
}

/* -- handshakes ------------------------------------------------------------------------------ */

/* A side's ciphertext is changed on its way to the other. */
struct side {
    const char *name;
    struct rill_ssl_object *object;
    bool done;
    bool failed;
};

struct scene {
    const char *trust;           /* the client's authorities */
    const char *chain;           /* the server's; its key is in the file of that name with .key */
    const char *host;            /* server_hostname */
    const char *client_versions; /* 12, 13: only that one; default: both */
    const char *server_versions;
    const char *client_ciphers;
    const char *server_ciphers;
    const char *show;      /* the client's chain */
    const char *ask;       /* the server's authorities, with which a client's is demanded */
    const char *to_client; /* bytes in place of what the server sends, in hexadecimal */
    const char *to_server; /* bytes in place of the client's first */
    const char *damage;    /* `record`: a record of application data is damaged */
};

struct option {
    const char *name;
    size_t offset;
};
#define OPTION(name)                                                                               \
    {                                                                                              \
#name, offsetof(struct scene, name)                                                        \
    }
static const struct option options[] = {
    OPTION(trust),
    OPTION(chain),
    OPTION(host),
    OPTION(client_versions),
    OPTION(server_versions),
    OPTION(client_ciphers),
    OPTION(server_ciphers),
    OPTION(show),
    OPTION(ask),
    OPTION(to_client),
    OPTION(to_server),
    OPTION(damage),
};

static void must(int result)
{
    if (result != 0) {
        fprintf(stderr, "error_driver: the scene cannot be set up\n");
        exit(2);
    }
}

static void limit(struct rill_ssl_context *context, const char *versions, const char *ciphers)
{
    if (versions != NULL) {
        const enum rill_tls_version version = (enum rill_tls_version)atoi(versions);
        must(rill_ssl_context_set_versions(context, version, version, NULL));
    }
    if (ciphers != NULL) {
        must(rill_ssl_context_set_ciphers(context, ciphers, NULL));
    }
}

static void show_chain(struct rill_ssl_context *context, const char *name)
{
    char certfile[512];
    char keyfile[512];

    if (name != NULL) {
        snprintf(certfile, sizeof certfile, "%s.crt", name);
        snprintf(keyfile, sizeof keyfile, "%s.key", name);
        must(rill_ssl_context_load_cert_chain(context, certfile, keyfile, NULL, NULL));
    }
}

static struct rill_ssl_context *clients_context(const struct scene *scene)
{
    struct rill_ssl_context *context = new_context(false);

    if (scene->trust != NULL) {
        must(rill_ssl_context_load_verify_locations(context, scene->trust, NULL,
                                                    (struct rill_bytes){NULL, 0}, NULL));
    }
    limit(context, scene->client_versions, scene->client_ciphers);
    show_chain(context, scene->show);
    return context;
}

static struct rill_ssl_context *servers_context(const struct scene *scene)
{
    struct rill_ssl_context *context = new_context(true);

    limit(context, scene->server_versions, scene->server_ciphers);
    show_chain(context, scene->chain);
    if (scene->ask != NULL) {
        must(rill_ssl_context_load_verify_locations(context, scene->ask, NULL,
                                                    (struct rill_bytes){NULL, 0}, NULL));
        must(rill_ssl_context_verify_client(context, RILL_SSL_CERT_REQUIRED, NULL));
    }
    return context;
}

static void report(struct side *side, enum rill__tls_result result, const struct rill_error *error)
{
    if (result == RILL__TLS_OK || result == RILL__TLS_FAILED) {
        tell(side->name, error);
        side->done = true;
        side->failed = result == RILL__TLS_FAILED;
        rill_error_unref(error);
    }
}

static struct rill_bytes from_hex(const char *digits)
{
    size_t count = 0;

    for (; digits[0] != '\0' && count < sizeof data_space; digits += 2) {
        const char byte[3] = {digits[0], digits[1], '\0'};
        data_space[count++] = (char)strtol(byte, NULL, 16);
    }
    return (struct rill_bytes){data_space, count};
}

/* What one side sends reaches the other, who goes on; false when there was nothing. */
static bool carry(struct side *from, struct side *to, const char *instead, bool damage)
{
    struct rill__buffer sent;
    const struct rill_error *error;
    char space[4096];
    size_t count;

    rill__tls_take_outgoing(from->object, &sent);
    struct rill_bytes bytes = {rill__buffer_data(&sent), rill__buffer_length(&sent)};
    const bool any = bytes.len > 0;
    if (any && instead != NULL) {
        bytes = from_hex(instead);
    }
    if (any && !to->failed) {
        if (damage) {
            ((char *)(uintptr_t)bytes.ptr)[bytes.len - 1] ^= 1;
        }
        rill__tls_feed(to->object, bytes);
        if (!to->done) {
            const enum rill__tls_result result = rill__tls_handshake(to->object, &error);
            report(to, result, error);
        }
        if (to->done && !to->failed) {
            const enum rill__tls_result result =
                rill__tls_read(to->object, space, sizeof space, &count, &error);
            report(to, result, error);
        }
        must(rill__tls_settle(to->object));
    }
    rill__buffer_cleanup(&sent);
    return any;
}

static void play(const struct scene *scene, struct side *client, struct side *server)
{
    const struct rill_error *error;
    size_t count;

    rill__tls_handshake(client->object, &error);
    const char *to_server = scene->to_server;
    bool goes_on = true;
    while (goes_on) {
        goes_on = carry(client, server, to_server, false);
        goes_on = carry(server, client, scene->to_client, false) || goes_on;
        to_server = NULL;
    }
    if (scene->damage != NULL && client->done && !client->failed) {
        rill__tls_write(client->object, rill_bytes_of("data"), &count, &error);
        carry(client, server, NULL, true);
        carry(server, client, NULL, false);
    }
}

static struct scene scene_of(int count, char **arguments)
{
    struct scene scene = {.host = "localhost"};

    for (int i = 0; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        *value++ = '\0';
        for (size_t j = 0; j < sizeof options / sizeof options[0]; j++) {
            if (strcmp(options[j].name, arguments[i]) == 0) {
                *(const char **)(void *)((char *)&scene + options[j].offset) = value;
            }
        }
    }
    return scene;
}

static void handshake(const struct scene *scene)
{
    struct rill_ssl_context *clients = clients_context(scene);
    struct rill_ssl_context *servers = servers_context(scene);
    const struct rill_error *error;
    struct side client = {.name = "client"};
    struct side server = {.name = "server"};

    client.object = rill__tls_new(clients, false, scene->host, false, &error);
    server.object =
        client.object != NULL ? rill__tls_new(servers, true, NULL, false, &error) : NULL;
    if (server.object != NULL) {
        play(scene, &client, &server);
    } else {
        tell("client", error);
        rill_error_unref(error);
    }
    rill__tls_free(client.object);
    rill__tls_free(server.object);
    rill_ssl_context_unref(clients);
    rill_ssl_context_unref(servers);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "version") == 0) {
        printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    } else if (count == 5 && strcmp(arguments[1], "chain") == 0) {
        chain(arguments + 2);
    } else if (count == 5 && strcmp(arguments[1], "trust") == 0) {
        trust(arguments + 2);
    } else if (count == 4 && strcmp(arguments[1], "set") == 0) {
        set(arguments[2], arguments[3]);
    } else if (count >= 2 && strcmp(arguments[1], "handshake") == 0) {
        const struct scene scene = scene_of(count - 2, arguments + 2);
        handshake(&scene);
    } else {
        fprintf(stderr, "error_driver: see the comment at the top of its source\n");
        return 2;
    }
    return 0;
}
