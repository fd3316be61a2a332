# SPDX-License-Identifier: MIT
"""What one operation costs in counts that no neighbour disturbs: system calls (strace), instructions (Valgrind).

Each is the difference of two runs of N and 2N operations on a server of its own, so that start-up,
accepting and closing cancel out. Counting slows the server, so these runs are never timed.
"""
import re
import shutil
import tempfile

from . import measure


def _calls_of(text):
    """{name: calls} out of the table that strace -c prints."""
    calls = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0][0].isdigit() and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] = calls.get(words[-1], 0) + int(words[3])
    return calls


def _run(setup, peer, work, requests, wrapper):
    with measure.Server(setup, peer, work, wrapper) as server:
        operations = measure.run_load(setup, server, work, 0, 0, requests)["operations"]
    return operations, server.errors


def _strace(setup, peer, work, requests):
    with tempfile.NamedTemporaryFile("r") as table:
        operations, _ = _run(setup, peer, work, requests, ["strace", "-f", "-c", "-o", table.name])
        return operations, _calls_of(table.read())


def system_calls(setup, peer, work):
    """{name: calls per operation}; None without strace (or where it may not trace)."""
    if shutil.which("strace") is None:
        return None
    few, before = _strace(setup, peer, work, work.counted)
    many, after = _strace(setup, peer, work, 2 * work.counted)
    if not before:
        return None
    names = sorted(set(before) | set(after))
    rates = {name: (after.get(name, 0) - before.get(name, 0)) / (many - few) for name in names}
    return {name: round(rate, 6) for name, rate in rates.items() if abs(rate) > 1e-6}


def _collected(setup, peer, work, requests):
    wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    operations, errors = _run(setup, peer, work, requests, wrapper)
    match = re.search(r"Collected : (\d+)", errors)
    if match is None:
        raise measure.Failed("%s %s: Valgrind printed no sum" % (peer.name, work.name))
    return operations, int(match.group(1))


def instructions(setup, peer, work):
    """Instructions in user space per operation; None without Valgrind."""
    if shutil.which("valgrind") is None:
        return None
    few, before = _collected(setup, peer, work, work.counted)
    many, after = _collected(setup, peer, work, 2 * work.counted)
    return (after - before) / (many - few)
