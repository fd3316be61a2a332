# SPDX-License-Identifier: MIT
"""The commands --random and --shrink as cli.py calls them: options, players, what is printed, exit status."""
import argparse
import os
import re
import time

from . import (live, oracles, random_known, random_mutants, random_play, random_scripts, report_files, report_json, shrink,
               shrink_print, version)
from .case import read_file
from .usage import UsageError
from .verdict import Result, Verdict


def seed(text):
    """S or S:K as an option's type."""
    if not re.match(r"\d+(:[1-9]\d*)?$", text):
        raise argparse.ArgumentTypeError("%s is not S or S:K, whole numbers" % text)
    return random_scripts.parse_seed(text)


def add_options(add, above_zero):
    add("--random", type=above_zero(int), metavar="N",
        help="play N scripts drawn by --seed, each judged live by a CPython; with --mutants COUNT: find and shrink so many wrong testees")
    add("--seed", type=seed, default=(1, 1), metavar="S", help="of --random; S:K begins with script K (1)")
    add("--shrink", metavar="CASE", help="make a script that differs as small as it gets: a case's name, a case file, or random:S:K")
    add("--seed-folder", metavar="FOLDER", help="of --shrink: where the seed for fuzzing is written")


def found_oracles(options):
    supported, _ = oracles.discover(options.oracle)
    if options.oracle_only:
        supported = [oracle for oracle in supported if version.show(oracle.version) in options.oracle_only]
    return supported


class Judges:
    """The testees of a command and the CPython that judges each."""

    def __init__(self, command, program):
        options = command.options
        self.oracles = found_oracles(options)
        if not self.oracles:
            raise live.NoReference("no CPython here to judge anything")
        self.players, self.references, self.known = [], [], []
        for spec in options.testee or ["rill"]:
            player = command.testee(spec)
            if spec.startswith("wrong:"):       # of the newest, as --mutants has them
                player.command[0] = self.oracles[-1].path
            live.meet(player, options.timeout)
            reference = live.reference_player(live.choose_reference(player, self.oracles), program)
            self.players.append(player)
            self.references.append(live.meet(reference, options.timeout))
            self.known.append(random_known.load(options.expectations) if player.hello.get("implementation") == "rill" else None)

    def answers(self, results):
        """What the CPythons did with these scripts, each once, for the page."""
        judge = {player.name: reference for player, reference in zip(self.players, self.references)}
        found = {}
        for result in results:
            if result.answer is not None:
                reference = judge[result.testee.name]
                key = result.case.name, reference.name, result.backend
                found[key] = Result(result.case, reference, result.backend, Verdict("SAME"), result.answer)
        return list(found.values())

    def told(self):
        return ", ".join("%s against %s" % (player.name, reference.name) for player, reference in zip(self.players, self.references))


def run_random(command, program):
    """--random; whether nothing differs."""
    options, report, began = command.options, command.report, time.monotonic()
    judges = Judges(command, program)
    first = options.seed[1]
    chosen = random_play.numbers(first, options.random, options.shard)
    backends = command.backends()
    report.line("%s: scripts %d to %d of seed %d on %s" % (
        judges.told(), first, first + options.random - 1, options.seed[0], " ".join(backends)))
    report.begin(len(chosen) * len(backends) * len(judges.players))
    sums = random_play.Sums(keep=bool(options.json or options.junit or options.tap or options.html))

    def on_script(results):
        for result in results:
            command.on_result(result)
        command.results.clear()
        sums.add(results)
        return not options.fail_fast or all(result.verdict.good() for result in results)

    campaign = random_play.Campaign(options, judges.players, judges.references, judges.known, backends, options.seed[0], chosen, on_script)
    campaign.run()
    for problem in campaign.problems:
        report.line("FAILED: " + problem)
    write_reports(command, judges, backends, sums, campaign.problems, time.monotonic() - began)
    report.line(sums.line(time.monotonic() - began))
    return not campaign.problems and sums.differences == 0


def write_reports(command, judges, backends, sums, problems, seconds):
    """The same files as a run of written cases; --merge adds the shards of a campaign up as it does theirs."""
    if not sums.keep:
        return
    players = list({reference.name: reference for reference in judges.references}.values()) + judges.players
    summary = report_json.summarise(sums.results, players, backends, sums.cases, command.all_rules(), seconds, {})
    summary["problems"], summary["oracle_coverage"] = problems, []      # branches are measured over written cases alone
    report_files.write(command.options, summary, sums.results, {
        "players": players, "cases": sums.cases, "backends": backends, "specification": command.specification,
        "not_applicable": command.all_rules().not_applicable, "coverage": [],
        "answers": judges.answers(sums.results)})


def run_mutants(command, program):
    """--random N --mutants COUNT; whether each was found and became small."""
    recorded = {number for case in command.everything for _, number in case.record}
    found = [oracle for oracle in found_oracles(command.options) if oracle.version in recorded]
    if not found:
        raise live.NoReference("no CPython here whose answers are recorded")
    reference = live.meet(live.reference_player(found[-1], program), command.options.timeout)
    wrong = os.path.join(os.path.dirname(program), "wrong.py")
    return random_mutants.run(found[-1].path, wrong, reference, command.options, command.report.line)


# ---- --shrink ---------------------------------------------------------------------------------------------------------

def named_cases(command, name):
    """What --shrink means: random:S:K, the name of a case, or all cases of a file."""
    drawn = random_scripts.parse_name(name)
    if drawn:
        return [random_scripts.case(*drawn)]
    found = [case for case in command.everything if case.name == name]
    if not found and os.path.isfile(name):
        found = read_file(name)[1]
    if not found:
        raise UsageError("--shrink %s: no case, no case file, no random:S:K" % name)
    return found


def name_of(case):
    """A case that was drawn gets a name that says so, in the area that its first call belongs to."""
    drawn = random_scripts.parse_name(case.path)
    if not drawn:
        return case.name + "-smaller"
    return "%s/random-%d-%d" % ((random_scripts.area(case),) + drawn)


def run_shrink(command, program):
    """--shrink; true when nothing differs, so that there is nothing to shrink."""
    options, say, same = command.options, command.report.line, True
    judges = Judges(command, program)
    for player, reference in zip(judges.players, judges.references):
        pair = live.Pair(player, reference, min(shrink.WATCHDOG, options.timeout))
        try:
            for case in named_cases(command, options.shrink):
                shrunk = shrink.shrink(pair, case, command.backends())
                if shrunk is None:
                    say("%s: %s does not differ from %s" % (case.name, player.name, reference.name))
                    continue
                same = False
                say("%s: %s against %s" % (case.name, player.name, reference.name))
                shrink_print.show(shrunk, name_of(case), reference.command[0], options.seed_folder, say)
        finally:
            pair.stop()
    return same


def run(command, program):
    """What was asked for; true: nothing differs (with --mutants: every one was found and shrunk)."""
    if command.options.shrink is not None:
        return run_shrink(command, program)
    return run_mutants(command, program) if command.options.mutants else run_random(command, program)
