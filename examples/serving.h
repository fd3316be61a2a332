/* SPDX-License-Identifier: MIT
 *
 * The life of a server that ends by Ctrl-C, whatever its clients do.
 */
#ifndef EXAMPLES_SERVING_H
#define EXAMPLES_SERVING_H

struct rill_server;

/* Prints `Serving on ADDRESS` and waits until the task is cancelled, as Ctrl-C does it. Then closes
 * the server and its connections; who has not taken what was sent to him after a second is aborted.
 * Takes over the server. RILL_ECANCELLED, the result for rill_main. Suspends.
 *
 * rill_server_serve_forever is not used: like Python's from 3.12.1 on, it waits for the clients to
 * leave, and with a client that stays Ctrl-C would have to be pressed twice. */
int serving_until_interrupted(struct rill_server *server);

#endif
