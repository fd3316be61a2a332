# SPDX-License-Identifier: MIT
"""A run in parts: which cases belong to a shard, and the summary of many JSON results as if it had been one run.

Cases go to shards by their place in the sorted list of names, so that every machine with the same case files splits alike.
All backends and testees of a case are in one shard, as they are compared with each other.
"""
import json
import re

from . import coverage
from .verdict import GOOD, NAMES


class ShardError(Exception):
    """What is wrong with the parts, as a person reads it."""


def parse(text):
    """'2/8' -> (2, 8)."""
    found = re.match(r"(\d+)/(\d+)$", text)
    part, of = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= of:
        raise ValueError("%s is not I/N with 1 <= I <= N" % text)
    return part, of


def take(cases, shard):
    """The cases of one shard, in their order."""
    if shard is None:
        return cases
    part, of = shard
    chosen = set(sorted(case.name for case in cases)[part - 1::of])
    return [case for case in cases if case.name in chosen]


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        found["summary"]["verdicts"], found["summary"]["scripts"], found["results"]     # what is not there is no result
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ShardError("%s: not a result of --json (%s)" % (path, error))
    return found


def check(parts, paths):
    """Parts of one run: each shard once, none missing, no run twice."""
    shards = [part["summary"].get("shard") for part in parts]
    if any(shards):
        if None in shards or len({text.split("/")[1] for text in shards}) > 1:
            raise ShardError("parts of different runs: %s" % ", ".join(
                "%s is %s" % (path, text or "no shard") for path, text in zip(paths, shards)))
        of = int(shards[0].split("/")[1])
        missing = sorted(set(range(1, of + 1)) - {int(text.split("/")[0]) for text in shards})
        if missing:
            raise ShardError("shards are missing: %s of %d" % (" ".join(map(str, missing)), of))
    seen = {}
    for path, part in zip(paths, parts):
        for row in part["results"]:
            key = row["case"], row["testee"], row["backend"]
            if seen.setdefault(key, path) is not path:
                raise ShardError("%s on %s, %s is in %s and in %s" % (key[0], key[1], key[2], seen[key], path))


def ordered(parts, key, identity=str):
    """The items of a list in every summary, each once; in the order of the first summary that has them."""
    found = {}
    for part in parts:
        for item in part["summary"][key]:
            found.setdefault(identity(item), item)
    return list(found.values())


def summarise(parts):
    """What one run would have said; seconds are those of all machines together."""
    covered = set().union(*[part["summary"]["rules_covered"] for part in parts])
    first = parts[0]["summary"]
    unrecorded = {}
    for part in parts:
        for number, count in part["summary"]["unrecorded"].items():
            unrecorded[number] = unrecorded.get(number, 0) + count
    scripts = set().union(*[part["summary"]["scripts"] for part in parts])
    summary = {
        "cases": len(scripts), "rules": first["rules"], "rules_covered": sorted(covered), "rules_na": first["rules_na"],
        "rules_open": [rule for rule in first["rules"] if rule not in covered and rule not in first["rules_na"]],
        "oracles": ordered(parts, "oracles", lambda item: item["name"]), "testees": ordered(parts, "testees"),
        "backends": ordered(parts, "backends"), "recorded_only": live_nowhere(parts), "unrecorded": unrecorded,
        "verdicts": {name: sum(part["summary"]["verdicts"][name] for part in parts) for name in NAMES},
        "seconds": round(sum(part["summary"]["seconds"] for part in parts), 3),
        "problems": ordered(parts, "problems"), "scripts": sorted(scripts),
    }
    summary["oracle_coverage"] = coverage.merge([part["summary"].get("oracle_coverage", []) for part in parts])
    if first.get("shard"):
        summary["problems"] += coverage.problems(summary["oracle_coverage"])
    return summary


def live_nowhere(parts):
    """Recorded columns that no shard had a live CPython for."""
    live = {oracle["version"] for part in parts for oracle in part["summary"]["oracles"]}
    return [number for number in ordered(parts, "recorded_only") if number not in live]


def merge(paths):
    """The merged result of --json files; ShardError where they are not parts of one run."""
    parts = [read(path) for path in paths]
    check(parts, paths)
    rows = sorted((row for part in parts for row in part["results"]),
                  key=lambda row: (row["case"], row["testee"], row["backend"]))
    return {"summary": summarise(parts), "results": rows}


def report(paths, json_file, tell):
    """--merge: prints the sum, writes it if asked; true when nothing in it is bad."""
    merged = merge(paths)
    summary = merged["summary"]
    if json_file:
        with open(json_file, "w", encoding="utf-8") as file:
            json.dump(merged, file, indent=1)
            file.write("\n")
    coverage.report(summary["oracle_coverage"], tell)
    for text in summary["problems"]:
        tell("FAILED: " + text)
    for row in merged["results"]:
        if row["verdict"] not in GOOD:
            tell("%s %s: %s on %s" % (row["verdict"], row["case"], row["testee"], row["backend"]))
    tell("merged %d files: cases %d  rules %d  oracles %d  %s  %.1f s" % (
        len(paths), summary["cases"], len(summary["rules_covered"]), len(summary["oracles"]),
        "  ".join("%s %d" % (name, count) for name, count in summary["verdicts"].items() if count or name in GOOD),
        summary["seconds"]))
    return not summary["problems"] and all(summary["verdicts"][name] == 0 for name in NAMES if name not in GOOD)
