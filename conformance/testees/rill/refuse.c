/* SPDX-License-Identifier: MIT
 *
 * Before anything of a case is performed: does this testee know all that it asks for?
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "calls.h"
#include "case.h"
#include "contexts.h"
#include "faults.h"
#include "options.h"
#include "peer.h"
#include "place.h"
#include "protocol.h"

#define CALL_KEYS "call id quiet on_error chain same"
#define RUN_KEYS                                                                                   \
    "run backend with ops handler debug reports no_pause protocol resolve connect "                \
    "tls"
#define CONTEXT_KEYS "side ca chain verify check_hostname minimum maximum alpn ciphers"
#define PEER_KEYS    "server client server_hostname hold silent"

struct refusal {
    char *reason;
    size_t size;
};

static bool refuse(const struct refusal *refusal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(const struct refusal *refusal, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(refusal->reason, refusal->size, format, list);
    va_end(list);
    return true;
}

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "(none)";
}

static bool one_of(const char *name, const char *const *known)
{
    while (name != NULL && *known != NULL && strcmp(*known, name) != 0) {
        known++;
    }
    return name != NULL && *known != NULL;
}

/* Whether a name is one of those in a text, which have spaces between them. */
static bool among(const char *name, const char *names)
{
    const size_t size = strlen(name);
    while (names != NULL && *names != '\0') {
        const size_t length = strcspn(names, " ");
        if (length == size && memcmp(name, names, size) == 0) {
            return true;
        }
        names += length + strspn(names + length, " ");
    }
    return false;
}

static bool refuse_keys(const struct refusal *refusal, const json_t *object, const char *keys,
                        const char *more_keys)
{
    void *place = json_object_iter((json_t *)object);
    for (; place != NULL; place = json_object_iter_next((json_t *)object, place)) {
        const char *key = json_object_iter_key(place);
        if (!among(key, keys) && !among(key, more_keys)) {
            return refuse(refusal, "no key %s", key);
        }
    }
    return false;
}

/* Texts that the library takes as C strings. */
static bool refuse_nul(const struct refusal *refusal, const json_t *call)
{
    static const char *const keys[] = {
        "host", "port", "local_host", "local_port", "server_hostname", NULL};
    for (size_t i = 0; keys[i] != NULL; i++) {
        const json_t *text = json_object_get(call, keys[i]);
        if (json_is_string(text) && strlen(json_string_value(text)) != json_string_length(text)) {
            return refuse(refusal, "no NUL in %s: a C string ends there", keys[i]);
        }
    }
    return false;
}

static bool refuse_arguments(const struct refusal *refusal, const json_t *call)
{
    const char *name = text_argument(call, "call");
    const char *option = text_argument(call, "name");
    const bool asks = strcmp(name, "getsockopt") == 0 || strcmp(name, "server_getsockopt") == 0;
    if (asks && !socket_option_known(option)) {
        return refuse(refusal, "no socket option %s", or_nothing(option));
    }
    if (strcmp(name, "ssl_object") == 0 && !ssl_question_known(option)) {
        return refuse(refusal, "no question %s to an ssl_object", or_nothing(option));
    }
    return refuse_keys(refusal, call, CALL_KEYS, call_find(name)->keys) ||
           refuse_nul(refusal, call);
}

static bool refuse_calls(const struct refusal *refusal, const json_t *calls);

static bool refuse_call(const struct refusal *refusal, const json_t *call)
{
    const char *name = text_argument(call, "call");
    const json_t *inner = json_object_get(call, "inner");
    if (call_find(name) == NULL) {
        return refuse(refusal, "no call %s", or_nothing(name));
    }
    return refuse_arguments(refusal, call) ||
           refuse_calls(refusal, json_object_get(call, "body")) ||
           (inner != NULL && refuse_call(refusal, inner));
}

static bool refuse_calls(const struct refusal *refusal, const json_t *calls)
{
    bool refused = false;
    for (size_t i = 0; !refused && i < json_array_size(calls); i++) {
        refused = refuse_call(refusal, json_array_get(calls, i));
    }
    return refused;
}

