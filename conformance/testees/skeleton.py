#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The smallest useful testee: what PROTOCOL.md asks for, for readers and writers over a socket pair. Begin yours here.

It plays asyncio's own streams. To judge others, in any language, keep the shape and exchange what stands between the two
rulers: how a loop is run and settled, a connection made over a socket, a call made. What it does not know it skips (time,
servers, TLS ...), so it is right from the first day and grows by the calls that it learns.
usage: tools/conform --testee 'python3 conformance/testees/skeleton.py'
"""
import array
import asyncio
import errno
import fcntl
import json
import logging
import os
import platform
import socket
import struct
import sys
import termios

PEER_OPERATIONS = ("send", "read", "shutdown", "close", "window")
TURNS = 8           # of the loop without anything new, and it has settled: nothing here needs more


class Skip(Exception):
    """What this testee cannot do; found before anything is done."""


def send(event, case=None):
    if case is not None and case.muted:
        return
    if case is not None:
        event["step"] = case.step
    body = json.dumps(event).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    if event["ev"] in ("hello", "step", "skip", "end"):
        sys.stdout.buffer.flush()


def to_bytes(value):
    parts = [[1, value]] if isinstance(value, str) else value
    return b"".join(count * text.encode("latin-1") for count, text in parts)


# ---- the library under test: the part to exchange --------------------------------------------------------------------

CALLS = {
    "read": lambda case, call: case.reader.read(call.get("n", -1)),
    "readline": lambda case, call: case.reader.readline(),
    "readexactly": lambda case, call: case.reader.readexactly(call["n"]),
    "readuntil": lambda case, call: case.reader.readuntil(to_bytes(call.get("separator", "\n"))),
    "at_eof": lambda case, call: case.reader.at_eof(),
    "feed_data": lambda case, call: case.reader.feed_data(to_bytes(call["bytes"])),
    "feed_eof": lambda case, call: case.reader.feed_eof(),
    "write": lambda case, call: case.writer.write(to_bytes(call["bytes"])),
    "drain": lambda case, call: case.writer.drain(),
    "write_eof": lambda case, call: case.writer.write_eof(),
    "close": lambda case, call: case.writer.close(),
    "wait_closed": lambda case, call: case.writer.wait_closed(),
    "is_closing": lambda case, call: case.writer.is_closing(),
    "abort": lambda case, call: case.writer.transport.abort(),
    "cancel": lambda case, call: case.tasks[call["task"]].cancel(),
    "log": lambda case, call: send({"ev": "mark", "text": call["text"]}, case),
}


def describe(error):
    """Class, text and fields of an exception."""
    fields = {"class": type(error).__name__, "text": str(error)}
    for key in ("partial", "expected", "consumed"):
        if hasattr(error, key):
            fields[key] = error.partial.decode("latin-1") if key == "partial" else getattr(error, key)
    if getattr(error, "errno", None):
        fields["errno"] = errno.errorcode[error.errno]
    return fields


class Connection:
    """Reader and writer over one end of a socket pair; each pause and resumption is told as it happens."""

    async def open(self, sock, limit):
        options = {} if limit is None else {"limit": limit}
        self.reader, self.writer = await asyncio.open_connection(sock=sock, **options)
        transport = self.writer.transport
        for owner, names in ((transport, ("pause_reading", "resume_reading")),
                             (transport.get_protocol(), ("pause_writing", "resume_writing"))):
            for name in names:
                self.watch(owner, name)

    def watch(self, owner, name):
        right = getattr(owner, name)
        setattr(owner, name, lambda: (send({"ev": "flow", "conn": 1, "call": name}, self), right())[1])

    def state(self):
        protocol = self.writer.transport.get_protocol()
        waiters = getattr(protocol, "_drain_waiters", None) or filter(None, [getattr(protocol, "_drain_waiter", None)])     # <=3.9: one
        return {"buffer": len(self.reader._buffer), "paused": self.reader._paused, "at_eof": self.reader.at_eof(),
                "closing": self.writer.is_closing(), "write": self.writer.transport.get_write_buffer_size(),
                "drains": sum(not waiter.done() for waiter in waiters)}


# ---- a case ------------------------------------------------------------------------------------------------------------

class Case(Connection):
    def __init__(self, script):
        self.script, self.step, self.tasks, self.ended, self.peer_end = script, 0, {}, set(), "open"
        self.muted = False

    async def run(self):
        self.app, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        self.app.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        asyncio.get_running_loop().set_exception_handler(self.report)
        await self.open(self.app, self.script.get("limit"))
        for self.step, op in enumerate(self.script["ops"], 1):
            send({"ev": "step"}, self)
            await getattr(self, "op_" + op["op"])(op)
            if op.get("settle", True):
                await self.settle()
                self.tell_tasks()
                send(dict(self.state(), ev="state", conn=1), self)
        self.step += 1
        send({"ev": "step"}, self)
        await self.peer_read({})
        send({"ev": "pending", "tasks": [name for name, task in self.tasks.items() if not task.done()]}, self)
        self.muted = True       # the rest is closed unseen
        for task in self.tasks.values():
            task.cancel()
        if self.app.fileno() >= 0:
            self.writer.transport.abort()
        await self.settle()

    def report(self, loop, context):
        keys = sorted(set(context) - {"message"})
        told = {"class": type(context["exception"]).__name__} if "exception" in context else {}
        send(dict(told, ev="report", message=context["message"], keys=keys), self)

    async def settle(self):
        quiet = 0
        while quiet < TURNS:
            await asyncio.sleep(0)
            quiet = 0 if self.arriving() else quiet + 1

    def arriving(self):
        """The kernel barrier: bytes that the app's side still has to take. One that does not read takes nothing."""
        count = array.array("i", [0])
        if self.app.fileno() >= 0 and not self.writer.is_closing() and not self.reader._paused:
            fcntl.ioctl(self.app.fileno(), termios.FIONREAD, count)
        return count[0] > 0

    async def op_app(self, op):
        self.tasks[op["task"]] = asyncio.get_running_loop().create_task(self.calls(op["calls"]))

    async def calls(self, calls):
        for call in calls:
            try:
                value = CALLS[call["call"]](self, call)
                value = await value if asyncio.iscoroutine(value) else value
            except BaseException as error:
                mode = call.get("on_error", "go")
                send(dict(describe(error), ev="error", id=call["id"]), self)
                if mode == "throw" or (isinstance(error, asyncio.CancelledError) and mode != "catch"):
                    raise
            else:
                if value is not None or not call.get("quiet"):
                    found = {"bytes": value.decode("latin-1")} if isinstance(value, bytes) else {} if value is None else {"value": value}
                    send(dict(found, ev="result", id=call["id"]), self)

    def tell_tasks(self):
        for name, task in self.tasks.items():
            if task.done() and name not in self.ended:
                self.ended.add(name)
                if task.cancelled() or task.exception():
                    send({"ev": "task", "id": name, "how": "cancelled" if task.cancelled() else "raised"}, self)

    # the peer: a raw socket in this process

    async def op_peer(self, op):
        if op["do"] == "read":
            await self.peer_read(op)
        elif self.peer_end != "closed":
            try:
                {"send": lambda: self.peer.send(to_bytes(op["bytes"])), "shutdown": lambda: self.peer.shutdown(socket.SHUT_WR),
                 "close": self.close_peer, "window": lambda: None}[op["do"]]()
            except OSError:
                pass        # the app's side is gone

    def close_peer(self):
        self.peer_end = "closed"
        self.peer.close()

    async def peer_read(self, op):
        data, more = b"", True
        while more and self.peer_end == "open" and len(data) < op.get("n", sys.maxsize):
            await self.settle()
            try:
                piece = self.peer.recv(min(262144, op.get("n", sys.maxsize) - len(data)))
                self.peer_end = self.peer_end if piece else "fin"
                data += piece
            except ConnectionResetError:
                self.peer_end = "rst"
            except BlockingIOError:
                more = False
        send({"ev": "peer", "conn": 1, "bytes": data.decode("latin-1"), "end": self.peer_end}, self)


