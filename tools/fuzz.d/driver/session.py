# SPDX-License-Identifier: MIT
"""A run over some targets: so many fuzzers at a time, each until its budget is used or it has found something."""
import collections
import os
import shutil
import tempfile
import time

from . import finds
from .build import Failed
from .engine import Fuzzer

TICK = 0.2  # seconds

Budget = collections.namedtuple("Budget", "seconds cpu")


class Sum:
    """What all fuzzers of one target did together."""

    def __init__(self, fuzzers):
        self.name = fuzzers[0].target.name
        self.seconds = max(fuzzer.elapsed() for fuzzer in fuzzers)
        self.cpu_seconds = sum(fuzzer.cpu_seconds for fuzzer in fuzzers)
        self.execs = sum(fuzzer.progress.execs for fuzzer in fuzzers)
        self.finds = sum(len(fuzzer.finds()) for fuzzer in fuzzers)
        self.cov, self.features, self.corpus = (
            max(getattr(fuzzer.progress, field) for fuzzer in fuzzers) for field in ("cov", "features", "corpus"))

    def line(self):
        return "%s: seconds=%.0f cpu=%.0f execs=%d exec/s=%.0f exec/cpu-s=%.0f cov=%d ft=%d corpus=%d finds=%d" % (
            self.name, self.seconds, self.cpu_seconds, self.execs, self.execs / max(self.seconds, 1e-3),
            self.execs / max(self.cpu_seconds, 1e-3), self.cov, self.features, self.corpus, self.finds)


class Session:
    """Runs targets; `sums` is what is known at any time, also after Ctrl-C."""

    def __init__(self, home, targets, programs, options, live, out, log=lambda one: None):
        self.home, self.programs, self.options, self.live, self.out = home, programs, options, live, out
        self.log = log      # is told each target's sum as soon as it is known: a campaign may not come to its end
        self.budget = Budget(options.seconds or 60.0, options.cpu)
        self.copies = max(1, options.jobs // len(targets))
        self.waiting = collections.deque(target for target in targets for _ in range(self.copies))
        self.running, self.ended, self.scratch = [], collections.OrderedDict(), []
        self.failures = []
        self.sums = []

    def run(self):
        try:
            while self.waiting or self.running:
                while self.waiting and len(self.running) < self.options.jobs:
                    self.start(self.waiting.popleft())
                self.tick()
        finally:
            self.stop()
            for folder in self.scratch:
                shutil.rmtree(folder, ignore_errors=True)
        if self.failures:
            raise Failed("\n".join(self.failures))
        return self.sums

    def start(self, target):
        if self.options.empty:
            self.scratch.append(tempfile.mkdtemp(prefix="rill-fuzz-"))
            corpora = self.scratch[-1:]
        else:
            os.makedirs(target.working, exist_ok=True)
            corpora = [target.working, target.corpus]   # new inputs go to the first
        number = 1 + sum(fuzzer.target is target for fuzzer in self.running + self.ended.get(target, []))
        fuzzer = Fuzzer(target, os.path.join(self.programs, target.name), corpora, self.budget, number, self.options.more)
        fuzzer.start()
        self.running.append(fuzzer)

    def tick(self):
        """A moment of watching. A find of one fuzzer ends the others of its target: they would find the same."""
        time.sleep(TICK)
        for fuzzer in self.running:
            if fuzzer.left() <= 0 or any(other.finds() for other in self.running if other.target is fuzzer.target):
                fuzzer.stop()
        self.live.show(self.running)
        self.reap()

    def reap(self):
        for fuzzer in [fuzzer for fuzzer in self.running if fuzzer.done]:
            self.running.remove(fuzzer)
            self.ended.setdefault(fuzzer.target, []).append(fuzzer)
            self.live.clear()
            finds.report(fuzzer, self.home, self.out)
            if fuzzer.failed():
                self.failures.append("%s\n%s ended with status %d, and no find" % (
                    fuzzer.last_words(), " ".join(fuzzer.command), fuzzer.status))
            if not any(other is fuzzer.target for other in [*self.waiting, *(one.target for one in self.running)]):
                self.conclude(fuzzer.target)

    def conclude(self, target):
        self.sums.append(Sum(self.ended[target]))
        self.log(self.sums[-1])
        self.out.write(self.sums[-1].line() + "\n")
        self.out.flush()

    def stop(self):
        """Whatever still runs (Ctrl-C) ends now and says what it did."""
        self.waiting.clear()
        while self.running:
            for fuzzer in self.running:
                fuzzer.stop()
            time.sleep(TICK)
            self.reap()
