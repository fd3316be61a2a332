/* SPDX-License-Identifier: MIT
 *
 * What the tests of TLS share: contexts from the files that make-files made, and two sessions that
 * talk to each other in memory.
 */
#ifndef RILL_TLS_TEST_RIG_H
#define RILL_TLS_TEST_RIG_H

#include <stdbool.h>

#include <check.h>

#include "tls/engine.h"

/* The folder of make-files, where the process is from then on. Ends it when there is none. */
void rig_enter(int count, char **arguments);

/* A context that cannot be made or set up ends the process. The server's chain is NAME.crt and
 * NAME.key; NULL: none. The client trusts what is in the file; NULL: nobody. */
struct rill_ssl_context *rig_server(const char *name);
struct rill_ssl_context *rig_client(const char *cafile);

struct rig_side {
    struct rill_ssl_object *object;
    enum rill__tls_result result; /* of the handshake, or of the read after it */
    const struct rill_error *error;
    bool ready; /* the handshake is done */
};
struct rig_pair {
    struct rig_side client;
    struct rig_side server;
};

void rig_pair_init(struct rig_pair *pair, struct rill_ssl_context *client,
                   struct rill_ssl_context *server, const char *host);
/* Until neither side has anything to send; then both have read what came (tickets). True: both
 * handshakes are done and nothing failed. */
bool rig_pair_run(struct rig_pair *pair);
void rig_pair_cleanup(struct rig_pair *pair);

/* All three; the texts of the errors, "" for none, stay until the next call. */
struct rig_outcome {
    bool connected;
    char client[256];
    char server[256];
};
struct rig_outcome rig_connect(struct rill_ssl_context *client, struct rill_ssl_context *server,
                               const char *host);

#endif
