# SPDX-License-Identifier: MIT
"""--oracle-coverage: which branches of CPython's asyncio/streams.py the run executed, and which it did not.

The CPythons that are measured run testees/cpython_coverage.py, which is the same testee with a look at the branches. Each of
their processes leaves a file when it ends; here they are added up and held against all branches of that version's bytecode,
but for those that coverage_na.txt leaves out.
"""
import glob
import json
import os
import subprocess
import tempfile

from . import version

FILE = "asyncio/streams.py"
ENOUGH = 98.0
HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(HOME, "testees", "cpython_coverage.py")
LEFT_OUT = os.path.join(HOME, "coverage_na.txt")
FIELDS = 4


class CoverageError(Exception):
    """Text begins with file:line, or says which CPython does not answer."""


def read_left_out(path=LEFT_OUT):
    """{(function, source line, value): reason}"""
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                fields = [field.strip() for field in line.split(" | ")]
                if len(fields) != FIELDS or not all(fields) or tuple(fields[:3]) in found:
                    raise CoverageError("%s:%d: expected `function | source line | value | reason`, each once" % (path, number))
                found[tuple(fields[:3])] = fields[3]
    return found


def percent(executed, total):
    return 100.0 * executed / total if total else 100.0


class Branch:
    """One way of one conditional jump, with the name of a case that took it, or the reason why none has to."""

    def __init__(self, data, source, left_out):
        self.key = data["branch"], data["way"]
        self.line, self.to, self.condition, self.value = data["line"], data["to"], data["condition"], data["is"]
        self.source = source[self.line - 1].strip()
        self.reason = left_out.get((data["function"], self.source, self.value))
        if not self.condition and " not " in self.source:   # true would be what stands behind the `not`
            self.value = "on to line %d" % self.to
        self.case = None

    def text(self):
        """`line 507: except NotImplementedError: -> false`, with the words that decide where they are but a part of the line."""
        whole = [form % self.condition for form in ("if %s:", "while %s:", "assert %s", "%s")]
        words = self.condition if self.source not in whole else ""
        text = "line %d: %s -> %s%s" % (self.line, self.source, "(%s) " % words if words else "", self.value)
        return text + (", line %d" % self.to if self.to != self.line and self.value in ("true", "false") else "")


class Measured:
    """One CPython: its branches, and what the run took of them."""

    def __init__(self, number, answer, left_out):
        self.version = number
        self.source = answer["source"]
        self.branches = [Branch(data, self.source, left_out) for data in answer["branches"]]

    def add(self, taken):
        """[[branch, way, case], ...] of one process; of two cases the first by name stays."""
        by_key = {branch.key: branch for branch in self.branches}
        for name, way, case in taken:
            branch = by_key[name, way]
            branch.case = min(branch.case or case, case)

    def counted(self):
        return [branch for branch in self.branches if not branch.reason]

    def missing(self):
        return [branch for branch in self.counted() if not branch.case]

    def summary(self):
        """What stands in the JSON report; --merge needs no more."""
        total, missing = len(self.counted()), self.missing()
        return {"version": version.show(self.version), "file": FILE, "branches": total, "executed": total - len(missing),
                "left_out": len(self.branches) - total,
                "missing": [{"branch": " ".join(branch.key), "line": branch.line, "text": branch.text()} for branch in missing]}

    def mistakes(self):
        return ["%s says that no case takes it, but %s does: %s" % (os.path.basename(LEFT_OUT), branch.case, branch.text())
                for branch in self.branches if branch.reason and branch.case]

    def page(self):
        """For the HTML report: the file's lines, and for each branch [line, to, words, value, case or none, reason or none]."""
        return {"version": version.show(self.version), "file": FILE, "source": self.source,
                "branches": [[branch.line, branch.to, branch.condition, branch.value, branch.case, branch.reason]
                             for branch in self.branches]}


class Coverage:
    """The CPythons of a run that are measured, and the folder where their processes leave what they saw."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.paths = {}             # version: program
        self.folder = tempfile.TemporaryDirectory(prefix="rill-coverage-") if wanted else None
        self.measured = []

    def choose(self, found, named):
        """The newest, or each that was named by --oracle-only."""
        if self.wanted:
            if not found:
                raise CoverageError("--oracle-coverage: no CPython runs here; --oracle PYTHON names one")
            self.paths = {oracle.version: oracle.path for oracle in (found if named else found[-1:])}

    def command(self, oracle, program):
        """How the testee of this CPython is started."""
        return [oracle.path, PROGRAM, self.folder.name] if oracle.version in self.paths else [oracle.path, program]

    def collect(self):
        """After the run, when all processes have ended."""
        left_out = read_left_out() if self.paths else {}
        for number, path in sorted(self.paths.items()):
            try:
                done = subprocess.run([path, PROGRAM, "--branches"], stdout=subprocess.PIPE, timeout=60, check=True)
            except (OSError, subprocess.SubprocessError) as error:
                raise CoverageError("--oracle-coverage: %s" % error)
            measured = Measured(number, json.loads(done.stdout.decode("utf-8")), left_out)
            for name in glob.glob(os.path.join(glob.escape(self.folder.name), version.show(number) + "-*.json")):
                with open(name, encoding="utf-8") as file:
                    measured.add(json.load(file))
            self.measured.append(measured)
        return self.measured


def line(summary):
    return "oracle coverage: %s %s branches %d of %d (%.1f %%), %d left out" % (
        summary["file"], summary["version"], summary["executed"], summary["branches"],
        percent(summary["executed"], summary["branches"]), summary["left_out"])


def report(summaries, tell):
    """Each CPython's share, and what is missing."""
    for summary in summaries:
        tell(line(summary))
        for branch in summary["missing"]:
            tell("    missing: " + branch["text"])


def problems(summaries):
    """Of a run of the whole suite: too little executed."""
    return ["%s: less than %g %%" % (line(summary), ENOUGH) for summary in summaries
            if percent(summary["executed"], summary["branches"]) < ENOUGH]


def merge(parts):
    """The summaries of a run in parts: a branch is missing when it is in every part that measured this CPython."""
    by_version = {}
    for part in parts:
        for summary in part:
            by_version.setdefault(summary["version"], []).append(summary)
    merged = []
    for number in sorted(by_version, key=version.parse):
        first, *others = by_version[number]
        missing = [one for one in first["missing"]
                   if all(one["branch"] in {other["branch"] for other in summary["missing"]} for summary in others)]
        merged.append(dict(first, missing=missing, executed=first["branches"] - len(missing)))
    return merged
