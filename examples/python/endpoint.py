# SPDX-License-Identifier: MIT
#
# The command line of the echo programs: PROGRAM [HOST PORT], with the page's 127.0.0.1 8888 when
# they are left out. The programs over TLS have the names of files in front. Twin of ../endpoint.c.
import sys


def endpoint(program, *files):
    """HOST and PORT, behind as many file names as `files` has."""
    given = sys.argv[1:]
    rest = given[len(files):]
    if len(given) < len(files) or len(rest) not in (0, 2):
        print('usage:', program, *files, '[HOST PORT]', file=sys.stderr)
        sys.exit(2)
    return (*given[:len(files)], *(rest or ('127.0.0.1', '8888')))
