/* SPDX-License-Identifier: MIT
 *
 * Before anything of a case is performed: does this testee know all that it asks for?
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "case.h"

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

static bool refuse_calls(const struct refusal *refusal, const json_t *calls);

static bool refuse_call(const struct refusal *refusal, const json_t *call)
{
    const char *name = text_argument(call, "call");
    const json_t *inner = json_object_get(call, "inner");
    if (call_find(name) == NULL) {
        return refuse(refusal, "no call %s", or_nothing(name));
    }
    if (strcmp(name, "cancel") == 0 && text_argument(call, "text") != NULL) {
        return refuse(refusal, "no text for cancel");
    }
    return refuse_calls(refusal, json_object_get(call, "body")) ||
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

static bool refuse_operation(const struct refusal *refusal, const json_t *operation)
{
    static const char *const operations[] = {"app", "clock", "peer", "finish", NULL};
    static const char *const doings[] = {"send",  "read",   "shutdown", "close",
                                         "reset", "window", "connect",  NULL};
    const char *name = text_argument(operation, "op");
    const json_t *connection = json_object_get(operation, "conn");
    if (!one_of(name, operations)) {
        return refuse(refusal, "no operation %s", or_nothing(name));
    }
    if (strcmp(name, "peer") == 0 && !one_of(text_argument(operation, "do"), doings)) {
        return refuse(refusal, "no operation peer %s", or_nothing(text_argument(operation, "do")));
    }
    if (json_integer_value(connection) < 0 || json_integer_value(connection) >= PEERS_MAX) {
        return refuse(refusal, "no connection beyond %d", PEERS_MAX - 1);
    }
    return refuse_calls(refusal, json_object_get(operation, "calls"));
}

bool case_refuse(const json_t *script, char *reason, size_t size)
{
    static const char *const backends[] = {"mem", "pair", "tcp", NULL};
    static const char *const withs[] = {"connection", "reader", "nothing", "server", NULL};
    const struct refusal refusal = {reason, size};
    const json_t *operations = json_object_get(script, "ops");
    const json_t *handler = json_object_get(script, "handler");
    const char *backend = text_argument(script, "backend");
    const char *with = text_argument(script, "with");
    if (!one_of(backend, backends)) {
        return refuse(&refusal, "no backend %s", or_nothing(backend));
    }
    if (!one_of(with, withs)) {
        return refuse(&refusal, "no with %s", or_nothing(with));
    }
    bool refused = refuse_calls(&refusal, json_object_get(handler, "calls"));
    for (size_t i = 0; !refused && i < json_array_size(operations); i++) {
        refused = refuse_operation(&refusal, json_array_get(operations, i));
    }
    return refused;
}
