# SPDX-License-Identifier: MIT
"""Runs cases on testees and backends with a few threads, each of which owns a testee process at a time."""
import functools
import queue
import threading
import time

from . import tls, transcript, version
from .case import Case
from .testee import Crash, Hang, Testee
from .verdict import Result, Verdict, broken, judge_against

REFERENCE = (3, 13)
PYTHONS = ("CPython", "PyPy")       # judged by the CPython of their own version
INVENTED = {"run": "protocol/invented-name", "backend": "mem", "with": "nothing",
            "ops": [{"op": "app", "task": "a1", "calls": [{"call": "frobnicate", "id": "a1"}]}]}


class Player:
    """One testee of a run: how to start it, what it said, which column judges it."""

    def __init__(self, name, command, oracle=False, expectations=None):
        self.name = name
        self.command = command
        self.oracle = oracle
        self.expectations = expectations
        self.hello = None
        self.warm = None

    def meet(self, timeout):
        """Hello, and the first question of every testee: an invented name is answered with skip."""
        testee = Testee(self.name, self.command, timeout)
        try:
            self.hello = testee.start()
            outcome = testee.run(INVENTED)
            if outcome.how != "skip":
                raise Crash("an invented call was not answered with skip but with %s" % outcome.how)
        except (Crash, Hang) as problem:
            said = testee.error_text() if testee.process else ""
            testee.stop(kill=True)
            raise Crash("\n".join(filter(None, [str(problem), said])))
        self.warm = testee
        return self

    def take_process(self, timeout):
        """The process that said hello serves the first unit of work; later ones start their own."""
        testee, self.warm = self.warm, None
        return testee or Testee(self.name, self.command, timeout)

    def version(self):
        return version.parse(self.hello["version"])

    def column(self, case, kind):
        """The recorded version that judges this testee: of a Python its own, the newest 3.13 of others."""
        if self.hello.get("implementation") not in PYTHONS:
            return max([number for number in case.versions(kind) if number[:2] == REFERENCE] or [None])
        return nearest(self.version(), case.versions(kind))


def nearest(wanted, recorded):
    """The version itself, or the recorded micro release next to it: 3.12.3 is held against 3.12.1."""
    same_minor = [number for number in recorded if number[:2] == wanted[:2]]
    return min(same_minor, key=lambda number: abs(number[2] - wanted[2]), default=None)


digest_of = functools.lru_cache(maxsize=256)(Case.script_digest)     # scripts do not change during a run


class Job:
    def __init__(self, player, case, backend):
        self.player = player
        self.case = case
        self.backend = backend


def reason_to_skip(job):
    case, player = job.case, job.player
    if job.backend in case.excluded:
        return case.excluded[job.backend]
    if job.backend not in player.hello["backends"]:
        return "no backend %s" % job.backend
    missing = [need for need in case.needs if need not in player.hello["capabilities"]]
    if missing:
        return "no %s" % " ".join(missing)
    return player.expectations.reason_to_skip(case.name, job.backend) if player.expectations is not None else None


