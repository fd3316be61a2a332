# SPDX-License-Identifier: MIT
"""--exhaustive: every script of the small scope, rill against the model of conformance/model; and with =oracle a sample of
the same scripts, where the C model is held against the Python one, and that against every CPython found.

The scope itself is enumerated in one place, conformance/model/exhaustive/scope.c.
"""
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from . import codec, version

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLAYER = os.path.join(HOME, "model", "play_cpython.py")
EVERY = 997             # of --exhaustive=oracle: about 3,900 scripts
TUPLES_SINCE = (3, 13)
SECONDS = 900           # a program of ours that takes longer hangs

MUTANTS = 15            # of the wrong readers the small scope has to notice at least so many, without any written case

PART = re.compile(r"part (\S+) scripts=(\d+) differences=(\d+) seconds=\S+ (.*)")


class Failure(Exception):
    """The program cannot be run, or did not say what it should."""


def find_program(named, rill):
    """rill-exhaustive: as named, or where the build that made rill's testee puts it, or of the build `release`."""
    beside = rill and os.path.join(os.path.dirname(os.path.abspath(rill)), "..", "..", "model", "exhaustive", "rill-exhaustive")
    release = os.path.join(HOME, "..", "build", "release", "conformance", "model", "exhaustive", "rill-exhaustive")
    for path in [named] if named else filter(None, [beside, release]):
        if os.access(path, os.X_OK):
            return os.path.normpath(path)
    raise Failure("rill-exhaustive is not built: tools/conform builds it, or name it with --exhaustive-program")


