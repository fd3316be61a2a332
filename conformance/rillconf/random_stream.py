# SPDX-License-Identifier: MIT
"""Random scripts of one stream: what its reader and its writer are asked while the peer sends, reads and ends.

A script has the operations that were drawn for it and no others (swarm testing): a script that never cancels and never
ends goes deeper into limits than one in which anything may happen at any time.
"""
LETTERS = "abc"
SEPARATORS = ("\n", "\n", "\r\n", "a", "ab", "aab", ";;")
READING = ("read", "read-all", "readexactly", "readuntil", "tuple", "readline", "iterate")
AROUND_READING = ("ask", "several", "cancel", "timeout", "error", "end", "pause", "go")
WRITING = ("window", "marks", "write", "writelines", "drain", "write-eof", "close", "wait-closed", "abort", "sizes")
AROUND_WRITING = ("partial-read", "several", "cancel", "timeout", "error", "end", "go", "wait-closed", "lost-writes")

# Pairs of features that would only show again what rill mends on purpose (the row of the specification): never both.
CONFLICTS = (
    ("read-all", "cancel", "Q-17"), ("read-all", "timeout", "Q-17"), ("read-all", "error", "Q-17"),
    ("read-all", "close", "Q-17"),
    ("writelines", "window", "Q-07"), ("writelines", "close", "Q-10"), ("writelines", "abort", "Q-10"),
    ("writelines", "error", "Q-10"), ("writelines", "end", "Q-10"), ("writelines", "lost-writes", "Q-10"),
)


def quoted(text):
    return '"%s"' % "".join({"\n": "\\n", "\r": "\\r"}.get(char, char) for char in text)


