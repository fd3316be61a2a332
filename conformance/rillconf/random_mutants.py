# SPDX-License-Identifier: MIT
"""--random N --mutants COUNT --seed S: wrong testees drawn by seed, each found by random scripts, shrunk, shown as a program.

They are drawn from those whose mistake lies where random scripts go: readers, writers, their transport in memory, and tasks.
"""
import time

from . import live, mutants, random_scripts, shrink, shrink_print
from .random_draw import Draw
from .runner import Player
from .testee import Crash
from .usage import UsageError

AREAS = {"reader", "writer", "timeout"}
ELSEWHERE = {"server", "connect", "tls", "unix"}
# Mistakes of these areas that no random script of some thousands has shown, and why; written cases catch them (--mutants).
# They are not drawn; naming one plays it all the same.
UNREACHED = {
    "run-hides-errors": "no task of a random script fails while run ends it",
    "reschedule-after-exit": "no random script keeps hold of a time limit that has ended",
    "expired-block-eats-errors": "it takes another error in the very turn in which a time limit expires",
    "empty-data-wakes": "a reader that wakes for nothing waits again",
    "error-for-cancelled": "it takes an exception between a cancellation and its delivery",
}
BACKEND = "mem"
LARGEST, MOST_BYTES, LONGEST = 6, 24, 10.0      # operations, the median's bytes, seconds
WATCHDOG = 3.0


def drawn(listed, count, seed, patterns):
    """`count` of the mistakes that random scripts can reach, or all that match the patterns."""
    reached = [one for one in listed if not one["missing"] and BACKEND in one["backends"].split(",")
               and AREAS & set(one["areas"].split()) and not ELSEWHERE & set(one["areas"].split())]
    if patterns:
        reached = [one for one in reached if mutants.wanted(one, patterns)]
    else:
        reached = [one for one in reached if one["name"] not in UNREACHED]
    chosen = Draw(seed, len(reached)).sample(reached, count) if count else reached
    return chosen, len(reached)


class Hunt:
    """Finds one wrong testee and makes what found it small."""

    def __init__(self, python, program, reference, options, memory):
        self.python, self.program, self.reference, self.options, self.memory = python, program, reference, options, memory

    def find(self, pair, seed, numbers):
        for number in numbers:
            case = random_scripts.case(seed, number)
            self.memory.setdefault((case.name, BACKEND), None)
            result = pair.judge(case, BACKEND)
            if not result.verdict.good() and result.verdict.name != "FLAKY":
                return number, result
        return None

    def run(self, mistake, seed, numbers):
        """(line, whether all is as it should be, bytes or none)."""
        name = "wrong:" + mistake["name"]
        player = Player(name, [self.python, self.program, mistake["name"]])
        player.spec = name
        try:
            live.meet(player, self.options.timeout)
        except Crash as problem:
            return str(problem), False, None
        pair = live.Pair(player, self.reference, min(WATCHDOG, self.options.timeout))
        pair.memory = self.memory
        try:
            began = time.monotonic()
            found = self.find(pair, seed, numbers)
            if found is None:
                return "%-30s NOT FOUND by %d scripts (%s)" % (name, len(numbers), mistake["what"]), False, None
            took, pair.memory = time.monotonic() - began, {}      # all candidates have one name
            shrunk = shrink.Shrinker(pair, found[1].case, found[1]).run()
            return self.told(name, found[0], took, shrunk)
        finally:
            pair.stop()

    def told(self, name, number, took, shrunk):
        text, reason = shrink_print.python_program(shrunk)
        program, ran = "no program: %s" % reason, False
        if text is not None:
            ended, printed = shrink_print.run_program(self.python, text)
            ran = ended and shrink_print.agrees(shrunk, printed)
            program = "program of %d lines ran" % len([line for line in text.split("\n") if line]) if ran else "PROGRAM FAILED"
        operations, size = shrunk.size()
        line = "%-30s script %-5d %4.1f s  %2d operations, %3d bytes -> %d, %d in %.1f s  %s" % (
            (name, number, took) + shrunk.before + (operations, size, shrunk.seconds, program))
        return line, operations <= LARGEST and shrunk.seconds <= LONGEST and ran, size


def run(python, program, reference, options, say):
    """The command; whether each was found, became small enough in time, and its program ran."""
    patterns = [text for text in options.patterns if not text.isdigit()]
    count = next((int(text) for text in options.patterns if text.isdigit()), 0)
    seed, first = options.seed
    chosen, among = drawn(mutants.ask(python, program), count, seed, patterns)
    if not chosen:
        raise UsageError("no mutant matches %s" % " ".join(patterns))
    say("%d of the %d wrong testees that go wrong in readers, writers and tasks in memory, scripts of seed %d" % (len(chosen), among, seed))
    if not patterns:
        say("not drawn: %s" % "; ".join("%s (%s)" % one for one in UNREACHED.items()))
    hunt, fine, sizes = Hunt(python, program, reference, options, {}), 0, []
    for mistake in chosen:
        line, good, size = hunt.run(mistake, seed, range(first, first + options.random))
        say(line)
        fine += good
        sizes += [] if size is None else [size]
    median = sorted(sizes)[len(sizes) // 2] if sizes else 0
    say("found=%d of=%d median_bytes=%d good=%d" % (len(sizes), len(chosen), median, fine))
    return fine == len(chosen) and median <= MOST_BYTES
