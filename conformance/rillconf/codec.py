# SPDX-License-Identifier: MIT
"""Scripts for one StreamReader: their line, their bytes (for fuzzing) and their case.

The twin of conformance/model/script.h and codec.h, which say what each means. Every string of bytes is a script, and a
script is read back from its bytes as it was. Python 3.7 runs this too (model/play_cpython.py).
"""
from collections import namedtuple

OPS_MAX, CHUNK_MAX, SEPARATORS_MAX, LIMIT_MAX = 64, 255, 3, 64
KINDS = "fexkcrnlut"
TRANSPORTS = "npi"
CALLS = "rnlut"
EXCEPTION_TEXT = "gone"

# limit, transport (a letter of TRANSPORTS), ops: tuples of (kind, argument); the argument is bytes for f, a number for
# r and n, a tuple of separators for u and t, else None.
Script = namedtuple("Script", "limit transport ops")


class NoScript(ValueError):
    """A line that is none."""


# The line.

def _show(data):
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else "%%%02X" % byte for byte in data)


def _read(text):
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] == "%":
            out.append(int(text[at + 1:at + 3], 16))
            at += 3
        else:
            out.append(ord(text[at]))
            at += 1
    return bytes(out)


def to_line(script):
    words = [str(script.limit), script.transport]
    for kind, argument in script.ops:
        if kind == "f":
            words.append("f:" + _show(argument))
        elif kind in "rn":
            words.append("%s:%d" % (kind, argument))
        elif kind in "ut":
            words.append(kind + (":" if argument else "") + ",".join(map(_show, argument)))
        else:
            words.append(kind)
    return " ".join(words)


def _read_op(word):
    kind, colon, rest = word.partition(":")
    if len(kind) != 1 or kind not in KINDS:
        raise NoScript(word)
    if kind == "f":
        return kind, _read(rest)
    if kind in "rn":
        return kind, int(rest)
    if kind in "ut":
        return kind, tuple(_read(part) for part in rest.split(",")) if colon else ()
    return kind, None


def from_line(line):
    words = line.split()
    if len(words) < 2 or words[1] not in TRANSPORTS:
        raise NoScript(line)
    return Script(int(words[0]), words[1], tuple(_read_op(word) for word in words[2:]))


# The bytes.

def encode(script):
    out = bytearray([script.limit - 1 + LIMIT_MAX * TRANSPORTS.index(script.transport)])
    for kind, argument in script.ops:
        out.append(KINDS.index(kind))
        if kind == "f":
            out += bytes([len(argument)]) + argument
        elif kind in "rn":
            out.append(argument & 255)
        elif kind in "ut":
            if kind == "t":
                out.append(len(argument))
            for separator in argument:
                out += bytes([len(separator)]) + separator
    return bytes(out)


class _Source:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def byte(self):
        """The next one, or zero behind the end."""
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def bytes(self):
        length = self.byte()
        taken = self.data[self.at:self.at + length]
        self.at += len(taken)
        return bytes(taken)


def _decode_op(source):
    kind = KINDS[source.byte() % len(KINDS)]
    if kind == "f":
        return kind, source.bytes()
    if kind in "rn":
        value = source.byte()
        return kind, value - 256 if value > 127 else value
    if kind == "u":
        return kind, (source.bytes(),)
    if kind == "t":
        return kind, tuple(source.bytes() for _ in range(source.byte() % (SEPARATORS_MAX + 1)))
    return kind, None


def decode(data):
    source, ops = _Source(data), []
    head = source.byte()
    while source.left() > 0 and len(ops) < OPS_MAX:
        ops.append(_decode_op(source))
    return Script(1 + head % LIMIT_MAX, TRANSPORTS[head // LIMIT_MAX % len(TRANSPORTS)], tuple(ops))


# The case.

# A case names a rule: the one that the last operation is about.
RULES = {"f": "R-106", "e": "R-109", "x": "R-110", "k": "R-110", "c": "R-174", "r": "R-122", "n": "R-132", "l": "R-180",
         "u": "R-144", "t": "R-156"}


def _literal(data):
    return '"%s"' % "".join("\\n" if byte == 10 else chr(byte) if chr(byte).isalnum() and byte < 128 or byte == 32
                            else "\\x%02x" % byte for byte in data)


def _call(kind, argument):
    if kind in "rn":
        return "%s %d" % ("read" if kind == "r" else "readexactly", argument)
    if kind == "l":
        return "readline"
    if kind == "u":
        return "readuntil " + _literal(argument[0])
    return "readuntil (%s%s)" % (", ".join(map(_literal, argument)), "," if len(argument) == 1 else "")


def to_case(script, name):
    """As a case of the harness, without its answers."""
    rule = RULES[script.ops[-1][0]] if script.ops else "R-103"
    lines, calls = ["case    " + name, "rule    " + rule, "limit   %d" % script.limit], 0
    lines += {"n": ["with    reader"], "i": ["transport cannot-pause"]}.get(script.transport, [])
    events = {"e": "feed_eof", "x": 'set_exception ConnectionResetError "%s"' % EXCEPTION_TEXT, "k": "set_exception none"}
    for kind, argument in script.ops:
        if kind in CALLS:
            calls += 1
            lines.append("app     r%d = %s" % (calls, _call(kind, argument)))
        elif kind == "f":
            lines.append("app     feed_data " + _literal(argument))
        elif kind in events:
            lines.append("app     " + events[kind])
        elif calls > 0:     # whichever waits
            lines.append("app     " + "; ".join("cancel r%d" % (number + 1) for number in range(calls)))
    return "\n".join(lines)
