# SPDX-License-Identifier: MIT
"""What people see: the live line or plain progress lines, each failure with the line that repeats it, the table."""
import os
import re
import sys
import time

from . import tls
from .case import KINDS
from .verdict import GOOD, NAMES

COLOURS = {"SAME": "32", "KNOWN": "36", "SKIP": "90"}
PLAIN_EVERY = 10    # per cent, in a pipe


class TextReport:
    def __init__(self, stream=None):
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and "NO_COLOR" not in os.environ
        self.began = time.monotonic()
        self.total = self.done = self.bad = 0
        self.printed = 0
        self.told = set()

    def paint(self, name, text=None):
        text = str(name) if text is None else text
        if not self.colour:
            return text
        return "\033[%sm%s\033[0m" % (COLOURS.get(name, "31;1"), text)

    def line(self, text=""):
        if self.live:
            self.stream.write("\r\033[K")
        self.stream.write(text + "\n")
        self.stream.flush()

    def begin(self, total):
        self.total = total

    def result(self, result):
        self.done += 1
        if not result.verdict.good():
            self.bad += 1
            self.failure(result)
        self.progress(result)

    def progress(self, result):
        share = 100 * self.done // max(1, self.total)
        text = "%3d%%  %d of %d  failed %d  %.1f s" % (share, self.done, self.total, self.bad, time.monotonic() - self.began)
        if self.live:
            self.stream.write("\r\033[K%s  %s on %s %s" % (text, result.testee.name, result.backend, result.case.name[:40]))
            self.stream.flush()
        elif share >= self.printed + PLAIN_EVERY:
            self.printed = share - share % PLAIN_EVERY
            self.line(text)

    def failure(self, result):
        verdict, case = result.verdict, result.case
        if verdict.name == "ORACLE-DRIFT" and not verdict.difference:
            self.unrecorded(case, verdict)
            return
        place = "%s:%d" % (case.path, case.line)
        self.line("%s %s: %s on %s  (%s)" % (self.paint(verdict.name, str(verdict)), case.name, result.testee.name,
                                             result.backend, place))
        if verdict.step is not None and 1 <= verdict.step <= len(case.steps):
            step = case.steps[verdict.step - 1]
            self.line("    step %d, line %d: %s" % (verdict.step, step.line, step.source.split("\n")[-1]))
        elif verdict.step is not None:
            self.line("    step %d: the end" % verdict.step)
        if verdict.difference:
            for text in verdict.difference.lines():
                self.line("    " + text)
            self.fingerprint(verdict.difference)
        elif verdict.detail:
            for text in verdict.detail.split("\n"):
                self.line("    " + text)
        if case.rules:
            self.line("    rule  " + " ".join(case.rules))
        self.line("    again " + again(result))
        if not result.testee.oracle:        # --shrink takes testees, which oracles judge
            self.line("    small " + shrinking(result))

    def unrecorded(self, case, verdict):
        """Told once for each case, however many testees ran into it."""
        if case.name not in self.told:
            self.told.add(case.name)
            self.line("%s %s: %s (%s:%d); tools/conform --bless %s" % (
                self.paint(verdict.name), case.name, verdict.detail, case.path, case.line, quoted(case.name)))

    def fingerprint(self, difference):
        from .expect import fingerprint
        self.line("    fingerprint %s" % fingerprint(difference))

    # the end

    def table(self, results, backends):
        if self.live:
            self.stream.write("\r\033[K")
        names = [name for name in NAMES if any(result.verdict.name == name for result in results)]
        players = []
        for result in results:
            if result.testee not in players:
                players.append(result.testee)
        players.sort(key=lambda player: (not player.oracle, player.version()))
        width = max([len(player.name) for player in players] + [8])
        self.line("%-*s  %s" % (width, "testee", "  ".join("%12s" % name for name in names)))
        for player in players:
            counts = [sum(1 for r in results if r.testee is player and r.verdict.name == name) for name in names]
            cells = ["%12d" % count if not count else self.paint(name, "%12d" % count)
                     for name, count in zip(names, counts)]
            self.line("%-*s  %s" % (width, player.name, "  ".join(cells)))
        for backend in backends:
            self.share(results, "backend %-10s" % backend, {backend})
        for kind in tls.CLASSES:
            among = {backend for backend in backends if tls.class_of(backend) == kind}
            if len(among) > 1:
                self.share(results, "on any %-11s" % kind, among)

    def share(self, results, title, backends):
        cases = {r.case.name: r.case for r in results}.values()
        self.line("%s %s" % (title, shares(cases, backends)))

    def last(self, summary, problems, notes):
        for text in notes:
            self.line("NOTE: " + text)
        for text in problems:
            self.line(self.paint("DIFF", "FAILED: ") + text)
        counts = "  ".join("%s %d" % (name, summary["verdicts"][name]) for name in NAMES
                           if summary["verdicts"][name] or name in GOOD)
        self.line("cases %d  rules %d  oracles %d  %s  %.1f s" % (
            summary["cases"], len(summary["rules_covered"]), len(summary["oracles"]), counts, summary["seconds"]))


CARRIED = (("all", KINDS), ("those with a connection or a server", ("connection", "protocol", "server")),
           ("those with a connection", ("connection", "protocol")))


def shares(cases, backends):
    """How many of the cases can run on one of these backends. What has neither connection nor server gains nothing from a
    backend, and servers listen on tcp and unix alone, so three shares are told."""
    ran = [one for one in cases if not set(backends) <= set(one.excluded)]
    parts, last = [], None
    for title, kinds in CARRIED:
        whole = sum(one.kind in kinds for one in cases)
        if whole not in (0, last):
            parts.append("%d %% of %s" % (100 * sum(one.kind in kinds for one in ran) // whole, title))
        last = whole
    return "%d of %d cases: %s" % (len(ran), len(cases), ", ".join(parts))


def again(result):
    """The one line that repeats this run alone."""
    words = ["tools/conform"]
    if result.testee.oracle:
        words.append("--oracle-only %s" % result.testee.hello["version"])
    else:
        words.append("--testee %s" % quoted(result.testee.spec))
    drawn = re.match(r"random:(\d+:\d+)$", result.case.path)
    named = "--random 1 --seed %s" % drawn.group(1) if drawn else quoted(result.case.name)
    return " ".join(words + ["--backend %s" % result.backend, "-v", named])


def shrinking(result):
    """The one line that makes it smaller."""
    named = result.case.path if result.case.path.startswith("random:") else quoted(result.case.name)
    return "tools/conform --testee %s --backend %s --shrink %s" % (quoted(result.testee.spec), result.backend, named)


def quoted(text):
    return "'%s'" % text.replace("'", "'\\''")