class Stream:
    """Draws the lines of one script; `sketch` takes them."""

    def __init__(self, sketch, draw, by_hand, reading, writing, without=()):
        self.sketch, self.draw, self.by_hand = sketch, draw, by_hand
        self.features = self.draw_features(reading, writing) - set(without)
        self.limit = draw.one((1, 2, 3, 4, 5, 8, 12, None)) if reading else draw.one((3, None, None))
        self.separators = draw.sample(SEPARATORS, 1 + draw.below(3))
        self.high, self.low = draw.weighted([(1, 0), (1, 1), (2, 4), (2, 8), (1, 16)]), 0
        self.written = self.count = self.sent = 0
        self.reads, self.drains = [], []
        self.alone = self.has("go", "read-all") # one task reads: a second would meet
        self.rest = ""              # what must follow for the separator that was begun to be whole
        self.ended = self.closed = self.eof_written = self.windowed = False

    # what there is

    def draw_features(self, reading, writing):
        draw, chosen = self.draw, []
        if reading:
            chosen += draw.some(READING, 40) or [draw.one(READING)]
            chosen += draw.some(AROUND_READING, 40)
        if writing:
            chosen += ["write"] + draw.some(WRITING, 50) + draw.some(AROUND_WRITING, 35)
        chosen = set(chosen)
        if self.by_hand:
            chosen -= {"pause"}
        for one, other, _ in CONFLICTS:
            if one in chosen and other in chosen:
                chosen.discard(draw.one((one, other)))
        return chosen

    def has(self, *names):
        return any(name in self.features for name in names)

    def moves(self):
        """[(weight, method)] of this script; each weight is drawn too."""
        has, table = self.has, []

        def may(weight, method, *features):
            if not features or has(*features):
                table.append((weight * self.draw.one((1, 1, 2, 4)), method))
        if has(*READING):
            may(6, self.read_call)
            may(6, self.peer_sends)
        may(1, self.end, "end")
        may(1, self.error, "error")
        may(2, self.cancel, "cancel")
        may(2, self.clock, "timeout")
        may(1, self.pause, "pause")
        may(1, self.ask, "ask")
        may(6, self.write_call, "write", "writelines")
        may(3, self.drain, "drain")
        may(2, self.window, "window")
        may(2, self.marks, "marks")
        may(3, self.peer_reads, "write")
        may(1, self.write_eof, "write-eof")
        may(1, self.close, "close")
        may(1, self.wait_closed, "wait-closed")
        may(1, self.abort, "abort")
        may(1, self.sizes, "sizes")
        return table

    def fill(self, budget):
        if self.limit is not None:
            self.sketch.header.append("limit   %d" % self.limit)
        if self.by_hand:
            self.sketch.header.append("with    reader")
        if self.has("window"):
            self.window()
            if self.has("marks") or self.draw.chance(70):
                self.marks()
        moves = self.moves()
        for _ in range(8 * budget):         # some moves add nothing: what was ended does not end again
            if len(self.sketch.lines) < budget:
                self.draw.weighted(moves)()
        if not self.sketch.lines:
            self.sketch.op("app", self.task("q", "at_eof"))
        self.exclude()

    def exclude(self):
        """Backends on which a script would only show again where rill knowingly differs there."""
        sketch = self.sketch
        if self.by_hand:
            return
        if self.has("window", "marks", "sizes"):
            sketch.exclude("tls", "water marks count what lies below TLS (Q-45, Q-20)")
        if self.has("close", "abort", "pause", "error"):
            sketch.exclude("tls", "what comes behind the end is discarded, a second close does nothing (Q-05, Q-21, Q-70)")
        if self.has("write-eof"):
            sketch.exclude("tls", "TLS has no half-close")
        if self.has("error"):
            sketch.exclude("pair unix", "Unix sockets have no RST")

    # operations of the reader

    def task(self, letter, statement, catch=""):
        self.count += 1
        return "%s%d = %s%s" % (letter, self.count, catch, statement)

    def size(self):
        """Sizes around what decides: the limit, twice the limit, one."""
        limit = self.limit or 6
        near = (0, 1, 1, 2, 3, limit - 1, limit, limit + 1, 2 * limit - 1, 2 * limit, 2 * limit + 1, 3 * limit)
        return min(max(0, self.draw.one(near)), 40)

    def read_statement(self):
        draw = self.draw
        kind = draw.one([name for name in READING if name in self.features] or ["read"])
        if kind == "read-all":
            return "read"
        if kind in ("readline", "iterate"):
            return kind
        if kind in ("read", "readexactly"):
            return "%s %d" % (kind, self.size() if not draw.chance(3) else -draw.below(2) if kind == "readexactly" else 0)
        if kind == "tuple":
            chosen = draw.sample(self.separators + ["b", "\n"], 1 + draw.below(3)) if not draw.chance(4) else draw.one(([], ["", "a"]))
            self.sketch.needs.add("tuple-separator")
            return "readuntil (%s)" % ", ".join([quoted(text) for text in dict.fromkeys(chosen)])
        return "readuntil %s" % quoted(draw.one(self.separators))

    def limited(self, statement):
        """The statement, maybe with a time limit around it."""
        if not self.has("timeout") or self.draw.chance(50):
            return statement
        if self.draw.chance(60):
            return "wait_for %d %s" % (self.draw.below(4), statement)
        self.sketch.needs.add("timeout-scope")
        return "timeout %d { %s }" % (1 + self.draw.below(3), self.task("i", statement))

    def read_call(self):
        if self.reads and self.alone:
            return self.ask() if self.ended else self.peer_sends()
        calls = 1 + (self.draw.below(5 if self.alone else 3) if self.has("several") else 0)
        catch = "catch " if self.has("cancel") and self.draw.chance(25) else ""
        statements = [self.task("r", self.limited(self.read_statement()), catch) for _ in range(calls)]
        self.reads.append(statements[0].split(" ")[0])
        self.sketch.op("app", "; ".join(statements), self.hasty())

    def hasty(self):
        return self.has("go") and self.draw.chance(25)

    def chunk(self):
        """Bytes of few kinds, with separators whole, at the end, or cut at any place."""
        draw, text = self.draw, self.rest if self.draw.chance(85) else ""
        self.rest = ""
        size = max(1, self.size())
        while len(text) < size:
            text += draw.one(LETTERS)
        separator = draw.one(self.separators)
        kind = draw.weighted([(3, "none"), (4, "end"), (2, "inside"), (2, "cut")])
        if kind == "end":
            text += separator
        elif kind == "inside":
            at = draw.below(len(text))
            text = text[:at] + separator + text[at:]
        elif kind == "cut" and len(separator) > 1:
            at = 1 + draw.below(len(separator) - 1)
            text, self.rest = text + separator[:at], separator[at:]
        return text

    def peer_sends(self):
        if self.ended and not (self.by_hand and self.draw.chance(30)):
            return self.read_call()
        self.sent += 1
        data = quoted(self.chunk())
        if self.by_hand:
            return self.sketch.op("app", self.draw.one(("feed_data ", "f%d = feed_data " % self.sent)) + data, self.hasty())
        return self.sketch.op("peer", "send " + data, self.hasty())

    def end(self):
        if self.draw.chance(50) or self.ended:
            return
        self.ended = True
        if self.by_hand:
            return self.sketch.op("app", "feed_eof", self.hasty())
        how = self.draw.weighted([(3, "shutdown"), (1, "close")])
        if how == "close" and (self.has("read-all") or not self.has("lost-writes") and self.has("write")):
            how = "shutdown"        # unread bytes make the kernel answer with RST: Q-17
        return self.sketch.op("peer", how, self.hasty())

    def error(self):
        if self.draw.chance(60) or (self.ended and not self.by_hand):
            return
        if self.by_hand:
            return self.sketch.op("app", self.draw.one(('set_exception ConnectionResetError "gone"', "set_exception OSError EIO",
                                                        "set_exception OSError EIO" if self.reads else "set_exception none")), self.hasty())
        self.ended = True
        return self.sketch.op("peer", "reset", self.hasty())

    def cancel(self):
        tasks = self.reads[-2:] + self.drains[-2:]
        if tasks:
            self.sketch.op("app", self.task("c", "cancel %s" % self.draw.one(tasks)), self.hasty())

    def clock(self):
        self.sketch.op("clock", "advance %s" % self.draw.one(("1s", "1s", "2s", "0.5s", "3s")))

    def pause(self):
        self.sketch.op("app", self.draw.one(("pause_reading", "resume_reading", self.task("q", "is_reading"))), self.hasty())

    def ask(self):
        self.sketch.op("app", self.task("q", self.draw.one(("at_eof", "exception"))))

    # operations of the writer

    def fresh(self, size):
        """Bytes that tell their place, so that a lost or doubled one shows."""
        text = "".join(chr(ord("a") + (self.written + index) % 26) for index in range(size))
        self.written += size
        return text

    def write_size(self):
        return max(0, self.draw.one((0, 1, 1, 2, 3, 5, self.high, self.high + 1, self.high - 1, self.low, self.low + 1, 2 * self.high + 2)))

    def write_statement(self):
        if self.has("writelines") and (self.draw.chance(50) or not self.has("write")):
            return "writelines [%s]" % ", ".join([quoted(self.fresh(1 + self.draw.below(4))) for _ in range(self.draw.below(4))])
        return self.task("w", "write " + quoted(self.fresh(self.write_size())))

    def write_call(self):
        if self.closed and not self.has("lost-writes") and self.draw.chance(80):
            return self.peer_reads()
        statements = [self.write_statement() for _ in range(1 + (self.draw.below(3) if self.has("several") else 0))]
        if self.closed and self.has("lost-writes"):
            statements *= 1 + self.draw.below(5)
        if self.has("drain") and self.draw.chance(40):
            statements.append(self.task("d", "drain"))
        return self.sketch.op("app", "; ".join(statements), self.hasty())

    def drain(self):
        statement = self.task("d", self.limited("drain"))
        self.drains.append(statement.split(" ")[0])
        self.sketch.op("app", statement, self.hasty())

    def window(self):
        size = self.draw.one(("0", "0", "1", "3", str(self.low + 1), str(self.high), "20", "none"))
        self.sketch.op("peer", "window " + size)

    def marks(self):
        draw = self.draw
        high, self.high = self.high, draw.one((0, 1, 4, 8, 10, 16))
        self.low = draw.below(self.high + 1)
        words = draw.weighted([(4, "high=%d low=%d" % (self.high, self.low)), (2, "high=%d" % self.high), (1, "low=%d" % self.low),
                               (1, "high=%d low=%d" % (self.low, self.high + 1))])
        self.high = self.high or high
        label = self.task("m", "") if draw.chance(30) else ""
        self.sketch.op("app", "%sset_write_buffer_limits %s" % (label, words), self.hasty())

    def peer_reads(self):
        size = " %d" % self.draw.one((1, 1, 2, 3, 5, self.low + 1, self.high, 10)) if self.has("partial-read") else ""
        self.sketch.op("peer", "read" + size)

    def write_eof(self):
        if self.draw.chance(60):
            self.sketch.needs.add("half-close")
            self.sketch.op("app", self.draw.one((self.task("e", "write_eof"), self.task("e", "can_write_eof"))), self.hasty())

    def close(self):
        if self.draw.chance(50):
            self.closed = True
            self.sketch.op("app", self.draw.one(("close", self.task("k", "close"), "close; " + self.task("q", "is_closing"))), self.hasty())
            if self.has("window") and self.draw.chance(25):     # while it still flushes, maybe
                self.sketch.op("app", "abort")

    def wait_closed(self):
        """A task of its own that nobody cancels and no time limits (Q-11)."""
        self.sketch.op("app", self.task("z", "wait_closed"), self.hasty())

    def abort(self):
        if self.draw.chance(30):
            self.closed = True
            self.sketch.op("app", "abort", self.hasty())

    def sizes(self):
        self.sketch.op("app", self.task("q", self.draw.one(("get_write_buffer_size", "get_write_buffer_limits", "is_closing"))))
