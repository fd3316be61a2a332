# SPDX-License-Identifier: MIT
"""What is shown while something runs: one line on a terminal that is written over, plain lines now and then elsewhere."""
import shutil
import sys
import time

EVERY = 15.0  # seconds between the plain lines of one fuzzer


class Live:
    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.shown = stream.isatty()
        self.said = {}

    def say(self, text):
        """Short-lived: what goes on now."""
        if self.shown:
            self.stream.write("\r\033[K" + text[:shutil.get_terminal_size().columns - 1])
            self.stream.flush()

    def clear(self):
        if self.shown:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def show(self, running):
        """`running`: fuzzers, side by side on the line, or each on a line of its own now and then."""
        if self.shown:
            self.say(" | ".join(status(fuzzer) for fuzzer in running))
            return
        for fuzzer in running:
            if time.monotonic() - self.said.setdefault(fuzzer, fuzzer.began) >= EVERY:
                self.said[fuzzer] = time.monotonic()
                self.stream.write(status(fuzzer) + "\n")
                self.stream.flush()


def status(fuzzer):
    seen = fuzzer.progress
    return "%s: execs=%d exec/s=%d cov=%d ft=%d corpus=%d left=%ds finds=%d" % (
        fuzzer.name, seen.execs, seen.execs / max(fuzzer.elapsed(), 1e-3), seen.cov, seen.features, seen.corpus,
        max(0, fuzzer.left()), len(fuzzer.finds()))
