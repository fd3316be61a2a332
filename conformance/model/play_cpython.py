# SPDX-License-Identifier: MIT
"""The StreamReader of the CPython that runs this (3.7 or later), playing scripts; a wrong one where an argument names it.

Reads lines of rillconf/codec.py from standard input; writes each with what was seen after every operation, as the models
do. The reader is asyncio's own, made by hand, over a transport that notes pauses.
"""
import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rillconf"))

import codec    # noqa: E402  (beside the package: its other modules need a later Python)

TESTEES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "testees")

TURNS = 4       # of the loop, until nothing more happens after one operation: a cancelled call needs three


class Transport:
    def __init__(self, can_pause):
        self.can_pause, self.flow = can_pause, ""

    def pause_reading(self):
        self.flow += "P"
        if not self.can_pause:
            raise NotImplementedError

    def resume_reading(self):
        self.flow += "R"


class Player:
    def __init__(self, script):
        self.reader = asyncio.StreamReader(limit=script.limit, loop=asyncio.get_event_loop())
        self.transport = Transport(script.transport == "p")
        if script.transport != "n":
            self.reader.set_transport(self.transport)
        self.tasks = []
        self.seen = set()

    def call(self, kind, argument):
        if kind == "r":
            return self.reader.read(argument)
        if kind == "n":
            return self.reader.readexactly(argument)
        if kind == "l":
            return self.reader.readline()
        return self.reader.readuntil(argument[0] if kind == "u" else argument)

    def do(self, kind, argument):
        reader = self.reader
        if kind == "f":
            reader.feed_data(argument)
        elif kind == "e":
            reader.feed_eof()
        elif kind == "x":
            reader.set_exception(ConnectionResetError(codec.EXCEPTION_TEXT))
        elif kind == "k":
            if reader._waiter is None:
                reader.set_exception(None)
        elif kind == "c":
            for task in self.tasks:
                task.cancel()
        else:
            self.tasks.append(asyncio.get_event_loop().create_task(self.call(kind, argument)))

    async def step(self, kind, argument):
        self.transport.flow = ended = ""
        try:
            self.do(kind, argument)
        except AssertionError as error:
            ended = "!AssertionError,%s" % error
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for number, task in enumerate(self.tasks, 1):
            if task.done() and number not in self.seen:
                self.seen.add(number)
                ended = "%d%s" % (number, outcome(task))
        reader = self.reader
        flags = [reader._eof and "E", reader.at_eof() and "A", reader._paused and "P", reader._waiter and "W",
                 reader.exception() and "X"]
        return "/".join([ended, bytes(reader._buffer).hex(), "".join(flag for flag in flags if flag), self.transport.flow])

    async def end(self):
        for task in self.tasks:
            task.cancel()
        for _ in range(TURNS):
            await asyncio.sleep(0)


def outcome(task):
    if task.cancelled():
        return "!CancelledError,"
    error = task.exception()
    if error is None:
        return "=" + task.result().hex()
    fields = ""
    if isinstance(error, asyncio.IncompleteReadError):
        fields = ",partial=%s,expected=%d" % (error.partial.hex(), -1 if error.expected is None else error.expected)
    elif isinstance(error, asyncio.LimitOverrunError):
        fields = ",consumed=%d" % error.consumed
    return "!%s%s,%s" % (type(error).__name__, fields, error)


def make_wrong(name):
    """One of the mistakes of testees/wrong_streams.py."""
    sys.path.insert(0, TESTEES)
    import wrong_streams
    next(mistake for mistake in wrong_streams.READING if mistake.name == name).make()


async def main():
    for line in sys.stdin:
        script = codec.from_line(line)
        player = Player(script)
        seen = [await player.step(kind, argument) for kind, argument in script.ops]
        await player.end()
        print("\t".join([line.rstrip("\n")] + seen))


if len(sys.argv) > 1:
    make_wrong(sys.argv[1])
asyncio.run(main())
