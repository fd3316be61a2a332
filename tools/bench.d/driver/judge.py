# SPDX-License-Identifier: MIT
"""Which figures are reached. A row of the report is a work; its parts are the work's goals, and all of them decide."""
from . import stats, works

ROUNDS_TO_JUDGE = 21
CONNECTIONS_TO_JUDGE = 1000
WORDS = {works.RATIO: "rate, to %s", works.USER: "user time, to %s", works.CALLS: "system calls, beside %s",
         works.MEMORY: "KiB each", works.START: "ms"}


def is_reached(value, low, high, figure, resolution, better="more"):
    """The better end of the interval is at the figure, and the median is no further from it than can be told apart."""
    if better == "more":
        return high >= figure and value >= figure * (1 - resolution)
    return low <= figure and value <= figure * (1 + resolution)


def part(what, value, low, high, figure, resolution, better, enough=True):
    verdict = is_reached(value, low, high, figure, resolution, better) if enough else None
    return {"what": what, "value": value, "lo": low, "hi": high, "figure": figure, "resolution": resolution, "better": better,
            "reached": verdict}


def unmeasured(goal, what):
    return {"what": what, "value": None, "lo": None, "hi": None, "figure": None, "resolution": goal.resolution,
            "better": "more" if goal.kind == works.RATIO else "less", "reached": None}


def _judge_goal(goal, work, rounds, measured):
    """The part of one goal. measured: what is known of each peer in this work, by name."""
    rill = measured["rill"]
    enough = rill["rounds"] >= ROUNDS_TO_JUDGE and not rill.get("all_disturbed")
    what = WORDS[goal.kind] % goal.to if "%" in WORDS[goal.kind] else WORDS[goal.kind]
    if goal.kind == works.MEMORY:  # judged by any round, but not by a few connections, which pay for all
        each = rill["bytes_each"] / 1024
        return part(what, each, each, each, goal.figure / 1024, 0, "less", rill["connections"] >= CONNECTIONS_TO_JUDGE)
    if goal.kind == works.START:
        values = [window["server_cpu_s"] / window["operations"] * 1e3
                  for window in (one["windows"]["rill"] for one in stats.quiet_rounds(rounds, "rill", rill["base"]))]
        return part(what, rill["cpu_us"] / 1e3, *stats.bootstrap(values), goal.figure, goal.resolution, "less", enough)
    if goal.to not in measured:
        return unmeasured(goal, what)
    if goal.kind == works.RATIO:
        return part(what, *stats.compare(rounds, "rill", goal.to), goal.figure, goal.resolution, "more", enough)
    if goal.kind == works.USER:
        ratio = stats.compare_user(rounds, "rill", goal.to)
        return part(what, *ratio, goal.figure, goal.resolution, "less", enough) if ratio else unmeasured(goal, what)
    calls, theirs = rill["calls"], measured[goal.to]["calls"]
    if calls is None or theirs is None:
        return unmeasured(goal, what)
    return part(what, calls, calls, calls, round(theirs + goal.figure, 6), 0, "less")


def _whole(verdicts):
    """False as soon as one is; True only when every one is."""
    return False if False in verdicts else None if None in verdicts else True


def row(work, rounds, measured):
    """The row of a work that rill was measured in; `measured`: dicts of stats.row by peer."""
    parts = [_judge_goal(goal, work, rounds, measured) for goal in work.goals]
    figures = measured["rill"]
    return {"work": work.name, "what": work.what, "base": figures["base"], "ratio": figures["ratio"], "lo": figures["lo"],
            "hi": figures["hi"], "rounds": figures["rounds"], "disturbed_rounds": figures["disturbed_rounds"], "parts": parts,
            "reached": _whole([one["reached"] for one in parts])}
