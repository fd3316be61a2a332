/* SPDX-License-Identifier: MIT
 *
 * The programs' common part: options, contexts, bulk data, descriptions.
 */
#include "settings.h"

#include <stdio.h>
#include <string.h>

static bool take_flag(struct settings *settings, const char *flag, const char *value)
{
    if (strcmp(flag, "--ca") == 0) {
        settings->ca = value;
    } else if (strcmp(flag, "--chain") == 0) {
        settings->chain = value;
    } else if (strcmp(flag, "--alpn") == 0 && settings->alpn_count < ALPN_MAX) {
        settings->alpn[settings->alpn_count++] = value;
    } else if (strcmp(flag, "--only") == 0) {
        settings->only = strcmp(value, "12") == 0 ? RILL_TLS_1_2 : RILL_TLS_1_3;
    } else if (strcmp(flag, "--client") == 0) {
        settings->client =
            strcmp(value, "required") == 0 ? RILL_SSL_CERT_REQUIRED : RILL_SSL_CERT_OPTIONAL;
    } else if (strcmp(flag, "--hostname") == 0) {
        settings->hostname = value;
    } else {
        return false;
    }
    return true;
}

bool settings_parse(struct settings *settings, char **argv, int *next)
{
    while (argv[*next] != NULL && strncmp(argv[*next], "--", 2) == 0) {
        const char *const flag = argv[(*next)++];
        if (strcmp(flag, "--strict") == 0) {
            settings->strict = true;
            continue;
        }
        const char *const value = argv[*next];
        if (value == NULL) {
            return false;
        }
        (*next)++;
        if (strcmp(flag, "--sni") == 0 && argv[*next] != NULL) {
            settings->sni_name = value;
            settings->sni_chain = argv[(*next)++];
        } else if (!take_flag(settings, flag, value)) {
            return false;
        }
    }
    return true;
}

static int configure(const struct settings *settings, struct rill_ssl_context *context,
                     const struct rill_error **error)
{
    const struct rill_bytes no_cadata = {0};
    int rc = 0;

    if (settings->ca != NULL) {
        rc = rill_ssl_context_load_verify_locations(context, settings->ca, NULL, no_cadata, error);
    }
    if (rc == 0 && settings->chain != NULL) {
        rc = rill_ssl_context_load_cert_chain(context, settings->chain, NULL, NULL, error);
    }
    if (rc == 0 && settings->alpn_count > 0) {
        rc = rill_ssl_context_set_alpn_protocols(context, settings->alpn, settings->alpn_count,
                                                 error);
    }
    if (rc == 0 && settings->only != 0) {
        rc = rill_ssl_context_set_versions(context, settings->only, settings->only, error);
    }
    if (rc == 0 && settings->client != 0) {
        rc = rill_ssl_context_verify_client(context, settings->client, error);
    }
    rill_ssl_context_set_strict_end(context, settings->strict);
    return rc;
}

int settings_context(const struct settings *settings, bool server_side,
                     struct rill_ssl_context **context)
{
    const struct rill_error *error;

    int rc = server_side ? rill_ssl_context_new_server(context, &error)
                         : rill_ssl_context_new_client(context, &error);
    if (rc < 0) {
        return rill_task_fail(error);
    }
    rc = configure(settings, *context, &error);
    if (rc < 0) {
        rill_ssl_context_unref(*context);
        return rill_task_fail(error);
    }
    return 0;
}

char pattern_byte(size_t offset)
{
    return (char)(offset % 251);
}

static struct rill_bytes common_name(const struct rill_peercert *certificate)
{
    for (size_t i = 0; certificate != NULL && i < certificate->subject_count; i++) {
        const struct rill_cert_field *const field = certificate->subject[i].fields;
        if (strcmp(field->name, "commonName") == 0) {
            return field->value;
        }
    }
    return rill_bytes_of("-");
}

void describe(const struct rill_writer *writer, char *text, size_t size)
{
    const struct rill_peercert *certificate = NULL;
    struct rill_ssl_object *object = NULL;
    struct rill_ssl_cipher cipher = {.name = "-", .protocol = "-"};

    if (!rill_writer_get_ssl_object(writer, &object)) {
        snprintf(text, size, "plain");
        return;
    }
    rill_writer_get_cipher(writer, &cipher);
    rill_writer_get_peercert(writer, &certificate);
    const char *const alpn = rill_ssl_object_selected_alpn_protocol(object);
    const struct rill_bytes name = common_name(certificate);
    snprintf(text, size, "%s cipher=%s alpn=%s reused=%d peer=%.*s",
             rill_ssl_object_version(object), cipher.name, alpn != NULL ? alpn : "-",
             rill_ssl_object_session_reused(object), (int)name.len, name.ptr);
}

const char *end_name(const struct rill_writer *writer)
{
    switch (rill_writer_tls_end(writer)) {
    case RILL_TLS_NONE:
        return "none";
    case RILL_TLS_OPEN:
        return "open";
    case RILL_TLS_CLEAN:
        return "clean";
    case RILL_TLS_TRUNCATED:
        return "truncated";
    }
    return "?";
}
