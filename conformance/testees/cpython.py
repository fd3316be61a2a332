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
import ctypes
import errno
import fcntl
import gc
import json
import logging
import os
import platform
import select
import selectors
import shutil
import signal
import socket
import ssl
import stat
import struct
import sys
import tempfile
import termios
import threading
import time
import warnings
import weakref

import cpython_by_hand
import cpython_tls
from cpython_tls import CONTEXTS, NATIVE, TlsPeer

VERSION = sys.version_info[:3]
LISTEN_HOST = "127.0.0.1"
SMALL_SEND_BUFFER = 16384
BARRIER_SECONDS = 3.0
RESTLESS_TURNS = 3000
CONNECT_SECONDS = 0.5       # a listener whose queue is full answers nothing
MALLOC_KEEPS = {-3: 1 << 25, -1: 1 << 28}      # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of malloc.h
OUT_OF_RESOURCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
REAL_SOCKET = socket.socket
REAL_GETADDRINFO = socket.getaddrinfo
POLLRDHUP = getattr(select, "POLLRDHUP", 0x2000)           # PyPy's select has no name for it
EAI_NAMES = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


# ---- the wire: length-prefixed JSON, bytes as latin-1 strings -------------------------------------------------

def make_encoder():
    """Compact JSON. The json module makes a new encoder for each event; its C one serves them all."""
    slow = json.JSONEncoder(separators=(",", ":"))
    if getattr(json.encoder, "c_make_encoder", None) is None:     # PyPy
        return slow.encode
    fast = json.encoder.c_make_encoder(None, slow.default, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True)
    return lambda message: "".join(fast(message, 0))


encode = make_encoder()


class Wire:
    """Messages in and out; events are flushed when a step begins and when a case ends."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.text = ""          # of the message that was received last

    def receive(self):
        head = self.source.read(4)
        if len(head) < 4:
            return None
        self.text = self.source.read(struct.unpack(">I", head)[0]).decode("utf-8")
        return json.loads(self.text)

    def send(self, message, flush=False):
        body = encode(message).encode("ascii")
        self.sink.write(struct.pack(">I", len(body)) + body)
        if flush:
            self.sink.flush()


def to_bytes(value):
    """Bytes are a latin-1 string, or a list of [count, string] for long repetitions."""
    if isinstance(value, str):
        return value.encode("latin-1")
    return b"".join(count * text.encode("latin-1") for count, text in value)


def leading_run(data):
    """How often the first byte stands at the beginning: in doubling pieces, because lstrip looks at one after the other."""
    size, piece = 0, 64
    while data.startswith(data[:1] * piece, size):
        size += piece
        piece *= 2
    while piece > 1:
        piece //= 2
        if data.startswith(data[:1] * piece, size):
            size += piece
    return size


def from_bytes(data):
    """A long run at the beginning travels as [count, string]."""
    data = bytes(data)
    if len(data) > 256:
        run = leading_run(data)
        if run > 256:
            return [[run, data[:1].decode("latin-1")], [1, data[run:].decode("latin-1")]]
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

    def recv_into(self, buffer):
        data = self.recv(len(buffer))
        buffer[:len(data)] = data
        return len(data)

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

    eof, cut, raw = shutdown, close, send

    def reset(self):
        self.sock.peer_ended = self.sock.peer_gone = self.sock.reset_pending = True

    def window(self, size):
        self.sock.window = size

    def take(self, size):
        if self.sock.peer_gone:
            return b""
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
    poller.register(fd, POLLRDHUP)
    return sum(flags for _, flags in poller.poll(0))


class SocketPeer:
    """A raw socket in this process, moved by the script; `quiet` is the kernel barrier of PROTOCOL.md."""

    def __init__(self, sock):
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:   # Nagle's algorithm would make a second send wait for a delayed ACK
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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

    eof, cut, raw = shutdown, close, send

    def reset(self):
        if self.saw == "closed":
            return
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def window(self, size):
        pass    # the kernel decides on these backends; cases that need exact sizes run on mem only

    def take(self, size):
        data = bytearray()
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
        return bytes(data)

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
        if conn is None:
            return self.acknowledged()
        fd = self.app_fd() if self.app_fd else -1
        if fd < 0:
            return True
        flags = poll_flags(fd)
        if flags & (select.POLLERR | select.POLLHUP):
            return True
        if self.ended and not flags & POLLRDHUP:
            return False
        if conn.received is None:
            return self.sock.family == socket.AF_UNIX or conn.bytes_received() >= self.sent
        return conn.received + queued(fd, termios.FIONREAD) >= self.sent

    def acknowledged(self):
        """The kernel barrier where nobody counts: the other kernel end has everything. Unix sockets have no way between."""
        try:
            return (self.saw == "closed" or self.sock.family == socket.AF_UNIX
                    or queued(self.sock, termios.TIOCOUTQ) == 0
                    or poll_flags(self.sock.fileno()) & (select.POLLERR | select.POLLHUP) != 0)
        except OSError:
            return True

    def dispose(self):
        self.sock.close()


# ---- scripted look-ups, connects and faults: PROTOCOL.md, section 9 -----------------------------------------------------

class Attempt:
    """A connect that ends at a moment of virtual time, or never; the selector asks it, not the kernel."""

    def __init__(self, case, rule):
        self.case = case
        self.address = rule["address"]
        self.errno = rule.get("errno")
        self.at = None if rule.get("outcome") == "never" else case.now + rule["after"]
        self.decided = False

    def readable(self):
        return False

    def writable(self):
        return self.at is not None and self.case.now >= self.at


class Fault:
    """Makes some of the coming calls fail, or transfer less."""

    def __init__(self, op):
        self.call = op["call"]
        self.conn = op.get("conn", 1) if self.call in ("recv", "send", "shutdown") else None
        self.before = op.get("at", 1) - 1
        self.left = op.get("count", 1)
        self.errno = op.get("errno")
        self.short = op.get("short")


def os_error(name):
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


def scripted_socket(case):
    """socket.socket for the library under test: the kernel's, but for what the script says of it."""

    class ScriptedSocket(REAL_SOCKET):
        def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
            if fileno is None:
                case.meet_fault("socket")
            super().__init__(family, type, proto, fileno)

        def connect(self, address):
            case.meet_fault("connect")
            rule = case.connects.get(address[0]) if self.family in (socket.AF_INET, socket.AF_INET6) else None
            if rule is None:
                return super().connect(address)
            case.emit({"ev": "attempt", "address": rule["address"], "what": "start", "at": case.now})
            if "after" in rule or rule.get("outcome") == "never":
                fd = self.fileno()
                case.attempts[fd] = case.virtual[fd] = Attempt(case, rule)
                raise BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))
            case.attempts[self.fileno()] = attempt = Attempt(case, dict(rule, after=0))
            attempt.decided = True
            if "errno" in rule:
                raise os_error(rule["errno"])
            return self.really_connect()

        def really_connect(self):
            self.setblocking(True)
            super().connect(case.listener_of(self.family))
            self.setblocking(False)

        def getsockopt(self, level, name, *size):
            attempt = case.attempts.get(self.fileno())
            if attempt and not attempt.decided and (level, name) == (socket.SOL_SOCKET, socket.SO_ERROR):
                attempt.decided = True
                case.virtual.pop(self.fileno(), None)
                if attempt.errno:
                    return getattr(errno, attempt.errno)
                self.really_connect()
            return super().getsockopt(level, name, *size)

        def close(self):
            attempt = case.attempts.pop(self.fileno(), None)
            if attempt:
                case.virtual.pop(self.fileno(), None)
                if case.number_of(self) is None:
                    case.emit({"ev": "attempt", "address": attempt.address, "what": "closed", "at": case.now})
            return super().close()

        def recv(self, size):
            short = case.meet_fault("recv", self)
            return super().recv(size if short is None else min(size, short))

        def recv_into(self, buffer):
            short = case.meet_fault("recv", self)
            return super().recv_into(buffer) if short is None else super().recv_into(buffer, short)

        def send(self, data):
            short = case.meet_fault("send", self)
            return super().send(data if short is None else bytes(data)[:short])

        def sendmsg(self, buffers):
            short = case.meet_fault("send", self)
            if short is None:
                return super().sendmsg(buffers)
            return super().send(b"".join(bytes(buffer) for buffer in buffers)[:short])

        def shutdown(self, how):
            case.meet_fault("shutdown", self)
            return super().shutdown(how)

        def accept(self):
            case.meet_fault("accept")
            return super().accept()

        def bind(self, address):
            case.meet_fault("bind")
            return super().bind(address)

        def listen(self, *backlog):
            case.meet_fault("listen")
            return super().listen(*backlog)

    ScriptedSocket.__name__ = ScriptedSocket.__qualname__ = "socket"
    ScriptedSocket.__module__ = "socket"
    return ScriptedSocket