static bool refuse_doing(const struct refusal *refusal, const json_t *operation)
{
    const char *name = text_argument(operation, "op");
    const char *doing = text_argument(operation, "do");
    const char *call = text_argument(operation, "call");
    const json_t *value = json_object_get(operation, "value");
    const bool connects = doing != NULL && strcmp(doing, "connect") == 0;
    if (strcmp(name, "peer") == 0 && !connects && !peer_knows(doing)) {
        return refuse(refusal, "no operation peer %s", or_nothing(doing));
    }
    if (strcmp(name, "file") == 0 && !place_knows(doing)) {
        return refuse(refusal, "no operation file %s", or_nothing(doing));
    }
    if (strcmp(name, "fault") == 0 && !fault_knows(call)) {
        return refuse(refusal, "no fault of %s", or_nothing(call));
    }
    if (value != NULL && !json_is_null(value) &&
        (!json_is_integer(value) || json_integer_value(value) < 0 ||
         json_integer_value(value) > INT_MAX)) {
        return refuse(refusal, "main returns an int that is no error");
    }
    return false;
}

static bool refuse_operation(const struct refusal *refusal, const json_t *operation)
{
    static const char *const operations[] = {"app",   "clock", "peer",      "finish",
                                             "fault", "file",  "interrupt", NULL};
    const char *name = text_argument(operation, "op");
    const json_t *connection = json_object_get(operation, "conn");
    if (!one_of(name, operations)) {
        return refuse(refusal, "no operation %s", or_nothing(name));
    }
    if (json_integer_value(connection) < 0 || json_integer_value(connection) >= PEERS_MAX) {
        return refuse(refusal, "no connection beyond %d", PEERS_MAX - 1);
    }
    return refuse_doing(refusal, operation) ||
           refuse_calls(refusal, json_object_get(operation, "calls"));
}

/* The library's pause_writing and resume_writing of a protocol return nothing. */
static bool refuse_protocol(const struct refusal *refusal, const json_t *script)
{
    const char *fails = text_argument(json_object_get(script, "protocol"), "fail");
    if (fails != NULL && !protocol_can_fail(fails)) {
        return refuse(refusal, "a protocol's %s cannot fail", fails);
    }
    return refuse_keys(refusal, json_object_get(script, "protocol"), "keep_open fail buffered",
                       NULL);
}

static bool refuse_tls(const struct refusal *refusal, const json_t *script)
{
    const json_t *tls = json_object_get(script, "tls");
    const json_t *contexts = json_object_get(tls, "contexts");
    void *place = json_object_iter((json_t *)contexts);
    for (; place != NULL; place = json_object_iter_next((json_t *)contexts, place)) {
        const json_t *description = json_object_iter_value(place);
        const char *reason = context_refusal(description);
        if (reason != NULL) {
            return refuse(refusal, "%s", reason);
        }
        if (refuse_keys(refusal, description, CONTEXT_KEYS, NULL)) {
            return true;
        }
    }
    return refuse_keys(refusal, tls, "certificates contexts app peer", NULL) ||
           refuse_keys(refusal, json_object_get(tls, "app"), "context", TLS_OPTION_KEYS) ||
           refuse_keys(refusal, json_object_get(tls, "peer"), PEER_KEYS, NULL);
}

bool case_refuse(const json_t *script, char *reason, size_t size)
{
    static const char *const withs[] = {"connection", "reader",   "nothing",
                                        "server",     "protocol", NULL};
    const struct refusal refusal = {reason, size};
    const json_t *operations = json_object_get(script, "ops");
    const json_t *handler = json_object_get(script, "handler");
    const char *backend = text_argument(script, "backend");
    const char *with = text_argument(script, "with");
    if (backend_named(backend) == NULL) {
        return refuse(&refusal, "no backend %s", or_nothing(backend));
    }
    if (!one_of(with, withs)) {
        return refuse(&refusal, "no with %s", or_nothing(with));
    }
    bool refused = refuse_keys(&refusal, script, RUN_KEYS, OPTION_KEYS) ||
                   refuse_protocol(&refusal, script) || refuse_tls(&refusal, script) ||
                   refuse_calls(&refusal, json_object_get(handler, "calls"));
    for (size_t i = 0; !refused && i < json_array_size(operations); i++) {
        refused = refuse_operation(&refusal, json_array_get(operations, i));
    }
    return refused;
}
