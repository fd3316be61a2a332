# SPDX-License-Identifier: MIT
"""The scripts of --random: script K of seed S, the same everywhere, as the text of a case and as a Case.

The worlds (a reader by hand, a stream read, written, both, tasks, a server, system calls that fail) are drawn by weight;
what a script of a world holds is drawn in random_stream.py and random_tasks.py.
"""
import re

from .case import FileReader
from .random_draw import Draw
from .random_stream import Stream
from .random_tasks import Servers, Tasks

NAME = re.compile(r"random:(\d+):(\d+)$")
FAULTS = ("recv 1 EINTR", "recv 1 EAGAIN", "recv 2 EINTR count=2", "recv 1 ECONNRESET", "recv 1 short 1", "recv 1 short 2", "send 1 EINTR",
          "send 1 EAGAIN", "send 1 short 1", "send 1 short 3", "send 1 EPIPE", "send 1 ECONNRESET", "recv 1 ETIMEDOUT")
FAULTLESS = ("read-all", "writelines")      # an error in the middle of them

# A case names a rule. Of a random script it is the one that the first of these calls in it is about.
RULES = (("readuntil (", "R-156"), ("readuntil", "R-144"), ("readexactly", "R-132"), ("readline", "R-180"), ("iterate", "R-177"),
         ("drain", "R-254"), ("write_eof", "R-209"), ("writelines", "R-205"), ("wait_closed", "R-217"), ("close", "R-451"), ("server_", "R-660"), ("write", "R-421"),
         ("read", "R-122"), ("", "R-910"))


class Sketch:
    """The lines of one script while it is drawn."""

    def __init__(self):
        self.header, self.lines, self.needs, self.excluded = [], [], set(), []

    def op(self, word, rest, hasty=False):
        """`hasty`: in one turn with the next. Two sends in one turn are one chunk or two as TCP likes, so they never are."""
        if word == "peer" and rest.startswith("send"):
            self.lines = [line[3:] if line.startswith("go peer") and " send " in line else line for line in self.lines]
        self.lines.append("%s%-7s %s" % ("go " if hasty else "", word, rest))

    def exclude(self, backends, reason):
        if (backends, reason) not in self.excluded:
            self.excluded.append((backends, reason))

    def text(self, name):
        script = "\n".join(self.lines)
        rule = next(rule for word, rule in RULES if word in script)
        lines = ["case    " + name, "rule    " + rule] + self.header
        if self.needs:
            lines.append("needs   " + " ".join(sorted(self.needs)))
        lines += ["not     %s : %s" % item for item in self.excluded]
        return "\n".join(lines + self.lines) + "\n"


def add_faults(sketch, draw):
    """One or two system calls that fail, before any of the first operations."""
    for _ in range(1 + draw.below(2)):
        sketch.lines.insert(draw.below(min(4, len(sketch.lines))), "fault   " + draw.one(FAULTS))
    sketch.exclude("tls", "TLS makes other system calls")


def fill(sketch, draw):
    world = draw.weighted([(18, "by hand"), (24, "read"), (28, "write"), (10, "both"), (10, "tasks"), (5, "server"), (5, "faults")])
    budget = draw.weighted([(2, 4), (3, 7), (3, 10), (2, 14)])
    if world == "tasks":
        Tasks(sketch, draw).fill(budget)
    elif world == "server":
        Servers(sketch, draw).fill(budget + 2)
    else:
        reading, writing = world != "write", world in ("write", "both", "faults")
        Stream(sketch, draw, world == "by hand", reading, writing, FAULTLESS if world == "faults" else ()).fill(budget)
    if world == "faults":
        add_faults(sketch, draw)


def text(seed, number):
    """The script as the text of a case."""
    sketch = Sketch()
    fill(sketch, Draw(seed, number))
    return sketch.text("random/%d-%d" % (seed, number))


def area(case):
    """The folder of conformance/cases where a case of this kind would stand."""
    if case.kind == "server":
        return "server"
    calls = {call["call"] for call in case.every_call()}
    if calls & {"write", "writelines", "drain", "set_write_buffer_limits"}:
        return "writer"
    return "reader" if calls & {"read", "readexactly", "readuntil", "readline", "iterate"} else "tasks"


def read(source, path="random"):
    """The one case in this text."""
    return FileReader(path, source).read()[1][0]


def case(seed, number):
    made = read(text(seed, number), "random:%d:%d" % (seed, number))
    return made


def parse_name(name):
    """(seed, number) of `random:S:K`, or none."""
    found = NAME.match(name)
    return tuple(map(int, found.groups())) if found else None


def parse_seed(words):
    """`S` and `S:K` of --seed: the seed, and the number of the first script."""
    seed, colon, first = words.partition(":")
    return int(seed), int(first) if colon else 1
