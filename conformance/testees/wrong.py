#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deliberately wrong testees: CPython's streams with one mistake each, which the suite must find.

A mistake is a switch by name: it changes some words in the source of one function of the asyncio that runs, or wraps it.
usage: wrong.py NAME | --list     (--list: a JSON array of all, with what is missing in this CPython)
"""
import asyncio
import asyncio.staggered
import inspect
import json
import re
import sys
import textwrap
from asyncio import sslproto

import cpython
import cpython_tls

READER = "streams.StreamReader."
DRAINS = "streams.FlowControlMixin."
PROTOCOL = "streams.StreamReaderProtocol."
WRITER = "streams.StreamWriter."
TRANSPORT = "selector_events._SelectorTransport."
STREAM = "selector_events._SelectorSocketTransport."
MARKS = "transports._FlowControlMixin."
LOOP = "base_events.BaseEventLoop."
SERVER = "base_events.Server."
TLS = "sslproto.SSLProtocol."


# ---- how a mistake is made --------------------------------------------------------------------------------------------

class NotHere(Exception):
    """This CPython is written otherwise: the mistake cannot be made in it."""


def find(path):
    found = asyncio
    for name in path.split("."):
        found = getattr(found, name, None)
    if found is None:
        raise NotHere("no %s" % path)
    return found


class Change:
    """Other words in a function of asyncio: (old, new) pairs, of which the first that is found counts, at its first place."""

    def __init__(self, path, *pairs):
        self.path = path
        self.pairs = pairs

    def source(self):
        text = textwrap.dedent(inspect.getsource(find(self.path)))
        for old, new in self.pairs:
            pattern = r"\s+".join(map(re.escape, old.split()))
            if re.search(pattern, text):
                return re.sub(pattern, lambda match: new, text, count=1)
        raise NotHere("%s has no %s" % (self.path, self.pairs[0][0]))

    def make(self):
        """The function's code is exchanged, so everybody who holds the function has the new one."""
        function = find(self.path)
        source = "def outer(__class__):\n%s\n    return %s\n" % (textwrap.indent(self.source(), "    "), function.__name__)
        scope = dict(function.__globals__)      # of which defaults and annotations are made; the code has its own
        exec(compile(source, "<wrong %s>" % self.path, "exec"), scope)
        function.__code__ = scope["outer"](None).__code__


class Mistake:
    """A name, the rules that it breaks, the backends that show it, where cases are looked for, and what makes it."""

    def __init__(self, name, rules, where, what, *makers):
        self.name = name
        self.rules = rules.split()
        self.backends, self.areas = where
        self.what = what
        self.makers = makers

    def missing(self):
        """Why it cannot be made here, or none."""
        try:
            for maker in self.makers:
                if isinstance(maker, Change):
                    maker.source()
        except NotHere as reason:
            return str(reason)
        return None

    def make(self):
        for maker in self.makers:
            maker.make() if isinstance(maker, Change) else maker()

    def told(self):
        return {"name": self.name, "rules": self.rules, "backends": self.backends, "areas": self.areas, "what": self.what,
                "missing": self.missing()}


READS = "mem", "reader readline separator limit pause core cancel errors tasks"
WRITES = "mem", "writer writing flow drain closing core errors transport cancel"
ON_TCP = "tcp", "writer writing closing transport errors core drain matrix extra"
TASKS = "mem", "tasks timeout cancel concurrency schedule reader"
CONNECTS = "mem", "connect concurrency timeout cancel errors core"
SERVERS = "mem,tcp", "server closing core concurrency"
PATHS = "mem,unix", "unix server core"
OVER_TLS = "tls13-mem", "tls closing drain extra flow writer errors matrix"
OPENS_TLS = "tls13-mem,mem", "tls start-tls connect"


# ---- mistakes that need more than other words -------------------------------------------------------------------------

