# SPDX-License-Identifier: MIT
"""--random N --seed S: seeded scripts on every backend, each testee judged live by its CPython (live.py).

Threads share the scripts; each has a pair of processes of its own. What is printed comes in the order of the scripts,
however the threads are scheduled, and the scripts of a seed are the same everywhere.
"""
import queue
import threading

from . import live, random_scripts
from .verdict import GOOD, NAMES

BLOCK = 10      # scripts that a thread takes at a time


class Campaign:
    def __init__(self, options, players, references, known, backends, seed, numbers, on_script):
        """`on_script` gets the results of one script, in order; false ends the campaign."""
        self.options, self.players, self.references, self.known = options, players, references, known
        self.backends, self.seed, self.on_script = backends, seed, on_script
        self.blocks = queue.Queue()
        for at in range(0, len(numbers), BLOCK):
            self.blocks.put(numbers[at:at + BLOCK])
        self.order, self.next, self.waiting = numbers, 0, {}
        self.lock = threading.Lock()
        self.stopping, self.failure = False, None
        self.problems = []

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
        if self.failure:
            raise self.failure

    def work(self):
        pairs = [live.Pair(player, reference, self.options.timeout, known)
                 for player, reference, known in zip(self.players, self.references, self.known)]
        try:
            while not self.stopping:
                for number in self.blocks.get_nowait():
                    if self.stopping:
                        break
                    case = random_scripts.case(self.seed, number)
                    self.finish(number, [pair.judge(case, backend) for pair in pairs for backend in self.backends])
        except queue.Empty:
            pass
        except Exception as error:      # of this thread; the main one ends the command by it
            self.stopping, self.failure = True, error
        finally:
            for pair in pairs:
                problems = pair.stop()
                with self.lock:
                    self.problems += problems

    def finish(self, number, results):
        """Hands on what is complete, script by script."""
        with self.lock:
            self.waiting[number] = results
            while not self.stopping and self.next < len(self.order) and self.order[self.next] in self.waiting:
                fine = self.on_script(self.waiting.pop(self.order[self.next]))
                self.next += 1
                if not fine:
                    self.stopping = True


class Sums:
    """What is counted over a campaign; results are kept where a report will show them."""

    def __init__(self, keep):
        self.keep = keep
        self.scripts = self.played = 0
        self.verdicts = dict.fromkeys(NAMES, 0)
        self.differences = 0        # scripts that differ somewhere
        self.results, self.cases = [], []

    def add(self, results):
        self.scripts += 1
        names = [result.verdict.name for result in results]
        for name in names:
            self.verdicts[name] += 1
        self.played += any(name != "SKIP" for name in names)
        self.differences += any(name not in GOOD for name in names)
        if self.keep:
            self.results += results
            self.cases.append(results[0].case)

    def line(self, seconds):
        counts = "  ".join("%s %d" % (name, count) for name, count in self.verdicts.items() if count or name in GOOD)
        return "scripts=%d played=%d differences=%d  %s  %.1f s" % (self.scripts, self.played, self.differences, counts, seconds)


def numbers(first, count, shard):
    """The scripts of this shard: every n-th, so that all shards are alike."""
    chosen = range(first, first + count)
    return [number for number in chosen if shard is None or (number - 1) % shard[1] == shard[0] - 1]
