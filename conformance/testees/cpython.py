#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The testee CPython: replays conformance scripts on asyncio's own streams, for every CPython from 3.7 on.

It speaks the protocol of conformance/PROTOCOL.md on stdin and stdout and needs the standard library only.
Time is virtual and the loop is asyncio's own, over a selector that polls and never waits; each operation of
the script is performed at the moment when that selector finds nothing left to do.
"""
import array
import asyncio
import collections
import errno
import fcntl
import gc
import json
import logging
import os
import platform
import select
import selectors
import socket
import struct
import sys
import termios
import time
import warnings
import weakref

VERSION = sys.version_info[:3]
LISTEN_HOST = "127.0.0.1"
SMALL_SEND_BUFFER = 16384
BARRIER_SECONDS = 3.0
EAI_NAMES = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


# ---- the wire: length-prefixed JSON, bytes as latin-1 strings -------------------------------------------------

class Wire:
    """Messages in and out; events are flushed when a step begins and when a case ends."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink

    def receive(self):
        head = self.source.read(4)
        if len(head) < 4:
            return None
        return json.loads(self.source.read(struct.unpack(">I", head)[0]).decode("utf-8"))

    def send(self, message, flush=False):
        body = json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        self.sink.write(struct.pack(">I", len(body)) + body)
        if flush:
            self.sink.flush()


def to_bytes(value):
    """Bytes are a latin-1 string, or a list of [count, string] for long repetitions."""
    if isinstance(value, str):
        return value.encode("latin-1")
    return b"".join(count * text.encode("latin-1") for count, text in value)


def from_bytes(data):
    data = bytes(data)
    if len(data) > 256 and data == data[:1] * len(data):
        return [[len(data), data[:1].decode("latin-1")]]
    return data.decode("latin-1")


# ---- the memory socket: what the `mem` backend puts in the place of the kernel ------------------------------------

class MemSocket:
    """The app's end of a perfect stream socket; CPython's own selector transport runs over it."""

    family = socket.AF_UNIX
    type = socket.SOCK_STREAM
    proto = 0

    def __init__(self, fd):
        self.fd = fd
        self.inbox = collections.deque()    # one element is one chunk, delivered by one recv
        self.peer_ended = False
        self.peer_gone = False
        self.reset_pending = False
        self.window = None
        self.outbox = bytearray()           # what the peer has not read yet
        self.shut = False
        self.end = "open"

    def fileno(self):
        return self.fd

    def getsockname(self):
        return ""

    def getpeername(self):
        return ""

    def setblocking(self, flag):
        pass

    def setsockopt(self, *args):
        pass

    def gettimeout(self):
        return 0.0

    def room(self):
        return sys.maxsize if self.window is None else max(0, self.window - len(self.outbox))

    def readable(self):
        return bool(self.inbox) or self.peer_ended or self.reset_pending

    def writable(self):
        return self.room() > 0 or self.peer_gone or self.reset_pending

    def recv(self, size):
        if self.inbox:
            chunk = self.inbox.popleft()
            if len(chunk) > size:
                self.inbox.appendleft(chunk[size:])
            return chunk[:size]
        self.raise_reset()
        if self.peer_ended:
            return b""
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def raise_reset(self):
        if self.reset_pending:
            self.reset_pending = False
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

    def send(self, data):
        self.raise_reset()
        if self.peer_gone or self.shut:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        data = bytes(data)[:self.room()]
        if not data:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        self.outbox += data
        return len(data)

    def sendmsg(self, buffers):
        return self.send(b"".join(bytes(buffer) for buffer in buffers))

    def shutdown(self, how):
        if self.peer_gone:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        self.shut = True
        self.end = "fin"

    def close(self):
        if self.fd >= 0:
            self.fd = -1
            if not self.peer_gone:
                self.end = "rst" if self.inbox else "fin"


class MemPeer:
    """The script's end of a memory socket."""

    def __init__(self, sock):
        self.sock = sock

    def send(self, data):
        if not self.sock.peer_gone and self.sock.fd >= 0:
            self.sock.inbox.append(data)

    def shutdown(self):
        self.sock.peer_ended = True

    def close(self):
        if self.sock.outbox and not self.sock.peer_gone:
            self.reset()
        self.sock.peer_ended = self.sock.peer_gone = True

    def reset(self):
        self.sock.peer_ended = self.sock.peer_gone = self.sock.reset_pending = True

    def window(self, size):
        self.sock.window = size

    def take(self, size):
        size = len(self.sock.outbox) if size is None else size
        data = bytes(self.sock.outbox[:size])
        del self.sock.outbox[:size]
        return data

    def end(self):
        return "closed" if self.sock.peer_gone else self.sock.end

    def arriving(self):
        return False

    def quiet(self, conn):
        return True

    def dispose(self):
        pass