class Runner:
    def __init__(self, jobs, options, on_result):
        self.options = options
        self.on_result = on_result
        self.lock = threading.Lock()
        self.stopping = False
        self.replays = 0        # runs of a case on a backend of a testee, repetitions included
        self.broken_pipe = None
        self.drifts = []        # (version, case) where a release that nobody recorded goes its own way
        self.problems = []      # processes that did not end well
        self.units = queue.Queue()
        for unit in self.split(jobs):
            self.units.put(unit)

    def split(self, jobs):
        """Units of work for one process each: enough of them that no thread waits long at the end."""
        size = max(20, len(jobs) // (6 * self.options.jobs) + 1)
        by_player = {}
        for job in jobs:
            by_player.setdefault(job.player.name, []).append(job)
        for chunk in by_player.values():
            for at in range(0, len(chunk), size):
                yield chunk[at:at + size]

    def run(self):
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(self.options.jobs)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
        except KeyboardInterrupt:
            self.stopping = True
            raise
        if self.broken_pipe:
            raise self.broken_pipe

    def work(self):
        while not self.stopping:
            try:
                unit = self.units.get_nowait()
            except queue.Empty:
                return
            with self.lock:
                testee = unit[0].player.take_process(self.options.timeout)
            try:
                for job in unit:
                    if self.stopping:
                        break
                    self.finish(self.run_job(testee, job))
            finally:
                self.end_process(testee)

    def end_process(self, testee):
        problem = testee.stop()
        if problem:
            with self.lock:
                self.problems.append("%s: %s" % (testee.name, problem))

    def finish(self, result):
        with self.lock:
            try:
                self.on_result(result)
            except BrokenPipeError as error:    # of this thread; the main one ends the command by it
                self.stopping, self.broken_pipe = True, error
                return
            if self.options.fail_fast and not result.verdict.good():
                self.stopping = True

    def run_job(self, testee, job):
        began = time.monotonic()
        reason = reason_to_skip(job)
        if reason:
            return Result(job.case, job.player, job.backend, Verdict("SKIP", reason))
        result = self.judge_job(testee, job)
        result.seconds = time.monotonic() - began
        return result

    def play(self, testee, job):
        """One run: (verdict or none, rendered transcript)."""
        outcome = self.run_once(testee, job)
        return broken(outcome), self.render(job, outcome)

    def run_once(self, testee, job):
        outcome = testee.run(job.case.message(job.backend))
        with self.lock:
            self.replays += 1
        return outcome

    @staticmethod
    def render(job, outcome):
        return transcript.render(outcome.events, job.case.uses_finish())

    def judge_job(self, testee, job):
        verdict, rendered = self.play(testee, job)
        if verdict is None and not self.options.bless:
            verdict = self.compare(job, rendered)
        change = self.change_when_repeated(testee, job, rendered) if self.must_repeat(verdict) else None
        if change:
            verdict = Verdict("FLAKY", "two runs gave different transcripts\n" + change)
        return Result(job.case, job.player, job.backend, verdict or Verdict("SAME"), rendered.steps, rendered.schedule)

    def compare(self, job, rendered):
        case, player, kind = job.case, job.player, tls.class_of(job.backend)
        if not case.versions(kind) or case.digest != digest_of(case):
            return Verdict("ORACLE-DRIFT", "never recorded" if not case.versions(kind) else "the script changed since")
        column = player.column(case, kind)
        if column is None:
            return Verdict("SKIP", "no recording near %s" % player.hello["version"])
        want = transcript.recorded(case, column, transcript.alike(job.backend))
        verdict = judge_against(want, case, job.backend, rendered, player.expectations, player.oracle)
        if verdict.name == "ORACLE-DRIFT" and column != player.version():
            self.drifts.append((player.hello["version"], case.name))
            return Verdict("SKIP", "%s is not recorded and differs from %s" % (player.hello["version"], version.show(column)))
        return verdict

    def must_repeat(self, verdict):
        """What is bad, to see whether it stays; with --repeat everything that a testee can run to its end."""
        if verdict is not None and verdict.name in ("CRASH", "HANG", "SKIP"):
            return False
        return (self.options.repeat > 1 or self.options.bless
                or verdict is not None and verdict.name in ("DIFF", "ORACLE-DRIFT", "LEAK"))

    def change_when_repeated(self, testee, job, rendered):
        """Replays; a transcript that changes from run to run is the harness's own failure. None if it stays."""
        before = None       # the events of the last run that was found to be the same; those that equal them need no rendering
        for _ in range(max(1, self.options.repeat - 1)):
            if self.stopping:
                return None
            outcome = self.run_once(testee, job)
            if outcome.how == "end" and outcome.events == before:
                continue
            change = self.change_in(job, rendered, outcome)
            if change:
                return change
            before = outcome.events
        return None

    def change_in(self, job, rendered, outcome):
        again = self.render(job, outcome)
        difference = transcript.first_difference(self.comparable(job, rendered), self.comparable(job, again))
        if difference:
            return "\n".join(["step %d" % difference.step] + difference.lines())
        if again.leaks != rendered.leaks:
            return "leaks: %s / %s" % (rendered.leaks, again.leaks)
        return "a replay ended otherwise: %s %s" % (outcome.how, outcome.text) if outcome.how in ("crash", "hang") else None

    @staticmethod
    def comparable(job, rendered):
        return transcript.comparable(rendered.steps, job.case, job.backend)