def wrap(path):
    """Exchanges a method of asyncio for one that is given the right one first."""
    owner, name = path.rsplit(".", 1)
    right = find(path)

    def exchange(wrong):
        setattr(find(owner), name, lambda *args, **options: wrong(right, *args, **options))
    return exchange


def lost_wake_up():
    @wrap(READER + "feed_data")
    def feed_data(right, self, data):
        if not self._buffer:
            return right(self, data)
        waiter, self._waiter = self._waiter, None
        right(self, data)
        self._waiter = waiter


def cancel_drops_data():
    @wrap(READER + "_wait_for_data")
    async def wait_for_data(right, self, name):
        try:
            await right(self, name)
        except asyncio.CancelledError:
            self._buffer.clear()
            raise


def cancel_swallowed():
    @wrap(READER + "read")
    async def read(right, self, n=-1):
        try:
            return await right(self, n)
        except asyncio.CancelledError:
            return b""


def peername_missing():
    @wrap(WRITER + "get_extra_info")
    def get_extra_info(right, self, name, default=None):
        return default if name == "peername" else right(self, name, default)


def fin_instead_of_rst():
    """What the kernel still holds is read away before the descriptor is closed."""
    @wrap(TRANSPORT + "_call_connection_lost")
    def call_connection_lost(right, self, error):
        try:
            while self._sock.recv(65536):
                pass
        except OSError:
            pass
        right(self, error)


def any_name():
    right = cpython_tls.make_context

    def make_context(told, folder):
        return right(dict(told, check_hostname=False) if told["side"] == "client" else told, folder)

    cpython_tls.make_context = make_context


def no_close_notify():
    def do_shutdown(self):
        self._process_outgoing()
        self._call_eof_received()
        self._on_shutdown_complete(None)

    sslproto.SSLProtocol._do_shutdown = do_shutdown


# ---- the list ---------------------------------------------------------------------------------------------------------