# ---- the raw socket peer of `pair` and `tcp` -------------------------------------------------------------------

def queued(sock_or_fd, request):
    """FIONREAD or TIOCOUTQ: bytes in the receive queue, or bytes that the other side has not acknowledged."""
    answer = array.array("i", [0])
    fcntl.ioctl(sock_or_fd, request, answer)
    return answer[0]


def poll_flags(fd):
    poller = select.poll()
    poller.register(fd, select.POLLRDHUP)
    return sum(flags for _, flags in poller.poll(0))


class SocketPeer:
    """A raw socket in this process, moved by the script; `quiet` is the kernel barrier of PROTOCOL.md."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock = sock
        self.outgoing = b""
        self.sent = 0
        self.ended = False
        self.saw = "open"
        self.app_fd = None

    def send(self, data):
        self.outgoing += data
        self.pump()

    def pump(self):
        before = self.sent
        try:
            while self.outgoing and self.saw != "closed":
                count = self.sock.send(self.outgoing)
                self.sent += count
                self.outgoing = self.outgoing[count:]
        except BlockingIOError:
            pass
        except OSError:
            self.outgoing = b""
        return self.sent != before

    def shutdown(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
            self.ended = True
        except OSError:
            pass

    def close(self):
        self.saw = "closed"
        self.ended = True
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def window(self, size):
        pass    # the kernel decides on these backends; cases that need exact sizes run on mem only

    def take(self, size):
        data = b""
        try:
            while self.saw == "open" and (size is None or len(data) < size):
                chunk = self.sock.recv(262144 if size is None else size - len(data))
                if not chunk:
                    self.saw = "fin"
                data += chunk
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.saw = "rst"
        return data

    def end(self):
        return self.saw

    def arriving(self):
        """Whether something that the app's side sent has not reached this side yet."""
        if self.saw != "open" or self.app_fd is None:
            return False
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            pass
        try:
            return self.app_fd() < 0 or queued(self.app_fd(), termios.TIOCOUTQ) > 0
        except OSError:
            return False

    def refused(self):
        return bool(self.saw == "closed" or poll_flags(self.sock.fileno()))

    def quiet(self, conn):
        """All that the script sent has reached the app's kernel queue, or was taken from it."""
        if self.outgoing and self.pump():
            return False
        fd = self.app_fd() if self.app_fd else -1
        if fd < 0:
            return True
        flags = poll_flags(fd)
        if flags & (select.POLLERR | select.POLLHUP):
            return True
        if self.ended and not flags & select.POLLRDHUP:
            return False
        return conn.received + queued(fd, termios.FIONREAD) >= self.sent

    def dispose(self):
        self.sock.close()


# ---- the loop: asyncio's own, over a selector that never waits ------------------------------------------------------

class VirtualSelector(selectors.BaseSelector):
    """Real descriptors are polled with a zero timeout, memory sockets answer for themselves."""

    def __init__(self, case):
        self.case = case
        self.real = selectors.DefaultSelector()
        self.virtual = collections.OrderedDict()

    def register(self, fileobj, events, data=None):
        if fileobj not in self.case.mem_sockets:
            return self.real.register(fileobj, events, data)
        key = selectors.SelectorKey(fileobj, fileobj, events, data)
        self.virtual[fileobj] = key
        return key

    def unregister(self, fileobj):
        if fileobj in self.virtual:
            return self.virtual.pop(fileobj)
        return self.real.unregister(fileobj)

    def modify(self, fileobj, events, data=None):
        if fileobj in self.virtual:
            key = self.virtual[fileobj]._replace(events=events, data=data)
            self.virtual[fileobj] = key
            return key
        return self.real.modify(fileobj, events, data)

    def get_key(self, fileobj):
        return self.virtual[fileobj] if fileobj in self.virtual else self.real.get_key(fileobj)

    def get_map(self):
        return collections.ChainMap(self.virtual, self.real.get_map())

    def close(self):
        self.real.close()

    def poll(self, seconds=0):
        ready = self.real.select(seconds)
        for fd, key in self.virtual.items():
            sock = self.case.mem_sockets[fd]
            mask = key.events & ((selectors.EVENT_READ if sock.readable() else 0)
                                 | (selectors.EVENT_WRITE if sock.writable() else 0))
            if mask:
                ready.append((key, mask))
        return ready

    def select(self, timeout=None):
        self.case.turns += 1
        ready = self.poll()
        if ready or timeout == 0:
            return ready
        if self.case.finishing:
            return self.case.wait_for_the_end(self)
        if not self.case.barrier():
            return self.poll(0.0005)
        self.case.next_operation()
        return self.poll()


