# SPDX-License-Identifier: MIT
"""A case as a Python program of its own, which shows what CPython does: asyncio alone, a few lines, no harness.

The peer is the other end of a socket pair (of a TCP connection, where it resets). `peer window` becomes a socket that
takes as much as the script lets it, `clock advance` moves the loop's time by hand. What no short program can show
(servers, TLS, faults, files) is refused.
"""
from .expr import unpack

SETTLE = """async def settle():
    for _ in range(50):
        await asyncio.sleep(0)
"""
APP = """async def run(calls):   # makes these calls and prints what they give
    for name, call in calls.items():
        try:
            result = call()
            print(name, "->", await result if hasattr(result, "__await__") else result)
        except (Exception, asyncio.CancelledError) as error:
            print(name, "!", repr(error))
            if %s:
                raise
def app(**calls):
    return asyncio.create_task(run(calls))
"""
END = "end"     # printed when the script is over; what still waits then is not cancelled, as asyncio.run would
WINDOW = """class Window(socket.socket):    # takes no more than there is room for at the peer
    room = float("inf")
    def send(self, data):
        if not self.room or not data:
            raise BlockingIOError
        sent = super().send(data[:int(min(self.room, len(data)))])
        self.room -= sent
        return sent
    def sendmsg(self, parts):
        return self.send(b"".join(parts))
"""
STATE = """def state():
    print("   at_eof", reader.at_eof(), "buffer", len(reader._buffer), "paused", reader._paused%s)
"""
WRITER_STATE = ', "closing", writer.is_closing(), "write", writer.transport.get_write_buffer_size(), "writing paused", writer._protocol._paused'
PEER_READ = """async def peer_read(most=1 << 20):
    got = b""
    while len(got) < most:
        await settle()
        try:
            more = peer.recv(most - len(got))
        except OSError as error:
            more = b"" if isinstance(error, BlockingIOError) else print("peer", repr(error))
        if not more:
            break
        got += more%s
    print("peer got", got)
"""
ADVANCE = """async def advance(seconds):
    until = loop.time() + seconds
    while loop._scheduled and min(timer._when for timer in loop._scheduled) <= until:
        now[0] = max(now[0], min(timer._when for timer in loop._scheduled))
        await settle()
    now[0] = until
    await settle()
"""
READER = "read readline readexactly readuntil at_eof exception feed_data feed_eof set_exception".split()
WRITER = "write writelines drain write_eof can_write_eof close wait_closed is_closing get_extra_info".split()
TRANSPORT = "abort pause_reading resume_reading is_reading get_write_buffer_size get_write_buffer_limits set_write_buffer_limits".split()


class NoProgram(Exception):
    """Why no short program shows this."""


def raw(value):
    return repr(unpack(value).encode("latin-1"))


