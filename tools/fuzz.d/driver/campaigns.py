# SPDX-License-Identifier: MIT
"""fuzz/campaigns.txt: what was run, on which commit, with which outcome; and its sums."""
import collections
import datetime
import os
import re
import subprocess

HEAD = """\
# What was fuzzed: tools/fuzz --log adds a line for each target of a run, tools/fuzz --report sums them.
# date target commit cpu-seconds= execs= finds=      (commit+: with changes that were not committed)
"""
LINE = re.compile(r"(\d{4}-\d\d-\d\d) (\S+) ([0-9a-f]+\+?) cpu-seconds=(\d+(?:\.\d+)?) execs=(\d+) finds=(\d+)$")

Campaign = collections.namedtuple("Campaign", "date target commit cpu_seconds execs finds")


def path(home):
    return os.path.join(home, "fuzz", "campaigns.txt")


def commit_of(home):
    """The commit that is fuzzed; with a + where the sources are not that commit's."""
    def git(*arguments):
        return subprocess.run(["git", "-C", home] + list(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, universal_newlines=True).stdout.strip()
    commit = git("rev-parse", "--short=9", "HEAD") or "0"
    changed = git("status", "--porcelain", "--", "core", "coro", "fuzz/*.c", "fuzz/*.h", "conformance/model")
    return commit + ("+" if changed else "")


def add(home, commit, sums):
    new = not os.path.exists(path(home))
    with open(path(home), "a") as file:
        if new:
            file.write(HEAD)
        for one in sums:
            file.write("%s %s %s cpu-seconds=%.1f execs=%d finds=%d\n" % (
                datetime.date.today().isoformat(), one.name, commit, one.cpu_seconds, one.execs, one.finds))


def read(home):
    found = []
    try:
        with open(path(home)) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise ValueError("fuzz/campaigns.txt:%d: not a line of the log: %s" % (number, line))
        date, target, commit, cpu, execs, hits = match.groups()
        found.append(Campaign(date, target, commit, float(cpu), int(execs), int(hits)))
    return found


def report(home, targets, wanted, out):
    """Every target has a row, also one that was never run; where some are wanted, only those."""
    runs = read(home)
    names = targets + sorted({run.target for run in runs} - set(targets))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ValueError("no such target: %s (there are: %s)" % (", ".join(unknown), ", ".join(names) or "none"))
    names = [name for name in names if name in wanted or not wanted]
    runs = [run for run in runs if run.target in names]
    out.write("%-18s %5s %12s %15s %6s  %s\n" % ("target", "runs", "cpu-seconds", "execs", "finds", "last"))
    for name in names:
        mine = [run for run in runs if run.target == name]
        last = "%s %s" % (mine[-1].date, mine[-1].commit) if mine else "never"
        out.write("%-18s %5d %12.0f %15d %6d  %s\n" % (name, len(mine), sum(run.cpu_seconds for run in mine),
                                                       sum(run.execs for run in mine), sum(run.finds for run in mine), last))
    out.write("targets=%d cpu-seconds=%.0f execs=%d finds=%d\n" % (
        len(names), sum(run.cpu_seconds for run in runs), sum(run.execs for run in runs), sum(run.finds for run in runs)))