class Policy(asyncio.DefaultEventLoopPolicy if VERSION < (3, 12) else object):
    """Gives asyncio.run the case's loop on the versions that have no loop_factory."""

    def __init__(self, factory):
        super().__init__()
        self.factory = factory

    def new_event_loop(self):
        return self.factory()


def run_with_loop(main, factory):
    """asyncio.run itself, on the loop that the factory makes."""
    if VERSION >= (3, 12):
        return asyncio.run(main, loop_factory=factory)
    asyncio.set_event_loop_policy(Policy(factory))
    try:
        return asyncio.run(main)
    finally:
        asyncio.set_event_loop_policy(None)


# ---- one connection of a case ------------------------------------------------------------------------------------

class Connection:
    """The app's reader and writer, the script's peer, and what the state events tell about them."""

    def __init__(self, case, number):
        self.case = case
        self.number = number
        self.reader_of = self.writer_of = lambda: None
        self.transport = self.protocol = self.peer = self.handler = None
        self.received = 0

    reader = property(lambda self: self.reader_of())
    writer = property(lambda self: self.writer_of())

    def attach(self, reader, writer, hold=True):
        """Without `hold` the pair lives as long as its handler does, as in a program (R-652)."""
        self.reader_of = (lambda: reader) if hold else weakref.ref(reader)
        self.writer_of = (lambda: writer) if hold else weakref.ref(writer)
        self.transport = writer.transport
        protocol = self.transport.get_protocol()
        self.protocol = protocol
        data_received = protocol.data_received

        def count(data):
            self.received += len(data)
            data_received(data)

        protocol.data_received = count
        for owner, name in ((self.transport, "pause_reading"), (self.transport, "resume_reading"),
                            (protocol, "pause_writing"), (protocol, "resume_writing")):
            self.observe(owner, name)

    def observe(self, owner, name):
        original = getattr(owner, name)

        def observed():
            self.case.emit({"ev": "flow", "conn": self.number, "call": name})
            return original()

        setattr(owner, name, observed)

    def use_socket_peer(self, peer):
        sock = self.writer.get_extra_info("socket")
        peer.app_fd = sock.fileno
        if VERSION >= (3, 8):
            peer.app_fd = sock._sock.fileno
        self.peer = peer

    def waiting_drains(self):
        waiters = getattr(self.protocol, "_drain_waiters", None)
        if waiters is None:
            waiters = [self.protocol._drain_waiter] if self.protocol._drain_waiter else []
        return sum(1 for waiter in waiters if not waiter.done())

    def handler_ended(self):
        return self.handler is not None and self.handler.outcome not in (None, "running")

    def state(self):
        event = {"ev": "state", "conn": self.number}
        if not self.handler_ended():
            event.update(buffer=len(self.reader._buffer), paused=self.reader._paused, at_eof=self.reader.at_eof())
        if self.transport is not None:
            event["closing"] = self.transport.is_closing()
            event["write"] = self.transport.get_write_buffer_size()
            event["drains"] = self.waiting_drains()
        return event


# ---- the calls that a script can make ------------------------------------------------------------------------------

class Return(Exception):
    """Carries the value of a script's `return` out of nested bodies."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Context:
    """Where a call runs: the case, the connection that it means, and what a handler's ids are marked with."""

    def __init__(self, case, number, mark=""):
        self.case = case
        self.number = number
        self.mark = mark

    def tell(self, call, value):
        """The result of a call; none is silence when the call is quiet."""
        if value is None and call.get("quiet"):
            return
        event = {"ev": "result", "id": call["id"] + self.mark}
        if isinstance(value, (bytes, bytearray)):
            event["bytes"] = from_bytes(value)
        elif isinstance(value, (list, tuple)):
            event["list"] = [type(item).__name__ if isinstance(item, BaseException) else item for item in value]
        elif value is not None:
            event["value"] = value
        self.case.emit(event)

    @property
    def conn(self):
        return self.case.connections[self.number]

    @property
    def reader(self):
        return self.conn.reader

    @property
    def writer(self):
        return self.conn.writer

    @property
    def transport(self):
        return self.writer.transport


class HandlerContext(Context):
    """A server handler's, which alone keeps its reader and writer alive."""

    def __init__(self, case, number, reader, writer):
        super().__init__(case, number, "@%d" % number if number > 1 else "")
        self.pair = reader, writer


