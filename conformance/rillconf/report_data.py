# SPDX-License-Identifier: MIT
"""What the HTML report shows, as plain data: cases, transcripts stored once for each case, a cell for each run, rules.

    {"summary", "backends", "testees", "verdicts", "strings", "rules", "cases", "coverage"}
    case: {"n": name, "p": place, "r": rules, "h": header lines, "s": source lines of the steps, "t": transcripts,
           "c": distinct cells, "g": for each testee and backend an index into c, or -1}
    cell: [verdict, detail, transcript, reference, its version, step]   detail and version are indices into strings, -1 is none
    transcript: {step number: its lines, joined}
"""
import re

from . import tls, transcript, version
from .verdict import NAMES

TABLE_ROW = re.compile(r"^\| ((?:R-\d[\dUV](?:\d|-\d\d))|[DQ]-\d+) \|")
NOTHING = -1


class Pool:
    """Values and their numbers; equal values have one number."""

    def __init__(self):
        self.values = []
        self.numbers = {}

    def number(self, value, key=None):
        key = value if key is None else key
        if key not in self.numbers:
            self.numbers[key] = len(self.values)
            self.values.append(value)
        return self.numbers[key]


class CaseData:
    """One case and the cells of its runs."""

    def __init__(self, case, testees, backends):
        self.case = case
        self.transcripts = Pool()
        self.cells = Pool()
        self.grid = [[NOTHING] * backends for _ in range(testees)]
        self.recorded = {}      # (column, backend) -> number of the transcript

    def transcript(self, steps, backend):
        """As precisely as it may be compared on this backend: what differs on the page differs for the judge too."""
        steps = transcript.comparable(steps, self.case, backend)
        data = {str(number): "\n".join(lines) for number, lines in sorted(steps.items()) if lines}
        return self.transcripts.number(data, repr(data))

    def reference(self, player, backend, strings):
        """The recorded transcript that judges this testee, and its version."""
        kind = tls.class_of(backend)
        column = player.column(self.case, kind)
        if column is None:
            return NOTHING, NOTHING
        key = column, backend
        if key not in self.recorded:
            self.recorded[key] = self.transcript(self.case.column(column, kind), backend)
        return self.recorded[key], strings.number(version.show(column))

    def add(self, result, testee, backend, strings):
        verdict = result.verdict
        detail = strings.number(verdict.detail) if verdict.detail else NOTHING
        if verdict.name == "SKIP":
            cell = (NAMES.index("SKIP"), detail, NOTHING, NOTHING, NOTHING, 0)
        else:
            cell = (NAMES.index(verdict.name), detail, self.transcript(result.steps, result.backend),
                    *self.reference(result.testee, result.backend, strings), verdict.step or 0)
        self.grid[testee][backend] = self.cells.number(cell)

    def data(self):
        case = self.case
        return {"n": case.name, "p": "%s:%d" % (case.path, case.line), "r": case.rules,
                "h": [line for line in case.header if line.strip() and not line.startswith("case ")],
                "s": [step.source for step in case.steps],
                "t": self.transcripts.values, "c": self.cells.values, "g": self.grid}


def read_rules(specification):
    """{id: [[title of the column, text], ...]} of every table row that defines a rule, a departure or a question."""
    found, titles, before = {}, [], ""
    with open(specification, encoding="utf-8") as file:
        for line in file:
            row = TABLE_ROW.match(line)
            if line.startswith("|---"):
                titles = cells_of(before)
            elif row and row.group(1) not in found:
                cells = cells_of(line)
                found[row.group(1)] = [[title, cell] for title, cell in zip(titles[1:], cells[1:]) if cell]
            before = line
    return found


def cells_of(line):
    """The cells of a table row; `\\|` is no border."""
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def collect(results, players, backends, cases, summary, specification, not_applicable=None, coverage=()):
    """All of it. Testees stand in the order of the page: rill, what else is under test, CPythons, the newest first."""
    strings = Pool()
    order = sorted(players, key=lambda player: (player.oracle, player.name != "rill", [-number for number in player.version()]))
    places = {player.name: index for index, player in enumerate(order)}
    columns = {backend: index for index, backend in enumerate(backends)}
    by_name = {case.name: CaseData(case, len(order), len(backends)) for case in cases}
    for result in results:
        by_name[result.case.name].add(result, places[result.testee.name], columns[result.backend], strings)
    return {
        "summary": {key: summary[key] for key in ("cases", "seconds", "verdicts", "rules_covered", "rules_na", "rules_open",
                                                  "recorded_only", "problems") if key in summary},
        "backends": list(backends), "verdicts": list(NAMES), "strings": strings.values,
        "testees": [{"name": player.name, "oracle": player.oracle, "version": version.show(player.version()),
                     "is": player.hello.get("implementation", "")} for player in order],
        "rules": read_rules(specification), "not_applicable": dict(not_applicable or {}),
        "cases": [item.data() for item in by_name.values()], "coverage": [one.page() for one in coverage],
    }
