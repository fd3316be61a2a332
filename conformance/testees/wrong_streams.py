# SPDX-License-Identifier: MIT
"""Mistakes of readers, writers and their transport, each with the rules that it breaks."""
import asyncio

from wrong_making import Change, Mistake, wrap

READER = "streams.StreamReader."
DRAINS = "streams.FlowControlMixin."
PROTOCOL = "streams.StreamReaderProtocol."
WRITER = "streams.StreamWriter."
TRANSPORT = "selector_events._SelectorTransport."
STREAM = "selector_events._SelectorSocketTransport."
MARKS = "transports._FlowControlMixin."

# Backends and areas of cases.
READS = "mem", "reader readline separator limit pause cancel errors tasks mutants"
WRITES = "mem", "writer writing flow drain closing errors transport cancel"
ON_TCP = "tcp", "writer writing closing transport errors drain matrix extra"


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
    Mistake("readuntil-keeps-paused", "R-162", READS, "readuntil does not resume the transport",
            Change(READER + "readuntil", ("self._maybe_resume_transport()", "pass"))),
    Mistake("readexactly-keeps-paused", "R-162", READS, "readexactly does not resume the transport",
            Change(READER + "readexactly", ("self._maybe_resume_transport()", "pass"))),
    Mistake("read-keeps-paused", "R-162", READS, "read does not resume the transport",
            Change(READER + "read", ("self._maybe_resume_transport()", "pass"))),
    Mistake("long-line-keeps-paused", "R-162 R-181", READS, "an over-long line that was thrown away resumes nothing",
            Change(READER + "readline", ("self._maybe_resume_transport()", "pass"))),
    Mistake("read-all-ends-early", "R-125", READS, "read() ends with the first short chunk",
            Change(READER + "read", ("if not block:", "if len(block) < self._limit:\n                blocks.append(block)"))),
    Mistake("feed-after-eof", "R-108", READS, "data after EOF is taken", Change(READER + "feed_data", ("assert not self._eof,", "assert True,"))),
    Mistake("slot-stays-taken", "R-174 R-920", READS, "a cancelled read keeps its place: nobody else may wait",
            Change(READER + "_wait_for_data", ("finally: self._waiter = None", "finally:\n        pass"))),
    Mistake("error-for-cancelled", "R-110", READS, "an exception is delivered to a cancelled waiter as well",
            Change(READER + "set_exception", ("if not waiter.cancelled():", "if True:"))),
    Mistake("data-for-cancelled", "R-175", READS, "a cancelled waiter is woken as well",
            Change(READER + "_wakeup_waiter", ("if not waiter.cancelled():", "if True:"))),
    Mistake("eof-before-limit", "R-147", READS, "at EOF the limit does not count",
            Change(READER + "readuntil", ("if offset > self._limit:", "if offset > self._limit and not self._eof:"))),
    Mistake("until-partial-kept", "R-148", READS, "what readuntil's incomplete error tells stays in the buffer",
            Change(READER + "readuntil", ("self._buffer.clear()", "pass"))),
    Mistake("until-expected-told", "R-148", READS, "readuntil's incomplete error tells an expected size",
            Change(READER + "readuntil", ("(chunk, None)", "(chunk, len(chunk) + 1)"))),
    Mistake("tuple-offset-of-shortest", "R-158", READS, "a tuple's shortest separator decides how far was searched",
            Change(READER + "readuntil", ("1 - max_seplen", "1 - min_seplen"))),
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
    Mistake("nodelay-missing", "R-402", ("tcp", "transport connect server extra"), "TCP_NODELAY is not set",
            Change("base_events._set_nodelay", ("if hasattr(socket, 'TCP_NODELAY'):", "if False:"),
                   ("if (sock.family in", "if False and (sock.family in"))),
    Mistake("write-while-closing-lost", "R-426", WRITES, "what is written while close flushes is dropped",
            Change(STREAM + "write", ("if self._conn_lost:", "if self._conn_lost or self._closing:"))),
    Mistake("write-eof-twice", "R-209", WRITES, "write_eof is not idempotent",
            Change(STREAM + "write_eof", ("if self._closing or self._eof:", "if self._closing or self._eof and 1 / 0:"))),
    Mistake("write-eof-after-close", "R-209", WRITES, "write_eof counts on a closing connection",
            Change(STREAM + "write_eof", ("if self._closing or self._eof:", "if self._eof:"))),
    Mistake("is-reading-while-paused", "R-410", WRITES, "is_reading is true on a paused transport",
            Change(STREAM + "is_reading", ("not self.is_closing() and not self._paused", "not self.is_closing()"),
                   ("not self._paused and not self._closing", "not self._closing"))),
    Mistake("abort-waits-for-flush", "R-457", WRITES, "abort after close waits for the flush",
            Change(TRANSPORT + "_force_close", ("if self._conn_lost:", "if self._conn_lost or self._closing and exc is None:"))),
    Mistake("close-keeps-reading", "R-451 R-453", WRITES, "close does not stop reading",
            Change(TRANSPORT + "close", ("self._loop._remove_reader(self._sock_fd)", "pass"))),
    Mistake("small-receives", "R-404", WRITES, "what one receive would take comes in pieces",
            Change(STREAM + "_read_ready__data_received", ("self._sock.recv(self.max_size)", "self._sock.recv(4)"))),
    Mistake("size-forgets-chunks", "R-312", WRITES, "the write buffer's size is that of its first chunk",
            Change(STREAM + "get_write_buffer_size", ("self._buffer))", "list(self._buffer)[:1]))"))),
    Mistake("writelines-first-only", "R-205 R-440", WRITES, "writelines forgets the last item",
            Change(STREAM + "writelines", ("in list_of_data]", "in list(list_of_data)[:-1]]"))),
    Mistake("wait-closed-silent", "R-217", WRITES, "wait_closed does not raise the connection's error",
            Change(PROTOCOL + "connection_lost", ("self._closed.set_exception(exc)", "self._closed.set_result(None)"))),
    Mistake("fatal-error-untold", "R-408", WRITES, "a failing protocol is not told why the connection ended",
            Change(TRANSPORT + "_fatal_error", ("self._force_close(exc)", "self._force_close(None)"))),
]
