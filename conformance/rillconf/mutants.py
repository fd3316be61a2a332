# SPDX-License-Identifier: MIT
"""--mutants: the suite is judged by deliberately wrong testees (testees/wrong.py), each of which a case must catch.

A mutant plays the cases of the areas where its mistake shows, on the backend that shows it, against the column of the
CPython that it is made of. The case that catches it shall name a rule that the mistake breaks, and be short.
"""
import copy
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

from .runner import Job, Player, Runner
from .testee import Crash
from .usage import UsageError

LONGEST = 10                # operations of a case that still says what is wrong
CAUGHT_BY = ("DIFF", "LEAK", "CRASH", "HANG")


def ask(python, program):
    """What wrong.py of that CPython can play: [{name, rules, backends, areas, what, missing}]."""
    return json.loads(subprocess.run([python, program, "--list"], stdout=subprocess.PIPE, timeout=60, check=True).stdout.decode())


class Trial:
    """One mutant, and what came of it."""

    def __init__(self, mistake):
        self.mistake = mistake
        self.name = "wrong:" + mistake["name"]
        self.ran = 0
        self.failed = {}            # case name: (case, verdict's name), the first failure of each
        self.problem = None         # it does not start

    def note(self, result):
        verdict = result.verdict.name
        self.ran += verdict != "SKIP"
        if verdict in CAUGHT_BY:
            self.failed.setdefault(result.case.name, (result.case, verdict))

    def shortest(self, named):
        """The shortest case that failed, and whose rules are among the mistake's if `named`."""
        rules = set(self.mistake["rules"])
        found = [case for case, _ in self.failed.values() if not named or rules & set(case.rules)]
        return min(found, key=lambda case: (len(case.steps), case.name), default=None)

    def complaint(self):
        """Why this mutant does not count as caught, or none."""
        if self.problem:
            return self.problem
        if not self.failed:
            return "SURVIVED"
        if 2 * len(self.failed) > self.ran:
            return "it fails more than half of its cases: more than one mistake"
        case = self.shortest(named=True)
        if case is None:
            return "no case that catches it names %s" % " or ".join(self.mistake["rules"])
        if len(case.steps) > LONGEST:
            return "the shortest case that names its rule has %d operations" % len(case.steps)
        return None

    def line(self):
        complaint = self.complaint()
        case = self.shortest(named=True) or self.shortest(named=False)
        told = "%-28s %3d of %3d" % (self.name, len(self.failed), self.ran)
        if case:
            named = [rule for rule in case.rules if rule in self.mistake["rules"]] or case.rules
            told += "  %s %s, %d operations" % (case.name, " ".join(named), len(case.steps))
        return told + ("\n    %s (%s)" % (complaint, self.mistake["what"]) if complaint else "")


def wanted(mistake, patterns):
    """Patterns choose mutants here, by their names or rules."""
    names = [mistake["name"], "wrong:" + mistake["name"]] + mistake["rules"]
    return not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


class Mutants:
    def __init__(self, options, cases, python, program, show):
        self.options = copy.copy(options)
        self.options.jobs = self.options.repeat = 1
        self.options.bless = self.options.fail_fast = False
        self.at_a_time = options.jobs
        self.cases = [case for case in cases if case.record]
        self.command = [python, program]
        self.show = show

    def play(self, mistake):
        trial = Trial(mistake)
        player = Player(trial.name, self.command + [mistake["name"]])
        areas = mistake["areas"].split()
        try:
            player.meet(self.options.timeout)
        except Crash as problem:
            trial.problem = str(problem)
            return trial
        jobs = [Job(player, case, backend) for backend in mistake["backends"].split(",")
                for case in self.cases if case.name.split("/")[0] in areas]
        runner = Quick(jobs, self.options, trial.note)
        runner.run()
        return trial

    def run(self, patterns):
        """Plays all that match; whether each was caught as it should."""
        chosen = [mistake for mistake in ask(*self.command) if wanted(mistake, patterns)]
        if not chosen:
            raise UsageError("no mutant matches %s" % " ".join(patterns))
        caught = 0
        trials = [mistake for mistake in chosen if not mistake["missing"]]
        with ThreadPoolExecutor(self.at_a_time) as pool:
            for trial in pool.map(self.play, trials):
                caught += trial.complaint() is None
                self.show(trial.line())
        for mistake in chosen:
            if mistake["missing"]:
                self.show("%-28s not made: %s" % ("wrong:" + mistake["name"], mistake["missing"]))
        self.show("caught=%d of=%d" % (caught, len(trials)))
        return bool(trials) and caught == len(trials)


class Quick(Runner):
    """What a mutant does is looked at once: it is the suite that is judged, and the same cases run elsewhere."""

    def must_repeat(self, verdict):
        return False
