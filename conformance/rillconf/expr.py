# SPDX-License-Identifier: MIT
"""The small expression language of case files: tokens, bytes such as 3*"ab" + "\\r\\n", numbers, durations."""
import functools
import re

TOKEN = re.compile(r"""
      (?P<space>\s+) | (?P<comment>\#.*)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<number>-?\d+(?:\.\d+)?(?:ms|s)?(?![\w.]))
    | (?P<name>[A-Za-z_][\w-]*)
    | (?P<sign>[=;{}()\[\],*+:@])
""", re.VERBOSE)
ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|.)')
PLAIN = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", '"': '"'}
WORDS = {"none": None, "true": True, "false": False, "yes": True, "no": False}


class Bad(Exception):
    """Something in a line that does not parse; the reader of the file adds the place."""


class Token:
    def __init__(self, kind, text):
        self.kind = kind
        self.text = text

    def __repr__(self):
        return self.text or "end of line"


def unescape(literal):
    def one(found):
        code = found.group(1)
        if code[0] == "x" and len(code) == 3:
            return chr(int(code[1:], 16))
        if code not in PLAIN:
            raise Bad("unknown escape \\%s in %s" % (code, literal))
        return PLAIN[code]
    text = ESCAPE.sub(one, literal[1:-1])
    if any(ord(char) > 255 for char in text):
        raise Bad("only characters up to \\xff in %s" % literal)
    return text


def number(text):
    for unit, scale in (("ms", 0.001), ("s", 1)):
        if text.endswith(unit):
            value = float(text[:-len(unit)]) * scale
            return int(value) if value == int(value) else value
    return float(text) if "." in text else int(text)


class Tokens:
    """A cursor over one line's tokens."""

    def __init__(self, line):
        self.items = []
        at = 0
        while at < len(line):
            found = TOKEN.match(line, at)
            if not found:
                raise Bad("cannot read this: %s" % line[at:].strip())
            if found.lastgroup not in ("space", "comment"):
                self.items.append(Token(found.lastgroup, found.group()))
            at = found.end()
        self.at = 0

    def peek(self, ahead=0):
        index = self.at + ahead
        return self.items[index] if index < len(self.items) else Token("end", "")

    def next(self):
        token = self.peek()
        self.at += 1
        return token

    def accept(self, text):
        if self.peek().text == text and self.peek().kind != "string":
            self.at += 1
            return True
        return False

    def expect(self, text):
        if not self.accept(text):
            raise Bad("expected %s, found %r" % (text, self.peek()))

    def name(self, what):
        if self.peek().kind != "name":
            raise Bad("expected %s, found %r" % (what, self.peek()))
        return self.next().text

    def finished(self):
        return self.peek().kind == "end"

    def expect_end(self):
        if not self.finished():
            raise Bad("unexpected %r at the end" % self.peek())


def parse_bytes(tokens):
    """A sum of strings and products, as a list of [count, text] pairs."""
    parts = [parse_product(tokens)]
    while tokens.accept("+"):
        parts.append(parse_product(tokens))
    return parts


def parse_product(tokens):
    count = 1
    if tokens.peek().kind == "number" and tokens.peek(1).text == "*":
        count = number(tokens.next().text)
        tokens.next()
    if tokens.peek().kind != "string" or not isinstance(count, int) or count < 0:
        raise Bad('expected bytes such as "abc" or 3*"x", found %r' % tokens.peek())
    return [count, unescape(tokens.next().text)]


def pack(parts):
    """Short bytes travel as one string, long repetitions as pairs."""
    if sum(count * len(text) for count, text in parts) <= 256:
        return "".join(count * text for count, text in parts)
    return parts


def unpack(value):
    """The other way: protocol bytes as one latin-1 string."""
    return value if isinstance(value, str) else "".join(count * text for count, text in value)


def parse_number(tokens):
    if tokens.peek().kind != "number":
        raise Bad("expected a number, found %r" % tokens.peek())
    return number(tokens.next().text)


def parse_simple(tokens):
    """A number, a string, or one of none, true, false."""
    token = tokens.peek()
    if token.kind == "number":
        return parse_number(tokens)
    if token.kind == "string":
        return unescape(tokens.next().text)
    if token.kind == "name" and token.text in WORDS:
        return WORDS[tokens.next().text]
    raise Bad("expected a value, found %r" % token)


def show_string(text):
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
    return '"%s"' % "".join(
        named.get(char) or (char if " " <= char <= "~" else "\\x%02x" % ord(char) if ord(char) < 256 else char)
        for char in text)


RUN = re.compile(r"(.)\1{31,}", re.DOTALL)
LONG = 1000


@functools.lru_cache(maxsize=32)        # the same bytes come on one backend after the other
def show_bytes(text):
    """Bytes as an expression that parses back to them; runs of one byte become N*"x"."""
    before, middle, after = ends_of_long(text) if len(text) > LONG else ("", text, "")
    parts, at = show_run(before), 0
    for run in RUN.finditer(middle):
        if run.start() > at:
            parts.append(show_string(middle[at:run.start()]))
        parts += show_run(run.group())
        at = run.end()
    if at < len(middle) or not text:
        parts.append(show_string(middle[at:]))
    return " + ".join(parts + show_run(after))


def show_run(run):
    return ["%d*%s" % (len(run), show_string(run[0]))] if run else []


def ends_of_long(text):
    """Megabytes of one byte stand at the ends, as a rule; cutting them off by `run_at` is much faster than a pattern."""
    lead = run_at(text, text[0])
    lead = lead if lead >= 32 else 0
    rest = text[lead:]
    tail = run_at(rest[::-1], rest[-1]) if rest else 0
    tail = tail if tail >= 32 else 0
    return text[:lead], rest[:len(rest) - tail], rest[len(rest) - tail:]


def run_at(text, char):
    """How many of that character the text begins with: in doubling pieces, because strip looks at one after the other."""
    size, piece = 0, 64
    while text.startswith(char * piece, size):
        size += piece
        piece *= 2
    while piece > 1:
        piece //= 2
        if text.startswith(char * piece, size):
            size += piece
    return size
