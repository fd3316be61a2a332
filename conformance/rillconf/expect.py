# SPDX-License-Identifier: MIT
"""Known differences of a testee: data in conformance/expectations/NAME.known.

One entry a line, fields separated by |:
    pattern | backends, groups of them, or * | fingerprint | Q-nn | what and why
The fingerprint is that of the first difference. An entry that no longer differs, or differs otherwise, fails. Of other
testees than rill the fourth field is R-nnn, a rule that it departs from, and `skip` in the fingerprint's place means
that the case is not run, because what it shows there changes from run to run or never ends.
"""
import fnmatch
import hashlib
import os
import re

from . import tls
from .expr import Bad

LARGEST_PATTERN = 20
SKIP = "skip"


class ExpectationError(Exception):
    """Text begins with file:line."""


def fingerprint(difference):
    """Of the lines where the transcripts part, not of the step's number or the backend."""
    text = "%s|%s|%s" % (difference.layer, difference.want, difference.got)
    return hashlib.sha1(text.encode()).hexdigest()[:8]


class Entry:
    def __init__(self, path, line, fields):
        self.path = path
        self.line = line
        self.pattern, backends, self.fingerprint, self.row, self.reason = fields
        self.backends = None if backends == "*" else tls.expand(backends.split(","))
        self.matches = re.compile(fnmatch.translate(self.pattern)).match    # of a case's name
        self.covered = set()    # (case, backend) that were run
        self.used = set()       # those that differed as the entry says

    def covers(self, name, backend):
        return bool(self.matches(name)) and (self.backends is None or backend in self.backends)

    def place(self):
        return "%s:%d" % (self.path, self.line)


class Expectations:
    def __init__(self, entries=()):
        self.entries = list(entries)
        self.of_case = {}       # those that are about a case, by its name

    def about(self, name):
        if name not in self.of_case:
            self.of_case[name] = [entry for entry in self.entries if entry.matches(name)]
        return self.of_case[name]

    def find(self, name, backend):
        """The entries for this run, noted as run."""
        entries = [entry for entry in self.about(name) if entry.covers(name, backend)]
        for entry in entries:
            entry.covered.add((name, backend))
        return entries

    def accept(self, name, backend, difference):
        """The entry that expects exactly this difference, or none."""
        for entry in self.find(name, backend):
            if entry.fingerprint == fingerprint(difference):
                entry.used.add((name, backend))
                return entry
        return None

    def reason_to_skip(self, name, backend):
        return next((entry.reason for entry in self.about(name) if entry.fingerprint == SKIP and entry.covers(name, backend)), None)

    def touch(self, name):
        """Whether any entry is about this case."""
        return bool(self.about(name))

    def check_patterns(self, names):
        for entry in self.entries:
            count = sum(1 for name in names if entry.matches(name))
            if count > LARGEST_PATTERN:
                raise ExpectationError("%s: the pattern covers %d cases, more than %d"
                                       % (entry.place(), count, LARGEST_PATTERN))

    def stale(self, names):
        """Entries that expect a difference that did not show, among those whose cases exist or never can."""
        problems = []
        for entry in self.entries:
            if not any(entry.matches(name) for name in names):
                problems.append("%s: no case matches %s" % (entry.place(), entry.pattern))
            for name, backend in sorted(entry.covered - entry.used):
                problems.append("%s: %s on %s does not differ as expected (%s)"
                                % (entry.place(), name, backend, entry.fingerprint))
        return problems


def is_departure(entry):
    """Whether an implementation other than rill departs here: its backends may do so in their own ways."""
    return entry is not None and entry.row.startswith("R-")


def load(folder, name, shown=None):
    path = os.path.join(folder, name + ".known")
    if not os.path.exists(path):
        return Expectations()
    entries, kind = [], "Q-" if name == "rill" else "R-"
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                fields = [field.strip() for field in line.split("|", 4)]
                if len(fields) != 5 or not fields[3].startswith(kind) or not fields[4]:
                    raise ExpectationError("%s:%d: expected pattern | backends | fingerprint | %snn | reason"
                                           % (shown or path, number, kind))
                try:
                    entries.append(Entry(shown or path, number, fields))
                except Bad as exc:
                    raise ExpectationError("%s:%d: %s" % (shown or path, number, exc))
    return Expectations(entries)