def make_error(call):
    """The exception that `raise` and `set_exception` name; none when no class is given."""
    if "class" not in call:
        return None
    import builtins
    kind = getattr(asyncio, call["class"], None) or getattr(builtins, call["class"])
    if "errno" in call:
        number = getattr(errno, call["errno"])
        return kind(number, os.strerror(number))
    return kind(call["text"]) if "text" in call else kind()


def call_read(at, call):
    return at.reader.read(call["n"]) if "n" in call else at.reader.read()


def call_readuntil(at, call):
    if "separators" in call:
        return at.reader.readuntil(tuple(to_bytes(item) for item in call["separators"]))
    if "separator" in call:
        return at.reader.readuntil(to_bytes(call["separator"]))
    return at.reader.readuntil()


async def call_iterate(at, call):
    async for line in at.reader:
        at.tell(call, line)
    return "end"


def call_limits(at, call):
    return at.transport.set_write_buffer_limits(high=call.get("high"), low=call.get("low"))


def call_exception(at, call):
    exc = at.reader.exception()
    return None if exc is None else error_fields(exc)["class"]


def call_extra_info(at, call):
    value = at.writer.get_extra_info(call["name"])
    return value if value is None or isinstance(value, (bool, int)) else str(value)


async def call_open_connection(at, call):
    case = at.case
    case.connecting += 1
    try:
        options = {"limit": call["limit"]} if "limit" in call else {}
        reader, writer = await asyncio.open_connection(call.get("host"), case.port(call), **options)
    finally:
        case.connecting -= 1
    conn = case.new_connection()
    conn.attach(reader, writer)
    if call.get("port_of") == "peer":
        case.peers[conn.number] = SocketPeer(case.accept())
        conn.use_socket_peer(case.peers[conn.number])


async def call_start_server(at, call):
    at.case.connecting += 1
    try:
        await at.case.start_server(call, host=call.get("host"), port=at.case.port(call))
    finally:
        at.case.connecting -= 1


def call_cancel(at, call):
    task = at.case.task(call["task"])
    return task.cancel(call["text"]) if "text" in call else task.cancel()


def call_gather(at, call):
    tasks = [at.case.task(name) for name in call["tasks"]]
    return asyncio.gather(*tasks, return_exceptions=call.get("collect", False))


def call_spawn(at, call):
    at.case.start_task(call["task"], at, call["body"])


async def call_timeout(at, call):
    async with asyncio.timeout(call["seconds"]):
        await run_calls(at, call["body"])


def call_timer(method):
    def call_it(at, call):
        loop = at.case.loop
        mark = {"ev": "mark", "text": call["text"]}
        if method == "call_soon":
            loop.call_soon(at.case.emit, mark)
        else:
            getattr(loop, method)(call["seconds"], at.case.emit, mark)
    return call_it


def call_raise(at, call):
    raise make_error(call)


def call_return(at, call):
    raise Return(call.get("value"))


def call_run(at, call):
    coroutine = asyncio.sleep(0)
    try:
        asyncio.run(coroutine)
    finally:
        coroutine.close()


def server_call(name):
    return lambda at, call: getattr(at.case.server, name)()


def reader_call(name):
    return lambda at, call: getattr(at.reader, name)()


def writer_call(name):
    return lambda at, call: getattr(at.writer, name)()


def transport_call(name):
    return lambda at, call: getattr(at.transport, name)()


def limits_of(at, call):
    return list(at.transport.get_write_buffer_limits())


