/* SPDX-License-Identifier: MIT
 *
 * Serving until Ctrl-C, and the way out.
 */
#include "serving.h"

#include <stdio.h>

#include <rill/rill.h>

#include "repr.h"

#define FOR_EVER_S 1e9 /* 31 years */
#define GRACE_S    1.0

static void end(struct rill_server *server)
{
    struct rill_timeout grace;

    rill_server_close(server);
    rill_server_close_clients(server);
    rill_timeout_enter(&grace, GRACE_S);
    const int rc = rill_timeout_exit(&grace, rill_server_wait_closed(server));
    if (rc < 0) {
        rill_server_abort_clients(server);
        rill_server_wait_closed(server);
    }
    rill_server_free(server);
}

int serving_until_interrupted(struct rill_server *server)
{
    struct rill_address address = {0};

    rill_server_sockname(server, 0, &address);
    printf("Serving on %s\n", repr_address(&address).text);
    fflush(stdout); /* who started the program with port 0 waits for the line */

    const int rc = rill_sleep(FOR_EVER_S);
    end(server);
    return rc;
}
