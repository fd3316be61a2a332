# SPDX-License-Identifier: MIT
"""The verdict of one run of one case: transcript against reference, and the known differences."""
from . import transcript

NAMES = ("SAME", "KNOWN", "DIFF", "SKIP", "CRASH", "HANG", "LEAK", "FLAKY", "ORACLE-DRIFT")
GOOD = ("SAME", "KNOWN", "SKIP")


class Verdict:
    def __init__(self, name, detail="", difference=None, step=None, known=None):
        self.name = name
        self.detail = detail
        self.difference = difference
        self.step = step if difference is None else difference.step
        self.known = known

    def good(self):
        return self.name in GOOD

    def __str__(self):
        return "%s(%s)" % (self.name, self.detail) if self.detail and self.name in ("DIFF", "SKIP") else self.name


class Result:
    """One cell of the matrix: case, testee, backend, verdict, and the run behind it."""

    def __init__(self, case, testee, backend, verdict, steps=None, schedule=None):
        self.case = case
        self.testee = testee
        self.backend = backend
        self.verdict = verdict
        self.steps = steps or {}
        self.schedule = schedule or {}
        self.seconds = 0.0
        self.answer = None      # the steps of the CPython that judged live, if one did


def broken(outcome):
    """The verdict of a run that did not come to its end, or none."""
    if outcome.how == "skip":
        return Verdict("SKIP", outcome.text)
    if outcome.how in ("crash", "hang"):
        return Verdict(outcome.how.upper(), outcome.text, step=outcome.last_step())
    return None


def judge(case, backend, rendered, column, known=None, oracle=False):
    """Compares a rendered run with a recorded column; `known` are the testee's expectations."""
    return judge_against(transcript.comparable(column, case, backend), case, backend, rendered, known, oracle)


def judge_against(want, case, backend, rendered, known=None, oracle=False):
    """The same with a reference that holds no more than may be compared on this backend."""
    if rendered.leaks:
        return Verdict("LEAK", ", ".join(rendered.leaks))
    got = transcript.comparable(rendered.steps, case, backend)
    difference = transcript.first_difference(want, got)
    if known is not None:
        entry = known.accept(case.name, backend, difference) if difference else None
        if entry:
            return Verdict("KNOWN", "%s %s" % (entry.row, entry.reason), difference, known=entry)
        if not difference:
            known.find(case.name, backend)      # noted as run, so that a stale entry shows
    if not difference:
        return Verdict("SAME")
    return Verdict("ORACLE-DRIFT" if oracle else "DIFF", difference.layer, difference)