def gai_error(code):
    strerror = ctypes.CDLL(None).gai_strerror
    strerror.restype = ctypes.c_char_p
    return socket.gaierror(code, strerror(code).decode())


def scripted_getaddrinfo(rules):
    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in rules:
            return REAL_GETADDRINFO(host, port, family, type, proto, flags)
        rule = rules[name]
        if "error" in rule:
            raise gai_error(getattr(socket, rule["error"]))
        found, failed = [], None
        for address in rule["addresses"]:
            try:
                found += REAL_GETADDRINFO(address, port, family, type, proto, flags | socket.AI_NUMERICHOST)
            except socket.gaierror as exc:
                failed = exc
        if failed and not found:
            raise failed
        return found
    return getaddrinfo


# ---- the loop: asyncio's own, over a selector that never waits ------------------------------------------------------

class VirtualSelector(selectors.BaseSelector):
    """Real descriptors are polled with a zero timeout, memory sockets answer for themselves."""

    def __init__(self, case):
        self.case = case
        self.real = selectors.DefaultSelector()
        self.virtual = collections.OrderedDict()
        self.answering = {}     # descriptor -> what tells whether it is readable, writable

    def register(self, fileobj, events, data=None):
        if fileobj not in self.case.virtual:
            return self.real.register(fileobj, events, data)
        key = selectors.SelectorKey(fileobj, fileobj, events, data)
        self.virtual[fileobj] = key
        self.answering[fileobj] = self.case.virtual[fileobj]
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
        if not self.virtual:
            return ready
        for fd, key in self.virtual.items():
            sock = self.answering[fd]
            mask = key.events & ((selectors.EVENT_READ if sock.readable() else 0)
                                 | (selectors.EVENT_WRITE if sock.writable() else 0))
            if mask:
                ready.append((key, mask))
        return ready

    def select(self, timeout=None):
        self.case.turns += 1
        ready = self.poll()
        busy = ready or timeout == 0
        restless = busy and self.case.restless()
        if busy and not restless:
            return ready
        if self.case.finishing:
            return self.case.wait_for_the_end(self)
        if not restless and self.case.pump():
            return self.poll()
        if not restless and not self.case.barrier():
            return self.poll(0.0005)
        ready = [] if restless else self.poll()     # what arrived between the poll above and the barrier
        if ready:
            return ready
        self.case.next_operation()
        return self.poll()


class Policy(asyncio.DefaultEventLoopPolicy if VERSION < (3, 12) else object):
    """Gives asyncio.run the case's loop on the versions that have no loop_factory."""

    def __init__(self, factory):
        super().__init__()
        self.factory = factory

    def new_event_loop(self):
        return self.factory()


def run_with_loop(main, factory, debug):
    """asyncio.run itself, on the loop that the factory makes."""
    if VERSION >= (3, 12):
        return asyncio.run(main, loop_factory=factory, debug=debug)
    asyncio.set_event_loop_policy(Policy(factory))
    try:
        return asyncio.run(main, debug=debug)
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
        self.lowest = None      # the transport that has the socket
        self.received = 0       # none over TLS, where the kernel is asked instead
        self.upgrading = self.dropped = False

    reader = property(lambda self: self.reader_of())
    writer = property(lambda self: self.writer_of())

    def attach(self, reader, writer, hold=True):
        """Without `hold` the pair lives as long as its handler does, as in a program (R-652)."""
        self.reader_of = (lambda: reader) if hold else weakref.ref(reader)
        self.writer_of = (lambda: writer) if hold else weakref.ref(writer)
        self.transport = writer.transport
        self.protocol = self.transport.get_protocol()
        for name in ("pause_writing", "resume_writing"):
            self.observe(self.protocol, name)
        self.observe_transport()

    def observe_transport(self):
        """What the state events and the kernel barrier need to know of the transport."""
        self.lowest = self.transport
        while getattr(self.lowest, "_ssl_protocol", None) is not None:
            self.lowest = self.lowest._ssl_protocol._transport
            self.received = None
        if self.received is not None:
            self.count(self.protocol)
        for name in ("pause_reading", "resume_reading"):
            self.observe(self.transport, name)
        if self.case.script.get("no_pause"):
            self.transport.pause_reading = self.cannot_pause

    def count(self, protocol):
        """Counts what a plain transport takes from its socket."""
        name = "buffer_updated" if hasattr(protocol, "buffer_updated") else "data_received"
        original = getattr(protocol, name)

        def counted(data):
            if self.received is not None:
                self.received += data if name == "buffer_updated" else len(data)
            original(data)

        setattr(protocol, name, counted)

    def bytes_received(self):
        """What the kernel has received for the app's TCP socket, taken or not (linux/tcp.h: tcpi_bytes_received)."""
        info = self.lowest.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
        return struct.unpack_from("Q", info, 128)[0]

    async def upgrade(self, starting):
        """start_tls: while it runs no flow is told; then it is that of the new transport."""
        self.received, self.upgrading = None, True
        try:
            made = await starting
            self.transport = made or self.writer.transport
            self.observe_transport()
        finally:
            self.upgrading = False

    @staticmethod
    def cannot_pause():
        raise NotImplementedError

    def drop(self):
        self.dropped = True
        self.reader_of = self.writer_of = lambda: None
        gc.collect()

    def observe(self, owner, name):
        original = getattr(owner, name)

        def observed():
            if not self.upgrading:
                self.case.emit({"ev": "flow", "conn": self.number, "call": name})
            return original()

        setattr(owner, name, observed)

    def use_socket_peer(self, peer):
        sock = self.transport.get_extra_info("socket")
        peer.app_fd = self.follow(sock)
        self.peer = self.case.peers[self.number] = peer

    @staticmethod
    def follow(sock):
        """What tells the descriptor of that socket, and -1 when it is closed."""
        return sock._sock.fileno if VERSION >= (3, 8) else sock.fileno

    def is_lost(self):
        return self.lowest._loop is None

    def use_tls_peer(self, peer):
        """A peer whose wire is a raw socket, or a memory peer."""
        if isinstance(peer.bottom(), SocketPeer):
            self.use_socket_peer(peer.bottom())
        self.peer = self.case.peers[self.number] = peer

    def fd(self):
        sock = self.transport and self.transport.get_extra_info("socket")
        return sock.fileno() if sock is not None else -1

    def waiting_drains(self):
        waiters = getattr(self.protocol, "_drain_waiters", None)
        if waiters is None:
            waiters = [self.protocol._drain_waiter] if self.protocol._drain_waiter else []
        return sum(1 for waiter in waiters if not waiter.done())

    def handler_ended(self):
        return self.handler is not None and self.handler.outcome not in (None, "running")

    def state(self):
        event = {"ev": "state", "conn": self.number}
        if not self.handler_ended() and self.reader is not None:
            event.update(buffer=len(self.reader._buffer), paused=self.reader._paused, at_eof=self.reader.at_eof())
        if self.transport is not None:
            for name, question in (("closing", "is_closing"), ("write", "get_write_buffer_size")):
                try:
                    event[name] = getattr(self.transport, question)()
                except AttributeError:      # of TLS transports that have forgotten their session
                    pass
            if not isinstance(self.protocol, ScriptedProtocol):
                event["drains"] = self.waiting_drains()
        return event


