# SPDX-License-Identifier: MIT
"""The command: options, the order of things, exit codes."""
import argparse
import gc
import os
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from . import answers, bless, compatibility, coverage, exhaustive, expect, live, mutants, oracles, peers, random_command, report_files, report_json, report_shard, rules, seeds, tls, transcript, usage, version
from .case import BACKENDS, CaseError, read_all
from .expr import Bad
from .report_json import select
from .report_text import TextReport
from .runner import Job, Player, Runner
from .testee import Crash

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(HOME)
CPYTHON = os.path.join(HOME, "testees", "cpython.py")
SPECIFICATION = os.path.join(ROOT, "docs", "spec.md")
SAME, DIFFERS, USAGE, NO_TESTEE = 0, 1, 2, 3

EXIT_CODES = """
exit codes:
  0  nothing differs but what is known     1  something differs, crashed, hung, leaked or drifted
  2  a mistake in the options or in a case file     3  a testee does not start

patterns match case names, as in a shell: 'limit/*', 'errors', '*two-readers*'
"""


def above_zero(kind):
    """A number as an option's type: zero and less are mistakes (a whole run, nothing run)."""
    def convert(text):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError("%s is not above 0" % text)
        return value
    return convert


def writable(path):
    """A file that can be written, as an option's type: told before a run, not after it."""
    try:
        open(path, "a").close()
    except OSError as error:
        raise argparse.ArgumentTypeError("%s: %s" % (path, error.strerror))
    return path


def parser():
    made = argparse.ArgumentParser(
        prog="tools/conform", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXIT_CODES,
        description="Replays scripts against rill and against CPython's asyncio streams; the transcripts must be equal.")
    add = made.add_argument
    add("patterns", nargs="*", metavar="PATTERN", help="run only cases that match")
    add("--list", action="store_true", help="list the cases with their rules and backends, run nothing")
    add("--rules", action="store_true", help="which rules of the specification the cases cover, run nothing")
    add("--upstream", action="store_true", help="what answers each of CPython's own tests of streams, run nothing")
    add("--departures", action="store_true", help="run the cases that show where rill departs from asyncio on purpose")
    add("--mutants", action="store_true",
        help="play the deliberately wrong testees, of the newest recorded CPython: a case must catch each; PATTERN: their names, rules")
    exhaustive.add_options(add, above_zero)
    seeds.add_options(add)
    random_command.add_options(add, above_zero)
    add("--compatibility", action="store_true", help="print docs/compatibility.md: what uvloop and PyPy do differently, run nothing")
    add("--smoke", action="store_true", help="every fourth case, on mem, rill and the newest CPython only")
    add("--bless", action="store_true", help="record what the CPythons do in the case files")
    add("--oracle", action="append", default=[], metavar="PYTHON", help="one more CPython (repeatable)")
    add("--oracle-only", action="append", default=[], metavar="VERSION",
        help="of the CPythons found, only these versions; no other testee unless named")
    add("--oracle-coverage", action="store_true",
        help="measure which branches of asyncio/streams.py the newest CPython (or each of --oracle-only) executes; below 98 %% of them fails")
    add("--testee", action="append", default=[], metavar="NAME|COMMAND",
        help="run these instead of rill: rill, cpython, uvloop, pypy, wrong:NAME, loop:MODULE:NAME (your event loop), or a command that speaks PROTOCOL.md (repeatable); "
             "without --oracle no CPython runs beside them")
    add("--rill", metavar="PROGRAM", help="rill's testee program")
    add("--no-rill", action="store_true", help="only the CPythons")
    add("--backend", action="append", default=[], metavar="LIST", help="of %s, or plain, tls for all of a class; with commas" % ", ".join(BACKENDS))
    add("--repeat", type=above_zero(int), default=1, metavar="N", help="play each case N times on each backend; a changing transcript is FLAKY; ends with replays=N flaky=M")
    add("-j", dest="jobs", type=above_zero(int), default=(os.cpu_count() or 1) + 1, metavar="N",
        help="testees at a time (one more than there are processors: runner and testee wait for each other)")
    add("--timeout", type=above_zero(float), default=20.0, metavar="S", help="real seconds before a case is HANG")
    add("--fail-fast", action="store_true", help="stop at the first failure")
    report_files.add_options(add, writable)
    add("-v", "--verbose", action="store_true", help="show transcripts, the schedule layer too")
    add("--parse-only", action="store_true", help=argparse.SUPPRESS)
    add("--cases", default=os.path.join(HOME, "cases"), help=argparse.SUPPRESS)
    add("--expectations", default=os.path.join(HOME, "expectations"), help=argparse.SUPPRESS)
    return made


