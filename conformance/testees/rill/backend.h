/* SPDX-License-Identifier: MIT
 *
 * The backends: what carries the bytes, and what TLS there is in between.
 */
#ifndef TESTEE_BACKEND_H
#define TESTEE_BACKEND_H

#include <stdbool.h>

#include <jansson.h>

enum carrier { CARRIER_NONE, CARRIER_MEM, CARRIER_PAIR, CARRIER_TCP, CARRIER_UNIX };

struct backend {
    const char *name;     /* NULL: the table's end */
    enum carrier carrier; /* of `connection` and `protocol` */
    enum carrier server;  /* CARRIER_NONE: there is no server */
    bool speaks_tls;      /* from the beginning */
    bool upgrades;        /* by start_tls */
};

/* NULL: unknown. */
const struct backend *backend_named(const char *name);

/* Their names, the caller's reference. */
json_t *backend_names(void);

#endif