class Program:
    def __init__(self, case, state):
        self.case, self.state = case, state
        self.writer = case.kind == "connection"
        self.tcp = any(step.op.get("do") == "reset" for step in case.steps)
        self.windows = any(step.op.get("do") == "window" for step in case.steps)
        self.clock = any(step.op["op"] == "clock" for step in case.steps)
        self.tasks = set()
        self.names = []
        self.modes = {"catch": [], "throw": []}     # the calls that have one of these words before them

    # calls, as expressions that give a result or a coroutine

    def call(self, call):
        name = call["call"]
        if name in READER:
            return "reader.%s(%s)" % (name, self.arguments(call))
        if name == "iterate":
            return "lines(%r)" % self.names[-1]
        if name in WRITER and self.writer:
            return "writer.%s(%s)" % (name, self.arguments(call))
        if name in TRANSPORT and self.writer:
            return "writer.transport.%s(%s)" % (name, self.arguments(call))
        if name == "sleep":
            return "asyncio.sleep(%g)" % call["seconds"]
        if name == "wait_for":
            return "asyncio.wait_for(%s, %s)" % (self.call(call["inner"]), call["seconds"])
        if name == "cancel" and call["task"] in self.tasks:
            return "%s.cancel()" % call["task"]
        if name == "timeout":
            return "limited(%s, %s)" % (call["seconds"], self.calls(call["body"]))
        if name in ("shield", "await") and call["task"] in self.tasks:
            return "asyncio.shield(%s)" % call["task"] if name == "shield" else call["task"]
        if name == "gather" and set(call["tasks"]) <= self.tasks:
            return "asyncio.gather(%s)" % ", ".join(call["tasks"] + ["return_exceptions=True"] * call.get("collect", False))
        if name == "raise":
            return "fail(%s)" % self.error(call)
        if name == "time":
            return "loop.time()"
        raise NoProgram("no short program for `%s`" % name)

    @staticmethod
    def error(call):
        if "errno" in call:
            return "%s(errno.%s, os.strerror(errno.%s))" % (call["class"], call["errno"], call["errno"])
        return "%s(%s)" % (call["class"], repr(call["text"]) if "text" in call else "")

    @staticmethod
    def arguments(call):
        if "separators" in call:
            return "(%s,)" % ", ".join(map(raw, call["separators"])) if call["separators"] else "()"
        for key in ("separator", "bytes"):
            if key in call:
                return raw(call[key])
        if "list" in call:
            return "[%s]" % ", ".join(map(raw, call["list"]))
        if call["call"] == "set_exception":
            return Program.error(call) if "class" in call else "None"
        if "name" in call:
            return repr(call["name"])
        return ", ".join([str(call["n"])] if "n" in call else ["%s=%d" % (key, call[key]) for key in ("high", "low") if key in call])

    # operations, as lines of main

    def operation(self, op):
        if op["op"] == "app":
            calls = self.calls(op["calls"])
            self.tasks.add(op["task"])
            return "%s = app(%s)" % (op["task"], calls)
        if op["op"] == "clock":
            return "await advance(%g)" % op["seconds"]
        if op["op"] == "peer" and op.get("conn", 1) == 1 and self.writer:
            return self.peer(op)
        raise NoProgram("no short program for `%s`" % op["op"])

    def calls(self, calls):
        """These calls as keyword arguments."""
        told = []
        for call in calls:
            name = self.name(call["id"])
            self.modes.get(call.get("on_error"), []).append(name)
            told.append("%s=lambda: %s" % (name, self.call(call)))
        return ", ".join(told)

    def ends_a_task(self):
        """The condition under which an error ends the task that made the call."""
        ends = "isinstance(error, asyncio.CancelledError)"
        if self.modes["catch"]:
            ends += " and name not in %r" % self.modes["catch"]
        return "name in %r or %s" % (self.modes["throw"], ends) if self.modes["throw"] else ends

    def name(self, label):
        """The call's name as a keyword; one that comes again gets a number."""
        label = label.replace(".", "_")
        again = sum(name == label or name.startswith(label + "_again") for name in self.names)
        self.names.append(label + ("_again%d" % again if again else ""))
        return self.names[-1]

    def peer(self, op):
        do = op["do"]
        if do == "send":
            return "peer.send(%s)" % raw(op["bytes"])
        if do == "shutdown":
            return "peer.shutdown(socket.SHUT_WR)"
        if do == "close":
            return "peer.close()"
        if do == "reset":
            return 'peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); peer.close()'
        if do == "read":
            return "await peer_read(%s)" % op.get("n", "")
        if do == "window":
            return "await window(%s)" % op.get("n", 'float("inf")')
        raise NoProgram("no short program for `peer %s`" % do)

    def main(self):
        limit = "limit=%d" % self.case.limit if self.case.limit is not None else ""
        if not self.writer:
            yield "reader = asyncio.StreamReader(%s)" % limit
        else:
            if self.tcp:
                yield 'listener = socket.create_server(("127.0.0.1", 0))'
                yield "ours, peer = socket.create_connection(listener.getsockname()), listener.accept()[0]"
            else:
                yield "ours, peer = socket.socketpair()"
            if self.windows:
                yield "ours = Window(fileno=ours.detach())"
            yield "peer.setblocking(False)"
            yield "reader, writer = await asyncio.open_connection(sock=ours%s)" % (", " + limit if limit else "")
        if self.clock:
            yield "loop, now = asyncio.get_running_loop(), [0.0]"
            yield "loop.time = lambda: now[0]"
        for step in self.case.steps:
            line = self.operation(step.op)
            if step.op.get("settle", True) and not line.startswith("await"):
                line += "; await settle()"
            yield line + ("; state()" if self.state else "")
        yield 'print("%s", flush=True); os._exit(0)' % END

    def text(self):
        if self.case.kind not in ("connection", "reader") or self.case.tls.declared():
            raise NoProgram("no short program `with %s`" % self.case.kind)
        body = ["    " + line for line in self.main()]
        script = "\n".join(body)
        modules = ["asyncio"] + [name for name in ("errno", "os", "socket", "struct") if name + "." in script + WINDOW * self.windows]
        chunks = ["import " + ", ".join(modules), "", SETTLE + APP % self.ends_a_task()]
        if self.windows:
            chunks[-1] += WINDOW
            chunks[-1] += "async def window(room):\n    ours.room = room\n    await settle()\n"
        if "peer_read(" in script:
            chunks[-1] += PEER_READ % ("\n        ours.room += len(more)" if self.windows else "")
        if self.clock:
            chunks[-1] += ADVANCE
        if self.state:
            chunks[-1] += STATE % (WRITER_STATE if self.writer else "")
        if "lines(" in script:
            chunks[-1] += 'async def lines(name):\n    async for line in reader:\n        print(name, "->", line)\n'
        if "limited(" in script:
            chunks[-1] += "async def limited(seconds, **calls):\n    async with asyncio.timeout(seconds):\n        await run(calls)\n"
        if "fail(" in script:
            chunks[-1] += "def fail(error):\n    raise error\n"
        names = [name for name in ("ours", "peer", "reader", "writer", "loop", "now") if " %s" % name in script]
        shared = sorted({name for name in names if any(name in chunk for chunk in chunks[2:])})
        head = ["async def main():"] + (["    global " + ", ".join(shared)] if shared else [])
        return "\n".join(chunks + ["\n".join(head + body), "", "asyncio.run(main())"]) + "\n"


def program(case, state=False):
    """The program's text; `state`: it prints the buffers behind each operation. NoProgram where there is none."""
    return Program(case, state).text()