READING = [
    Mistake("limit-off-by-one", "R-144 R-145", READS, "readuntil lets one byte more than the limit pass",
            Change(READER + "readuntil", ("if match_start > self._limit", "if match_start > self._limit + 1"),
                   ("if isep > self._limit", "if isep > self._limit + 1"))),
    Mistake("limit-counts-separator", "R-145 R-184", READS, "the limit counts the separator too",
            Change(READER + "readuntil", ("if match_start > self._limit", "if match_end > self._limit"),
                   ("if isep > self._limit", "if isep + seplen > self._limit"))),
    Mistake("unfound-limit-late", "R-146", READS, "without a separator one byte more than the limit is waited for",
            Change(READER + "readuntil", ("if offset > self._limit", "if offset > self._limit + 1"))),
    Mistake("consumed-to-the-end", "R-144 R-150", READS, "LimitOverrunError.consumed is where the separator ends",
            Change(READER + "readuntil", ("longer than limit', match_start", "longer than limit', match_end"),
                   ("longer than limit', isep", "longer than limit', isep + seplen"))),
    Mistake("consumed-everything", "R-146 R-150", READS, "without a separator, consumed is all that is buffered",
            Change(READER + "readuntil", ("exceed the limit', offset", "exceed the limit', buflen"))),
    Mistake("split-separator-missed", "R-143 R-1U-14", READS, "a separator that arrives in two chunks is not found",
            Change(READER + "readuntil", ("offset = max(0, buflen + 1 - max_seplen)", "offset = buflen"),
                   ("offset = buflen + 1 - seplen", "offset = buflen"))),
    Mistake("eof-before-data", "R-149", READS, "at EOF a complete line in the buffer counts as incomplete",
            Change(READER + "readuntil", ("if buflen - offset >= min_seplen:", "if buflen - offset >= min_seplen and not self._eof:"),
                   ("if buflen - offset >= seplen:", "if buflen - offset >= seplen and not self._eof:"))),
    Mistake("tuple-takes-first", "R-156", READS, "of a tuple's separators the shortest wins, not the first to end",
            Change(READER + "readuntil", ("if match_end is None or end < match_end:", "if match_end is None:"))),
    Mistake("tuple-takes-longest", "R-156 R-157", READS, "of separators that end together the longest wins",
            Change(READER + "readuntil", ("end < match_end", "end <= match_end"))),
    Mistake("tuple-empty-element", "R-154", READS, "an empty separator among others is accepted",
            Change(READER + "readuntil", ("if min_seplen == 0", "if max_seplen == 0"))),
    Mistake("missed-resume", "R-162", READS, "a reader that paused its transport does not resume it after bytes were taken",
            Change(READER + "_maybe_resume_transport", ("if self._paused and", "if False and"))),
    Mistake("resume-below-limit", "R-162", READS, "the transport is resumed below the limit only, not at it",
            Change(READER + "_maybe_resume_transport", ("<= self._limit", "< self._limit"))),
    Mistake("resume-at-any-size", "R-162", READS, "the transport is resumed by any read, whatever is left",
            Change(READER + "_maybe_resume_transport", ("len(self._buffer) <= self._limit", "True"))),
    Mistake("pause-at-twice-limit", "R-161", READS, "the transport is paused at twice the limit, not above it",
            Change(READER + "feed_data", ("> 2 * self._limit", ">= 2 * self._limit"))),
    Mistake("pause-above-limit", "R-161", READS, "the transport is paused above the limit already",
            Change(READER + "feed_data", ("> 2 * self._limit", "> self._limit"))),
    Mistake("no-resume-to-wait", "R-160", READS, "who must wait leaves the transport paused",
            Change(READER + "_wait_for_data", ("if self._paused:", "if False:"))),
    Mistake("lost-wake-up", "R-106 R-113 R-133", READS, "data that finds other data in the buffer wakes nobody", lost_wake_up),
    Mistake("empty-data-wakes", "R-107", READS, "no bytes wake the reader", Change(READER + "feed_data", ("if not data:", "if data is None:"))),
    Mistake("eof-wakes-nobody", "R-109", READS, "EOF does not wake who waits",
            Change(READER + "feed_eof", ("self._wakeup_waiter()", "pass"))),
    Mistake("error-wakes-nobody", "R-110", READS, "an exception does not reach who waits",
            Change(READER + "set_exception", ("waiter = self._waiter", "waiter = None"))),
    Mistake("data-before-error", "R-118", READS, "bytes that came before an error can still be read",
            Change(READER + "read", ("if self._exception is not None:", "if self._exception is not None and not self._buffer:"))),
    Mistake("at-eof-with-data", "R-112", READS, "at_eof is true while bytes are left",
            Change(READER + "at_eof", ("self._eof and not self._buffer", "self._eof"))),
    Mistake("read-fills-up", "R-122 R-123", READS, "read(n) waits for all of n bytes",
            Change(READER + "read", ("if not self._buffer and not self._eof:", "while len(self._buffer) < n and not self._eof:"))),
    Mistake("read-zero-waits", "R-121", READS, "read(0) waits for data", Change(READER + "read", ("if n == 0:", "if n == 0 and self._eof:"))),
    Mistake("read-one-less", "R-122", READS, "read(n) leaves the last of n bytes",
            Change(READER + "read", ("[:n]) del self._buffer[:n]", "[:n - (n > 1)])\n    del self._buffer[:n - (n > 1)]"))),
    Mistake("readexactly-off-by-one", "R-132", READS, "readexactly(n) waits for a byte more",
            Change(READER + "readexactly", ("while len(self._buffer) < n:", "while len(self._buffer) <= n:"))),
    Mistake("partial-missing", "R-134", READS, "readexactly's error has no partial bytes",
            Change(READER + "readexactly", ("IncompleteReadError(incomplete, n)", "IncompleteReadError(b'', n)"))),
    Mistake("partial-kept", "R-134", READS, "what readexactly's error tells stays in the buffer, too",
            Change(READER + "readexactly", ("self._buffer.clear()", "pass"))),
    Mistake("expected-rest", "R-134", READS, "readexactly's error tells how many bytes are missing, not how many were asked for",
            Change(READER + "readexactly", ("(incomplete, n)", "(incomplete, n - len(incomplete))"))),
    Mistake("line-end-stripped", "R-180", READS, "readline takes the newline off",
            Change(READER + "readline", ("return line", "return line[:-1]"))),
    Mistake("long-line-newline-kept", "R-181", READS, "an over-long line is thrown away without its newline",
            Change(READER + "readline", ("[:e.consumed + seplen]", "[:e.consumed]"))),
    Mistake("long-line-kept", "R-182", READS, "an over-long line without newline stays in the buffer",
            Change(READER + "readline", ("self._buffer.clear()", "pass"))),
    Mistake("readline-incomplete", "R-183", READS, "a last line without newline is an error",
            Change(READER + "readline", ("return e.partial", "raise"))),
    Mistake("iteration-ends-early", "R-177", READS, "an empty line ends the iteration",
            Change(READER + "__anext__", ("val == b''", "val in (b'', b'\\n')"))),
    Mistake("two-readers", "R-170", READS, "a second reader may wait as well",
            Change(READER + "_wait_for_data", ("if self._waiter is not None:", "if False:"))),
    Mistake("cancel-drops-data", "R-174", READS, "a cancelled read throws buffered bytes away", cancel_drops_data),
    Mistake("cancel-swallowed", "R-174 R-911", READS, "a cancelled read returns as at EOF", cancel_swallowed),
]

