# SPDX-License-Identifier: MIT
#
# The command line of the echo programs: PROGRAM [HOST PORT], with the page's 127.0.0.1 8888 when
# they are left out. Twin of ../endpoint.c.
import sys


def endpoint(program):
    if len(sys.argv) == 1:
        return '127.0.0.1', '8888'
    if len(sys.argv) != 3:
        print(f'usage: {program} [HOST PORT]', file=sys.stderr)
        sys.exit(2)
    return sys.argv[1], sys.argv[2]
