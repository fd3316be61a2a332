# SPDX-License-Identifier: MIT
"""Calls of the testee CPython that only a Python has (capability by-hand): what objects say of themselves, a writer and a
protocol made without open_connection, the protocol's own methods."""
import asyncio


def parts(text):
    """The words of a repr without its own angle brackets; reprs inside it stay one part each."""
    found, depth = [""], 0
    for character in text[1:-1]:
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == " " and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


def call_repr(at, call):
    return parts(repr(getattr(at, call["of"])))


def call_new_writer(at, call):
    """A writer of the same transport; the first one lives on, as its end would close the transport."""
    conn, first = at.conn, at.writer
    reader = "no reader" if call.get("reader") == "wrong" else None
    writer = asyncio.StreamWriter(conn.transport, conn.protocol, reader, at.case.loop)
    conn.writer_of = lambda: (writer, first)[0]


def call_new_protocol(at, call):
    """The transport gets a protocol that has no reader."""
    protocol = asyncio.StreamReaderProtocol("no reader" if call.get("reader") == "wrong" else None)
    at.conn.protocol = protocol
    if at.conn.received is not None:
        at.conn.count(protocol)     # first, as uvloop reads the methods of a protocol that it is given
    at.transport.set_protocol(protocol)


def protocol_call(name):
    return lambda at, call: getattr(at.conn.protocol, name)()


CALLS = {
    "repr": call_repr,
    "new_writer": call_new_writer,
    "new_protocol": call_new_protocol,
    "pause_writing": protocol_call("pause_writing"),
    "resume_writing": protocol_call("resume_writing"),
}