WRITING = [
    Mistake("drain-too-early", "R-254", WRITES, "drain returns while writing is paused",
            Change(DRAINS + "_drain_helper", ("if not self._paused:", "if True:"))),
    Mistake("drain-never", "R-254", WRITES, "drain is not woken when the buffer has emptied",
            Change(DRAINS + "resume_writing", ("if not waiter.done()", "if False"), ("if waiter is not None", "if False"))),
    Mistake("drain-wakes-one", "R-254 R-257", WRITES, "of several drains only the first is woken",
            Change(DRAINS + "resume_writing", ("in self._drain_waiters", "in list(self._drain_waiters)[:1]"))),
    Mistake("drain-order-swapped", "R-254 R-257 R-011", WRITES, "drains are woken last first",
            Change(DRAINS + "resume_writing", ("in self._drain_waiters", "in reversed(self._drain_waiters)"))),
    Mistake("drain-after-loss", "R-252", WRITES, "drain says nothing of a connection that is gone",
            Change(DRAINS + "_drain_helper", ("if self._connection_lost:", "if False:"))),
    Mistake("drain-does-not-yield", "R-252", WRITES, "drain does not yield on a closing connection",
            Change(WRITER + "drain", ("if self._transport.is_closing():", "if False:"))),
    Mistake("drain-hides-error", "R-250", WRITES, "drain does not raise the reader's error",
            Change(WRITER + "drain", ("if exc is not None", "if False"))),
    Mistake("loss-strands-drains", "R-255 R-256", WRITES, "a lost connection leaves drains waiting",
            Change(DRAINS + "connection_lost", ("if not self._paused:", "if True:"))),
    Mistake("high-water-inclusive", "R-307", WRITES, "writing is paused at high water, not above it",
            Change(MARKS + "_maybe_pause_protocol", ("size <= self._high_water", "size < self._high_water"))),
    Mistake("low-water-exclusive", "R-308", WRITES, "writing is resumed below low water, not at it",
            Change(MARKS + "_maybe_resume_protocol", ("<= self._low_water", "< self._low_water"))),
    Mistake("low-water-half", "R-304", WRITES, "low water is half of high water",
            Change(MARKS + "_set_write_buffer_limits", ("high // 4", "high // 2"))),
    Mistake("limits-unchecked", "R-305", WRITES, "any limits are accepted",
            Change(MARKS + "_set_write_buffer_limits", ("if not high >= low >= 0:", "if False:"))),
    Mistake("limits-pause-later", "R-306", WRITES, "new limits count from the next write on",
            Change(MARKS + "set_write_buffer_limits", ("self._maybe_pause_protocol()", "pass"))),
    Mistake("short-send-skips", "R-421", WRITES, "a byte is lost after each short send",
            Change(STREAM + "write", ("[n:]", "[n + 1:]"))),
    Mistake("lost-write-warning-missing", "R-431", WRITES, "writes into nowhere are not warned of",
            Change(STREAM + "write", ("if self._conn_lost >=", "if self._conn_lost < 0 and 5 >="))),
    Mistake("lost-write-warning-late", "R-431", WRITES, "writes into nowhere are warned of one too late",
            Change(STREAM + "write", ("if self._conn_lost >=", "if self._conn_lost >"))),
    Mistake("write-after-eof", "R-210", WRITES, "write after write_eof is accepted",
            Change(STREAM + "write", ("if self._eof:", "if False:"))),
    Mistake("write-eof-ignored", "R-209", WRITES, "write_eof tells the peer nothing",
            Change(STREAM + "write_eof", ("if not self._buffer:", "if False:"))),
    Mistake("write-eof-hasty", "R-442 R-209", WRITES, "write_eof shuts down before the buffer was sent",
            Change(STREAM + "write_eof", ("if not self._buffer:", "if True:"))),
    Mistake("close-twice", "R-455", WRITES, "close is not idempotent", Change(TRANSPORT + "close", ("if self._closing:", "if False:"))),
    Mistake("close-without-flush", "R-451", WRITES, "close throws away what was not sent",
            Change(TRANSPORT + "close", ("if not self._buffer:", "if self._buffer.clear() is None:"))),
    Mistake("abort-flushes", "R-456", WRITES, "abort sends what was written, as close does",
            Change(TRANSPORT + "abort", ("self._force_close(None)", "self.close()"))),
    Mistake("wait-closed-early", "R-217", WRITES, "wait_closed does not wait",
            Change(WRITER + "wait_closed", ("await self._protocol._get_close_waiter(self)", "pass"))),
    Mistake("fin-closes", "R-412 R-407", WRITES, "the peer's FIN closes the connection",
            Change(PROTOCOL + "eof_received", ("return True", "return False"))),
    Mistake("error-is-eof", "R-476 R-009", WRITES, "a reset connection looks like EOF to the reader",
            Change(PROTOCOL + "connection_lost", ("if exc is None:", "if True:"))),
    Mistake("fin-instead-of-rst", "R-454", WRITES, "close reads away what the peer sent, so that the peer sees a FIN", fin_instead_of_rst),
    Mistake("eintr-is-fatal", "R-405", ON_TCP, "recv that a signal interrupted ends the connection",
            Change(STREAM + "_read_ready__data_received", ("(BlockingIOError, InterruptedError)", "BlockingIOError"))),
    Mistake("peername-missing", "R-230", ON_TCP, "there is no peername", peername_missing),
    Mistake("nodelay-missing", "R-402", ("tcp", "transport connect server extra core"), "TCP_NODELAY is not set",
            Change("base_events._set_nodelay", ("if hasattr(socket, 'TCP_NODELAY'):", "if False:"),
                   ("if (sock.family in", "if False and (sock.family in"))),
]