class ScriptedProtocol(asyncio.BaseProtocol):
    """The protocol of `with: protocol`: tells each call, and fails where the script says so."""

    def __init__(self, conn, options):
        self.conn = conn
        self.options = options
        conn.protocol = self
        self._connection_lost = False

    def tell(self, call, **more):
        self.conn.case.emit(dict(more, ev="protocol", conn=self.conn.number, call=call))

    def fail(self, call):
        if self.options.get("fail") == call:
            raise ValueError("scripted")

    def connection_made(self, transport):       # part of the set-up, and not told
        self.conn.transport = transport
        self.conn.observe_transport()

    def eof_received(self):
        self.tell("eof_received")
        self.fail("eof_received")
        return self.options.get("keep_open", False)

    def connection_lost(self, exc):
        self._connection_lost = True
        self.tell("connection_lost", **({"class": type(exc).__name__} if exc else {}))

    def pause_writing(self):
        self.tell("pause_writing")
        self.fail("pause_writing")

    def resume_writing(self):
        self.tell("resume_writing")
        self.fail("resume_writing")


class PlainProtocol(ScriptedProtocol, asyncio.Protocol):
    def data_received(self, data):
        self.tell("data_received", bytes=from_bytes(data))
        self.fail("data_received")


class BufferProtocol(ScriptedProtocol, asyncio.BufferedProtocol):
    def __init__(self, conn, options):
        super().__init__(conn, options)
        self.buffer = bytearray(65536)

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        self.tell("buffer_updated", bytes=from_bytes(self.buffer[:count]))
        self.fail("data_received")


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
        scripted = isinstance(self.conn.protocol, ScriptedProtocol)
        return self.conn.transport if scripted else self.conn.writer

    @property
    def transport(self):
        return self.conn.transport


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
    if call["name"] == "sslcontext":
        return CONTEXTS.name_of(at.case.script.get("tls", {}), value)
    if call["name"] == "ssl_object":
        return None if value is None else "object"
    return value if value is None or isinstance(value, (bool, int)) else str(value)


PLAIN_OPTIONS = ("limit proto happy_eyeballs_delay interleave all_errors server_hostname ssl_handshake_timeout "
                 "ssl_shutdown_timeout backlog reuse_address reuse_port keep_alive start_serving cleanup_socket").split()


def options_of(case, call):
    """The keyword arguments that the script gives; `sock` is made here."""
    options = {name: call[name] for name in PLAIN_OPTIONS if name in call}
    if "family" in call:
        options["family"] = getattr(socket, call["family"])
    if "flags" in call:
        options["flags"] = sum(getattr(socket, name) for name in call["flags"])
    if "local_host" in call or "local_port" in call or "local_port_of" in call:
        options["local_addr"] = call.get("local_host"), case.port(call, "local_port") or 0
    if call.get("ssl") is not None:
        options["ssl"] = case.context_of(call["ssl"])
    if "sock" in call:
        options["sock"] = case.make_sock(call["sock"], bool(call.get("ssl")))
    return options


async def connecting(case, coroutine):
    """Runs a call that connects or serves; the loop has not settled before its end."""
    case.connecting += 1
    try:
        return await coroutine
    finally:
        case.connecting -= 1


async def handshaking(case, coroutine, has_peer):
    """The same of a call with ssl: once it has a peer, the peer's moving tells whether the loop has settled."""
    call = {"has_peer": has_peer}
    case.ssl_calls.append(call)
    case.connecting += 0 if has_peer else 1
    try:
        return await coroutine
    finally:
        case.ssl_calls.remove(call)
        case.connecting -= 0 if call["has_peer"] else 1


async def open_it(case, call, function, *address):
    options = options_of(case, call)
    made = function(*address, **options)
    case.opened_for_script(*(await (handshaking(case, made, call.get("sock") == "pair") if call.get("ssl")
                                    else connecting(case, made))))


def call_open_connection(at, call):
    case = at.case
    return open_it(case, call, asyncio.open_connection, call.get("host"), case.port(call))


def call_open_unix_connection(at, call):
    case = at.case
    return open_it(case, call, asyncio.open_unix_connection, case.path(call))


TLS_OPTIONS = "server_hostname ssl_handshake_timeout ssl_shutdown_timeout".split()


async def call_start_tls(at, call):
    context = at.case.context_of(call.get("ssl"))
    options = {name: call[name] for name in TLS_OPTIONS if name in call}
    await at.conn.upgrade(at.case.start_tls(at.conn, context, options))


def call_ssl_object(at, call):
    value = getattr(at.writer.get_extra_info("ssl_object"), call["name"])
    return value() if callable(value) else value


def call_start_server(at, call):
    return connecting(at.case, at.case.start_server(call))


def call_start_unix_server(at, call):
    return connecting(at.case, at.case.start_unix_server(call, at.case.path(call)))


def call_sock_is_open(at, call):
    sock, inode = at.case.given[-1]
    try:
        return sock.fileno() >= 0 and os.fstat(sock.fileno()).st_ino == inode
    except OSError:
        return False


