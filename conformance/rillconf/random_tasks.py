# SPDX-License-Identifier: MIT
"""Random scripts of tasks (sleep, timeout, wait_for, gather, shield, groups, cancel) and of servers with their handlers."""
ERRORS = ('ValueError "x"', 'OSError EIO', 'RuntimeError "y"')


class Tasks:
    """Tasks that wait for time, for a reader and for each other; one awaits only older ones, so there are no circles."""

    def __init__(self, sketch, draw):
        self.sketch, self.draw = sketch, draw
        self.names, self.count = [], 0
        self.caught = False         # only once: the harness ends what is left by three cancellations
        self.kinds = draw.some(("timeout", "wait_for", "gather", "shield", "await", "wait", "group", "raise", "read", "spawn", "mark",
                                "uncancel"), 45)
        self.reading = False

    def name(self, letter):
        self.count += 1
        return "%s%d" % (letter, self.count)

    def seconds(self):
        return self.draw.one((0, 1, 1, 2, 3))

    def simple(self):
        if "read" in self.kinds and self.draw.chance(30):
            return "read %d" % (1 + self.draw.below(3))
        return "sleep %d" % self.seconds()

    def statement(self, depth=0):
        """One statement with its label."""
        draw, label = self.draw, self.name("s")
        kind = draw.one(self.kinds + ["sleep"]) if depth < 3 else "sleep"
        mode = draw.weighted([(6, ""), (1, "catch " if not self.caught else ""), (1, "throw ")])
        self.caught = self.caught or mode == "catch "
        older = draw.sample(self.names, 1 + draw.below(2))
        if kind == "timeout":
            self.sketch.needs.add("timeout-scope")
            return "%s = %stimeout %d { %s }" % (label, mode, self.seconds(), self.statements(depth + 1))
        if kind == "wait_for":
            return "%s = %swait_for %s %s" % (label, mode, draw.one((0, 1, 2, "none")), self.simple())
        if kind == "group":
            self.sketch.needs.add("task-group")
            group = self.name("g")
            return "%s = %sgroup { group_spawn %s %s { %s }; %s }" % (
                group, mode, group, self.name("t"), self.statements(depth + 2), self.statements(depth + 2))
        if kind == "spawn" and depth < 2:
            name = self.name("t")
            return "spawn %s { %s }" % (name, self.statements(depth + 1))
        if kind in ("await", "shield") and older:
            return "%s = %s%s %s" % (label, mode, kind, older[0])
        if kind == "gather" and older:
            return "%s = %sgather %s%s" % (label, mode, " ".join(older), draw.one(("", " collect")))
        if kind == "wait" and older:
            return "%s = %swait %s%s%s" % (label, mode, " ".join(older), draw.one(("", " first")), draw.one(("", " seconds=1")))
        if kind == "raise":
            return "%s = %sraise %s" % (label, mode, draw.one(ERRORS))
        if kind == "mark":
            return 'log "%s"' % label
        if kind == "uncancel":
            self.sketch.needs.add("uncancel")
            return "%s = %s" % (label, draw.one(("cancelling", "uncancel", "cancelling", "time")))
        return "%s = %s%s" % (label, mode, self.simple())

    def statements(self, depth=0):
        return "; ".join([self.statement(depth) for _ in range(1 + self.draw.below(3 if depth == 0 else 2))])

    def app(self):
        text = self.statements()
        self.sketch.op("app", text)
        first = text.split(" ")     # a task that is there for sure; what is spawned may never be
        if first[1] == "=":
            self.names.append(first[0])

    def cancel(self):
        if not self.names:
            return self.app()
        return self.sketch.op("app", "%s = cancel %s%s" % (self.name("c"), self.draw.one(self.names), ""))

    def fill(self, budget):
        moves = [(5, self.app), (self.draw.below(4), self.cancel),
                 (3, lambda: self.sketch.op("clock", "advance %s" % self.draw.one(("0.5s", "1s", "1s", "2s", "3s"))))]
        if "read" in self.kinds:
            moves.append((2, lambda: self.sketch.op("peer", 'send "%s"' % ("abcdef"[:1 + self.draw.below(4)]))))
        for _ in range(8 * budget):
            if len(self.sketch.lines) < budget:
                self.draw.weighted(moves)()


# Each closes, or ends by its error: when a writer is left to the collector is CPython's affair.
HANDLERS = ('x = readline; write "ok\\n"; close', 'x = read 3; y = read 3; write "abc"; d = drain; close', 'x = readexactly 4; close; z = wait_closed',
            'write "hello"; x = readline; close', 'x = read; write "bye"; close', 'sleep 1; write "late"; close; z = wait_closed',
            'x = throw readuntil ";"; throw raise ValueError "odd"', 'x = readline; abort', 'l = iterate; write "end"; close')


class Servers:
    """A server, a handler, a few clients that come, talk and go."""

    def __init__(self, sketch, draw):
        self.sketch, self.draw = sketch, draw
        self.clients = self.count = 0
        self.gone = set()

    def some(self):
        """A client that is still there, or none."""
        there = [number for number in range(1, self.clients + 1) if number not in self.gone]
        return self.draw.one(there) if there else None

    def peer(self, text, number):
        self.sketch.op("peer%s" % ("@%d" % number if number > 1 else ""), text)

    def connect(self):
        if self.clients < 3:
            self.clients += 1
            self.peer("connect", self.clients)

    def talk(self):
        number = self.some()
        if number:
            self.peer("send %s" % self.draw.one(('"ab"', '"abcd"', '"a;b\\n"', '"line\\n"', '"abcdefgh\\n"', '";"')), number)

    def read(self):
        number = self.some()
        if number:
            self.peer("read", number)

    def leave(self):
        number = self.some()
        if number:
            how = self.draw.one(("shutdown", "shutdown", "close"))
            if how == "close":
                self.peer("read", number)       # nothing unread: FIN, not RST
                self.gone.add(number)
            self.peer(how, number)

    def server(self):
        self.count += 1
        call = self.draw.weighted([(2, "server_close"), (2, "server_is_serving"), (1, "server_wait_closed"), (1, "server_sockets"),
                                   (1, "server_close_clients"), (1, "server_abort_clients")])
        if call.endswith("_clients"):
            self.sketch.needs.add("close-clients")
            self.sketch.exclude("tls", "the TLS layer is closed too (Q-30)")
            if self.clients > 1:
                return      # their order is that of a set
        self.sketch.op("app", "v%d = %s" % (self.count, call))

    def fill(self, budget):
        self.sketch.header.append("with    server")
        if self.draw.chance(50):
            self.sketch.header.append("limit   %d" % self.draw.one((1, 3, 5, 20)))
        self.sketch.header.append("handler %s" % self.draw.one(HANDLERS))
        self.sketch.exclude("tls", "what comes behind the end is discarded (Q-05)")
        moves = [(4, self.talk), (3, self.connect), (3, self.read), (1, self.leave), (2, self.server),
                 (1, lambda: self.sketch.op("clock", "advance 1s"))]
        self.connect()
        for _ in range(8 * budget):
            if len(self.sketch.lines) < budget:
                self.draw.weighted(moves)()
