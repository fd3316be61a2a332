# SPDX-License-Identifier: MIT
"""Judging without a recording: a testee and a live CPython play the same script, and their transcripts must be equal.

Random scripts and the candidates of shrinking have no recorded answers, so the CPython that would judge the testee's
recordings plays beside it, in a process that stays up for all of them.
"""
import re

from . import transcript, version
from .runner import PYTHONS, REFERENCE, Job, Player, nearest, reason_to_skip
from .testee import Crash
from .verdict import Result, Verdict, broken, judge


class NoReference(Exception):
    """There is no CPython here that could judge this testee."""


def choose_reference(player, oracles):
    """Of rill (and of whatever is no Python) the newest 3.13, else the newest found; of a Python the one of its version."""
    if player.hello.get("implementation") in PYTHONS:
        number = nearest(player.version(), [oracle.version for oracle in oracles])
    else:
        number = max([oracle.version for oracle in oracles if oracle.version[:2] == REFERENCE]
                     or [oracle.version for oracle in oracles], default=None)
    if number is None:
        raise NoReference("no CPython here to judge %s %s" % (player.name, version.show(player.version())))
    return next(oracle for oracle in oracles if oracle.version == number)


def meet(player, timeout):
    """The player after its hello; its first process is put away, for each pair starts its own."""
    try:
        player.meet(timeout)
    except Crash as problem:
        raise Crash("%s: %s" % (player.name, problem))
    player.warm.stop()
    player.warm = None
    return player


def reference_player(oracle, program):
    return Player("cpython-%s" % version.show(oracle.version), [oracle.path, program], oracle=True)


class Play:
    """What one testee did with one script."""

    def __init__(self, outcome, rendered):
        self.broken = broken(outcome)
        self.rendered = rendered


class Pair:
    """A testee and its reference, one process each; both stay up from script to script."""

    def __init__(self, player, reference, timeout, known=None):
        self.player = player
        self.reference = reference
        self.known = known
        self.tested = player.take_process(timeout)
        self.asked = reference.take_process(timeout)
        self.memory = {}        # of the reference's answers, if somebody wants them kept

    def stop(self):
        """Texts about processes that did not end well."""
        return ["%s: %s" % (testee.name, problem) for testee, problem in
                ((testee, testee.stop()) for testee in (self.tested, self.asked)) if problem]

    @staticmethod
    def play(testee, case, backend):
        outcome = testee.run(case.message(backend))
        return Play(outcome, transcript.render(outcome.events, case.uses_finish()))

    def ask(self, case, backend):
        """The reference's answer, asked once for each script of `memory` (a dictionary that the caller may share)."""
        key = case.name, backend
        if key not in self.memory:
            return self.play(self.asked, case, backend)
        if self.memory[key] is None:
            self.memory[key] = self.play(self.asked, case, backend)
        return self.memory[key]

    def judge(self, case, backend, certain=True):
        """The Result of this script on this backend; `certain`: what differs is played again first."""
        for player in (self.player, self.reference):
            reason = reason_to_skip(Job(player, case, backend))
            if reason:
                return Result(case, self.player, backend, Verdict("SKIP", reason))
        answer = self.ask(case, backend)
        tested = None if answer.broken else self.play(self.tested, case, backend)
        verdict = self.compare(case, backend, answer, tested)
        if certain and verdict.name in ("DIFF", "LEAK"):
            verdict = self.flaky(case, backend, (answer, tested)) or verdict
        steps = tested.rendered.steps if tested else {}
        result = Result(case, self.player, backend, verdict, steps, tested.rendered.schedule if tested else {})
        result.answer = answer.rendered.steps
        return result

    def compare(self, case, backend, answer, tested):
        if answer.broken:
            if answer.broken.name == "SKIP":
                return answer.broken
            return Verdict(answer.broken.name, "%s, which should judge: %s" % (self.reference.name, answer.broken.detail),
                           step=answer.broken.step)
        if tested.broken:
            return tested.broken
        if answer.rendered.leaks and tested.rendered.leaks == answer.rendered.leaks:
            tested.rendered.leaks = []
        verdict = judge(case, backend, tested.rendered, answer.rendered.steps)
        if verdict.difference and self.known is not None:
            entry = self.known.find(case, verdict.difference)
            if entry:
                return Verdict("KNOWN", "%s %s" % (entry.row, entry.reason), verdict.difference)
        return verdict

    def flaky(self, case, backend, before):
        """Both play again; a FLAKY verdict if one of them changes."""
        for testee, was in zip((self.asked, self.tested), before):
            again = self.play(testee, case, backend)
            difference = transcript.first_difference(transcript.comparable(was.rendered.steps, case, backend),
                                                     transcript.comparable(again.rendered.steps, case, backend))
            if difference:
                return Verdict("FLAKY", "two runs of %s gave different transcripts\nstep %d\n%s" % (
                    testee.name, difference.step, "\n".join(difference.lines())))
        return None


# ---- what stays the same while a script shrinks ---------------------------------------------------------------------

STRING = re.compile(r'(?:\d+\*)?"(?:[^"\\]|\\.)*"(?: \+ (?:\d+\*)?"(?:[^"\\]|\\.)*")*')
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
FIELD = re.compile(r"(\w+)=(\w+)")


def call_names(case):
    """{id: name of the call}; ids of handlers have @N behind them."""
    return {call["id"]: call["call"] for call in case.every_call()}


def plain(line, calls):
    """The line without names, bytes and numbers: which call, what kind of end, which error."""
    if line is None:
        return "nothing"
    words = line.split(" ")
    if len(words) > 1 and words[1] in ("->", "!", "cancelled", "raised"):
        name = words[0].split("@")[0]
        error = re.search(r' ("(?:[^"\\]|\\.)*")(?: \w+=\w+)*$', line) if words[1] == "!" else None
        text = NUMBER.sub("N", error.group(1)) if error else ""
        kind = STRING.sub("B", " ".join(words[1:])[:error.start(1) - len(words[0]) - 1] if error else " ".join(words[1:]))
        return "%s %s%s" % (calls.get(name, "task"), NUMBER.sub("N", kind), text)
    if words[0].startswith(("log", "report", "mark")):
        return NUMBER.sub("N", line)
    if words[0].startswith("pending"):
        return "pending"
    return NUMBER.sub("N", STRING.sub("B", re.sub(r"@\d+", "", line)))


def fields_that_differ(want, got):
    """Of two lines of fields (`state`, `now`) the names of those that are not the same in both."""
    left, right = dict(FIELD.findall(want or "")), dict(FIELD.findall(got or ""))
    return [key for key in ("at_eof", "closing", "buffer", "paused", "write", "drains") if left.get(key) != right.get(key)]


def essence(result):
    """The fingerprint that must stay while a script shrinks: the verdict, and where the transcripts part, in kind.

    Numbers, bytes and names are left out, for they change as operations and bytes go. The names of the calls stay, so
    that a mistake of readline is not taken for one of readuntil on the way.
    """
    verdict = result.verdict
    if verdict.difference is None:
        return "%s %s" % (verdict.name, NUMBER.sub("N", verdict.detail.split("\n")[0]))
    want, got = verdict.difference.want, verdict.difference.got
    title = (want or got).split(" ")[0].split("@")[0]
    if title in ("state", "now"):
        return "%s %s %s" % (verdict.name, title, " ".join(fields_that_differ(want, got)))
    calls = call_names(result.case)
    return "%s %s / %s" % (verdict.name, plain(want, calls), plain(got, calls))