def ask(command, lines=(), fine=(0,)):
    """What a program answers to these lines."""
    try:
        done = subprocess.run(command, input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=SECONDS, universal_newlines=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure("%s: %s" % (command[0], error))
    if done.returncode not in fine:
        raise Failure("%s ended with status %d: %s" % (" ".join(command), done.returncode, done.stderr.strip()[-400:]))
    return done.stdout.splitlines()


# rill against the model

class Part:
    """One part of the scope, summed over the processes that shared it."""

    def __init__(self, says):
        self.says, self.scripts, self.differences, self.shortest = says, 0, 0, None

    def add(self, scripts, differences, case):
        self.scripts += scripts
        self.differences += differences
        if case and (self.shortest is None or len(case) < len(self.shortest)):
            self.shortest = case


def read_parts(answers):
    """{name: Part} of what the processes printed: a line for each part, behind it the shortest case where one differs."""
    parts = {}
    for lines in answers:
        last, finished = None, False
        for line in lines + ["part end scripts=0 differences=0 seconds=0 "]:
            match = PART.match(line)
            if match:
                if last:
                    parts.setdefault(last[0], Part(last[3])).add(int(last[1]), int(last[2]), case)
                last, case = match.groups(), []
            elif line.startswith("scripts="):
                finished = True
            else:
                case.append(line)
        if not finished:
            raise Failure("rill-exhaustive stopped before its end, after: %s" % "\n".join(lines[-3:]))
    return parts


def judge(program, jobs, say, more=()):
    """Every script; True: no difference."""
    commands = [[program, "--shard", "%d/%d" % (i + 1, jobs)] + list(more) for i in range(jobs)]
    with ThreadPoolExecutor(jobs) as pool:
        parts = read_parts(list(pool.map(lambda command: ask(command, fine=(0, 1)), commands)))
    for name, part in parts.items():
        say("%-12s scripts=%-8d differences=%-6d %s" % (name, part.scripts, part.differences, part.says))
    for part in parts.values():
        if part.shortest:
            say("")
            for line in part.shortest:
                say(line)
    scripts, differences = (sum(getattr(part, key) for part in parts.values()) for key in ("scripts", "differences"))
    say("scripts=%d differences=%d" % (scripts, differences))
    return scripts > 0 and differences == 0


# the models against each other and against CPython

def first_difference(script, wanted, got):
    for number, (want, have) in enumerate(zip(wanted, got), 1):
        if want != have:
            return number, want, have
    return None if len(wanted) == len(got) else (min(len(wanted), len(got)) + 1, "an answer", "none")


class Comparison:
    """The scripts on which two players were asked the same, and the shortest on which they differ."""

    def __init__(self, one, other):
        self.one, self.other, self.scripts, self.differences, self.shortest = one, other, 0, 0, None

    def add(self, script, wanted, got):
        self.scripts += 1
        difference = first_difference(script, wanted, got)
        if difference:
            self.differences += 1
            if self.shortest is None or len(script.ops) < len(self.shortest[0].ops):
                self.shortest = script, difference

    def report(self, say):
        say("%-12s against %-14s scripts=%-8d differences=%d" % (self.one, self.other, self.scripts, self.differences))
        if self.shortest:
            script, (step, want, have) = self.shortest
            say(codec.to_case(script, "exhaustive/oracle"))
            say("# step %d\n# %-12s %s\n# %-12s %s\n# script %s" % (step, self.one, want, self.other, have, codec.to_line(script)))


def split(lines):
    for line in lines:
        words = line.split("\t")
        yield words[0], words[1:]


def load_model():
    sys.path.insert(0, os.path.join(HOME, "model"))
    try:
        import reader_model
    finally:
        sys.path.pop(0)
    return reader_model


def compare_models(program, lines, puts_back, mistake=()):
    """The C model against the Python one."""
    model = load_model()
    compared = Comparison("model in C", "model in Python")
    command = [program, "--play"] + (["--put-back"] if puts_back else []) + list(mistake)
    for line, seen in split(ask(command, lines)):
        script = codec.from_line(line)
        compared.add(script, seen, model.play(script, puts_back))
    return compared


def compare_cpython(oracle, lines, wrong=()):
    """The Python model against a CPython, or one with a mistake of testees/wrong_streams.py."""
    model = load_model()
    compared = Comparison("model", "".join(["wrong:" + name for name in wrong]) or "cpython-" + version.show(oracle.version))
    scripts = [codec.from_line(line) for line in lines]
    if oracle.version[:2] < TUPLES_SINCE:
        scripts = [script for script in scripts if all(kind != "t" for kind, _ in script.ops)]
    nothing = "None" if oracle.version[:2] == (3, 7) else "undefined"
    asked = [codec.to_line(script) for script in scripts]
    answers = list(split(ask([oracle.path, PLAYER] + list(wrong), asked)))
    if [line for line, _ in answers] != asked:
        raise Failure("%s answered %d of %d scripts" % (oracle.path, len(answers), len(asked)))
    for script, (_, seen) in zip(scripts, answers):
        compared.add(script, model.play(script, nothing=nothing), seen)
    return compared


def judge_models(program, oracles, every, jobs, say, mistake=()):
    """A sample of the scope; True: no difference anywhere."""
    lines = [line for line, _ in split(ask([program, "--list", str(every)]))]
    say("every %d%s script of the scope: %d" % (every, "th", len(lines)))
    comparisons = [compare_models(program, lines, puts_back, mistake) for puts_back in (False, True)]
    with ThreadPoolExecutor(jobs) as pool:
        comparisons += pool.map(lambda oracle: compare_cpython(oracle, lines), oracles)
    for compared in comparisons:
        compared.report(say)
    scripts, differences = (sum(getattr(compared, key) for compared in comparisons) for key in ("scripts", "differences"))
    say("scripts=%d differences=%d" % (scripts, differences))
    return scripts > 0 and differences == 0


def readers_to_break(oracle):
    """Names of the wrong readers that can be made of this CPython."""
    program = ("import sys, json; sys.path.insert(0, %r); import wrong_streams; "
               "print(json.dumps([one.name for one in wrong_streams.READING if not one.missing()]))" % os.path.join(HOME, "testees"))
    return json.loads(ask([oracle.path, "-c", program])[0])


def judge_mutants(program, oracle, every, jobs, say):
    """Which of the wrong readers the sample notices; True: enough of them."""
    lines = [line for line, _ in split(ask([program, "--list", str(every)]))]
    names = readers_to_break(oracle)
    caught = 0
    with ThreadPoolExecutor(jobs) as pool:
        for name, compared in zip(names, pool.map(lambda name: compare_cpython(oracle, lines, [name]), names)):
            found = compared.shortest
            caught += found is not None
            say("wrong:%-30s %s" % (name, "%d of %d scripts, the shortest: %s" % (
                compared.differences, compared.scripts, codec.to_line(found[0])) if found else "not noticed"))
    say("every %dth script of the scope, wrong readers of CPython %s" % (every, version.show(oracle.version)))
    say("caught=%d of=%d" % (caught, len(names)))
    return caught >= MUTANTS


# the options and the command

def add_options(add, above_zero):
    add("--exhaustive", nargs="?", const="model", choices=["model", "oracle"],
        help="play every script of a small scope, rill against a model; =oracle: a sample, the models against each other and "
             "every CPython; with --mutants: which wrong readers that sample notices")
    add("--every", type=above_zero(int), default=EVERY, metavar="N", help="of --exhaustive=oracle: every Nth script (%d)" % EVERY)
    add("--exhaustive-program", metavar="PROGRAM", help="rill-exhaustive, which plays the small scope")


def run(options, find_oracles, say):
    """What --exhaustive asks for; True: no difference."""
    program = find_program(options.exhaustive_program, options.rill)
    if options.mutants:
        found = find_oracles()
        if not found:
            raise Failure("no CPython here to break")
        return judge_mutants(program, found[-1], options.every, options.jobs, say)
    if options.exhaustive == "oracle":
        return judge_models(program, find_oracles(), options.every, options.jobs, say)
    return judge(program, options.jobs, say)
