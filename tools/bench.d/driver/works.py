# SPDX-License-Identifier: MIT
"""What is measured, and the figures that rill is to reach: works on a server under load, and programs that measure themselves."""

RATIO, CALLS, USER, MEMORY, START = "ratio", "calls", "user", "memory", "start"
MORE_CALLS = 0.05  # than the raw server: what a few more turns of the loop are
MORE_USER = 1.4    # times the raw server's
TICKS = 0.15       # how well a clock that the kernel samples tells user time


class Goal:
    """One figure that decides on a row. `to`: the peer whose figure is compared with."""

    def __init__(self, kind, figure, resolution=0.0, to="raw"):
        self.kind = kind
        self.figure = figure
        self.resolution = resolution
        self.to = to


class Work:
    """One row of the table: a load, a number of connections, and goals, the first of which is the row's own."""

    def __init__(self, name, load, connections, what, goals, counted, handler=None, tls=False, rounds=None):
        self.name = name
        self.load = load  # the load generator's word for it
        self.handler = handler or load  # the servers' word for what they do
        self.connections = connections
        self.what = what
        self.goals = goals
        self.counted = counted  # operations of the shorter counting run; None: nothing to count
        self.tls = tls
        self.rounds = rounds  # no more: a size varies by a thousandth

    @property
    def of_memory(self):
        return self.goals[0].kind == MEMORY

    @property
    def groups(self):
        """What works are chosen by together, beside their own names."""
        return ("tls",) if self.tls else (self.load,)


class Alone:
    """A program that measures rill and its rival, if there is one, in turn, in one process: coroutines, the reader.

    `runs`: arguments of each of its runs; `figure_of(runs' documents)`: the rounds' values."""

    tls = False

    def __init__(self, name, program, runs, what, figure, unit, better="less", resolution=0.05, more_rounds=1):
        self.name = name
        self.program = program
        self.runs = runs
        self.what = what
        self.figure = figure  # None: it is reported and not judged
        self.unit = unit
        self.better = better
        self.resolution = resolution
        self.more_rounds = more_rounds  # of these short ones for each of --rounds

    @property
    def groups(self):
        return (self.name.split("-")[0],)


def _echo(name, connections, words, counted, *more):
    return Work(name, "echo", connections, "64-byte line echo (readline, write, drain), %s" % words,
                [Goal(RATIO, 0.97, 0.05), *more], counted)


def _pairs(count, figure=None, more_rounds=3):
    return Alone("coro-switch%d" % count, "bench-coro", [["pairs", count]],
                 "coroutines: resume and suspend, %s of them in turn, to Boost.Context's time" % "{:,}".format(count),
                 figure, "boost", more_rounds=more_rounds)


def _ring(count, figure=None, more_rounds=3):
    return Alone("coro-ring%d" % count, "bench-coro", [["ring", count]],
                 "coroutines: transfer in a ring of %s, to Boost.Context's time" % "{:,}".format(count),
                 figure, "boost", more_rounds=more_rounds)


TLS_IDLE = "TLS 1.3: memory of an idle connection that has echoed a line, 10,000 of them"
SEPARATORS = (4, 5, 14, 64)  # bytes
BYTEWISE = (1024, 262144)    # bytes of a line that comes in single bytes
WORKS = [
    _echo("echo1", 1, "1 connection", 2000),
    _echo("echo64", 64, "64 connections", 6400, Goal(RATIO, 1.0, 0.05, to="tokio"), Goal(CALLS, MORE_CALLS),
          Goal(USER, MORE_USER, TICKS)),
    _echo("echo1000", 1000, "1,000 connections", 10000),
    Work("lines", "lines", 1, "pipelined 64-byte lines, counted by the server", [Goal(RATIO, 1.00, 0.15)], 400000),
    Work("bulk", "bulk", 1, "bytes echoed (read(64 KiB), write, drain), in 64 KiB", [Goal(RATIO, 1.25, 0.3)], 2000),
    Work("readuntil", "messages", 1, 'pipelined 1 KiB messages, readuntil("\\r\\n\\r\\n"), counted by the server',
         [Goal(RATIO, 1.15, 0.15)], 40000),
    Work("tls-echo64", "echo", 64, "TLS 1.3: the same line echo, 64 connections", [Goal(RATIO, 1.12, 0.15)], 6400, tls=True),
    Work("tls-bulk", "bulk", 1, "TLS 1.3: bytes echoed (read(64 KiB), write, drain), in 64 KiB", [Goal(RATIO, 1.15, 0.3)], 500,
         tls=True),
    Work("tls-handshakes", "connections", 16, "TLS 1.3: connect, full handshake (P-256, X25519), one line, close",
         [Goal(RATIO, 1.15, 0.15)], 100, handler="echo", tls=True),
    Work("connections", "connections", 16, "connect, one line, close", [Goal(RATIO, 0.97, 0.15), Goal(CALLS, MORE_CALLS)], 1000,
         handler="echo"),
    Work("idle", "idle", 10000, "memory of an idle connection that has echoed a line, 10,000 of them",
         [Goal(MEMORY, 4.5 * 1024)], 200, handler="echo", rounds=1),
    Work("tls-idle", "idle", 10000, TLS_IDLE, [Goal(MEMORY, 20 * 1024)], 50, handler="echo", tls=True, rounds=1),
    Work("startup", "start", 1, "from fork to the first echoed line", [Goal(START, 7.0, 0.15)], None, handler="echo"),
    _pairs(1, 0.75), _pairs(64), _pairs(1024), _pairs(65536, more_rounds=1),
    _ring(64, 1.0), _ring(1024, 1.0), _ring(65536, more_rounds=1),
    Alone("coro-life", "bench-coro", [["life", 1]],
          "coroutines: create, run and destroy with a cached stack, to Boost.Context's time on stacks made before", 1.0, "boost",
          more_rounds=3),
    Alone("coro-million", "bench-coro", [["alive", 1000000]],
          "1,000,000 coroutines alive, each with a guard page: memory with page tables", 4.5e9, "bytes", resolution=0.0),
    Alone("reader-line", "bench-reader", [["line", 16]], "the reader alone: a 16-byte line out of a full 64 KiB buffer, a view",
          15.0, "ns"),
    Alone("reader-copied", "bench-reader", [["copied", 16]], "the same, copied", None, "ns"),
    Alone("reader-until", "bench-reader", [["separator", size] for size in SEPARATORS],
          "the reader alone: separators of %s bytes in header-like text, the slowest" % ", ".join(map(str, SEPARATORS)),
          10.0, "GB/s", better="more"),
    Alone("reader-bytes", "bench-reader", [["feed", size] for size in BYTEWISE],
          "the reader alone: one byte at a time, time per byte of lines of 256 KiB to that of 1 KiB; 1: linear", 1.25, "times",
          resolution=0.0),
]


def choose(names):
    """The works of these names, all without any; `echo` stands for all that begin with it, `tls` for all over TLS."""
    if not names:
        return list(WORKS)
    chosen = [work for work in WORKS if any(n == work.name or n in work.groups for n in names)]
    unknown = [n for n in names if not any(n == w.name or n in w.groups for w in WORKS)]
    if unknown:
        raise ValueError("no such work: %s (try --list)" % ", ".join(unknown))
    return chosen
