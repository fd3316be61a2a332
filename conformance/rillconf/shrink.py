# SPDX-License-Identifier: MIT
"""Makes a script that differs as small as it gets, while it differs in the same way (live.essence).

One testee and one CPython stay up and play every candidate, a few milliseconds each. A candidate that does not parse, is
skipped, or differs in another way does not count.
"""
import time

from . import live, random_scripts, shrink_edits
from .case import BACKENDS, CaseError
from .expr import Bad

SECONDS = 20.0          # then what has been reached is the result
WATCHDOG = 3.0          # real seconds before a candidate counts as a hang


class Shrunk:
    """The result: the script, its last judgement, and what it took."""

    def __init__(self, script, result, before, tried, seconds):
        self.script, self.result, self.before, self.tried, self.seconds = script, result, before, tried, seconds

    def case(self):
        return self.result.case

    def size(self):
        """(operations, bytes)."""
        return len(self.script.operations), self.script.bytes()


class Shrinker:
    def __init__(self, pair, case, result, seconds=SECONDS):
        self.pair, self.backend = pair, result.backend
        self.script, self.result = shrink_edits.from_case(case), result
        self.before = len(self.script.operations), self.script.bytes()
        self.wanted = live.essence(result)
        self.began, self.until = time.monotonic(), time.monotonic() + seconds
        self.tried = set()

    def keeps(self, script, backend=None, certain=False):
        """The result of this candidate if it differs as the first one did, else none."""
        backend = backend or self.backend
        key = script.source(), backend
        if not certain and (key in self.tried or time.monotonic() > self.until):
            return None
        self.tried.add(key)
        if script.sends_nothing():
            return None
        try:
            case = random_scripts.read(script.source(), "shrunk")
        except (Bad, CaseError, ValueError, IndexError):
            return None
        result = self.pair.judge(case, backend, certain)
        return result if not result.verdict.good() and live.essence(result) == self.wanted else None

    def accept(self, script, result):
        self.script, self.result = script, result

    def run(self):
        self.cut_behind()
        self.simplest_backend()
        better = True
        while better and time.monotonic() < self.until:
            better = any([self.edit(edit) for edit in shrink_edits.EDITS])
        self.simplest_backend()
        return Shrunk(self.script, self.result, self.before, len(self.tried), time.monotonic() - self.began)

    def cut_behind(self):
        """Nothing behind the step of the difference is needed, as a rule."""
        step = self.result.verdict.step
        if step is not None and step < len(self.script.operations):
            shorter = shrink_edits.Script(self.script.header, self.script.operations[:step])
            result = self.keeps(shorter)
            if result:
                self.accept(shorter, result)

    def simplest_backend(self):
        """The first in the order of BACKENDS that shows the same, also if only the header kept it away."""
        free = shrink_edits.Script([line for line in self.script.header if line.split()[0] not in ("not", "only")], self.script.operations)
        for backend in BACKENDS[:BACKENDS.index(self.backend)]:
            for script in (self.script, free):
                result = self.keeps(script, backend)
                if result:
                    self.backend = backend
                    return self.accept(script, result)

    def edit(self, edit):
        """Applies one kind of edit until none of its candidates counts; whether any did."""
        helped, more = False, True
        while more:
            more = False
            for script in edit(self.script):
                result = self.keeps(script)
                if result:
                    self.accept(script, result)
                    helped = more = True
                    break
        return helped


def shrink(pair, case, backends, seconds=SECONDS):
    """The Shrunk of the first of these backends on which the script differs, or none if it does on none."""
    for backend in backends:
        result = pair.judge(case, backend)
        if not result.verdict.good() and result.verdict.name != "FLAKY":
            return Shrinker(pair, case, result, seconds).run()
    return None
