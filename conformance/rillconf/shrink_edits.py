# SPDX-License-Identifier: MIT
"""How a script may become smaller: edits of its lines, each of which the reader of case files accepts or refuses.

A script is edited as text, so every operation and call that a case file can say shrinks without code of its own. An edit
yields candidates, the boldest first; whether one still shows the difference is not asked here (shrink.py).
"""
import re

from .expr import TOKEN, number, show_bytes, unescape

STEPS = re.compile(r"((?:go )?\s*(?:app|handler|callback)(?:@\d+)?\s+)(.*)$")
SENDS = re.compile(r'((?:go )?(?:peer(?:@\d+)?\s+send|app\s+(?:\w+ = )?feed_data))\s+(.*)$')
EMPTY = re.compile(r'(?:go )?peer(?:@\d+)?\s+send\s+""$')
BLOCK = re.compile(r"(?:\w+ = )?(?:catch |throw )?(?:timeout \S+|group|spawn \w+|group_spawn \w+ \w+) \{ ([^{}]*) \}")
WORDS = (re.compile(r"^go "), re.compile(r"\b(?:catch|throw|chain|same) "), re.compile(r"wait_for \S+ "), re.compile(r" \w+=[^\s;}]+"),
         re.compile(r" (?:first|collect)\b"))
ESSENTIAL = ("case", "rule", "with", "handler", "callback")
LONGEST_SINGLE = 40     # bytes of a chunk that are dropped one by one
DEFAULT_LIMIT = 65536


class Script:
    def __init__(self, header, operations):
        self.header, self.operations = tuple(header), tuple(operations)

    def source(self):
        return "\n".join(self.header + self.operations) + "\n"

    def sends_nothing(self):
        """Whether the peer sends no byte: no socket does that."""
        return any(EMPTY.match(line) for line in self.operations)

    def lines(self):
        return self.header + self.operations

    def replaced(self, index, *lines):
        """With other lines in the place of one; header and operations are numbered in a row."""
        if index < len(self.header):
            return Script(self.header[:index] + lines + self.header[index + 1:], self.operations)
        at = index - len(self.header)
        return Script(self.header, self.operations[:at] + lines + self.operations[at + 1:])

    def size(self):
        """Operations, statements, bytes, and the length of the text, which breaks ties."""
        return (len(self.operations), sum(len(statements(line)) for line in self.operations), self.bytes(), len(self.source()))

    def bytes(self):
        return sum(len(part.value) for line in self.operations for part in parts(line) if part.kind == "bytes")


def from_case(case):
    header = [line.split(" #")[0].rstrip() for line in case.header if line.strip() and not line.startswith(("#", "note"))]
    return Script(header, [step.source.split("\n")[-1].split("  #")[0].rstrip() for step in case.steps])


# ---- the parts of a line ----------------------------------------------------------------------------------------------

class Part:
    """Bytes or a number in a line."""

    def __init__(self, kind, value, start, end, unit=""):
        self.kind, self.value, self.start, self.end, self.unit = kind, value, start, end, unit

    def put(self, line, value):
        text = show_bytes(value) if self.kind == "bytes" else "%g%s" % (value, self.unit)
        return line[:self.start] + text + line[self.end:]


def tokens(line):
    return [found for found in TOKEN.finditer(line) if found.lastgroup not in ("space", "comment")]


def parts(line):
    """Sums such as 3*"ab" + "c" are one part."""
    found, at, items = [], 0, tokens(line)
    while at < len(items):
        count, here = 1, at
        if items[at].lastgroup == "number" and at + 2 < len(items) and items[at + 1].group() == "*":
            count, at = int(items[at].group()), at + 2
        item = items[at]
        at += 1
        if item.lastgroup == "string":
            text = count * unescape(item.group())
            if here and items[here - 1].group() == "+" and found and found[-1].kind == "bytes":
                found[-1].value, found[-1].end = found[-1].value + text, item.end()
            else:
                found.append(Part("bytes", text, items[here].start(), item.end()))
        elif item.lastgroup == "number":
            unit = re.search(r"[a-z]*$", item.group()).group()
            value = number(item.group()) if not unit else float(item.group()[:-len(unit)])
            found.append(Part("number", value, item.start(), item.end(), unit))
    return found


def statements(line):
    """The statements of an operation's line, cut at the semicolons outside of braces."""
    found = STEPS.match(line)
    if not found:
        return [line]
    text, depth, start, cut = found.group(2), 0, 0, []
    for token in tokens(text):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if token.group() == ";" and depth == 0:
            cut.append(text[start:token.start()].strip())
            start = token.end()
    return cut + [text[start:].strip()]


# ---- edits --------------------------------------------------------------------------------------------------------------

def drop_faults(script):
    for index, line in enumerate(script.operations):
        if line.startswith("fault"):
            yield Script(script.header, script.operations[:index] + script.operations[index + 1:])


def drop_operations(script):
    """Halves, quarters, single ones; from the end, where less depends on them."""
    size = len(script.operations) // 2
    while size:
        for end in range(len(script.operations), 0, -size):
            yield Script(script.header, script.operations[:max(0, end - size)] + script.operations[end:])
        size //= 2


def drop_header(script):
    for index, line in enumerate(script.header):
        if line.split()[0] not in ESSENTIAL:
            yield script.replaced(index)