TASK_MISTAKES = [
    Mistake("leaked-timer", "R-930 R-920", TASKS, "a time limit that was kept leaves its timer behind",
            Change("timeouts.Timeout.__aexit__", ("self._timeout_handler.cancel()", "pass"))),
    Mistake("timeout-late", "R-920 R-930", TASKS, "time limits end a second late",
            Change("timeouts.Timeout.reschedule", ("call_at(when,", "call_at(when + 1,"))),
    Mistake("timeout-zero-runs", "R-921", TASKS, "wait_for runs what has no time",
            Change("tasks.wait_for", ("and timeout <= 0:", "and timeout < -9:"))),
    Mistake("group-keeps-siblings", "R-942", TASKS, "a task group's siblings run on after a failure",
            Change("taskgroups.TaskGroup._abort", ("t.cancel()", "pass"))),
    Mistake("nested-timeouts-swapped", "R-930 R-933 R-932", TASKS, "any error that leaves an expired block is its timeout",
            Change("timeouts.Timeout.__aexit__", ("issubclass(exc_type, exceptions.CancelledError)", "issubclass(exc_type, BaseException)"))),
]

CONNECTING = [
    Mistake("leaked-descriptor", "R-546 R-548 R-549", CONNECTS, "a refused connect leaves its socket open",
            Change(LOOP + "_connect_sock", ("sock.close() raise except",
                                            "self.__dict__.setdefault('kept', __import__('collections')).__dict__"
                                            ".setdefault('kept', []).append(sock)\n        raise\n    except"))),
    Mistake("connects-to-last", "R-546", CONNECTS, "addresses are tried last first",
            Change(LOOP + "create_connection", ("for addrinfo in infos: try:", "for addrinfo in reversed(infos):\n                try:"))),
    Mistake("families-not-mixed", "R-570 R-512", CONNECTS, "happy eyeballs takes the addresses as they come",
            Change(LOOP + "create_connection", ("if interleave:", "if False:"))),
    Mistake("eyeballs-late", "R-571 R-575", CONNECTS, "happy eyeballs waits twice as long",
            Change("staggered.staggered_race", (".wait(), delay)", ".wait(), delay * 2)"))),
    Mistake("eyeballs-ignore-failure", "R-571", CONNECTS, "a failed attempt does not hasten the next",
            Change("staggered.staggered_race", ("this_failed.set()", "pass"))),
    Mistake("first-error-only", "R-551", CONNECTS, "of several failures the first one is told alone",
            Change(LOOP + "create_connection", ("raise OSError('Multiple exceptions", "raise exceptions[0]\n"
                                                "                    raise OSError('Multiple exceptions"))),
]

