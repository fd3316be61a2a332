# SPDX-License-Identifier: MIT
"""Two lists that must be answered row by row: CPython's own tests of streams, and rill's departures from asyncio.

conformance/upstream.txt maps each method of the specification's section 11 to what answers it; conformance/departures.txt
holds the rows of docs/departures.md that no script can show. One answer a line:
    test_read | case reader/read-waits, test core/sansio/tests/read_test.c "waits for one wake"
    test___repr___eof | reason C has no repr
A `test` is a file of the repository and a text in it.
"""
import os
import re

METHOD = re.compile(r"^\| \d+ \| (test_\w+) \|", re.MULTILINE)
FIXED = re.compile(r"^\| (Q-\d+) \|", re.MULTILINE)
TEST = re.compile(r'test (\S+)(?: "([^"]+)")?$')


class AnswerError(Exception):
    """Text begins with file:line."""


def upstream_methods(specification):
    with open(specification, encoding="utf-8") as file:
        return METHOD.findall(file.read())


def departures(document):
    """The Q- ids of the table `Fixed here`."""
    with open(document, encoding="utf-8") as file:
        text = file.read()
    return FIXED.findall(text.split("## Fixed here", 1)[-1].split("\n## ", 1)[0])


class Answers:
    """A file of answers; what it names must exist."""

    def __init__(self, path, root, case_names):
        self.path = path
        self.root = root
        self.case_names = set(case_names)
        self.answers = {}
        self.problems = []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    if line.strip() and not line.startswith("#"):
                        self.read(number, line)

    def read(self, number, line):
        name, _, answer = (part.strip() for part in line.partition("|"))
        if not answer or name in self.answers:
            raise AnswerError("%s:%d: expected `name | answer`, each name once" % (self.path, number))
        self.answers[name] = answer
        if not answer.startswith("reason "):
            for item in re.split(r",\s*(?=case |test )", answer):
                problem = self.missing(item)
                if problem:
                    self.problems.append("%s:%d: %s: %s" % (self.path, number, name, problem))

    def missing(self, item):
        """Why this case or test is no answer, or none."""
        if item.startswith("case "):
            name = item[len("case "):].strip()
            return None if name in self.case_names else "there is no case %s" % name
        found = TEST.match(item)
        if not found:
            return "an answer is `case NAME`, `test FILE \"text\"` or `reason ...`, not %s" % item
        path = os.path.join(self.root, found.group(1))
        if not os.path.isfile(path):
            return "there is no file %s" % found.group(1)
        with open(path, encoding="utf-8") as file:
            return None if (found.group(2) or "") in file.read() else "%s does not contain %r" % found.groups()

    def unknown(self, names):
        return ["%s: nothing is called %s" % (self.path, name) for name in self.answers if name not in names]


def report_upstream(specification, path, root, case_names, tell):
    """Prints who answers each method; true when all are answered by what exists."""
    methods = upstream_methods(specification)
    answers = Answers(path, root, case_names)
    for method in methods:
        tell("%-52s %s" % (method, answers.answers.get(method, "NOT ANSWERED")))
    problems = answers.problems + answers.unknown(methods)
    for text in problems:
        tell("FAILED: " + text)
    answered = sum(1 for method in methods if method in answers.answers)
    tell("%d of %d" % (answered, len(methods)))
    return answered == len(methods) and not problems


def report_departures(document, path, root, case_names, known, tell):
    """Prints what reproduces each departure after a run: an entry of the expectations that a case used, or a test."""
    rows = departures(document)
    answers = Answers(path, root, case_names)
    used, reproduced = {}, 0
    for entry in known.entries:
        for name, backend in sorted(entry.used):
            used.setdefault(entry.row, []).append("%s on %s" % (name, backend))
    for row in rows:
        shown = ", ".join(used.get(row, [])[:4]) or answers.answers.get(row)
        reproduced += bool(shown)
        tell("%-6s %s" % (row, shown or "NOT REPRODUCED"))
    problems = answers.problems + answers.unknown(rows)
    problems += ["%s: %s is no row of the departures" % (entry.place(), entry.row)
                 for entry in known.entries if entry.row not in rows]
    problems += ["%s: %s is reproduced by a case, and needs no other answer" % (path, row)
                 for row in answers.answers if row in used]
    for text in problems:
        tell("FAILED: " + text)
    tell("%d of %d reproduce" % (reproduced, len(rows)))
    return reproduced == len(rows) and not problems
