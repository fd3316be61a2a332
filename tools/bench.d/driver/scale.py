# SPDX-License-Identifier: MIT
"""What an operation or a byte costs as work grows: connections, lines, limits, single bytes. Flat is the goal."""
import json
import resource
import statistics
import subprocess

from . import alone, measure, peers, works

CONNECTIONS = (1, 10, 100, 1000, 10000, 50000)
LINES = (16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
LIMITS = (1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216)
BYTEWISE = (16, 64, 1024, 16384, 65536, 262144, 1048576)
SUM = 16 << 20           # bytes of a measured reader run
BYTEWISE_SUM = 1 << 20   # of single ones
PIECE = 64 * 1024
LARGEST_LIMIT = 16 << 20
MANY = 5000              # so many connections need longer windows: each is to have its turn
ROUNDS = 5
MANY_ROUNDS = 3


def _split(wanted):
    """So many connections by as few servers as the descriptor limit allows."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    each = wanted if soft == resource.RLIM_INFINITY else soft - measure.SPARE_DESCRIPTORS
    servers = -(-wanted // each)
    return [wanted // servers + (number < wanted % servers) for number in range(servers)], soft


def _together(setup, options, peer, work, shares):
    """One window of as many servers, each with its share of connections: the sum of what they measured."""
    seconds = options.seconds if sum(shares) < MANY else 2.0
    warmup = options.warmup if sum(shares) < MANY else 2.0
    servers = []
    try:
        for _ in shares:
            servers.append(measure.Server(setup, peer, work).__enter__())
        loads = [subprocess.Popen(measure.load_command(setup, server, work, share, warmup, seconds), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, universal_newlines=True, preexec_fn=measure.pin(setup.load_cpu))
                 for server, share in zip(servers, shares)]
        answers = [load.communicate(timeout=120) for load in loads]
    finally:
        for server in servers:
            server.__exit__()
    for load, answer in zip(loads, answers):
        if load.returncode != 0:
            raise measure.Failed("%s: %s" % (work.name, answer[1].strip()))
    windows = [json.loads(answer[0]) for answer in answers]
    return sum(window["server_cpu_s"] for window in windows) / sum(window["operations"] for window in windows)


def connections(setup, options, present, live):
    work = works.choose(["echo64"])[0]
    points = []
    for count in CONNECTIONS:
        shares, limit = _split(count)
        costs = {peer.name: [] for peer in present}
        for _ in range(ROUNDS if count < MANY else MANY_ROUNDS):
            for peer in present:
                live.say("scale: %d connections, %s" % (count, peer.name))
                costs[peer.name].append(1e6 * _together(setup, options, peer, work, shares))
        why = "" if len(shares) == 1 else "%d server processes: at most %d descriptors each" % (len(shares), limit)
        points += [{"peer": name, "x": count, "value": statistics.median(values), "why": why} for name, values in costs.items()]
    live.clear()
    return {"name": "connections", "what": "microseconds of server CPU for an echoed line, by connections", "points": points}


def _feed(setup, live, name, what, sizes, limit_of, piece, total):
    work = works.Alone(name, "bench-reader", [], what, None, "ns")
    points = []
    for size in sizes:
        live.say("scale: %s, %d" % (name, size))
        run = [str(word) for word in ("feed", ROUNDS, size, limit_of(size), piece, max(total, size) // size * size)]
        document = alone.run_words(setup, work, run)
        points.append({"peer": "rill", "x": size, "value": statistics.median(document["rill"]), "why": ""})
    live.clear()
    return {"name": name, "what": what, "points": points}


def socket_lines(setup, options, live, name, what, sizes, limit_of):
    """Over a connection: rill alone, since the raw server's limit is fixed."""
    peer = peers.find(["rill"], [], setup.folder)[0]
    points = []
    for size in sizes:
        live.say("scale: %s, %d" % (name, size))
        work = works.Work(name, "lines=%d" % size, 1, what, [works.Goal(works.RATIO, 0)], None, handler="lines=%d" % limit_of(size))
        costs = [_together(setup, options, peer, work, [1]) for _ in range(ROUNDS)]
        points.append({"peer": "rill", "x": size, "value": 1e9 * statistics.median(costs) / size, "why": ""})
    live.clear()
    return {"name": name, "what": what, "points": points}


def curves(setup, options, present, live):
    """All of them, each as soon as it is known."""
    yield connections(setup, options, present, live)
    yield socket_lines(setup, options, live, "socket-lines",
                       "nanoseconds of server CPU a byte, by bytes of a pipelined line (limit 16 MiB)", LINES, lambda size: LARGEST_LIMIT)
    yield socket_lines(setup, options, live, "socket-limits", "nanoseconds of server CPU a byte, by the limit, lines as long as it",
                       LIMITS, lambda size: size)
    yield _feed(setup, live, "lines", "the reader: nanoseconds a byte, by bytes of a line (limit 16 MiB, pieces of 64 KiB)", LINES,
                lambda size: LARGEST_LIMIT, PIECE, SUM)
    yield _feed(setup, live, "limits", "the reader: nanoseconds a byte, by the limit, lines as long as it (pieces of 64 KiB)", LIMITS,
                lambda size: size, PIECE, SUM)
    yield _feed(setup, live, "bytes", "the reader: nanoseconds a byte that comes alone, in a turn of its own, by bytes of a line",
                BYTEWISE, lambda size: LARGEST_LIMIT, 1, BYTEWISE_SUM)


def lines(curve):
    yield ""
    yield curve["what"]
    for point in curve["points"]:
        yield "  %-15s %12s %12.4g  %s" % (point["peer"], "{:,}".format(point["x"]), point["value"], point["why"])
