# SPDX-License-Identifier: MIT
"""The JSON report: a `summary` object first, then one row for each run."""
import fnmatch
import json

from . import version
from .rules import shows
from .verdict import NAMES


def script_key(case):
    """Scripts that are equal but for the case's name count once."""
    message = case.message("-")
    message.pop("run")
    return json.dumps(message, sort_keys=True)


def summarise(results, players, backends, cases, rules, seconds, unrecorded):
    """A rule is covered when a case that names it was SAME or KNOWN, on a backend that can show it."""
    covered = set()
    for result in results:
        if result.verdict.name in ("SAME", "KNOWN"):
            covered.update(rule for rule in result.case.rules
                           if rule.startswith("R-") and shows(result.case, result.backend, rule))
    open_rules = rules.open(covered)
    verdicts = {name: sum(1 for result in results if result.verdict.name == name) for name in NAMES}
    return {
        "cases": len({script_key(case) for case in cases}),
        "rules": rules.all, "rules_covered": sorted(covered), "rules_na": sorted(rules.not_applicable),
        "rules_open": open_rules,
        "oracles": [{"name": player.name, "version": player.hello["version"]} for player in players if player.oracle],
        "testees": [player.name for player in players], "backends": list(backends),
        "recorded_only": recorded_only(cases, players), "unrecorded": unrecorded,
        "verdicts": verdicts, "seconds": round(seconds, 3),
    }


def recorded_only(cases, players):
    """Columns that exist as recordings and had no live CPython in this run."""
    live = {player.version() for player in players if player.oracle}
    recorded = {number for case in cases for _, number in case.record}
    return [version.show(number) for number in sorted(recorded - live)]


def row(result):
    verdict = result.verdict
    item = {"case": result.case.name, "testee": result.testee.name, "backend": result.backend,
            "verdict": verdict.name, "seconds": round(result.seconds, 4)}
    if verdict.detail:
        item["detail"] = verdict.detail
    if verdict.step is not None:
        item["step"] = verdict.step
    if verdict.difference:
        item["want"], item["got"] = verdict.difference.want, verdict.difference.got
    return item


def write(path, summary, results):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"summary": summary, "results": [row(result) for result in results]}, file, indent=1)
        file.write("\n")


def select(cases, patterns):
    """The cases that match one of the patterns; a pattern without / or * also means a whole area."""
    if not patterns:
        return cases
    return [case for case in cases if any(
        fnmatch.fnmatchcase(case.name, pattern) or fnmatch.fnmatchcase(case.name, pattern.rstrip("/") + "/*")
        for pattern in patterns)]
