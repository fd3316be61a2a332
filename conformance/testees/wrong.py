#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deliberately wrong testees: CPython's streams with one mistake each, which the suite must find.

usage: wrong.py limit-off-by-one|missed-resume|lost-wake-up|any-name|no-close-notify
"""
import asyncio
import sys
from asyncio import sslproto

import cpython
import cpython_tls

Reader = asyncio.StreamReader


def limit_off_by_one():
    """readuntil lets one byte more than the limit pass (R-144, R-146)."""
    right = Reader.readuntil

    async def readuntil(self, separator=b"\n"):
        self._limit += 1
        try:
            return await right(self, separator)
        finally:
            self._limit -= 1

    Reader.readuntil = readuntil


def missed_resume():
    """A reader that paused its transport never resumes it after bytes were taken (R-162)."""
    Reader._maybe_resume_transport = lambda self: None


def lost_wake_up():
    """Data that finds other data in the buffer wakes nobody (R-106, R-133)."""
    right = Reader.feed_data

    def feed_data(self, data):
        if not self._buffer:
            return right(self, data)
        waiter, self._waiter = self._waiter, None
        right(self, data)
        self._waiter = waiter

    Reader.feed_data = feed_data


def any_name():
    """TLS clients take any certificate of a CA that they trust, whatever its name (R-802, R-820)."""
    right = cpython_tls.make_context

    def make_context(told, folder):
        return right(dict(told, check_hostname=False) if told["side"] == "client" else told, folder)

    cpython_tls.make_context = make_context


def no_close_notify():
    """Closing a TLS stream just ends the connection below (R-860)."""
    def do_shutdown(self):
        self._process_outgoing()
        self._call_eof_received()
        self._on_shutdown_complete(None)

    sslproto.SSLProtocol._do_shutdown = do_shutdown


MISTAKES = {"limit-off-by-one": limit_off_by_one, "missed-resume": missed_resume, "lost-wake-up": lost_wake_up,
            "any-name": any_name, "no-close-notify": no_close_notify}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in MISTAKES:
        sys.exit(__doc__)
    MISTAKES[sys.argv[1]]()
    return cpython.serve("wrong:" + sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