SOCKET_OPTIONS = {
    "TCP_NODELAY": (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    "SO_KEEPALIVE": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    "IPV6_V6ONLY": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
    "SO_REUSEADDR": (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    "SO_REUSEPORT": (socket.SOL_SOCKET, socket.SO_REUSEPORT),
}


def call_getsockopt(at, call):
    return bool(at.transport.get_extra_info("socket").getsockopt(*SOCKET_OPTIONS[call["name"]]))


def call_server_getsockopt(at, call):
    sockets = sorted(server_of(at, call).sockets or (), key=lambda sock: str(sock.getsockname()))
    return [bool(sock.getsockopt(*SOCKET_OPTIONS[call["name"]])) for sock in sockets]


def call_server_drop(at, call):
    record = at.case.servers[call.get("server", 0) - 1]
    record.server = weakref.proxy(record.server)
    gc.collect()


def call_server_names(at, call):
    return sorted(str(sock.getsockname()) for sock in server_of(at, call).sockets or ())


def call_add_reader(at, call):
    fd = at.conn.fd()
    at.case.loop.add_reader(fd, lambda: None)
    at.case.loop.remove_reader(fd)


def call_file_kind(at, call):
    try:
        mode = os.lstat(at.case.path(call)).st_mode
    except FileNotFoundError:
        return "none"
    return "socket" if stat.S_ISSOCK(mode) else "directory" if stat.S_ISDIR(mode) else "file"


def call_drop(at, call):
    at.pair = None
    at.conn.drop()


def call_write_items(at, call):
    at.writer.write(memoryview(to_bytes(call["bytes"])).cast("H"))


def call_write_changed(at, call):
    data = bytearray(to_bytes(call["bytes"]))
    at.writer.write(data)
    data[:] = b"!" * len(data)


def call_new_reader(at, call):
    options = {"limit": call["limit"]} if "limit" in call else {}
    reader = asyncio.StreamReader(**options)
    at.case.new_connection().reader_of = lambda: reader


def call_set_transport(at, call):
    at.reader.set_transport(at.case.connections[call["of"]].transport)


def call_advance(at, call):
    at.case.now += call["seconds"]


def call_cancel(at, call):
    task = at.case.task(call["task"])
    return task.cancel(call["text"]) if "text" in call else task.cancel()


def call_gather(at, call):
    tasks = [at.case.task(name) for name in call["tasks"]]
    return asyncio.gather(*tasks, return_exceptions=call.get("collect", False))


async def call_wait(at, call):
    tasks = [at.case.task(name) for name in call["tasks"]]
    until = asyncio.FIRST_COMPLETED if call.get("first") else asyncio.ALL_COMPLETED
    done, _ = await asyncio.wait(tasks, timeout=call.get("seconds"), return_when=until)
    return [name for name, task in zip(call["tasks"], tasks) if task in done]


def call_spawn(at, call):
    at.case.start_task(call["task"], at, call["body"])


async def call_group(at, call):
    async with asyncio.TaskGroup() as group:
        at.case.groups[call["id"] + at.mark] = group
        await run_calls(at, call["body"])


def call_group_spawn(at, call):
    group = at.case.groups.get(call["group"]) or asyncio.TaskGroup()
    at.case.start_task(call["task"], at, call["body"], group.create_task)


async def call_timeout(at, call):
    scope = at.case.scopes[call["id"] + at.mark] = asyncio.timeout(call["seconds"])
    async with scope:
        await run_calls(at, call["body"])


def call_timeout_new(at, call):
    at.case.scopes[call["id"] + at.mark] = asyncio.timeout(call["seconds"])


def call_reschedule(at, call):
    at.case.scopes[call["scope"]].reschedule(call["seconds"])


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


def server_of(at, call):
    return at.case.servers[call.get("server", 0) - 1].server


def server_call(name):
    return lambda at, call: getattr(server_of(at, call), name)()


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
    "write_items": call_write_items,
    "write_changed": call_write_changed,
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
    "open_unix_connection": call_open_unix_connection,
    "start_unix_server": call_start_unix_server,
    "sock_is_open": call_sock_is_open,
    "getsockopt": call_getsockopt,
    "server_getsockopt": call_server_getsockopt,
    "server_names": call_server_names,
    "server_drop": call_server_drop,
    "add_reader": call_add_reader,
    "file_kind": call_file_kind,
    "drop": call_drop,
    "advance": call_advance,
    "new_reader": call_new_reader,
    "set_transport": call_set_transport,
    "wait": call_wait,
    "server_close": server_call("close"),
    "server_wait_closed": server_call("wait_closed"),
    "server_is_serving": server_call("is_serving"),
    "server_start_serving": server_call("start_serving"),
    "server_serve_forever": server_call("serve_forever"),
    "server_sockets": lambda at, call: len(server_of(at, call).sockets or ()),
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
    "ssl_object": call_ssl_object,
}
CALLS.update(cpython_by_hand.CALLS)
if VERSION >= (3, 11):
    CALLS["timeout"] = call_timeout
    CALLS["timeout_new"] = call_timeout_new
    CALLS["reschedule"] = call_reschedule
    CALLS["expired"] = lambda at, call: at.case.scopes[call["scope"]].expired()
    CALLS["group"] = call_group
    CALLS["group_spawn"] = call_group_spawn
    CALLS["cancelling"] = lambda at, call: asyncio.current_task().cancelling()
    CALLS["start_tls"] = call_start_tls
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
    event = dict(error_fields(exc), ev="error", id=call["id"] + at.mark)
    behind = exc.__cause__ or exc.__context__
    if call.get("chain") and behind is not None:
        event["cause"] = type(behind).__name__
    if call.get("same"):
        event["same_as"] = next((name for told, name in at.case.told if told is exc), "none")
    at.case.told.append((exc, call["id"] + at.mark))
    at.case.emit(event)
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
    if isinstance(exc, ssl.SSLError):
        cpython_tls.error_fields(exc, fields)
    elif isinstance(exc, OSError) and exc.errno is not None:
        names = EAI_NAMES if isinstance(exc, socket.gaierror) else errno.errorcode
        fields["errno"] = names.get(exc.errno, str(exc.errno))
    if hasattr(exc, "exceptions"):
        fields["group"] = [error_fields(item) for item in exc.exceptions]
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
            event = {"ev": "log", "level": record.levelname, "text": record.getMessage()}
            if self.case.script.get("reports") == "default":
                event["whole"] = True
            self.case.emit(event)

    def warning(self, message, category, *place):
        """ResourceWarnings about asyncio's objects, which debug mode tells."""
        if self.case and str(message).startswith(("unclosed <StreamWriter", "unclosed transport", "loop is closed")):
            self.case.emit({"ev": "log", "level": "WARNING", "text": str(message)})


class ServerRecord:
    """One server of a case, with the peers that connected to it and have no connection yet."""

    def __init__(self, speaks_tls=False):
        self.server = self.family = self.address = None
        self.queue = collections.deque()
        self.silent = False     # nobody is called for its connections
        self.speaks_tls = speaks_tls


PLAIN_BACKENDS = ["mem", "pair", "tcp", "unix"]
CARRIERS = {"tls13-mem": "mem", "tls12-mem": "mem", "tls13-pair": "pair", "tls12-pair": "pair", "start-tls": "tcp"}
SERVER_CARRIERS = {"tls13-pair": "tcp", "tls12-pair": "unix", "start-tls": "tcp"}
PEER_OPERATIONS = set("send read shutdown close reset window connect eof cut raw hold flight handshake silent start-tls tell "
                      "key-update renegotiate ticket".split())


class Case:
    def __init__(self, wire, script):
        self.wire = wire
        self.script = script
        backend = script["backend"]
        self.tls = script.get("tls", {})
        self.speaks_tls = backend in CARRIERS and backend != "start-tls"
        self.upgrades = backend == "start-tls"
        self.carrier = (SERVER_CARRIERS if script["with"] == "server" else CARRIERS).get(backend, backend)
        self.ssl_calls = []     # calls with ssl that run
        self.early = {}         # peers accepted for such calls, without a connection yet: number -> inode of `sock=pair`
        self.addresses = {}     # of the peers that connected
        self.step = 0
        self.muted = False
        self.now = 0.0
        self.turns = 0
        self.turns_of_operation = 0
        self.restless_step = None
        self.connecting = 0
        self.virtual = {}       # descriptors that answer for themselves: memory sockets, scripted connects
        self.attempts = {}
        self.connects = {rule["address"]: rule for rule in script.get("connect", ())}
        self.faults = []
        self.lookups = 0
        self.accept_again = 0.0
        self.groups = {}
        self.told = []          # every error that was told, with its id
        self.scopes = {}
        self.servers = []
        self.given = []         # (socket, inode) of every `sock`
        self.other_ends = {}    # inode of a `sock` -> its socketpair's other end
        self.listeners = []
        self.ports_named = 0
        self.folder = None
        self.swallow = self.tells_run = False
        self.connections = {}
        self.peers = {}
        self.records = []
        self.listener = self.reserved = None
        self.finishing = False
        self.barrier_began = None
        self.operations = self.all_operations()
        self.left_in_loop = []      # (what, count) when the loop was closed

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

    def new_loop(self):
        return asyncio.SelectorEventLoop(VirtualSelector(self))

    def make_loop(self):
        self.loop = self.new_loop()
        self.loop.time = lambda: self.now
        if self.script.get("reports") != "default":
            self.loop.set_exception_handler(self.report)
        self.look_up = self.loop.getaddrinfo
        self.loop.getaddrinfo = self.counted_look_up
        self.watch_close()
        return self.loop

    async def counted_look_up(self, *args, **named):
        self.lookups += 1
        try:
            return await self.look_up(*args, **named)
        finally:
            self.lookups -= 1

    async def main(self):
        self.finished = self.loop.create_future()
        try:
            result = await self.finished
        except asyncio.CancelledError:
            if self.swallow:
                return 5
            raise
        if isinstance(result, BaseException):
            raise result
        return result

    def needs_scripted_sockets(self):
        return bool(self.connects) or any(op["op"] == "fault" for op in self.script["ops"])

    def replace_sockets(self):
        if "resolve" in self.script:
            socket.getaddrinfo = scripted_getaddrinfo({rule["name"]: rule for rule in self.script["resolve"]})
        if self.needs_scripted_sockets():
            socket.socket = scripted_socket(self)

    @staticmethod
    def restore_sockets():
        socket.getaddrinfo = REAL_GETADDRINFO
        socket.socket = REAL_SOCKET

    def number_of(self, sock):
        """The connection that owns this socket, or none."""
        fd = sock.fileno()
        return next((number for number, conn in self.connections.items() if fd >= 0 and conn.fd() == fd), None)

    def meet_fault(self, call, sock=None):
        """Raises what the script wants of this call; answers how many bytes it may transfer, or none."""
        faults = [fault for fault in self.faults if fault.call == call]
        number = self.number_of(sock) if faults and sock is not None else None
        due = None
        for fault in faults:
            if fault.conn != number:
                continue
            if fault.before > 0:
                fault.before -= 1       # every pending fault counts every call
            elif due is None:
                due = fault
        if due is None:
            return None
        due.left -= 1
        if not due.left:
            self.faults.remove(due)
        if due.errno is None:
            return due.short
        if call == "accept" and getattr(errno, due.errno) in OUT_OF_RESOURCE:
            self.accept_again = self.now + 1
        raise os_error(due.errno)

    def peers_are_quiet(self):
        """The kernel barrier alone."""
        owned = [conn.peer for conn in self.connections.values()]
        return (all(conn.peer is None or conn.peer.quiet(conn) for conn in self.connections.values())
                and all(peer.quiet(None) for peer in self.tls_peers() if peer not in owned))

    def tls_peers(self):
        return [peer for peer in self.peers.values() if isinstance(peer, TlsPeer)]

    def pump(self):
        """What TLS peers do by themselves; true when something moved."""
        if not self.tls:
            return False
        accepted = bool(self.ssl_calls) and self.accept_early()
        return any([peer.pump() for peer in self.tls_peers()]) or accepted

    def accept_early(self):
        """While a call with ssl runs, what its connect gave to the listeners becomes a TLS peer at once."""
        accepted = False
        for listener in self.listeners:
            listener.settimeout(0)
            try:
                self.add_early_peer(listener.accept()[0])
                accepted = True
            except OSError:
                pass
        return accepted

    def add_early_peer(self, sock, inode=None):
        number = max(list(self.connections) + list(self.peers), default=0) + 1
        self.early[number] = inode
        self.peers[number] = self.tls_peer(SocketPeer(sock), server_side=True)
        for call in self.ssl_calls:
            if not call["has_peer"]:
                call["has_peer"] = True
                self.connecting -= 1
                break

    def tls_peer(self, wire, server_side, first=b"", **flags):
        """A TLS peer over this wire, as the script's `tls` wants it."""
        wanted = self.tls["peer"]
        options = dict({"hold": wanted.get("hold", False), "silent": wanted.get("silent", False)}, **flags)
        return TlsPeer(wire, CONTEXTS.get(self.tls, wanted["server" if server_side else "client"]), server_side,
                       wanted.get("server_hostname"), first, **options)

    def context_of(self, value):
        """What a call passes as ssl: a context of the script, Python's True or False, or none."""
        return CONTEXTS.get(self.tls, value) if isinstance(value, str) else value

    def early_number(self, sock):
        """The number of the TLS peer at the other end of this socket."""
        for number, inode in self.early.items():
            try:
                other = self.peers[number].sock
                if (os.fstat(sock.fileno()).st_ino == inode if inode is not None else
                        (other.getpeername(), other.getsockname()) == (sock.getsockname(), sock.getpeername())):
                    return number
            except OSError:     # that one is closed
                pass
        return None

    def opened_for_script(self, reader, writer):
        """The connection of a call that succeeded, with its peer."""
        number = self.early_number(writer.transport.get_extra_info("socket")) if self.early else None
        conn = self.new_connection(number)
        conn.attach(reader, writer)
        if number:
            del self.early[number]
            conn.use_tls_peer(self.peers[number])
        else:
            self.find_peer(conn)

    async def start_tls(self, conn, context, options):
        """The writer's, or of a scripted protocol the loop's; that one gives the new transport."""
        if isinstance(conn.protocol, ScriptedProtocol):
            return await self.loop.start_tls(conn.transport, conn.protocol, context, **options)
        await conn.writer.start_tls(context, **options)

    def barrier(self):
        """Whether nothing is under way in the kernel or in a helper thread."""
        scripted = any(not attempt.decided and not attempt.writable() for attempt in self.attempts.values())
        calm = not self.lookups and (scripted or not self.connecting) and not self.accepting()
        return self.bounded(calm and self.peers_are_quiet())

    def bounded(self, quiet):
        """A broken case must not wait for ever."""
        if quiet:
            self.barrier_began = None
            return True
        self.barrier_began = self.barrier_began or time.monotonic()
        return time.monotonic() - self.barrier_began > BARRIER_SECONDS

    def accepting(self):
        """Whether a peer that connected is neither accepted nor turned away yet."""
        if self.now < self.accept_again:
            return False
        for record in self.servers:
            for number in [number for number in record.queue if self.peers[number].refused()]:
                record.queue.remove(number)
        return any(any(self.is_waited_for(record, number) for number in record.queue) and record.server.is_serving()
                   for record in self.servers)

    def is_waited_for(self, record, number):
        """Whether the server will call somebody for that peer without the script's doing."""
        peer = self.peers[number]
        if isinstance(peer, TlsPeer):
            return peer.failed is None and (not peer.holds or self.upgrades)
        return not record.speaks_tls

    def wait_for_the_end(self, selector):
        """run's own shutdown may wait for a helper thread, but for no timer: virtual time stands still."""
        ready, deadline = [], time.monotonic() + BARRIER_SECONDS
        while not ready:
            if time.monotonic() > deadline:
                raise RuntimeError("run() does not end: something still waits")
            ready = selector.poll(0 if self.pump() else 0.0005)
        return ready

    def restless(self):
        """Whether the loop spins without ever settling; told, and then the script goes on."""
        self.turns_of_operation += 1
        if self.turns_of_operation <= RESTLESS_TURNS or self.finishing:
            return False
        if self.restless_step != self.step:
            self.restless_step = self.step
            self.emit({"ev": "restless"})
        return True

    def next_operation(self):
        self.turns_of_operation = 0
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
                while not self.bounded(self.peers_are_quiet()):
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

    def open_timers(self):
        return [handle for handle in self.loop._scheduled if not handle._cancelled]

    def deadlines(self):
        return [handle._when for handle in self.open_timers()]

    def op_clock(self, op):
        target = self.now + op["seconds"]
        while True:
            deadlines = self.deadlines()
            deadlines += [attempt.at for attempt in self.attempts.values()
                          if not attempt.decided and attempt.at is not None and attempt.at > self.now]
            if not deadlines or min(deadlines) > target:
                break
            self.now = max(self.now, min(deadlines))
            yield
        self.now = target

    def op_finish(self, op):
        self.finishing = True
        self.tells_run = "value" in op or "error" in op
        self.finished.set_result(make_error(op["error"]) if "error" in op else op.get("value"))
        yield

    def op_interrupt(self, op):
        self.finishing = self.tells_run = True
        self.swallow = op.get("swallow", False)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        yield

    def op_fault(self, op):
        self.faults.append(Fault(op))
        return ()

    def op_file(self, op):
        path, what = self.path(op), op["do"]
        if what == "create":
            open(path, "w").close()
        elif what == "mkdir":
            os.mkdir(path)
        elif what == "rename":
            os.rename(path, self.path(op, "to"))
        elif what == "remove":
            self.remove_file(path)
        else:
            sock = REAL_SOCKET(socket.AF_UNIX)
            sock.bind(path)
            if what == "listen":
                sock.listen(5)
                self.listeners.append(sock)
            else:
                sock.close()
        return ()

    @staticmethod
    def remove_file(path):
        try:
            os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
        except FileNotFoundError:
            pass

    def op_peer(self, op):
        number = op.get("conn", 1)
        what = op["do"]
        if what == "connect":
            self.connect_peer(number, op.get("server", 0) - 1, op.get("plain", False))
            return
        peer = self.peers.get(number)
        if peer is None:
            return
        if what == "read":
            yield from self.read_peer(number, op.get("n"), op.get("drop", False))
        elif what in ("send", "raw"):
            getattr(peer, what)(to_bytes(op["bytes"]))
        elif what == "window":
            peer.window(op.get("n"))
        elif what == "start-tls":
            self.upgrade_peer(number, to_bytes(op.get("first", "")))
        elif what == "tell":
            if isinstance(peer, TlsPeer):
                self.emit(dict(peer.tell(), ev="session", conn=number))
        else:
            getattr(peer, what.replace("-", "_"), lambda: None)()

    def upgrade_peer(self, number, first=b"", **flags):
        """A peer speaks TLS from now on, over what it spoke until now."""
        server_side = number not in self.addresses      # the app opened the connection
        peer = self.peers[number] = self.tls_peer(self.peers[number], server_side, first, **flags)
        if number in self.connections:
            self.connections[number].peer = peer

    def read_peer(self, number, size, drop=False):
        """Reads all that comes (or `size` bytes); the app runs in between, so kernel sizes do not show."""
        peer, data, give_up = self.peers[number], bytearray(), time.monotonic() + BARRIER_SECONDS
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
        if getattr(peer, "failed", None):
            event["tls"] = peer.failed
        self.emit(event)

    def connect_peer(self, number, server, plain):
        if not self.servers:
            return
        record = self.servers[server]
        sock = REAL_SOCKET(record.family)
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(record.address)
        except OSError:
            sock.close()
            self.emit({"ev": "peer", "conn": number, "bytes": "", "end": "refused"})
            return
        if record.family != socket.AF_UNIX:
            self.name_port("peer%d" % number, sock.getsockname()[1])
        self.peers[number] = SocketPeer(sock)
        self.addresses[number] = sock.getsockname()
        if record.speaks_tls and not plain:
            self.peers[number] = self.tls_peer(self.peers[number], server_side=False)
        elif self.upgrades:
            self.peers[number] = self.tls_peer(self.peers[number], server_side=False, hold=True)
        if record.server.is_serving() and not record.silent:
            record.queue.append(number)

    # tasks

    def start_task(self, name, at, calls, create=None):
        record = TaskRecord(name)
        body = task_body(record, at, calls)
        try:
            task = (create or self.loop.create_task)(body)
        except BaseException:
            body.close()
            raise
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
        number = number or max(self.connections, default=0) + 1
        conn = self.connections[number] = Connection(self, number)
        return conn

    def set_up(self):
        kind = self.script["with"]
        if self.carrier == "unix" or "{dir}" in self.wire.text:
            self.folder = tempfile.mkdtemp(prefix="rc-")
            self.emit({"ev": "place", "name": "dir", "path": self.folder})
        if kind == "reader":
            options = {"limit": self.script["limit"]} if "limit" in self.script else {}
            reader = asyncio.StreamReader(loop=self.loop, **options)
            self.new_connection().reader_of = lambda: reader
        elif kind in ("connection", "protocol"):
            yield from getattr(self, "set_up_" + self.carrier)()
            if self.upgrades:
                yield from self.set_up_start_tls()
            elif self.speaks_tls:
                yield       # the app takes the session's tickets
        elif kind == "server":
            yield from self.run_to_its_end(self.begin_server())
        else:
            self.listen(with_v6=bool(self.connects))
            self.reserve_port()

    def run_to_its_end(self, coroutine):
        """Runs a call that connects or serves before the first step."""
        task = self.loop.create_task(connecting(self, coroutine))
        while not task.done():
            yield
        return task.result()

    def opened(self, where, *address, **options):
        """open_connection or open_unix_connection, or with a protocol its twin."""
        conn = self.new_connection()
        if self.speaks_tls:
            options.update(self.app_tls(), ssl=self.context_of(self.tls["app"]["context"]))
        if self.script["with"] == "connection":
            options.update(self.limit_option())
            conn.attach(*(yield from self.run_to_its_end(getattr(asyncio, "open" + where)(*address, **options))))
            return conn
        wanted = self.script.get("protocol", {})
        kind = BufferProtocol if wanted.get("buffered") else PlainProtocol
        create = getattr(self.loop, "create" + where)
        yield from self.run_to_its_end(create(lambda: kind(conn, wanted), *address, **options))
        return conn

    def app_tls(self, *names):
        """The options of the app's TLS, as far as this version knows them."""
        known = TLS_OPTIONS if VERSION >= ((3, 12) if self.upgrades else (3, 11)) else TLS_OPTIONS[:2]
        return {name: self.tls["app"][name] for name in names or known if name in known and name in self.tls["app"]}

    def set_up_start_tls(self):
        """The connection that is open becomes a TLS one."""
        conn = self.connections[1]
        self.upgrade_peer(1)
        context = self.context_of(self.tls["app"]["context"])
        yield from self.run_to_its_end(conn.upgrade(self.start_tls(conn, context, self.app_tls())))
        yield

    def limit_option(self):
        return {"limit": self.script["limit"]} if "limit" in self.script else {}

    def set_up_mem(self):
        fd = 1000000 + len(self.virtual)
        sock = self.virtual[fd] = MemSocket(fd)
        peer = self.peers[1] = self.carried(MemPeer(sock))
        conn = yield from self.opened("_connection", sock=sock)
        conn.peer = peer

    def carried(self, peer):
        return self.tls_peer(peer, server_side=True, hold=False) if self.speaks_tls else peer

    def set_up_pair(self):
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_SEND_BUFFER)
        peer = self.peers[1] = self.carried(SocketPeer(theirs))
        conn = yield from self.opened("_connection", sock=ours)
        if self.speaks_tls:
            conn.use_tls_peer(peer)
        else:
            conn.use_socket_peer(peer)

    def set_up_tcp(self):
        self.listen()
        conn = yield from self.opened("_connection", *self.listener.getsockname())
        self.use_small_buffer(conn)
        self.name_port("own1", conn.transport.get_extra_info("sockname")[1])

    def set_up_unix(self):
        path = self.folder + "/peer"
        self.op_file({"do": "listen", "path": path})
        self.use_small_buffer((yield from self.opened("_unix_connection", path)))

    def use_small_buffer(self, conn):
        conn.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_SEND_BUFFER)
        self.find_peer(conn)

    def listen(self, with_v6=False):
        """The raw listener of the peers; with IPv6 a second one on the same port number."""
        for _ in range(50):
            self.listener = REAL_SOCKET()
            self.listener.bind((LISTEN_HOST, 0))
            try:
                if with_v6:
                    self.listen_v6(self.listener.getsockname()[1])
                break
            except OSError:
                self.listener.close()
        self.listener.listen(5)
        self.listeners.append(self.listener)
        self.name_port("peer1", self.listener.getsockname()[1])

    def listen_v6(self, port):
        sock = REAL_SOCKET(socket.AF_INET6)
        try:
            sock.bind(("::1", port))
            sock.listen(5)
            self.listeners.append(sock)
        except OSError:
            sock.close()
            raise

    def listener_of(self, family):
        return next(sock.getsockname() for sock in self.listeners if sock.family == family)

    def find_peer(self, conn):
        """Accepts the other end of a connection that one of the raw listeners has."""
        sock = conn.transport.get_extra_info("socket")
        other = self.other_ends.pop(os.fstat(sock.fileno()).st_ino, None)
        for listener in self.listeners if other is None else ():
            if listener.family == sock.family and listener.getsockname() == sock.getpeername():
                other = self.accept(listener, sock)
        if other is not None:
            conn.use_socket_peer(SocketPeer(other))

    @staticmethod
    def accept(listener, sock):
        """The connection of that socket; others in the queue are attempts that lost."""
        listener.settimeout(BARRIER_SECONDS)
        while True:
            accepted = listener.accept()[0]
            if sock.family == socket.AF_UNIX or accepted.getpeername() == sock.getsockname():
                return accepted
            accepted.close()

    def reserve_port(self):
        """A port where nobody listens, kept from others by a bound socket."""
        self.reserved = REAL_SOCKET()
        self.reserved.bind((LISTEN_HOST, 0))
        self.name_port("closed", self.reserved.getsockname()[1])

    def port(self, call, key="port"):
        named = call.get(key + "_of")
        if named == "server":
            return self.servers[-1].address[1]
        if named:
            return (self.listener if named == "peer" else self.reserved).getsockname()[1]
        return call.get(key)

    def path(self, call, key="path"):
        """A path of the script, where {dir} is the case's directory; none when it is not given."""
        if key not in call:
            return None
        path = to_bytes(call[key]).replace(b"{dir}", os.fsencode(self.folder or ""))
        return path if call.get("bytes_path") else os.fsdecode(path)

    def make_sock(self, kind, speaks_tls=False):
        """A fresh socket for `sock=`, or the one of connection 1 again."""
        if kind == "again":
            sock = self.connections[1].transport.get_extra_info("socket")
            return getattr(sock, "_sock", sock) if VERSION >= (3, 8) else sock
        if kind == "pair":
            sock, other = socket.socketpair()
            inode = os.fstat(sock.fileno()).st_ino
            if speaks_tls:
                self.add_early_peer(other, inode)
            else:
                self.other_ends[inode] = other
        else:
            sock = self.plain_sock(kind)
        self.given.append((sock, os.fstat(sock.fileno()).st_ino))
        return sock

    def plain_sock(self, kind):
        family = socket.AF_UNIX if kind.startswith("unix") else socket.AF_INET
        kind_of = socket.SOCK_DGRAM if kind.endswith("datagram") else socket.SOCK_STREAM
        stream = family == socket.AF_INET and kind_of == socket.SOCK_STREAM
        proto = socket.IPPROTO_TCP if stream and not kind.endswith("proto0") else 0
        sock = REAL_SOCKET(family, kind_of, proto)
        if kind in ("bound", "bound-proto0", "datagram"):
            sock.bind((LISTEN_HOST, 0))
        elif kind in ("connected", "proto0"):
            sock.connect(self.listener.getsockname())
        elif kind == "unix-bound":
            sock.bind(self.folder + "/given")
        return socket.socket(family, kind_of, proto, sock.detach())

    def begin_server(self):
        call = dict(self.script, host=LISTEN_HOST, port=0)
        if self.speaks_tls:
            call.update(self.app_tls(*TLS_OPTIONS[1:]), ssl=self.tls["app"]["context"])
        if self.carrier == "unix":
            return self.start_unix_server(call, self.folder + "/server")
        return self.start_server(call)

    async def start_server(self, call):
        record = ServerRecord(bool(call.get("ssl")))
        host = call["hosts"] if "hosts" in call else call.get("host")
        record.server = await asyncio.start_server(self.callback(record, call), host, self.port(call),
                                                   **options_of(self, call))
        self.add_server(record)

    async def start_unix_server(self, call, path):
        record = ServerRecord(bool(call.get("ssl")))
        record.server = await asyncio.start_unix_server(self.callback(record, call), path, **options_of(self, call))
        self.add_server(record)

    def callback(self, record, call):
        record.silent = call.get("no_callback", False)
        return None if record.silent else lambda reader, writer: self.connected(record, reader, writer)

    def add_server(self, record):
        sockets = sorted(record.server.sockets, key=lambda sock: str(sock.getsockname()))
        for sock in sockets:
            if sock.family != socket.AF_UNIX:
                self.ports_named += 1
                name = "server" if self.ports_named == 1 else "server%d" % self.ports_named
                self.name_port(name, sock.getsockname()[1])
        if sockets:
            record.family, record.address = sockets[0].family, sockets[0].getsockname()
        self.servers.append(record)

    def connected(self, record, reader, writer):
        """The server's client_connected_cb; a plain function may return the handler's coroutine (R-650)."""
        number = self.queued_number(record, writer)
        conn = self.new_connection(number)
        conn.attach(reader, writer, hold=self.script.get("handler", {}).get("kind") != "task")
        if isinstance(self.peers[number], TlsPeer):
            conn.use_tls_peer(self.peers[number])
        else:
            conn.use_socket_peer(self.peers[number])
        handler = self.script.get("handler", {"kind": "callback", "calls": []})
        at = HandlerContext(self, number, reader, writer)
        if handler["kind"] == "callback":
            return run_plain_calls(at, handler["calls"])
        record = conn.handler = TaskRecord("h%d" % number)
        return self.handler_body(record, at, handler["calls"])

    def queued_number(self, record, writer):
        """The peer that this accepted connection comes from: by its address, or on Unix sockets by the order."""
        name = writer.get_extra_info("peername")
        here = [number for number in record.queue if name and self.addresses[number] == name]
        ready = [number for number in record.queue if self.upgrades or not getattr(self.peers[number], "holds", False)]
        number = (here or ready or record.queue)[0]
        record.queue.remove(number)
        return number

    async def handler_body(self, record, at, calls):
        record.task = weakref.ref(asyncio.current_task())
        self.records.append(record)
        if self.upgrades:
            await self.upgrade_handler(record, at)
        return await task_body(record, at, calls)

    async def upgrade_handler(self, record, at):
        """On backend start-tls a handler begins with start_tls; its peer sends its ClientHello when that has begun."""
        record.outcome = "running"
        if not self.tls["peer"].get("hold"):
            self.peers[at.number].handshake()
        context, options = self.context_of(self.tls["app"]["context"]), self.app_tls(*TLS_OPTIONS[1:])
        try:
            await at.conn.upgrade(self.start_tls(at.conn, context, options))
        except BaseException as exc:
            record.outcome = "cancelled" if isinstance(exc, asyncio.CancelledError) else "raised"
            self.emit(dict(error_fields(exc), ev="error", id="start_tls" + at.mark))
            raise

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
        for number, peer in self.peers.items():
            if self.tls and number not in self.connections:
                peer.cut()      # a handshake that the script left in the middle
        for conn in self.connections.values():
            if conn.lowest is not None and not conn.is_lost():
                conn.lowest.abort()
        for record in self.servers:
            record.server.close()
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
        rest = list(self.other_ends.values()) + [sock for sock, _ in self.given] + self.listeners
        for sock in rest + ([self.reserved] if self.reserved else []):
            try:
                sock.close()
            except OSError:     # uvloop has closed what it was given
                pass
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def watch_close(self):
        """What is left in the loop is seen before close() throws it away."""
        close = self.loop.close

        def look_and_close():
            self.left_in_loop = self.look_at_loop()
            close()
        self.loop.close = look_and_close

    def look_at_loop(self):
        """Live timers, and tasks. A script that finishes by itself leaves connections, whose timers are no leak."""
        timers = self.open_timers() if self.muted else []
        return [("timers", len(timers)), ("tasks", sum(1 for task in asyncio.all_tasks(self.loop) if not task.done()))]

    def leaks(self):
        return self.left_in_loop


