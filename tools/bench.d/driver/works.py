# SPDX-License-Identifier: MIT
"""What is measured: each work is a load, a number of connections, and the figure that rill is to reach."""


class Work:
    """One row of the table; `target` and `resolution` judge rill's ratio to the raw server."""

    def __init__(self, name, load, connections, what, target, resolution, counted, handler=None, tls=False, memory_target=None,
                 rounds=None):
        self.name = name
        self.load = load  # the load generator's word for it
        self.handler = handler or load  # the servers' word for what they do
        self.connections = connections
        self.what = what
        self.target = target
        self.resolution = resolution
        self.counted = counted  # operations of the shorter counting run
        self.tls = tls
        self.memory_target = memory_target  # bytes each connection may hold; the figure is then memory, not time
        self.rounds = rounds  # no more: a size varies by a thousandth

    @property
    def group(self):
        """What works are chosen by together, beside their own names."""
        return "tls" if self.tls else self.load


ECHO = "64-byte line echo (readline, write, drain), %s"
WORKS = [
    Work("echo1", "echo", 1, ECHO % "1 connection", 0.97, 0.05, 2000),
    Work("echo64", "echo", 64, ECHO % "64 connections", 0.97, 0.05, 6400),
    Work("echo1000", "echo", 1000, ECHO % "1,000 connections", 0.97, 0.05, 10000),
    Work("lines", "lines", 1, "pipelined 64-byte lines, counted by the server", 1.00, 0.15, 400000),
    Work("messages", "messages", 1, 'pipelined 1 KiB messages, readuntil("\\r\\n\\r\\n"), counted by the server', 1.15, 0.15, 40000),
    Work("bulk", "bulk", 1, "bytes echoed (read(64 KiB), write, drain), in 64 KiB", 1.25, 0.3, 2000),
    Work("connections", "connections", 16, "connect, one line, close", 0.97, 0.15, 1000, handler="echo"),
    Work("idle", "idle", 10000, "memory of an idle connection that has echoed a line, 10,000 of them", None, None, 200,
         handler="echo", memory_target=4.5 * 1024, rounds=1),
    Work("tls-echo64", "echo", 64, "TLS 1.3: the same line echo, 64 connections", 1.12, 0.15, 6400, tls=True),
    Work("tls-bulk", "bulk", 1, "TLS 1.3: bytes echoed (read(64 KiB), write, drain), in 64 KiB", 1.15, 0.3, 500,
         tls=True),
    Work("tls-handshakes", "connections", 16, "TLS 1.3: connect, full handshake (P-256, X25519), one line, close", 1.15, 0.15,
         100, handler="echo", tls=True),
    Work("tls-idle", "idle", 10000, "TLS 1.3: memory of an idle connection that has echoed a line, 10,000 of them", None, None,
         50, handler="echo", tls=True, memory_target=20 * 1024, rounds=1),
]


def choose(names):
    """The works of these names, all without any; `echo` stands for all that begin with it, `tls` for all over TLS."""
    if not names:
        return list(WORKS)
    chosen = [work for work in WORKS if any(n in (work.name, work.group) for n in names)]
    unknown = [n for n in names if not any(n in (w.name, w.group) for w in WORKS)]
    if unknown:
        raise ValueError("no such work: %s (try --list)" % ", ".join(unknown))
    return chosen