CALLS = {
    "read": call_read,
    "readline": reader_call("readline"),
    "readexactly": lambda at, call: at.reader.readexactly(call["n"]),
    "readuntil": call_readuntil,
    "iterate": call_iterate,
    "at_eof": reader_call("at_eof"),
    "exception": call_exception,
    "feed_data": lambda at, call: at.reader.feed_data(to_bytes(call["bytes"])),
    "feed_eof": reader_call("feed_eof"),
    "set_exception": lambda at, call: at.reader.set_exception(make_error(call)),
    "write": lambda at, call: at.writer.write(to_bytes(call["bytes"])),
    "writelines": lambda at, call: at.writer.writelines([to_bytes(b) for b in call["list"]]),
    "drain": writer_call("drain"),
    "write_eof": writer_call("write_eof"),
    "can_write_eof": writer_call("can_write_eof"),
    "close": writer_call("close"),
    "abort": transport_call("abort"),
    "wait_closed": writer_call("wait_closed"),
    "is_closing": writer_call("is_closing"),
    "get_extra_info": call_extra_info,
    "set_write_buffer_limits": call_limits,
    "get_write_buffer_limits": limits_of,
    "get_write_buffer_size": transport_call("get_write_buffer_size"),
    "pause_reading": transport_call("pause_reading"),
    "resume_reading": transport_call("resume_reading"),
    "is_reading": transport_call("is_reading"),
    "open_connection": call_open_connection,
    "start_server": call_start_server,
    "server_close": server_call("close"),
    "server_wait_closed": server_call("wait_closed"),
    "server_is_serving": server_call("is_serving"),
    "server_start_serving": server_call("start_serving"),
    "server_serve_forever": server_call("serve_forever"),
    "server_sockets": lambda at, call: len(at.case.server.sockets or ()),
    "sleep": lambda at, call: asyncio.sleep(call["seconds"]),
    "log": lambda at, call: at.case.emit({"ev": "mark", "text": call["text"]}),
    "cancel": call_cancel,
    "await": lambda at, call: at.case.task(call["task"]),
    "shield": lambda at, call: asyncio.shield(at.case.task(call["task"])),
    "gather": call_gather,
    "wait_for": lambda at, call: asyncio.wait_for(evaluate(at, call["inner"]), call["seconds"]),
    "spawn": call_spawn,
    "call_soon": call_timer("call_soon"),
    "call_later": call_timer("call_later"),
    "call_at": call_timer("call_at"),
    "time": lambda at, call: at.case.loop.time(),
    "raise": call_raise,
    "return": call_return,
    "run": call_run,
}
if VERSION >= (3, 11):
    CALLS["timeout"] = call_timeout
    CALLS["cancelling"] = lambda at, call: asyncio.current_task().cancelling()
    CALLS["uncancel"] = lambda at, call: asyncio.current_task().uncancel()
if VERSION >= (3, 13):
    CALLS["server_close_clients"] = server_call("close_clients")
    CALLS["server_abort_clients"] = server_call("abort_clients")


def unknown_call(calls):
    """The first call, at any depth, that this testee does not have."""
    for call in calls:
        if call["call"] not in CALLS:
            return call["call"]
        inner = unknown_call(call.get("body", []) + ([call["inner"]] if "inner" in call else []))
        if inner:
            return inner
    return None


async def evaluate(at, call):
    value = CALLS[call["call"]](at, call)
    if asyncio.iscoroutine(value) or asyncio.isfuture(value):
        value = await value
    return value


def on_error(at, call, exc):
    """Tells the error; true when it ends the task, as PROTOCOL.md's `on_error` says."""
    at.case.emit(dict(error_fields(exc), ev="error", id=call["id"] + at.mark))
    mode = call.get("on_error", "go")
    return mode == "throw" or (isinstance(exc, asyncio.CancelledError) and mode != "catch")