def check(script):
    """Before anything is performed: whatever this testee does not know, at any place of the script."""
    known = {"run", "backend", "with", "limit", "ops"}
    if script["backend"] != "pair" or script["with"] != "connection" or not set(script) <= known:
        raise Skip("only plain connections on pair")
    for op in script["ops"]:
        if op["op"] not in ("app", "peer") or op.get("conn", 1) != 1 or op.get("do", "send") not in PEER_OPERATIONS or "drop" in op:
            raise Skip("no operation %s" % op["op"])
        for call in op.get("calls", ()):
            odd = {"separators", "chain", "same"} & set(call) or call["call"] == "cancel" and (call["task"] == "self" or "text" in call)
            if odd or call["call"] not in CALLS:
                raise Skip("no call %s" % call["call"])


def main():
    send({"ev": "hello", "protocol": 1, "name": "skeleton", "version": platform.python_version(),
          "implementation": platform.python_implementation(), "capabilities": ["core", "half-close"], "backends": ["pair"]})
    while True:
        head = sys.stdin.buffer.read(4)
        script = json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]).decode()) if head else {"quit": True}
        if "quit" in script:
            return
        try:
            check(script)
        except Skip as reason:
            send({"ev": "skip", "reason": str(reason)})
            continue
        before, case = len(os.listdir("/proc/self/fd")), Case(script)
        log = logging.Handler(logging.WARNING)
        log.emit = lambda record: send({"ev": "log", "level": record.levelname, "text": record.getMessage()}, case)
        logging.getLogger("asyncio").handlers = [log]
        asyncio.run(case.run())
        case.peer.close()
        left = len(os.listdir("/proc/self/fd")) - before
        if left > 0:
            send({"ev": "leak", "step": case.step, "what": "descriptors", "count": left})
        send({"ev": "end", "step": case.step})


if __name__ == "__main__":
    main()