SERVING = [
    Mistake("handler-error-silent", "R-653", SERVERS, "a handler's exception is reported to nobody",
            Change(PROTOCOL + "connection_made", ("if exc is not None:", "if False:"))),
    Mistake("close-closes-clients", "R-666", SERVERS, "closing a server closes its connections",
            Change(SERVER + "close", ("self._serving = False", "self._serving = False\n    self.close_clients()"))),
    Mistake("server-never-waits", "R-669 R-668", SERVERS, "a server's wait_closed does not wait",
            Change(SERVER + "wait_closed", ("await waiter", "return"))),
    Mistake("reuse-address-off", "R-609", SERVERS, "listening sockets do not reuse addresses",
            Change(LOOP + "create_server", ("if reuse_address:", "if False:"))),
    Mistake("v6-takes-v4", "R-630", SERVERS, "an IPv6 socket takes IPv4 connections too",
            Change(LOOP + "create_server", ("socket.IPV6_V6ONLY, True)", "socket.IPV6_V6ONLY, False)"))),
    Mistake("accepts-one-more", "R-640", SERVERS, "a turn accepts one connection more than the backlog",
            Change("selector_events.BaseSelectorEventLoop._accept_connection", ("range(backlog)", "range(backlog + 1)"))),
    Mistake("accept-retry-early", "R-642", SERVERS, "accepting goes on before its second is over",
            Change("selector_events.BaseSelectorEventLoop._accept_connection", ("constants.ACCEPT_RETRY_DELAY", "0.5"))),
    Mistake("abort-closes", "R-672", SERVERS, "abort_clients closes instead",
            Change(SERVER + "abort_clients", ("transport.abort()", "transport.close()"))),
    Mistake("socket-file-stays", "R-720", PATHS, "a closed Unix server leaves its file",
            Change("unix_events._UnixSelectorEventLoop._stop_serving", ("os.unlink(path)", "pass"))),
    Mistake("foreign-file-removed", "R-720", PATHS, "a closed Unix server removes another one's file",
            Change("unix_events._UnixSelectorEventLoop._stop_serving", ("if os.stat(path).st_ino == prev_ino:", "if True:"))),
]

