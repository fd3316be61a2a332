#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deliberately wrong testees: CPython's streams with one mistake each, which the suite must find.

A mistake is a switch by name; wrong_streams.py and wrong_network.py list them.
usage: wrong.py NAME | --list     (--list: a JSON array of all, with what is missing in this CPython)
"""
import json
import sys

import cpython
from wrong_making import NotHere
from wrong_network import CONNECTING, SECURING, SERVING, TASK_MISTAKES
from wrong_streams import READING, WRITING

MISTAKES = {one.name: one for one in READING + WRITING + TASK_MISTAKES + CONNECTING + SERVING + SECURING}


def main():
    if sys.argv[1:] == ["--list"]:
        print(json.dumps([one.told() for one in MISTAKES.values()]))
        return 0
    if len(sys.argv) != 2 or sys.argv[1] not in MISTAKES:
        sys.exit(__doc__)
    mistake = MISTAKES[sys.argv[1]]
    try:
        mistake.make()
    except NotHere as reason:
        sys.exit("wrong:%s cannot be made of this CPython: %s" % (mistake.name, reason))
    return cpython.serve("wrong:" + mistake.name)


if __name__ == "__main__":
    sys.exit(main())
