# SPDX-License-Identifier: MIT
"""Conformance cases as seeds for fuzzing, and a crash as a case: both are scripts for one reader (codec.py).

A case can be said as a script when all that reaches its reader can: chunks and endings from the peer or fed by hand, and
read calls. What the writer does beside that does not show on the reader and is left out.
"""
import hashlib
import os
import re

from . import codec
from .expr import unpack

# Neither changes what a reader answers.
UNSEEN_CALLS = set("at_eof exception log time is_reading is_closing can_write_eof get_extra_info write writelines write_items "
                   "write_changed drain write_eof wait_closed set_write_buffer_limits get_write_buffer_limits get_write_buffer_size".split())
UNSEEN_PEER = ("read", "window")
SEED_MAX = 400      # a fuzzer cuts longer ones: fuzz/readuntil.options
PEER_EVENTS = {"shutdown": "e", "eof": "e", "close": "e", "reset": "x"}
# Closing one's own side ends the reader's input as the peer's end does.
PLAIN_CALLS = {"readline": "l", "feed_eof": "e", "cancel": "c", "close": "e", "abort": "e"}


class _NotSaid(Exception):
    """What a script has no word for."""


def _feed(data):
    return [("f", data[at:at + codec.CHUNK_MAX]) for at in range(0, len(data), codec.CHUNK_MAX)] or [("f", b"")]


def _bytes(value):
    return unpack(value).encode("latin-1")


def _number(call, missing):
    n = call.get("n", missing)
    if not -128 <= n <= 127:
        raise _NotSaid("%d" % n)
    return n


def _separators(call):
    if "separators" not in call:
        kind, found = "u", (_bytes(call.get("separator", "\n")),)
    else:
        kind, found = "t", tuple(map(_bytes, call["separators"]))
    if len(found) > codec.SEPARATORS_MAX or any(len(separator) > codec.CHUNK_MAX for separator in found):
        raise _NotSaid("separators")
    return kind, found


def _call(call):
    """The operations of one statement."""
    name = call["call"]
    if name in UNSEEN_CALLS:
        return []
    if name == "feed_data":
        return _feed(_bytes(call["bytes"]))
    if name == "read":
        return [("r", _number(call, -1))]
    if name == "readexactly":
        return [("n", _number(call, None))]
    if name == "readuntil":
        return [_separators(call)]
    if name == "set_exception":
        return [("x" if call.get("error") else "k", None)]
    if name in PLAIN_CALLS:
        return [(PLAIN_CALLS[name], None)]
    raise _NotSaid(name)


def _step(op):
    if op["op"] == "peer" and op["do"] == "send":
        return _feed(_bytes(op["bytes"]))
    if op["op"] == "peer" and op["do"] in PEER_EVENTS:
        return [(PEER_EVENTS[op["do"]], None)]
    if op["op"] == "peer" and op["do"] in UNSEEN_PEER:
        return []
    if op["op"] == "app" and op.get("conn", 1) == 1:
        return [said for call in op["calls"] for said in _call(call)]
    raise _NotSaid(op["op"])


def _limit(case, ops):
    """A limit above a script's is as good as none while no more than that is fed."""
    if case.limit is not None and 1 <= case.limit <= codec.LIMIT_MAX:
        return case.limit
    if (case.limit is None or case.limit > 0) and sum(len(argument) for kind, argument in ops if kind == "f") <= codec.LIMIT_MAX:
        return codec.LIMIT_MAX
    raise _NotSaid("limit")


def script_of(case):
    """The case as codec.Script, or None: it cannot be said."""
    try:
        ops = [said for step in case.steps for said in _step(step.op)]
        if case.kind not in ("connection", "reader") or not any(kind in codec.CALLS for kind, _ in ops):
            return None
        transport = "n" if case.kind == "reader" else "i" if case.no_pause else "p"
        script = codec.Script(_limit(case, ops), transport, tuple(ops))
    except (_NotSaid, TypeError):
        return None
    return script if len(ops) <= codec.OPS_MAX else None


def encode_case(case):
    """The case as bytes that the targets of one reader take, or None: it cannot be said."""
    script = script_of(case)
    return codec.encode(script) if script is not None else None


def write(cases, folder):
    """A file for each different seed of a sensible length, named as libFuzzer names it; returns how many cases could be said, and how many files."""
    os.makedirs(folder, exist_ok=True)
    said = [seed for seed in map(encode_case, cases) if seed is not None]
    written = {seed for seed in said if len(seed) <= SEED_MAX}
    for seed in written:
        with open(os.path.join(folder, hashlib.sha1(seed).hexdigest()), "wb") as file:
            file.write(seed)
    return len(said), len(written)


def case_from(path, name):
    """What a target of one reader (readuntil, reader_cpython) plays for this file, as a case without its answers."""
    if not re.match(r"[a-z0-9-]+/[a-z0-9.-]+$", name or ""):
        raise ValueError("--case-from needs --name area/topic")
    with open(path, "rb") as file:
        script = codec.decode(file.read())
    if not script.ops:
        raise ValueError("%s: a script without operations" % path)
    return codec.to_case(script, name)


def add_options(add):
    add("--seeds", metavar="DIR", help="write the cases that a reader made by hand can play as seeds for fuzzing, run nothing")
    add("--case-from", metavar="FILE", help="print a file of the fuzz targets readuntil and reader_cpython as a case named --name, run nothing")
    add("--name", metavar="AREA/TOPIC", help="the name for --case-from")
