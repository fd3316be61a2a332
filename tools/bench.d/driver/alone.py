# SPDX-License-Identifier: MIT
"""Runs the programs that measure themselves (coroutines, the reader alone) and judges what they print."""
import json
import os
import statistics
import subprocess

from . import judge, measure, stats

BLOCK_BYTES = 65536         # bench-reader's
MILLION_NEEDS = 6 << 30     # bytes available, so that a million stacks disturb nobody
TRIES = 3
FEED = ["16777216", "1", "1048576"]  # limit, piece, sum: lines that come in single bytes
NOTHING = ["0", "0", "0"]


def _arguments(program, run, rounds):
    words = [str(word) for word in run]
    if program == "bench-coro":
        return words + [str(rounds)]
    return [words[0], str(rounds), words[1]] + (FEED if words[0] == "feed" else NOTHING)


def run_words(setup, work, words):
    """What the program printed."""
    command = [os.path.join(setup.folder, work.program)] + words
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                          preexec_fn=measure.pin(setup.server_cpu), timeout=300)
    if done.returncode != 0:
        raise measure.Failed("%s: %s" % (work.name, done.stderr.strip() or "%s failed" % command[0]))
    return json.loads(done.stdout)


def _run_once(setup, work, run, rounds):
    return run_words(setup, work, _arguments(work.program, run, rounds))


def run_program(setup, work, run, rounds):
    """(what it printed, what disturbed it). Again when it was disturbed: its rounds are too short to tell which one was."""
    for _ in range(TRIES):
        before = measure.steal_and_time()
        document = _run_once(setup, work, run, rounds)
        steal, seconds = (now - then for now, then in zip(measure.steal_and_time(), before))
        window = {"server_waited_s": 0, "load_waited_s": 0, "seconds": seconds, "steal_s": steal}
        disturbed = stats.why_disturbed(window, os.cpu_count())
        if not disturbed:
            break
    return document, disturbed


def _values(work, documents):
    """The figure of each round, in the work's unit."""
    if work.unit == "boost":
        return [ours / theirs for ours, theirs in zip(documents[0]["rill"], documents[0]["boost"])]
    if work.unit == "bytes":
        return [documents[0]["bytes"]]
    if work.unit == "GB/s":
        return [BLOCK_BYTES / max(round_ns) for round_ns in zip(*(document["rill"] for document in documents))]
    if work.unit == "times":
        return [long / short for short, long in zip(documents[0]["rill"], documents[1]["rill"])]
    return documents[0]["rill"]


def missing(work, setup):
    """Why a work cannot be measured here; "" when it can."""
    if work.unit == "bytes" and measure.available_memory() < MILLION_NEEDS:
        return "less than %d GiB of memory available" % (MILLION_NEEDS >> 30)
    if work.unit == "boost" and "boost" not in _run_once(setup, work, ["pairs", 1], 1):
        return "Boost.Context is not here; it needs libboost-context-dev"
    return ""


def _times(documents):
    """{whose: nanoseconds of each run}: medians."""
    return {who: [round(statistics.median(document[who]), 4) for document in documents]
            for who in ("rill", "boost", "hand") if who in documents[0]}


def measure_alone(setup, options, work):
    """(row or None, what was measured). Without a figure there is nothing to judge, hence no row."""
    rounds = options.rounds * work.more_rounds
    pairs = [run_program(setup, work, run, rounds) for run in work.runs]
    documents = [pair[0] for pair in pairs]
    disturbed = "; ".join(pair[1] for pair in pairs if pair[1])
    values = _values(work, documents)
    value = statistics.median(values)
    low, high = stats.bootstrap(values)
    measured = {"work": work.name, "peer": "rill", "base": work.unit, "ratio": value, "lo": low, "hi": high, "unit": work.unit,
                "rounds": len(values), "disturbed": disturbed, "times_ns": None if work.unit == "bytes" else _times(documents),
                "runs": work.runs}
    if work.unit == "bytes":
        measured["alive"], measured["unguarded"] = documents[0]["alive"], documents[0]["unguarded"]
    if work.figure is None:
        return None, measured
    enough = not disturbed and (options.rounds >= judge.ROUNDS_TO_JUDGE or work.unit == "bytes")
    part = judge.part({"boost": "time, to Boost.Context"}.get(work.unit, work.unit), value, low, high, work.figure,
                      work.resolution, work.better, enough)
    if work.unit == "bytes" and measured["unguarded"] > 0:
        part["reached"] = False
    row = {"work": work.name, "what": work.what, "base": work.unit, "ratio": value, "lo": low, "hi": high, "rounds": len(values),
           "disturbed_rounds": len(values) if disturbed else 0, "parts": [part], "reached": part["reached"]}
    return row, measured