async def run_calls(at, calls):
    for call in calls:
        try:
            value = await evaluate(at, call)
        except (Return, GeneratorExit, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            if on_error(at, call, exc):
                raise
        else:
            at.tell(call, value)


def run_plain_calls(at, calls):
    """A plain callback's body: calls that return at once."""
    for call in calls:
        try:
            value = CALLS[call["call"]](at, call)
        except Exception as exc:
            if on_error(at, call, exc):
                raise
        else:
            at.tell(call, value)


def error_fields(exc):
    fields = {"class": type(exc).__name__, "text": str(exc)}
    if isinstance(exc, asyncio.IncompleteReadError):
        fields["partial"] = from_bytes(exc.partial)
        fields["expected"] = exc.expected
    if isinstance(exc, asyncio.LimitOverrunError):
        fields["consumed"] = exc.consumed
    if isinstance(exc, OSError) and exc.errno is not None:
        names = EAI_NAMES if isinstance(exc, socket.gaierror) else errno.errorcode
        fields["errno"] = names.get(exc.errno, str(exc.errno))
    return fields


class TaskRecord:
    """What the step's end tells about a task: whether it began, and how it ended."""

    def __init__(self, name):
        self.name = name
        self.outcome = None
        self.told = False
        self.task = None        # a function, so that a server's handler task is not kept alive by us

    def how(self):
        task = self.task() if self.task else None
        if self.outcome in (None, "running") and task is not None and task.cancelled():
            return "cancelled"
        return self.outcome


async def task_body(record, at, calls):
    record.outcome = "running"
    try:
        await run_calls(at, calls)
    except Return as done:
        record.outcome = "returned"
        return done.value
    except asyncio.CancelledError:
        record.outcome = "cancelled"
        raise
    except Exception:
        record.outcome = "raised"
        raise
    record.outcome = "returned"


# ---- a case: the script as one generator, resumed whenever the loop has settled ---------------------------------------

class LogEvents(logging.Handler):
    """WARNING and above of logger `asyncio` become events."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.case = None

    def emit(self, record):
        if self.case:
            self.case.emit({"ev": "log", "level": record.levelname, "text": record.getMessage()})


class Case:
    def __init__(self, wire, script):
        self.wire = wire
        self.script = script
        self.step = 0
        self.muted = False
        self.now = 0.0
        self.turns = 0
        self.connecting = 0
        self.accept_order = collections.deque()     # peers that connected and have no connection yet
        self.mem_sockets = {}
        self.connections = {}
        self.peers = {}
        self.records = []
        self.listener = self.server = self.reserved = None
        self.finishing = False
        self.barrier_began = None
        self.operations = self.all_operations()

    # events

    def emit(self, event, flush=False):
        if not self.muted:
            event = dict(event, step=self.step)
            self.wire.send(event, flush)

    def report(self, loop, context):
        event = {"ev": "report", "message": context["message"], "keys": sorted(set(context) - {"message"})}
        if context.get("exception") is not None:
            event["class"] = type(context["exception"]).__name__
        self.emit(event)

    def name_port(self, name, port):
        self.emit({"ev": "port", "name": name, "port": port})

    # the loop

    def make_loop(self):
        self.loop = asyncio.SelectorEventLoop(VirtualSelector(self))
        self.loop.time = lambda: self.now
        self.loop.set_exception_handler(self.report)
        return self.loop

    async def main(self):
        self.finished = self.loop.create_future()
        await self.finished

    def barrier(self):
        """Whether nothing is under way in the kernel or in a helper thread; bounded, for a broken case."""
        quiet = not self.connecting and not self.accepting() and all(
            conn.peer is None or conn.peer.quiet(conn) for conn in self.connections.values())
        if quiet:
            self.barrier_began = None
            return True
        self.barrier_began = self.barrier_began or time.monotonic()
        return time.monotonic() - self.barrier_began > BARRIER_SECONDS

    def accepting(self):
        """Whether a peer that connected is neither accepted nor turned away yet."""
        while self.accept_order and self.peers[self.accept_order[0]].refused():
            self.accept_order.popleft()
        return bool(self.accept_order) and self.server.is_serving()

    def wait_for_the_end(self, selector):
        """run's own shutdown may wait for a helper thread, but for no timer: virtual time stands still."""
        ready, deadline = [], time.monotonic() + BARRIER_SECONDS
        while not ready:
            if time.monotonic() > deadline:
                raise RuntimeError("run() does not end: something still waits")
            ready = selector.poll(0.0005)
        return ready

    def next_operation(self):
        try:
            next(self.operations)
        except StopIteration:
            self.finishing = True
            self.finished.set_result(None)

    def all_operations(self):
        try:
            yield from self.set_up()
        except (OSError, ValueError, TypeError) as exc:     # told, so that it is a difference and no crash
            self.emit(dict(error_fields(exc), ev="error", id="set-up"))
            self.script["ops"] = []
        for op in self.script["ops"]:
            self.step += 1
            self.emit({"ev": "step"}, flush=True)
            yield from getattr(self, "op_" + op["op"])(op)
            if op.get("settle", True):
                yield
                self.tell_state()
            else:
                while not self.barrier():
                    time.sleep(0.0002)
        if not self.finishing:
            yield from self.end()

    def tell_state(self):
        for record in self.records:
            how = record.how()
            if how in ("cancelled", "raised") and not record.told:
                record.told = True
                self.emit({"ev": "task", "id": record.name, "how": how})
        for conn in self.connections.values():
            if conn.reader is not None or conn.transport is not None:
                self.emit(conn.state())
        self.emit({"ev": "schedule", "turns": self.turns})
        self.turns = 0

    # operations

    def op_app(self, op):
        self.start_task(op["task"], Context(self, op.get("conn", 1)), op["calls"])
        return ()

    def op_clock(self, op):
        target = self.now + op["seconds"]
        while True:
            deadlines = [handle._when for handle in self.loop._scheduled if not handle._cancelled]
            if not deadlines or min(deadlines) > target:
                break
            self.now = max(self.now, min(deadlines))
            yield
        self.now = target

    def op_finish(self, op):
        self.finishing = True
        self.finished.set_result(None)
        yield

    def op_peer(self, op):
        number = op.get("conn", 1)
        what = op["do"]
        if what == "connect":
            self.connect_peer(number)
            return
        peer = self.peers.get(number)
        if peer is None:
            return
        if what == "read":
            yield from self.read_peer(number, op.get("n"), op.get("drop", False))
        elif what == "send":
            peer.send(to_bytes(op["bytes"]))
        elif what == "window":
            peer.window(op.get("n"))
        else:
            getattr(peer, what)()

    def read_peer(self, number, size, drop=False):
        """Reads all that comes (or `size` bytes); the app runs in between, so kernel sizes do not show."""
        peer, data, give_up = self.peers[number], b"", time.monotonic() + BARRIER_SECONDS
        while size is None or len(data) < size:
            arrived = not peer.arriving()
            yield
            chunk = peer.take(None if size is None else size - len(data))
            data += chunk
            if not chunk and (arrived or time.monotonic() > give_up):
                break
            if not chunk:
                time.sleep(0.0002)
        event = {"ev": "peer", "conn": number, "end": peer.end()}
        if not drop:
            event["bytes"] = from_bytes(data)
        self.emit(event)

    def connect_peer(self, number):
        if self.server is None:
            return
        sock = socket.create_connection(self.server_address)
        self.name_port("peer%d" % number, sock.getsockname()[1])
        self.peers[number] = SocketPeer(sock)
        if self.server.is_serving():
            self.accept_order.append(number)

    # tasks

    def start_task(self, name, at, calls):
        record = TaskRecord(name)
        task = self.loop.create_task(task_body(record, at, calls))
        record.task = lambda: task
        self.records.append(record)

    def task(self, name):
        if name == "self":
            return asyncio.current_task()
        task = [record.task() for record in self.records if record.name == name][-1]
        if task is None:
            raise LookupError("task %s is gone" % name)
        return task

    # setting up

    def new_connection(self, number=None):
        number = number or len(self.connections) + 1
        conn = self.connections[number] = Connection(self, number)
        return conn

    def set_up(self):
        kind = self.script["with"]
        if kind == "reader":
            options = {"limit": self.script["limit"]} if "limit" in self.script else {}
            reader = asyncio.StreamReader(loop=self.loop, **options)
            self.new_connection().reader_of = lambda: reader
        elif kind == "connection":
            yield from getattr(self, "set_up_" + self.script["backend"])()
        elif kind == "server":
            task = self.loop.create_task(self.begin_server())
            yield
            task.result()
        else:
            self.listen()
            self.reserve_port()

    def opened(self, coroutine):
        """Runs open_connection to its end before the first step."""
        self.connecting += 1
        task = self.loop.create_task(coroutine)
        task.add_done_callback(lambda task: setattr(self, "connecting", self.connecting - 1))
        while not task.done():
            yield
        conn = self.new_connection()
        conn.attach(*task.result())
        return conn

    def limit_option(self):
        return {"limit": self.script["limit"]} if "limit" in self.script else {}

    def set_up_mem(self):
        fd = 1000000 + len(self.mem_sockets)
        sock = self.mem_sockets[fd] = MemSocket(fd)
        conn = yield from self.opened(asyncio.open_connection(sock=sock, **self.limit_option()))
        conn.peer = self.peers[1] = MemPeer(sock)

    def set_up_pair(self):
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_SEND_BUFFER)
        conn = yield from self.opened(asyncio.open_connection(sock=ours, **self.limit_option()))
        self.peers[1] = SocketPeer(theirs)
        conn.use_socket_peer(self.peers[1])

    def set_up_tcp(self):
        self.listen()
        address = self.listener.getsockname()
        conn = yield from self.opened(asyncio.open_connection(*address, **self.limit_option()))
        conn.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_SEND_BUFFER)
        self.peers[1] = SocketPeer(self.accept())
        conn.use_socket_peer(self.peers[1])
        self.name_port("own1", conn.writer.get_extra_info("sockname")[1])

    def listen(self):
        self.listener = socket.socket()
        self.listener.bind((LISTEN_HOST, 0))
        self.listener.listen(5)
        self.listener.settimeout(BARRIER_SECONDS)
        self.name_port("peer1", self.listener.getsockname()[1])

    def accept(self):
        return self.listener.accept()[0]

    def reserve_port(self):
        """A port where nobody listens, kept from others by a bound socket."""
        self.reserved = socket.socket()
        self.reserved.bind((LISTEN_HOST, 0))
        self.name_port("closed", self.reserved.getsockname()[1])

    def port(self, call):
        named = call.get("port_of")
        if named == "peer":
            return self.listener.getsockname()[1]
        if named == "closed":
            return self.reserved.getsockname()[1]
        return call.get("port")

    async def begin_server(self):
        await self.start_server(self.script, LISTEN_HOST, 0)

    async def start_server(self, options, host, port):
        named = {name: options[name] for name in ("limit", "start_serving", "backlog") if name in options}
        self.server = await asyncio.start_server(self.connected, host, port, **named)
        self.server_address = self.server.sockets[0].getsockname()
        self.name_port("server", self.server_address[1])

    def connected(self, reader, writer):
        """The server's client_connected_cb; a plain function may return the handler's coroutine (R-650)."""
        number = self.accept_order.popleft()
        conn = self.new_connection(number)
        conn.attach(reader, writer, hold=self.script.get("handler", {}).get("kind") != "task")
        conn.use_socket_peer(self.peers[number])
        handler = self.script.get("handler", {"kind": "callback", "calls": []})
        at = HandlerContext(self, number, reader, writer)
        if handler["kind"] == "callback":
            return run_plain_calls(at, handler["calls"])
        record = conn.handler = TaskRecord("h%d" % number)
        return self.handler_body(record, at, handler["calls"])

    async def handler_body(self, record, at, calls):
        record.task = weakref.ref(asyncio.current_task())
        self.records.append(record)
        return await task_body(record, at, calls)

    # the end

    def end(self):
        """What the peers got, who still waits; then everything is closed, unseen, for the leak checks."""
        self.step += 1
        self.emit({"ev": "step"}, flush=True)
        for number in sorted(self.peers):
            yield from self.read_peer(number, None)
        self.emit({"ev": "pending", "tasks": [record.name for record in self.records if self.waits(record)]})
        self.muted = True
        for record in self.records:
            yield from self.cancel_for_good(record)
        for conn in self.connections.values():
            if conn.transport is not None and not conn.protocol._connection_lost:
                conn.transport.abort()
        if self.server is not None:
            self.server.close()
        yield

    def cancel_for_good(self, record):
        for _ in range(3):      # a task may swallow a cancellation
            if self.waits(record):
                record.task().cancel()
                yield

    @staticmethod
    def waits(record):
        task = record.task()
        return task is not None and not task.done()

    def dispose(self):
        for peer in self.peers.values():
            peer.dispose()
        for sock in (self.listener, self.reserved):
            if sock is not None:
                sock.close()

    def leaks(self):
        timers = [handle for handle in self.loop._scheduled if not handle._cancelled]
        waiting = [record.name for record in self.records if self.waits(record)]
        return [("timers", len(timers)), ("tasks", len(waiting))]


