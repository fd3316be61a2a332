/* SPDX-License-Identifier: MIT
 *
 * The command line of the echo programs; examples/python/endpoint.py is its twin.
 */
#include "endpoint.h"

#include <stdio.h>

bool endpoint_parse(int argc, char **argv, const char *program, struct endpoint *endpoint)
{
    endpoint->host = "127.0.0.1";
    endpoint->port = "8888";
    if (argc == 3) {
        endpoint->host = argv[1];
        endpoint->port = argv[2];
    } else if (argc != 1) {
        fprintf(stderr, "usage: %s [HOST PORT]\n", program);
        return false;
    }
    return true;
}
