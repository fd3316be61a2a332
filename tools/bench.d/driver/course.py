# SPDX-License-Identifier: MIT
"""The course of one work on servers: interleaved rounds, counting runs, and what they say of each peer."""
import os

from . import counts, judge, measure, stats, works

MORE_ROUNDS = 2  # at most so many times the rounds that were asked for, until so many are undisturbed


def _window(setup, options, peer, work):
    if work.goals[0].kind == works.START:
        return measure.run_starts(setup, peer, work, options.seconds)
    with measure.Server(setup, peer, work) as server:
        return measure.run_load(setup, server, work, options.warmup, options.seconds)


def run_round(setup, options, work, present, number, live):
    """One window of each peer. The order turns with the rounds, so that none is always first or after the same other."""
    turn = number % len(present)
    order = present[turn:] + present[:turn]
    if number // len(present) % 2:
        order.reverse()
    windows = {}
    for peer in order:
        live.say("%s: round %d, %s" % (work.name, number + 1, peer.name))
        windows[peer.name] = _window(setup, options, peer, work)
    whys = {peer.name: stats.why_disturbed(windows[peer.name], os.cpu_count(), peer.own_threads) for peer in present}
    return {"work": work.name, "round": number + 1, "disturbed": {name: why for name, why in whys.items() if why},
            "windows": windows}


def _judged(work, present):
    """Those whose rounds decide; whoever is there when rill is not."""
    named = ["rill", "raw"] + [goal.to for goal in work.goals]
    names = [peer.name for peer in present]
    return [name for name in names if name in named] if "rill" in names else names


def _run_rounds(setup, options, work, present, live):
    """As many rounds as were asked for, in which nobody that is judged was disturbed, if they are to be had."""
    judged = _judged(work, present)
    wanted = options.rounds if work.rounds is None else min(options.rounds, work.rounds)
    most = wanted if work.rounds is not None else MORE_ROUNDS * wanted
    rounds = []
    while len(rounds) < most and sum(stats.is_quiet(one, judged) for one in rounds) < wanted:
        rounds.append(run_round(setup, options, work, present, len(rounds), live))
    return rounds


def _count(setup, options, work, peer, live):
    """(calls by name or None, instructions or None) of one operation."""
    calls = instructions = None
    if work.counted is None:
        return calls, instructions
    live.say("%s: counting, %s" % (work.name, peer.name))
    if not options.no_calls:
        calls = counts.system_calls(setup, peer, work)
    if options.instructions and not peer.name.startswith(("asyncio", "uvloop")):
        instructions = counts.instructions(setup, peer, work)
    return calls, instructions


def measure_work(setup, options, work, present, live):
    """(row or None, what was measured of each peer, rounds) of one work. A row judges rill beside the raw server, or a size."""
    rounds = _run_rounds(setup, options, work, present, live)
    base = present[0].name
    measured = {}
    for peer in present:
        figures = stats.row(rounds, peer.name, base, work.of_memory)
        calls, instructions = _count(setup, options, work, peer, live)
        measured[peer.name] = dict(
            {"work": work.name, "peer": peer.name, "base": base}, **figures,
            all_disturbed=figures["disturbed_rounds"] == len(rounds),
            calls=None if calls is None else round(sum(calls.values()), 6), calls_by_name=calls, instructions=instructions)
    live.clear()
    judged = "rill" in measured and (base == "raw" or work.of_memory)
    return judge.row(work, rounds, measured) if judged else None, list(measured.values()), rounds
