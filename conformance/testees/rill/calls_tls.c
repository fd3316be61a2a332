/* SPDX-License-Identifier: MIT
 *
 * start_tls, and the questions to a connection's session.
 */
#include "calls.h"

#include <string.h>

#include "connection.h"
#include "contexts.h"
#include "options.h"
#include "upgrade.h"

static int call_start_tls(struct at *at, const json_t *call, struct value *value)
{
    struct connection *connection = connection_find(at->replay, at->number);
    const struct rill_start_tls_options options = options_of_start_tls(call);
    struct rill_writer *writer;
    (void)value;
    if (bare_transport(at) == NULL) {
        const int rc = writer_of(at, &writer);
        if (rc < 0) {
            return rc;
        }
    }
    return upgrade_connection(connection, context_of(at->replay, json_object_get(call, "ssl")),
                              &options);
}

/* -- ssl_object --------------------------------------------------------------------------------
 */

static json_t *text_or_none(const char *text)
{
    return text != NULL ? json_string(text) : NULL;
}

static json_t *answer_version(const struct rill_ssl_object *object)
{
    return text_or_none(rill_ssl_object_version(object));
}

static json_t *answer_server_hostname(const struct rill_ssl_object *object)
{
    return text_or_none(rill_ssl_object_server_hostname(object));
}

static json_t *answer_server_side(const struct rill_ssl_object *object)
{
    return json_boolean(rill_ssl_object_server_side(object));
}

static json_t *answer_alpn(const struct rill_ssl_object *object)
{
    return text_or_none(rill_ssl_object_selected_alpn_protocol(object));
}

static json_t *answer_reused(const struct rill_ssl_object *object)
{
    return json_boolean(rill_ssl_object_session_reused(object));
}

static json_t *answer_compression(const struct rill_ssl_object *object)
{
    return text_or_none(rill_ssl_object_compression(object));
}

static const struct question {
    const char *name; /* NULL: the table's end */
    json_t *(*answer)(const struct rill_ssl_object *object);
} questions[] = {
    {"version", answer_version},
    {"server_hostname", answer_server_hostname},
    {"server_side", answer_server_side},
    {"selected_alpn_protocol", answer_alpn},
    {"session_reused", answer_reused},
    {"compression", answer_compression},
    {NULL, NULL},
};

static const struct question *question_named(const char *name)
{
    const struct question *question = questions;
    while (name != NULL && question->name != NULL && strcmp(question->name, name) != 0) {
        question++;
    }
    return question;
}

bool ssl_question_known(const char *name)
{
    return name != NULL && question_named(name)->name != NULL;
}

static int call_ssl_object(struct at *at, const json_t *call, struct value *value)
{
    struct rill_transport *transport;
    struct rill_extra_info info;
    const int rc = transport_of(at, &transport);
    if (rc < 0) {
        return rc;
    }
    if (!rill_transport_get_extra_info(transport, "ssl_object", &info)) {
        return nothing_there(at);
    }
    value->json = question_named(text_argument(call, "name"))->answer(info.ssl_object);
    return 0;
}

const struct call tls_calls[] = {
    {"start_tls", call_start_tls, "ssl " TLS_OPTION_KEYS},
    {"ssl_object", call_ssl_object, "name"},
    {NULL, NULL, NULL},
};