SECURING = [
    Mistake("any-name", "R-820 R-802", OPENS_TLS, "clients take any certificate of a CA that they trust", any_name),
    Mistake("no-server-name", "R-802", OPENS_TLS, "the client does not tell whom it wants to talk to",
            Change(TLS + "__init__", ("self._server_hostname = server_hostname", "self._server_hostname = None\n"
                                      "        sslcontext.check_hostname = False"))),
    Mistake("handshake-unlimited", "R-811 R-813", OPENS_TLS, "a handshake may take for ever",
            Change(TLS + "_check_handshake_timeout", ("if self._state ==", "if False and self._state =="))),
    Mistake("no-close-notify", "R-860", OVER_TLS, "closing a TLS stream just ends the connection below", no_close_notify),
    Mistake("shutdown-unlimited", "R-862", OVER_TLS, "the peer's close_notify is waited for without end",
            Change(TLS + "_check_shutdown_timeout", ("self._transport._force_close(", "("))),
    Mistake("shutdown-late", "R-862", OVER_TLS, "the shutdown's time limit is twice as long",
            Change(TLS + "_start_shutdown", ("self._ssl_shutdown_timeout,", "self._ssl_shutdown_timeout * 2,"))),
    Mistake("last-data-lost", "R-850", ("tls13-pair", "tls closing"), "data that arrives together with close_notify is lost",
            Change(TLS + "_do_read__copied", ("if one: self", "if one and chunk:\n        self"))),
    Mistake("late-data-ignored", "R-864", OVER_TLS, "data after our close_notify is no error",
            Change(TLS + "_do_shutdown", ("self._on_shutdown_complete(exc)", "self._on_shutdown_complete(None)"))),
    Mistake("tls-high-water-exclusive", "R-309 R-311", OVER_TLS, "a TLS stream's writing is paused above high water only",
            Change(TLS + "_control_app_writing", ("size >= self._outgoing_high_water", "size > self._outgoing_high_water"))),
    Mistake("tls-close-cuts-backlog", "R-860", OVER_TLS, "close drops what OpenSSL was not given yet",
            Change(TLS + "_start_shutdown", ("self._do_flush()", "self._write_backlog.clear()\n        self._outgoing.read()\n"
                                             "        self._do_flush()"))),
    Mistake("tls-loss-not-told", "R-854", OVER_TLS, "a reset below a TLS stream ends it like a clean end",
            Change(TLS + "connection_lost", ("self._app_protocol.connection_lost, exc", "self._app_protocol.connection_lost, None"))),
]

MISTAKES = {one.name: one for one in READING + WRITING + TASK_MISTAKES + CONNECTING + SERVING + SECURING}


def main():
    if sys.argv[1:] == ["--list"]:
        print(json.dumps([one.told() for one in MISTAKES.values()]))
        return 0
    if len(sys.argv) != 2 or sys.argv[1] not in MISTAKES:
        sys.exit(__doc__)
    mistake = MISTAKES[sys.argv[1]]
    try:
        mistake.make()
    except NotHere as reason:
        sys.exit("wrong:%s cannot be made of this CPython: %s" % (mistake.name, reason))
    return cpython.serve("wrong:" + mistake.name)


if __name__ == "__main__":
    sys.exit(main())
