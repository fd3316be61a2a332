# SPDX-License-Identifier: MIT
"""What is measured: each work is a load, a number of connections, and the figure that rill is to reach."""


class Work:
    """One row of the table; `target` and `resolution` judge rill's ratio to the raw server."""

    def __init__(self, name, load, connections, what, target, resolution, counted):
        self.name = name
        self.load = load  # the load generator's and the servers' word for it
        self.connections = connections
        self.what = what
        self.target = target
        self.resolution = resolution
        self.counted = counted  # operations of the shorter counting run


ECHO = "64-byte line echo (readline, write, drain), %s"
WORKS = [
    Work("echo1", "echo", 1, ECHO % "1 connection", 0.97, 0.05, 2000),
    Work("echo64", "echo", 64, ECHO % "64 connections", 0.97, 0.05, 6400),
    Work("echo1000", "echo", 1000, ECHO % "1,000 connections", 0.97, 0.05, 10000),
    Work("lines", "lines", 1, "pipelined 64-byte lines, counted by the server", 1.00, 0.15, 400000),
]


def choose(names):
    """The works of these names, all without any; `echo` stands for all that begin with it."""
    if not names:
        return list(WORKS)
    chosen = [work for work in WORKS if any(work.name == n or work.load == n for n in names)]
    unknown = [n for n in names if not any(n in (w.name, w.load) for w in WORKS)]
    if unknown:
        raise ValueError("no such work: %s (try --list)" % ", ".join(unknown))
    return chosen
