/* SPDX-License-Identifier: MIT
 *
 * Contexts by name and description.
 */
#include "contexts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, ALPN_MAX = 16 };

struct made {
    struct made *next;
    char *name;
    char *folder;
    json_t *description;
    struct rill_ssl_context *app;
    struct peer_context *peer;
};

struct contexts {
    struct made *first;
};

static const json_t *tls_of(const struct replay *replay)
{
    return json_object_get(replay->script, "tls");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void cannot(const struct rill_error *error)
{
    fprintf(stderr, "rill-testee: a context cannot be made: %s\n", error->text);
    exit(EXIT_FAILURE);
}

/* Ends the process when a step of making a context failed. */
static void need(int rc, const struct rill_error *error)
{
    if (rc < 0) {
        cannot(error);
    }
}

/* -- the library's ------------------------------------------------------------------------------
 */

static void load_files(struct rill_ssl_context *context, const json_t *description,
                       const char *folder)
{
    static const struct rill_bytes no_data = {NULL, 0};
    const struct rill_error *error = NULL;
    const char *ca = text_of(description, "ca");
    const char *chain = text_of(description, "chain");
    char path[PATH_SIZE];
    if (ca != NULL) {
        snprintf(path, sizeof path, "%s/%s.pem", folder, ca);
        need(rill_ssl_context_load_verify_locations(context, path, NULL, no_data, &error), error);
    }
    if (chain != NULL) {
        snprintf(path, sizeof path, "%s/%s.pem", folder, chain);
        need(rill_ssl_context_load_cert_chain(context, path, NULL, NULL, &error), error);
    }
}

static enum rill_tls_version version_of(const char *name, enum rill_tls_version otherwise)
{
    if (name == NULL) {
        return otherwise;
    }
    return strcmp(name, "1.2") == 0 ? RILL_TLS_1_2 : RILL_TLS_1_3;
}

static void set_names(struct rill_ssl_context *context, const json_t *description)
{
    const struct rill_error *error = NULL;
    const json_t *alpn = json_object_get(description, "alpn");
    const char *ciphers = text_of(description, "ciphers");
    const char *protocols[ALPN_MAX];
    const size_t count = json_array_size(alpn) < ALPN_MAX ? json_array_size(alpn) : ALPN_MAX;
    for (size_t i = 0; i < count; i++) {
        protocols[i] = json_string_value(json_array_get(alpn, i));
    }
    if (count > 0) {
        need(rill_ssl_context_set_alpn_protocols(context, protocols, count, &error), error);
    }
    if (ciphers != NULL) {
        need(rill_ssl_context_set_ciphers(context, ciphers, &error), error);
    }
    need(rill_ssl_context_set_versions(
             context, version_of(text_of(description, "minimum"), RILL_TLS_1_2),
             version_of(text_of(description, "maximum"), RILL_TLS_1_3), &error),
         error);
}

static void set_client_checks(struct rill_ssl_context *context, const json_t *description)
{
    const struct rill_error *error = NULL;
    /* The flags that Python's bare SSLContext has; TRUSTED_FIRST is always on. */
    need(rill_ssl_context_set_verify_flags(context, 0, &error), error);
    if (json_is_false(json_object_get(description, "check_hostname"))) {
        rill_ssl_context_insecure_skip_hostname(context);
    }
    if (strcmp(text_of(description, "verify"), "none") == 0) {
        rill_ssl_context_insecure_skip_verification(context);
    }
}

static void set_server_checks(struct rill_ssl_context *context, const json_t *description)
{
    const struct rill_error *error = NULL;
    const char *verify = text_of(description, "verify");
    need(rill_ssl_context_set_verify_flags(context, 0, &error), error);
    if (strcmp(verify, "none") != 0) {
        const bool required = strcmp(verify, "required") == 0;
        need(rill_ssl_context_verify_client(
                 context, required ? RILL_SSL_CERT_REQUIRED : RILL_SSL_CERT_OPTIONAL, &error),
             error);
    }
}

static struct rill_ssl_context *make_app(const json_t *description, const char *folder)
{
    const bool client = strcmp(text_of(description, "side"), "client") == 0;
    const struct rill_error *error = NULL;
    struct rill_ssl_context *context = NULL;
    if (client) {
        need(rill_ssl_context_new_client(&context, &error), error);
        set_client_checks(context, description);
    } else {
        need(rill_ssl_context_new_server(&context, &error), error);
        set_server_checks(context, description);
    }
    load_files(context, description, folder);
    set_names(context, description);
    return context;
}

/* -- all of them --------------------------------------------------------------------------------
 */

struct contexts *contexts_new(void)
{
    return calloc(1, sizeof(struct contexts));
}

static void made_free(struct made *made)
{
    rill_ssl_context_unref(made->app);
    peer_context_free(made->peer);
    json_decref(made->description);
    free(made->folder);
    free(made->name);
    free(made);
}

void contexts_free(struct contexts *contexts)
{
    while (contexts != NULL && contexts->first != NULL) {
        struct made *made = contexts->first;
        contexts->first = made->next;
        made_free(made);
    }
    free(contexts);
}

static struct made *find(const struct contexts *contexts, const char *name,
                         const json_t *description, const char *folder)
{
    struct made *made = contexts->first;
    while (made != NULL && (strcmp(made->name, name) != 0 || strcmp(made->folder, folder) != 0 ||
                            !json_equal(made->description, description))) {
        made = made->next;
    }
    return made;
}

static void add(struct contexts *contexts, const char *name, json_t *description,
                const char *folder)
{
    struct made *made = calloc(1, sizeof *made);
    if (made == NULL) {
        cannot(rill_error_no_memory());
    }
    made->name = strdup(name);
    made->folder = strdup(folder);
    made->description = json_incref(description);
    made->app = make_app(description, folder);
    made->peer = peer_context_new(description, folder);
    made->next = contexts->first;
    contexts->first = made;
}

void contexts_prepare(struct contexts *contexts, const json_t *script)
{
    const json_t *tls = json_object_get(script, "tls");
    const char *folder = text_of(tls, "certificates");
    json_t *described = json_object_get(tls, "contexts");
    for (void *place = json_object_iter(described); place != NULL;
         place = json_object_iter_next(described, place)) {
        const char *name = json_object_iter_key(place);
        json_t *description = json_object_iter_value(place);
        if (find(contexts, name, description, folder) == NULL) {
            add(contexts, name, description, folder);
        }
    }
}

const char *context_refusal(const json_t *description)
{
    const char *side = text_of(description, "side");
    const char *verify = text_of(description, "verify");
    if (side == NULL || verify == NULL) {
        return "a context without side or verify";
    }
    return strcmp(side, "client") == 0 && strcmp(verify, "optional") == 0
               ? "a client's context verifies or does not"
               : NULL;
}

static const struct made *made_named(const struct replay *replay, const char *name)
{
    const json_t *tls = tls_of(replay);
    const json_t *description = json_object_get(json_object_get(tls, "contexts"), name);
    const struct made *made = description != NULL ? find(replay->contexts, name, description,
                                                         text_of(tls, "certificates"))
                                                  : NULL;
    if (made == NULL) {
        fprintf(stderr, "rill-testee: the script does not describe context %s\n", name);
        exit(EXIT_FAILURE);
    }
    return made;
}

struct rill_ssl_context *context_named(const struct replay *replay, const char *name)
{
    return made_named(replay, name)->app;
}

struct peer_context *context_of_peer(const struct replay *replay, const char *name)
{
    return made_named(replay, name)->peer;
}

struct rill_ssl_context *context_of(const struct replay *replay, const json_t *value)
{
    if (json_is_string(value)) {
        return context_named(replay, json_string_value(value));
    }
    return json_is_true(value) ? rill_ssl_default : NULL;
}

const char *context_name(const struct replay *replay, const struct rill_ssl_context *context)
{
    json_t *described = json_object_get(tls_of(replay), "contexts");
    for (void *place = json_object_iter(described); place != NULL;
         place = json_object_iter_next(described, place)) {
        const char *name = json_object_iter_key(place);
        if (context_named(replay, name) == context) {
            return name;
        }
    }
    return "default";
}