# ---- the program ---------------------------------------------------------------------------------------------------

def count_descriptors():
    return len(os.listdir("/proc/self/fd"))


def run_case(wire, logs, script):
    before = count_descriptors()
    case = Case(wire, script)
    logs.case = case
    try:
        run_with_loop(case.main(), case.make_loop)
        leaks = case.leaks()
        finished_by_script = not case.muted
        case.muted = True       # what collectors still report belongs to no step
    finally:
        case.dispose()
        logs.case = None
    if finished_by_script:
        case.connections.clear()
    steps = case.step
    del case
    if count_descriptors() > before:
        gc.collect()
    leaks.append(("descriptors", count_descriptors() - before))
    for what, count in leaks:
        if count > 0:
            wire.send({"ev": "leak", "step": steps, "what": what, "count": count})
    wire.send({"ev": "end", "step": steps}, flush=True)


def refusal(script):
    """Why this script cannot run here, or none."""
    if script["backend"] not in BACKENDS:
        return "no backend %s" % script["backend"]
    for op in script["ops"]:
        if not hasattr(Case, "op_" + op["op"]):
            return "no operation %s" % op["op"]
    calls = [op.get("calls", []) for op in script["ops"]] + [script.get("handler", {}).get("calls", [])]
    unknown = next(filter(None, map(unknown_call, calls)), None)
    return "no call %s" % unknown if unknown else None


BACKENDS = ["mem", "pair", "tcp"]


def capabilities():
    names = ["core", "server", "half-close", "virtual-clock"]
    names += ["timeout-scope", "uncancel"] if VERSION >= (3, 11) else []
    names += ["tuple-separator", "close-clients"] if VERSION >= (3, 13) else []
    return names


def serve(name="cpython"):
    warnings.simplefilter("ignore")
    sink = os.fdopen(os.dup(1), "wb", 65536)
    os.dup2(2, 1)       # a stray print must not end up among the messages
    wire = Wire(sys.stdin.buffer, sink)
    logs = LogEvents()
    logger = logging.getLogger("asyncio")
    logger.addHandler(logs)
    logger.propagate = False
    wire.send({"ev": "hello", "protocol": 1, "name": name, "version": platform.python_version(),
               "implementation": platform.python_implementation(),
               "capabilities": capabilities(), "backends": BACKENDS}, flush=True)
    while True:
        script = wire.receive()
        if script is None or "quit" in script:
            return 0
        reason = refusal(script)
        if reason:
            wire.send({"ev": "skip", "reason": reason}, flush=True)
        else:
            run_case(wire, logs, script)


if __name__ == "__main__":
    sys.exit(serve())