# ---- the program ---------------------------------------------------------------------------------------------------

def count_descriptors():
    return len(os.listdir("/proc/self/fd"))


def run_case(wire, logs, script):
    if script.get("debug"):
        gc.collect()        # what earlier cases left is collected now, and warns nobody in this one
    before = count_descriptors()
    case = Case(wire, script)
    logs.case = case
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.simplefilter("always" if script.get("debug") else "ignore", ResourceWarning)
    case.replace_sockets()
    try:
        ran = run_and_tell(case)
        if case.tells_run:
            case.emit(ran)
        leaks = case.leaks()
        finished_by_script = not case.muted
        case.muted = True       # what collectors still report belongs to no step
    finally:
        case.restore_sockets()
        case.dispose()
        logs.case = None
    if finished_by_script:
        case.connections.clear()
    steps = case.step
    del case
    left = count_descriptors() - before
    for _ in range(8):      # PyPy frees in generations what refers to each other
        if left > 0:
            gc.collect()
            left = count_descriptors() - before
    leaks.append(("descriptors", left))
    for what, count in leaks:
        if count > 0:
            wire.send({"ev": "leak", "step": steps, "what": what, "count": count})
    wire.send({"ev": "end", "step": steps}, flush=True)


def run_and_tell(case):
    """run itself, and what came out of it; errors of the harness are not caught."""
    try:
        value = run_with_loop(case.main(), case.make_loop, True if case.script.get("debug") else None)
        return {"ev": "ran"} if value is None else {"ev": "ran", "value": value}
    except (Exception, KeyboardInterrupt) as exc:
        if not case.tells_run:
            raise
        return dict(error_fields(exc), ev="ran")


