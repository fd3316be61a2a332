# SPDX-License-Identifier: MIT
"""One libFuzzer at work: starts it, reads what it prints, measures its processor time, stops it."""
import collections
import os
import re
import signal
import subprocess
import threading
import time

from .build import Failed

PROGRESS = re.compile(r"#(\d+)\t\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)/")
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
ARTIFACT = re.compile(r"Test unit written to (\S*?((?:crash|leak|timeout|oom)-\S+))$")
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 20.0  # seconds for the end of a fuzzer that was asked to end

Progress = collections.namedtuple("Progress", "execs cov features corpus")


def environment_of(target):
    """The sanitizers' options: ours, then the target's."""
    ours = {"ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:check_initialization_order=1:symbolize=1",
            "UBSAN_OPTIONS": "print_stacktrace=1"}
    made = dict(os.environ)
    for name, value in ours.items():
        made[name] = ":".join(filter(None, [value, target.environment.get(name), os.environ.get(name)]))
    return made


class Fuzzer:
    """A process; its threads are its reader's. `name` tells it from others of the same target."""

    def __init__(self, target, program, corpora, budget, number=1, more=()):
        self.target, self.number, self.budget = target, number, budget
        self.name = target.name if number == 1 else "%s/%d" % (target.name, number)
        self.progress = Progress(0, 0, 0, 0)
        self.artifacts = []
        self.stopped = self.done = False
        self.cpu_seconds = self.seconds = 0.0
        self.status = None
        self.command = [program] + target.flags + (
            ["-dict=" + target.dictionary] if target.dictionary else []) + [
            "-print_final_stats=1", "-artifact_prefix=%s/" % target.finds] + list(more) + list(corpora)
        self.log_path = "%s%s.log" % (target.log, "" if number == 1 else "-%d" % number)

    def start(self):
        for folder in (self.target.finds, os.path.dirname(self.log_path)):
            os.makedirs(folder, exist_ok=True)
        self.began = time.monotonic()
        try:
            # A session of its own: Ctrl-C is ours, and the fuzzer ends when we have asked it what it knows.
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, universal_newlines=True, errors="replace",
                                            env=environment_of(self.target), start_new_session=True)
        except OSError as error:
            raise Failed("%s: %s" % (self.command[0], error.strerror))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with open(self.log_path, "w", buffering=1) as log, self.process.stdout as printed:
            for line in printed:
                log.write(line)
                self._take(line.rstrip("\n"))
        _, self.status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = self.status   # it has been waited for: Popen must not
        self.seconds = time.monotonic() - self.began
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.done = True

    def _take(self, line):
        match = PROGRESS.match(line)
        if match:
            self.progress = Progress(*map(int, match.groups()))
            return
        match = EXECUTED.match(line)
        if match:
            self.progress = self.progress._replace(execs=int(match.group(1)))
        match = ARTIFACT.search(line)
        if match:
            self.artifacts.append(match.group(1))

    def finds(self):
        return list(self.artifacts)

    def elapsed(self):
        return self.seconds if self.done else time.monotonic() - self.began

    def used(self):
        """Of its budget, in seconds: by the clock, or of the processor."""
        if not self.budget.cpu:
            return self.elapsed()
        return self.cpu_seconds if self.done else self._cpu_now()

    def _cpu_now(self):
        try:
            with open("/proc/%d/stat" % self.process.pid) as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / TICKS
        except (OSError, IndexError):
            return 0.0  # it ended just now; what it used is known in a moment

    def left(self):
        return self.budget.seconds - self.used()

    def stop(self):
        """Asks it to end; libFuzzer then prints its sums."""
        if not self.stopped and not self.done:
            self.stopped = True
            self.asked = time.monotonic()
            self._signal(signal.SIGINT)
        elif self.stopped and not self.done and time.monotonic() - self.asked > PATIENCE:
            self._signal(signal.SIGKILL)

    def _signal(self, number):
        """Not Popen's, which first waits for a process that has ended: that is _read's to do, for its times."""
        try:
            os.kill(self.process.pid, number)
        except ProcessLookupError:
            pass

    def failed(self):
        """It ended by itself, neither well nor with a find: what it printed last."""
        return self.done and not self.stopped and self.status != 0 and not self.artifacts

    def last_words(self, count=30):
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-count:])
