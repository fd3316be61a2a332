#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The testee uvloop: cpython.py on uvloop's event loop, under a virtual clock.

libuv's clock and its waiting cannot be replaced from Python, so a small preloaded library does it (shim/clock.c). This
program builds that with the machine's C compiler and starts itself again under it; without a compiler it skips every
case. The hook of that library takes the place of cpython.py's selector: it is asked whenever libuv would wait.
"""
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

import uvloop

import cpython

HERE = os.path.dirname(os.path.abspath(__file__))
PRELOADED = "RILL_CLOCK_SHIM"       # what was built, in the environment of the second start
RETURN = -1                         # RILL_SHIM_RETURN of shim/clock.c
HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)
BEGIN = 1000000                     # libuv's clock when a case begins, in seconds: whole, and not zero


# ---- the preloaded library ---------------------------------------------------------------------------------------

def start_again_with_shim():
    """Builds the library and becomes this program under it; returns where that cannot be done."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return
    folder = tempfile.mkdtemp(prefix="rill-shim-")
    library = os.path.join(folder, "clock.so")
    built = subprocess.run([compiler, "-std=c11", "-O1", "-shared", "-fPIC", "-o", library,
                            os.path.join(HERE, "shim", "clock.c"), "-ldl"], stderr=sys.stderr)
    if built.returncode:
        shutil.rmtree(folder)
        return
    before = os.environ.get("LD_PRELOAD")
    os.environ["LD_PRELOAD"] = library + (":" + before if before else "")
    os.environ[PRELOADED] = library
    os.execv(sys.executable, [sys.executable] + sys.argv)


def take_shim():
    """The library that this process runs under, whose file nobody needs any more; or none."""
    library = os.environ.pop(PRELOADED, None)
    if library is None:
        return None
    del os.environ["LD_PRELOAD"]
    shim = ctypes.CDLL(library)
    shim.rill_shim_set_time.argtypes = [ctypes.c_uint64]
    shutil.rmtree(os.path.dirname(library))
    return shim


# ---- uvloop's objects, which let nobody replace their methods -----------------------------------------------------

class Watched:
    """A transport of uvloop, seen: what is called on it goes through, and an observer may stand in between."""

    def __init__(self, transport):
        self._watched = transport

    def __getattr__(self, name):
        return getattr(self._watched, name)


def follow_descriptor(sock):
    """fileno of uvloop's socket object, which keeps its number when the socket is closed: -1 then."""
    fd = sock.fileno()
    inode = os.fstat(fd).st_ino

    def fileno():
        try:
            return fd if os.fstat(fd).st_ino == inode else -1
        except OSError:
            return -1
    return fileno


class Connection(cpython.Connection):
    descriptor = None

    def attach(self, reader, writer, hold=True):
        writer._transport = reader._transport = Watched(writer._transport)
        super().attach(reader, writer, hold)

    def observe_transport(self):
        if not isinstance(self.transport, Watched):
            self.transport = Watched(self.transport)
        super().observe_transport()
        if self.case.speaks_tls or self.case.upgrades or self.transport.get_extra_info("ssl_object"):
            self.received = None
        self.descriptor = follow_descriptor(self.transport.get_extra_info("socket"))
        self.transport.set_protocol(self.transport.get_protocol())      # it had read the methods of before

    async def upgrade(self, starting):
        await super().upgrade(starting)
        if self.writer is not None:
            self.writer._transport = self.transport
            if not isinstance(self.reader._transport, Watched):
                self.reader._transport = self.transport

    def follow(self, sock):
        return self.descriptor

    def fd(self):
        return self.descriptor() if self.descriptor else -1

    def is_lost(self):
        return self.fd() < 0


class Case(cpython.Case):
    def make_loop(self):
        self.loop = uvloop.new_event_loop()
        self.loop.time = lambda: self.now
        self.loop.start_tls = self.start_tls_of(self.loop.start_tls)
        if self.script.get("reports") != "default":
            self.loop.set_exception_handler(self.report)
        self.wait = None        # seconds until libuv's next timer, or none
        SHIM.rill_shim_set_time(BEGIN * 10**9)
        self.hook = HOOK(self.on_wait)
        SHIM.rill_shim_set_hook(self.hook)
        return self.loop

    def start_tls_of(self, start_tls):
        """loop.start_tls wants its own transports."""
        return lambda transport, *args, **named: start_tls(getattr(transport, "_watched", transport), *args, **named)

    def deadlines(self):
        return [] if self.wait is None else [self.now + self.wait]

    def open_timers(self):
        return []       # libuv keeps them, and nobody can ask for them

    def on_wait(self, ready, timeout):
        """What cpython.VirtualSelector.select does; an exception has nobody to go to."""
        try:
            self.turns += 1
            answer = self.answer(ready, timeout)
            SHIM.rill_shim_set_time(BEGIN * 10**9 + round(self.now * 10**9))
            return answer
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def answer(self, ready, timeout):
        busy = ready or timeout == 0
        restless = busy and self.restless()
        if busy and not restless:
            return RETURN
        if self.finishing:      # run's own end may wait for a helper thread, but for no timer
            return 0 if self.pump() else 1
        if not restless and self.pump():
            return 0
        if not restless and not self.barrier():
            return 1
        self.wait = timeout / 1000 if timeout > 0 else None
        self.loop.call_soon_threadsafe(int)     # libuv leaves its waiting for an event only
        self.next_operation()
        return RETURN if ready else 1


def refusal(script):
    if SHIM is None:
        return "no-virtual-clock"
    if script["backend"] in ("mem", "tls13-mem", "tls12-mem") and script["with"] in ("connection", "protocol"):
        return "no memory socket below libuv"
    if script.get("resolve") or script.get("connect") or any(op["op"] == "fault" for op in script["ops"]):
        return "no scripted system calls: libuv makes its own"
    return cpython_refusal(script)


cpython_refusal = cpython.refusal
SHIM = None


def main():
    global SHIM
    if PRELOADED not in os.environ:
        start_again_with_shim()
    SHIM = take_shim()
    cpython.Case, cpython.Connection, cpython.refusal = Case, Connection, refusal
    uvloop.new_event_loop().close()     # libuv opens what it keeps with the first loop
    return cpython.serve("uvloop")


if __name__ == "__main__":
    sys.exit(main())