class Stop(Exception):
    """Ends the command with a message and an exit code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Command:
    specification = SPECIFICATION

    def __init__(self, options):
        self.options = options
        self.report = TextReport()
        self.results = []
        self.players = []
        self.notes = []
        self.coverage = coverage.Coverage(options.oracle_coverage)
        self.began = time.monotonic()

    # what to run

    def load(self):
        shown = os.path.relpath(self.options.cases)
        self.everything = read_all(shown if not shown.startswith("..") else self.options.cases)
        self.cases = select(self.everything, self.options.patterns)
        if self.options.departures:
            known = self.known_of_rill()
            self.cases = [case for case in self.cases if known.touch(case.name)]
        if self.options.smoke:
            self.cases = self.cases[::4]
        self.cases = report_shard.take(self.cases, self.options.shard)
        if not self.cases:
            raise Stop(USAGE, "no case matches %s" % " ".join(self.options.patterns))

    def backends(self):
        if self.options.smoke and not self.options.backend:
            return ["mem"]
        names = [name for text in self.options.backend for name in text.split(",")] or list(BACKENDS)
        try:
            return tls.expand(names)
        except Bad as bad:
            raise Stop(USAGE, str(bad))

    def find_oracles(self):
        options = self.options
        if options.testee and not options.oracle and not options.oracle_only:
            return []
        found, unsupported = oracles.discover(options.oracle, look_around=not options.testee or bool(options.oracle_only))
        for oracle in unsupported:
            self.notes.append("unsupported, not asked: %s %s (%s)" % (oracle.name, version.show(oracle.version), oracle.path))
        if options.oracle_only:
            found = [o for o in found if version.show(o.version) in options.oracle_only]
            missing = set(options.oracle_only) - {version.show(o.version) for o in found}
            if missing:
                raise Stop(NO_TESTEE, "no CPython %s here" % ", ".join(sorted(missing)))
        return found[-1:] if options.smoke else found

    def testee(self, spec):
        if spec == "rill":
            if not self.options.rill:
                raise Stop(NO_TESTEE, "rill's testee is not built: tools/conform builds it, or name it with --rill")
            player = Player("rill", [self.options.rill], expectations=self.known_of_rill())
        elif spec == "cpython":
            player = Player("cpython", [sys.executable, CPYTHON])
        elif spec in peers.NAMES:
            player = Player(spec, peers.command(spec), expectations=self.known_of(spec))
        elif spec.startswith("loop:"):
            player = Player(spec, [sys.executable, os.path.join(HOME, "testees", "cpython_loop.py"), spec[len("loop:"):]])
        elif spec.startswith("wrong:"):
            player = Player(spec, [sys.executable, os.path.join(HOME, "testees", "wrong.py"), spec[len("wrong:"):]])
        else:
            player = Player(spec, self.words(spec))
        player.spec = spec
        return player

    @staticmethod
    def words(spec):
        try:
            return shlex.split(spec)
        except ValueError as error:
            raise Stop(USAGE, "--testee %s: %s" % (spec, error))

    def known_of_rill(self):
        return self.known_of("rill")

    def known_of(self, name):
        known = expect.load(self.options.expectations, name, "conformance/expectations/%s.known" % name)
        known.check_patterns([case.name for case in self.everything])
        return known

    def meet_players(self):
        found = [] if self.options.departures else self.find_oracles()
        self.coverage.choose(found, self.options.oracle_only)
        for oracle in found:
            name = "cpython-%s" % version.show(oracle.version)
            self.players.append(Player(name, self.coverage.command(oracle, CPYTHON), oracle=True))
        named = self.options.testee
        if not named and not (self.options.no_rill or self.options.oracle_only or self.options.bless):
            named = ["rill"]
        self.players += [self.testee(spec) for spec in named]
        if not self.players:
            raise Stop(NO_TESTEE, "nothing to run: no CPython 3.7 to 3.14 was found and no testee named")
        with ThreadPoolExecutor(self.options.jobs) as pool:
            meetings = [(player, pool.submit(player.meet, self.options.timeout)) for player in self.players]
        for player, meeting in meetings:
            if isinstance(meeting.exception(), Crash):
                self.stop_players()
                raise Stop(NO_TESTEE, "%s: %s" % (player.name, meeting.exception()))
            meeting.result()

    def stop_players(self):
        for player in self.players:
            if player.warm is not None:
                player.warm.stop()

    # running

    def jobs(self, backends):
        return [Job(player, case, backend) for player in self.players for case in self.cases for backend in backends]

    def on_result(self, result):
        self.results.append(result)
        if self.options.verbose:
            self.show_transcript(result)
        self.report.result(result)

    def show_transcript(self, result):
        self.report.line("%s  %s on %s: %s" % (result.case.name, result.testee.name, result.backend, result.verdict))
        steps = result.case.steps + [None]
        for number in sorted(set(result.steps) | set(result.schedule)):
            if 1 <= number <= len(steps):
                step = steps[number - 1]
                self.report.line("  %2d  %s" % (number, step.source.split("\n")[-1] if step else "end"))
            for line in result.steps.get(number, []):
                self.report.line("          " + line)
            for key, value in result.schedule.get(number, {}).items():
                self.report.line("          (%s %s)" % (key, value))

    def run(self):
        if self.options.merge:
            return SAME if report_files.merge(self.options, print) else DIFFERS
        if self.options.exhaustive:
            return self.exhaustive()
        if self.options.case_from:
            return self.case_from()
        if self.options.random or self.options.shrink is not None:
            return self.random()
        if self.options.mutants:
            return self.mutants()
        if self.options.compatibility:
            print(compatibility.page(self.options.expectations), end="")
            return SAME
        self.load()
        if self.options.list:
            return self.list()
        if self.options.seeds:
            said, files = seeds.write(self.cases, self.options.seeds)
            print("%d of %d cases can be said, %d different seeds" % (said, len(self.cases), files))
            return SAME
        if self.options.rules or self.options.upstream:
            return self.lists_of_answers()
        backends = self.backends()
        self.meet_players()
        jobs = self.jobs(backends)
        self.report.begin(len(jobs))
        self.runner = Runner(jobs, self.options, self.on_result)
        try:
            self.runner.run()
        finally:
            self.stop_players()
        if self.options.bless:
            return self.bless()
        return self.conclude(backends)

    def exhaustive(self):
        try:
            return SAME if exhaustive.run(self.options, self.find_oracles, print) else DIFFERS
        except exhaustive.Failure as failure:
            raise Stop(NO_TESTEE, str(failure))

    def random(self):
        """--random, alone or with --mutants, and --shrink: what is judged by a live CPython."""
        self.everything = read_all(self.options.cases)
        try:
            return SAME if random_command.run(self, CPYTHON) else DIFFERS
        except (live.NoReference, Crash) as problem:
            raise Stop(NO_TESTEE, str(problem))

    def case_from(self):
        try:
            print(seeds.case_from(self.options.case_from, self.options.name))
        except (OSError, ValueError) as problem:
            raise Stop(USAGE, str(problem))
        return SAME

    def list(self):
        for case in self.cases:
            backends = [name for name in BACKENDS if name not in case.excluded]
            print("%-44s %-26s %s" % (case.name, " ".join(case.rules), " ".join(backends)))
        print("%d cases" % len(self.cases))
        return SAME

    def lists_of_answers(self):
        """--rules and --upstream: what the cases and tests that exist say, without a run."""
        fine, names = True, [case.name for case in self.everything]
        if self.options.rules:
            fine = rules.report(self.all_rules(), self.everything, print)
        if self.options.upstream:
            fine = answers.report_upstream(SPECIFICATION, os.path.join(HOME, "upstream.txt"), ROOT, names, print) and fine
        return SAME if fine else DIFFERS

    def mutants(self):
        """--mutants: the patterns choose mutants, not cases."""
        patterns, self.options.patterns = self.options.patterns, []
        self.load()
        recorded = {number for case in self.everything for _, number in case.record}
        found = [oracle for oracle in self.find_oracles() if oracle.version in recorded]
        if not found:
            raise Stop(NO_TESTEE, "no CPython here whose answers are recorded")
        self.report.line("mutants of CPython %s" % version.show(found[-1].version))
        program = os.path.join(HOME, "testees", "wrong.py")
        fine = mutants.Mutants(self.options, self.cases, found[-1].path, program, self.report.line).run(patterns)
        return SAME if fine else DIFFERS

    def departures(self):
        known = next((player.expectations for player in self.players if player.expectations), None)
        if known is None:
            raise Stop(USAGE, "--departures are rill's")
        return answers.report_departures(os.path.join(ROOT, "docs", "departures.md"), os.path.join(HOME, "departures.txt"),
                                         ROOT, [case.name for case in self.everything], known, self.report.line)

    def differing_backends(self):
        """Cases whose API transcripts differ between the backends of one testee, without a reason in the case."""
        first, problems = {}, []
        for result in self.results:
            if result.verdict.name not in ("SAME", "KNOWN") or result.case.differ or expect.is_departure(result.verdict.known):
                continue
            steps = transcript.without_state(result.steps)
            key = result.testee.name, result.case.name, tls.class_of(result.backend)
            other = first.setdefault(key, (result.backend, steps))
            difference = transcript.first_difference(other[1], steps)
            if difference:
                problems.append("%s: %s on %s and %s differ at step %d: %s / %s" % (
                    result.case.name, result.testee.name, other[0], result.backend, difference.step,
                    difference.want, difference.got))
        return problems

    def find_unrecorded(self):
        """Releases that ran and have no column: {version: cases where it differs from its nearest neighbour}."""
        recorded = {number for case in self.cases for _, number in case.record}
        live = [player for player in self.players if player.oracle and player.version() not in recorded]
        return {player.hello["version"]: len({case for number, case in self.runner.drifts
                                              if number == player.hello["version"]}) for player in live}

    # ends

    def bless(self):
        runs = {}
        problems = [result for result in self.results if not result.verdict.good()]
        bad = {result.case.name for result in problems}
        for result in self.results:
            if result.testee.oracle and result.verdict.name == "SAME":
                column = tls.class_of(result.backend), result.testee.version()
                runs.setdefault(result.case.name, {}).setdefault(column, {})[result.backend] = result.steps
        blessed, changed = {}, 0
        for case in self.cases:
            if case.name in bad or case.name not in runs:
                continue
            try:
                bless.record(case, {(kind, number): bless.one_transcript(case, number, by_backend)
                                    for (kind, number), by_backend in runs[case.name].items()})
                blessed[case.name] = case
            except bless.Disagreement as problem:
                bad.add(case.name)
                self.report.line("NOT RECORDED %s" % problem)
        for path in sorted({case.path for case in blessed.values()}):
            changed += bless.rewrite(path, blessed)
        self.report.line("recorded %d cases in %d changed files, %d not recorded" % (len(blessed), changed, len(bad)))
        return DIFFERS if bad else SAME

    def conclude(self, backends):
        problems = list(self.runner.problems) + self.differing_backends()
        for player in self.players:
            if player.expectations is not None and not self.options.fail_fast:
                problems += player.expectations.stale([case.name for case in self.everything])
        summary = report_json.summarise(self.results, self.players, backends, self.cases, self.all_rules(),
                                        time.monotonic() - self.began, self.find_unrecorded())
        if all(result.verdict.name == "SKIP" for result in self.results):
            problems.append("nothing ran: every case was skipped")
        summary["problems"] = problems + self.covered(summary)
        self.add_notes(summary)
        self.report.table(self.results, backends)
        coverage.report(summary["oracle_coverage"], self.report.line)
        self.report.last(summary, summary["problems"], self.notes)
        if self.options.repeat > 1:
            self.report.line("replays=%d flaky=%d" % (self.runner.replays, summary["verdicts"]["FLAKY"]))
        report_files.write(self.options, summary, self.results, {
            "players": self.players, "cases": self.cases, "backends": backends, "specification": SPECIFICATION,
            "not_applicable": self.all_rules().not_applicable, "coverage": self.coverage.measured})
        bad = summary["problems"] or any(not result.verdict.good() for result in self.results)
        if self.options.departures:
            bad = not self.departures() or bad
        return DIFFERS if bad else SAME

    def covered(self, summary):
        """What was measured goes into the summary; a run of all cases has to execute enough."""
        measured = self.coverage.collect()
        summary["oracle_coverage"] = [one.summary() for one in measured]
        options = self.options
        partly = options.patterns or options.shard or options.smoke or options.fail_fast
        return [text for one in measured for text in one.mistakes()] + (
            [] if partly else coverage.problems(summary["oracle_coverage"]))

    @staticmethod
    def all_rules():
        return rules.Rules(SPECIFICATION, HOME)

    def add_notes(self, summary):
        if summary["recorded_only"]:
            self.notes.append("columns from recordings only, no live CPython here: %s"
                              % " ".join(summary["recorded_only"]))
        for number, count in sorted(summary["unrecorded"].items()):
            self.notes.append("CPython %s is DRIFT until somebody records it (tools/conform --bless): it differs from its "
                              "nearest recorded release in %d cases" % (number, count))


def main(arguments=None):
    made = parser()
    options = made.parse_args(arguments)
    try:
        usage.check(options, made.parse_args([]))
        if options.parse_only:
            return SAME
        if options.repeat == 1 and not options.random:
            gc.disable()    # one run's results have no cycles, and looking for some is a twentieth of its time
        return Command(options).run()
    except Stop as stop:
        print("tools/conform: %s" % stop, file=sys.stderr)
        return stop.code
    except (CaseError, expect.ExpectationError, rules.RuleError, answers.AnswerError, report_shard.ShardError, coverage.CoverageError, usage.UsageError) as error:
        print(error, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("tools/conform: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:     # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
