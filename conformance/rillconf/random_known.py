# SPDX-License-Identifier: MIT
"""What rill does otherwise on purpose and random scripts cannot leave out: data in conformance/expectations/random.known.

Most of it the scripts avoid (random_stream.CONFLICTS, and the backends that they exclude). One entry a line, fields
separated by ` | `:
    what CPython's line matches | what rill's line matches | words that the script has | Q-nn | what rill does instead
The lines are those of the first difference, `-` stands for no line; the first two are regular expressions of the whole
line, the third is a regular expression of the script.
"""
import os
import re

from .expect import ExpectationError


class Entry:
    def __init__(self, fields):
        want, got, script, self.row, self.reason = fields
        self.want, self.got, self.script = re.compile(want + "$"), re.compile(got + "$"), re.compile(script, re.DOTALL)

    def fits(self, case, difference):
        return bool(self.want.match(difference.want or "-") and self.got.match(difference.got or "-")
                    and self.script.search("\n".join(step.source for step in case.steps)))


class Known:
    def __init__(self, entries):
        self.entries = entries

    def find(self, case, difference):
        return next((entry for entry in self.entries if entry.fits(case, difference)), None)


def load(folder):
    path, entries = os.path.join(folder, "random.known"), []
    if not os.path.exists(path):
        return Known(entries)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = [field.strip() for field in line.split(" | ", 4)]
            if len(fields) != 5 or not re.match(r"Q-\d+$", fields[3]) or not fields[4]:
                raise ExpectationError("%s:%d: expected want | got | script | Q-nn | reason" % (path, number))
            try:
                entries.append(Entry(fields))
            except re.error as problem:
                raise ExpectationError("%s:%d: %s" % (path, number, problem))
    return Known(entries)