def drop_statements(script):
    for index, line in enumerate(script.lines()):
        found, texts = STEPS.match(line), statements(line)
        for at in range(len(texts) - 1, -1, -1) if found and len(texts) > 1 else ():
            yield script.replaced(index, found.group(1) + "; ".join(texts[:at] + texts[at + 1:]))


def unwrap(script):
    """Time limits, groups and `go` go, what was in them stays."""
    for index, line in enumerate(script.lines()):
        if index < len(script.header) and not STEPS.match(line):
            continue
        for found in BLOCK.finditer(line):
            yield script.replaced(index, line[:found.start()] + found.group(1) + line[found.end():])
        for pattern in WORDS:
            for found in pattern.finditer(line):
                yield script.replaced(index, line[:found.start()] + line[found.end():])


def merge_chunks(script):
    """What comes in two chunks comes in one, at the place of the first or of the second."""
    places = [(index, SENDS.match(line)) for index, line in enumerate(script.operations)]
    places = [(index, found) for index, found in places if found]
    for (one, first), (other, second) in zip(places, places[1:]):
        if re.findall(r"peer\S*|feed_data", first.group(1)) != re.findall(r"peer\S*|feed_data", second.group(1)):
            continue
        both = "%s %s + %s" % (first.group(1), first.group(2), second.group(2))
        kept = list(script.operations)
        for place, gone in ((one, other), (other, one)):
            lines = kept[:place] + [both] + kept[place + 1:]
            yield Script(script.header, lines[:gone] + lines[gone + 1:])


def split_chunks(script):
    """Half of a chunk alone, the other half alone: what a merged chunk does not need goes in one piece."""
    for index, line in enumerate(script.operations):
        for part in parts(line) if SENDS.match(line) else ():
            half = len(part.value) // 2
            for value in (part.value[:half], part.value[half:]):
                yield script.replaced(len(script.header) + index, part.put(line, value))


def smaller(part):
    """Values of a part that are less."""
    value = part.value
    if part.kind == "number":
        return [less for less in dict.fromkeys((0, 1, value // 2, value - 1)) if 0 <= less < value]
    size = len(value)
    texts = ["", value[:size // 2], value[size // 2:]]
    if size <= LONGEST_SINGLE:
        texts += [value[:at] + value[at + 1:] for at in range(size)]
    return [text for text in dict.fromkeys(texts) if len(text) < size]


def shorten_bytes(script):
    yield from replace_parts(script, "bytes", smaller)


def lower_numbers(script):
    yield from replace_parts(script, "number", smaller)


def plain_bytes(script):
    """Letters become `a`: what is left of other bytes matters."""
    def plainer(part):
        whole = re.sub(r"[b-z!-~]", "a", part.value)
        return [text for text in [whole] + [part.value[:at] + "a" + part.value[at + 1:] for at in range(min(8, len(part.value)))]
                if text != part.value and text.count("a") > part.value.count("a")]
    yield from replace_parts(script, "bytes", plainer)


def replace_parts(script, kind, values):
    for index, line in enumerate(script.lines()):
        if index < len(script.header) and line.split()[0] not in ("limit", "handler", "callback", "connect"):
            continue
        for part in parts(line):
            for value in values(part) if part.kind == kind else ():
                yield script.replaced(index, part.put(line, value))


def less_by(part, step):
    """The part's values that are less by `step` (numbers) or so many bytes."""
    if part.kind == "number":
        return [part.value - step] if part.value >= step else []
    return list(dict.fromkeys((part.value[step:], part.value[:-step]))) if len(part.value) >= step else []


def together(script):
    """Two parts become less at a time: a limit and the bytes that pass it, a window and what is written into it."""
    if not any(line.startswith("limit") for line in script.header):
        yield from lowered_default(script)
    places = [(index, order) for index, line in enumerate(script.lines())
              if index >= len(script.header) or line.startswith(("limit", "handler")) for order in range(len(parts(line)))]
    for one in places:
        part = parts(script.lines()[one[0]])[one[1]]
        most = part.value if part.kind == "number" else len(part.value)
        for step in dict.fromkeys((int(most) - 1, int(most) // 2, 1)):
            if step < 1:
                continue
            for other in places:
                for more in (step, 2 * step) if other != one else ():
                    yield from both_less(script, one, step, other, more)


def both_less(script, one, step, other, more):
    line = script.lines()[one[0]]
    part = parts(line)[one[1]]
    for value in less_by(part, step):
        first = script.replaced(one[0], part.put(line, value))
        line_now = first.lines()[other[0]]
        found = parts(line_now)
        if other[1] < len(found):
            for value_now in less_by(found[other[1]], more):
                yield first.replaced(other[0], found[other[1]].put(line_now, value_now))


def lowered_default(script):
    """A limit where there was the default, with long chunks cut as much."""
    for limit in (1, 8):
        lines = []
        for line in script.operations:
            for part in reversed(parts(line)):
                if part.kind == "bytes" and len(part.value) > DEFAULT_LIMIT:
                    times = len(part.value) // DEFAULT_LIMIT
                    line = part.put(line, part.value[:len(part.value) - times * (DEFAULT_LIMIT - limit)])
            lines.append(line)
        if lines != list(script.operations):
            yield Script(script.header + ("limit   %d" % limit,), lines)


# In this order; then again from the beginning as long as one of them helps.
EDITS = (drop_faults, drop_operations, drop_header, merge_chunks, split_chunks, drop_statements, unwrap, shorten_bytes, lower_numbers, together,
         plain_bytes)
