/* SPDX-License-Identifier: MIT
 *
 * The command line of the echo programs: PROGRAM [HOST PORT], with the page's 127.0.0.1 8888 when
 * they are left out. The programs over TLS have the names of files in front.
 */
#ifndef EXAMPLES_ENDPOINT_H
#define EXAMPLES_ENDPOINT_H

#include <stdbool.h>

struct endpoint {
    const char *host;
    const char *port; /* decimal text or a service name; points into argv */
};

/* False when the arguments are neither none nor two: a usage line was then printed to stderr, and
 * the program exits with ENDPOINT_USAGE. A program with N arguments in front passes argc - N,
 * argv + N, and names them behind its own name. */
bool endpoint_parse(int argc, char **argv, const char *program, struct endpoint *endpoint);

enum { ENDPOINT_USAGE = 2 };

#endif