def refusal(script):
    """Why this script cannot run here, or none."""
    if script["backend"] not in BACKENDS:
        return "no backend %s" % script["backend"]
    for op in script["ops"]:
        if not hasattr(Case, "op_" + op["op"]):
            return "no operation %s" % op["op"]
    unknown = set(script) - RUN_KEYS
    if unknown:
        return "no key %s" % sorted(unknown)[0]
    unknown = {op["do"] for op in script["ops"] if op["op"] == "peer"} - PEER_OPERATIONS
    if unknown:
        return "no operation peer %s" % sorted(unknown)[0]
    calls = [op.get("calls", []) for op in script["ops"]] + [script.get("handler", {}).get("calls", [])]
    unknown = next(filter(None, map(unknown_call, calls)), None)
    return "no call %s" % unknown if unknown else None


BACKENDS = PLAIN_BACKENDS + [name for name in CARRIERS if VERSION >= (3, 11) or name != "start-tls"]
RUN_KEYS = set("run backend with ops handler debug reports no_pause protocol resolve connect tls".split()) | set(PLAIN_OPTIONS)


def capabilities():
    names = ["core", "server", "half-close", "virtual-clock", "protocol", "tls", "by-hand"]
    names += ["tls-extras"] if NATIVE.available() and BACKENDS is not PLAIN_BACKENDS else []
    names += ["happy-eyeballs"] if VERSION >= (3, 8) else []
    names += ["cancel-text"] if VERSION >= (3, 9) else []
    names += ["timeout-scope", "uncancel", "task-group", "ssl-shutdown-timeout", "start-tls"] if VERSION >= (3, 11) else []
    names += ["all-errors"] if VERSION >= (3, 12) else []
    names += ["tuple-separator", "close-clients", "keep-alive", "cleanup-socket"] if VERSION >= (3, 13) else []
    return names


def keep_memory():
    """What costs time in each case otherwise: asyncio's TLS buffers of 256 kB come and go, collectors look at all that is imported."""
    if hasattr(gc, "freeze"):
        gc.collect()
        gc.freeze()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)       # glibc's alone
    if mallopt:
        for parameter, size in MALLOC_KEEPS.items():
            mallopt(parameter, size)


def serve(name="cpython"):
    warnings.simplefilter("ignore")
    sink = os.fdopen(os.dup(1), "wb", 65536)
    os.dup2(2, 1)       # a stray print must not end up among the messages
    wire = Wire(sys.stdin.buffer, sink)
    logs = LogEvents()
    logger = logging.getLogger("asyncio")
    logger.addHandler(logs)
    logger.propagate = False
    keep_memory()
    warnings.showwarning = logs.warning
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
