/* SPDX-License-Identifier: MIT
 *
 * The table of backends.
 */
#include "backend.h"

#include <string.h>

static const struct backend backends[] = {
    {"mem", CARRIER_MEM, CARRIER_NONE, false, false},
    {"pair", CARRIER_PAIR, CARRIER_NONE, false, false},
    {"tcp", CARRIER_TCP, CARRIER_TCP, false, false},
    {"unix", CARRIER_UNIX, CARRIER_UNIX, false, false},
    {"tls13-mem", CARRIER_MEM, CARRIER_NONE, true, false},
    {"tls12-mem", CARRIER_MEM, CARRIER_NONE, true, false},
    {"tls13-pair", CARRIER_PAIR, CARRIER_TCP, true, false},
    {"tls12-pair", CARRIER_PAIR, CARRIER_UNIX, true, false},
    {"start-tls", CARRIER_TCP, CARRIER_TCP, false, true},
    {NULL, CARRIER_NONE, CARRIER_NONE, false, false},
};

const struct backend *backend_named(const char *name)
{
    const struct backend *backend = backends;
    while (name != NULL && backend->name != NULL && strcmp(backend->name, name) != 0) {
        backend++;
    }
    return name != NULL && backend->name != NULL ? backend : NULL;
}

json_t *backend_names(void)
{
    json_t *names = json_array();
    for (const struct backend *backend = backends; backend->name != NULL; backend++) {
        json_array_append_new(names, json_string(backend->name));
    }
    return names;
}
