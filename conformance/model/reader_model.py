# SPDX-License-Identifier: MIT
"""A slow, obvious model of asyncio's StreamReader, from section 1 of docs/spec.md.

A call is a generator that yields where it must wait; feeding, ending and failing let the one that waits go on. It shares
nothing with model.c, which says the same in C: each is checked against the other, and this one against CPython.
"""

FOUND = "Separator is found, but chunk is longer than limit"
NOT_FOUND = "Separator is not found, and chunk exceed the limit"


class Failed(Exception):
    """A call ends with an exception: its class, its text, and what the class carries."""

    def __init__(self, kind, text, fields=""):
        super().__init__(text)
        self.kind, self.text, self.fields = kind, text, fields


class Overrun(Failed):
    def __init__(self, text, consumed):
        super().__init__("LimitOverrunError", text, ",consumed=%d" % consumed)
        self.consumed = consumed


class Incomplete(Failed):
    def __init__(self, partial, expected, nothing):
        word = nothing if expected is None else str(expected)
        super().__init__("IncompleteReadError", "%d bytes read on a total of %s expected bytes" % (len(partial), word),
                         ",partial=%s,expected=%d" % (partial.hex(), -1 if expected is None else expected))
        self.partial = partial


class Reader:
    def __init__(self, limit, transport, puts_back=False, nothing="undefined"):
        self.limit = limit
        self.transport = transport      # n: none, p: can pause, i: cannot
        self.puts_back = puts_back      # Q-17, as rill does
        self.nothing = nothing          # 3.7 says None
        self.buffer = b""
        self.eof = self.failed = self.paused = False
        self.waiting = None             # (number, generator)
        self.calls = 0
        self.flow = ""
        self.ended = ""

    # one operation

    def step(self, op):
        """Plays it; returns what is then seen, as conformance/model/observation.c prints it."""
        self.flow = self.ended = ""
        kind, argument = op
        if kind == "f":
            self.feed_data(argument)
        elif kind == "e":
            self.eof = True
            self.wake()
        elif kind == "x":
            self.failed = True
            self.throw(self.stored())
        elif kind == "k":
            self.failed = self.failed and self.waiting is not None
        elif kind == "c":
            self.throw(Failed("CancelledError", ""))
        else:
            self.calls += 1
            self.begin(self.calls, kind, argument)
        flags = [self.eof and "E", self.eof and not self.buffer and "A", self.paused and "P",
                 self.waiting and "W", self.failed and "X"]
        return "/".join([self.ended, self.buffer.hex(), "".join(flag for flag in flags if flag), self.flow])

    def feed_data(self, data):
        if self.eof:
            self.ended = "!AssertionError,feed_data after feed_eof"
        elif data:
            self.buffer += data
            if self.transport != "n" and not self.paused and len(self.buffer) > 2 * self.limit:
                self.flow += "P"
                if self.transport == "p":
                    self.paused = True
                else:
                    self.transport = "n"
            self.wake()

    # calls

    @staticmethod
    def stored():
        return Failed("ConnectionResetError", "gone")

    def begin(self, number, kind, argument):
        call = self.call(kind, argument)
        self.go_on(number, call, lambda: next(call))

    def wake(self):
        if self.waiting:
            number, call = self.waiting
            self.waiting = None
            self.go_on(number, call, lambda: next(call))

    def throw(self, error):
        if self.waiting:
            number, call = self.waiting
            self.waiting = None
            self.go_on(number, call, lambda: call.throw(error))

    def go_on(self, number, call, move):
        try:
            move()
            self.waiting = number, call
        except StopIteration as stop:
            self.ended = "%d=%s" % (number, stop.value.hex())
        except Failed as failed:
            self.ended = "%d!%s%s,%s" % (number, failed.kind, failed.fields, failed.text)

    def call(self, kind, argument):
        if kind == "r":
            return self.read(argument)
        if kind == "n":
            return self.readexactly(argument)
        return self.readline() if kind == "l" else self.readuntil(argument, kind == "t")

    def wait(self, method):
        if self.waiting:
            raise Failed("RuntimeError", method + "() called while another coroutine is already waiting for incoming data")
        if self.paused:
            self.resume()
        yield

    def resume(self):
        self.paused = False
        self.flow += "R"

    def take(self, count):
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        self.maybe_resume()
        return data

    def maybe_resume(self):
        if self.paused and len(self.buffer) <= self.limit:
            self.resume()

    def test_exception(self):
        if self.failed:
            raise self.stored()

    def read(self, n):
        self.test_exception()
        if n < 0:
            return (yield from self.read_to_eof())
        if n == 0:
            return b""
        if not self.buffer and not self.eof:
            yield from self.wait("read")
        return self.take(n)

    def read_to_eof(self):
        collected = b""
        try:
            while True:
                block = yield from self.read(self.limit)
                if not block:
                    return collected
                collected += block
        except Failed:
            if self.puts_back:
                self.buffer = collected + self.buffer
            raise

    def readexactly(self, n):
        if n < 0:
            raise Failed("ValueError", "readexactly size can not be less than zero")
        self.test_exception()
        if n == 0:
            return b""
        while len(self.buffer) < n:
            if self.eof:
                raise self.incomplete(n)
            yield from self.wait("readexactly")
        return self.take(n)

    def incomplete(self, expected):
        partial, self.buffer = self.buffer, b""
        return Incomplete(partial, expected, self.nothing)

    def readuntil(self, separators, is_tuple=False):
        if is_tuple and not separators:
            raise Failed("ValueError", "Separator should contain at least one element")
        lengths = sorted(len(separator) for separator in separators)
        if lengths[0] == 0:
            raise Failed("ValueError", "Separator should be at least one-byte string")
        self.test_exception()
        offset = 0
        while True:
            if len(self.buffer) - offset >= lengths[0]:
                ends = self.ends_of_matches(separators, offset)
                if ends:
                    break
                offset = max(0, len(self.buffer) + 1 - lengths[-1])
                if offset > self.limit:
                    raise Overrun(NOT_FOUND, offset)
            if self.eof:
                raise self.incomplete(None)
            yield from self.wait("readuntil")
        end, length = min(ends)
        if end - length > self.limit:
            raise Overrun(FOUND, end - length)
        return self.take(end)

    def ends_of_matches(self, separators, offset):
        starts = [(self.buffer.find(separator, offset), len(separator)) for separator in separators]
        return [(start + length, length) for start, length in starts if start >= 0]

    def readline(self):
        try:
            return (yield from self.readuntil((b"\n",)))
        except Incomplete as incomplete:
            return incomplete.partial
        except Overrun as overrun:
            line_ends = self.buffer[overrun.consumed:overrun.consumed + 1] == b"\n"
            self.buffer = self.buffer[overrun.consumed + 1:] if line_ends else b""
            self.maybe_resume()
            raise Failed("ValueError", overrun.text)


def play(script, puts_back=False, nothing="undefined"):
    """What is seen after each operation of a rillconf.codec.Script."""
    reader = Reader(script.limit, script.transport, puts_back, nothing)
    return [reader.step(op) for op in script.ops]
