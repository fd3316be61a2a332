# SPDX-License-Identifier: MIT
"""The rules of the specification, and which of them the cases show: `tools/conform --rules`.

A rule is covered by a recorded case that names it; or it is not applicable, with a reason in conformance/rules_na.txt; or
it is open.
"""
import os
import re
import textwrap

from .case import BACKENDS
from .tls import OVER_MEMORY

ROW = re.compile(r"^\| (R-\d[\dUV](?:\d|-\d\d)) \|", re.MULTILINE)
MOST_NOT_APPLICABLE = 45
REAL_TRANSPORTS = "4567"                     # sections whose rules a memory transport does not show


class RuleError(Exception):
    """Text begins with file:line."""


def read_reasons(path, known):
    """{id: reason} of a file of `id | reason` lines; a rule that the specification does not have is an error."""
    reasons = {}
    if not os.path.exists(path):
        return reasons
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            rule, _, reason = (part.strip() for part in line.partition("|"))
            if rule not in known or not reason or rule in reasons:
                raise RuleError("%s:%d: expected `R-nnn | reason`, each rule of the specification once" % (path, number))
            reasons[rule] = reason
    return reasons


class Rules:
    """Every rule id, and those that have a reason not to be covered."""

    def __init__(self, specification, folder):
        with open(specification, encoding="utf-8") as file:
            self.all = ROW.findall(file.read())
        known = set(self.all)
        self.not_applicable = read_reasons(os.path.join(folder, "rules_na.txt"), known)

    def open(self, covered):
        return [rule for rule in self.all if rule not in covered and rule not in self.not_applicable]

    def mistakes(self, covered, unknown):
        """What is wrong with the data files and with the rules that cases name."""
        found = ["no such rule in the specification: %s (%s)" % pair for pair in unknown]
        found += ["%s is not applicable and covered at once" % rule
                  for rule in sorted(set(covered) & set(self.not_applicable))]
        if len(self.not_applicable) > MOST_NOT_APPLICABLE:
            found.append("%d rules are not applicable, more than %d" % (len(self.not_applicable), MOST_NOT_APPLICABLE))
        return found


def shows(case, backend, rule):
    """Whether this case on this backend counts for the rule: not a rule of sockets on a memory transport."""
    over_memory = backend in OVER_MEMORY and case.kind in ("connection", "protocol")
    return backend not in case.excluded and not (over_memory and rule[2] in REAL_TRANSPORTS)


def covered_by_cases(cases):
    """{rule: [names of recorded cases]}"""
    covered = {}
    for case in cases:
        for rule in case.rules if case.record else ():
            if rule.startswith("R-") and any(shows(case, backend, rule) for backend in BACKENDS):
                covered.setdefault(rule, []).append(case.name)
    return covered


def report(rules, cases, tell):
    """Prints the coverage; true when none is open, and the data files and the cases' rule ids are in order."""
    covered = covered_by_cases(cases)
    open_rules = rules.open(covered)
    parts = [("covered", [rule for rule in rules.all if rule in covered]),
             ("not applicable", [rule for rule in rules.all if rule in rules.not_applicable]),
             ("open", open_rules)]
    for title, ids in parts:
        tell("%s %d" % (title, len(ids)))
        if title == "not applicable":
            for rule in ids:
                tell("    %s %s" % (rule, rules.not_applicable[rule]))
        else:
            for line in textwrap.wrap(" ".join(ids), 112):
                tell("    " + line)
    unknown = [(rule, case.name) for case in cases for rule in case.rules
               if rule.startswith("R-") and rule not in set(rules.all)]
    mistakes = rules.mistakes(covered, unknown)
    if parts[-1][1]:
        mistakes = mistakes + ["%d rules have neither a case nor a reason" % len(parts[-1][1])]
    for text in mistakes:
        tell("FAILED: " + text)
    tell("rules %d  %s" % (len(rules.all), "  ".join("%s %d" % (title, len(ids)) for title, ids in parts)))
    return not mistakes
