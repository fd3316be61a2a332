# SPDX-License-Identifier: MIT
"""Events become lines: rendering, the one place where transcripts are normalised, and the comparison.

A transcript is {step number: [line, ...]}. Lines that begin with `state` or `flow` are the state layer, all others the
API layer; the schedule layer is kept apart and never compared.
"""
import difflib
import functools
import re

from . import tls
from .expr import show_bytes, show_string, unpack

BACKENDS = tls.PLAIN_BACKENDS + tls.TLS_BACKENDS

STATE_TITLES = ("state ", "state@", "flow ", "flow@")
STATE_FIELDS = ("buffer", "paused", "write", "drains")
NOW_FIELDS = ("at_eof", "closing")
START = {"buffer": 0, "paused": False, "write": 0, "drains": 0, "at_eof": False, "closing": False}
REPR = re.compile(r"<[A-Za-z_.].*>|\b0x[0-9a-f]{6,}\b")      # C shows an address where Python shows <...>
DESCRIPTOR = re.compile(r"File descriptor (\d+|<.*?>) is used by transport <.*")
PORT = r"(', |:|\bport )%d\b"     # as addresses are written: a size or a count that equals a port stays
SOURCE_PLACE = re.compile(r" at /[^ ]+:\d+|, file '[^']+', line \d+|/[^ ]+\.py:\d+")


def layer(line):
    return "state" if line.startswith(STATE_TITLES) else "api"


def word(value):
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "%g" % value if isinstance(value, float) else str(value)


class Renderer:
    """Turns the events of one run into lines."""

    def __init__(self):
        self.ports = {}
        self.places = []
        self.states = {}
        self.ends = {}
        self.steps = {}
        self.schedule = {}
        self.leaks = []

    # normalisation: ephemeral ports and reprs, which differ from run to run

    def text(self, text):
        for name, path in self.places:
            text = text.replace(path, "{%s}" % name)
        for port, name in self.ports.items():
            text = re.sub(PORT % port, r"\g<1>{%s}" % name, text)
        text = tls.normal(text)
        text = DESCRIPTOR.sub("File descriptor {fd} is used by transport <...>", text)
        return SOURCE_PLACE.sub("", REPR.sub("<...>", text))

    def add(self, event):
        kind = event["ev"]
        if kind == "port":
            self.ports[event["port"]] = event["name"]
        elif kind == "place":
            self.places.append((event["name"], event["path"]))
        elif kind in ("step", "end"):
            return
        elif kind == "leak":
            self.leaks.append("%s %d" % (event["what"], event["count"]))
        elif kind == "schedule":
            self.schedule[event.get("step", 0)] = {key: value for key, value in event.items()
                                                   if key not in ("ev", "step")}
        else:
            show = getattr(self, "show_" + kind, None)
            lines = show(event) if show else ["unknown event %s" % kind]
            if lines:
                self.steps.setdefault(event.get("step", 0), []).extend(lines)

    @staticmethod
    def at(event):
        number = event.get("conn", 1)
        return "" if number == 1 else "@%d" % number

    def value(self, event):
        if "bytes" in event:
            return show_bytes(unpack(event["bytes"]))
        if "list" in event:
            return "(%s)" % ", ".join(self.simple(item) for item in event["list"])
        return self.simple(event.get("value"))

    def simple(self, value):
        if isinstance(value, bool):
            return "true" if value else "false"
        return show_string(self.text(value)) if isinstance(value, str) else word(value)

    def show_result(self, event):
        return ["%s -> %s" % (event["id"], self.value(event))]

    def show_error(self, event):
        return [self.error(event, event["id"])]

    def error(self, event, name=None):
        words = [name, "!", event["class"]] if name else [event["class"]]
        for key in ("partial", "expected", "consumed", "errno", "reason", "verify_code"):
            if key in event:
                value = event[key]
                words.append("%s=%s" % (key, show_bytes(unpack(value)) if key == "partial" else word(value)))
        if event.get("text"):
            words.append(show_string(self.text(event["text"])))
        if "group" in event:
            words.append("[%s]" % ", ".join(self.error(item) for item in event["group"]))
        for key in ("cause", "same_as"):
            if key in event:
                words.append("%s=%s" % (key, event[key]))
        return " ".join(words)

    def show_ran(self, event):
        if "class" in event:
            return [self.error(event, "run")]
        return ["run -> %s" % self.value(event)]

    def show_restless(self, event):
        return ["restless"]

    def show_attempt(self, event):
        return ["attempt %s %s at %s" % (event["address"], event["what"], word(event["at"]))]

    def show_protocol(self, event):
        words = ["protocol%s" % self.at(event), event["call"]]
        if "bytes" in event:
            words.append(show_bytes(unpack(event["bytes"])))
        return [" ".join(words + ([event["class"]] if "class" in event else []))]

    def show_mark(self, event):
        return ["mark %s" % show_string(event["text"])]

    def show_task(self, event):
        return ["%s %s" % (event["id"], event["how"])]

    def show_peer(self, event):
        data = unpack(event.get("bytes", ""))
        end = event["end"] + (" tls=%s" % show_string(tls.normal(event["tls"])) if "tls" in event else "")
        told = self.ends.get(event.get("conn", 1), ("open", "closed"))
        self.ends[event.get("conn", 1)] = ("open", "closed", end)
        if not data and end in told:
            return []       # nothing that was not told before
        if "bytes" not in event:
            return ["peer%s end %s" % (self.at(event), end)]
        return ["peer%s got %s %s" % (self.at(event), show_bytes(data), end)]

    def show_session(self, event):
        """What a TLS peer knows of its session."""
        if not event["done"]:
            return ["peer%s session not done" % self.at(event)]
        return ["peer%s session %s" % (self.at(event), " ".join("%s=%s" % (key, self.simple(event[key])) for key in (
            "version", "cipher", "server_name", "alpn", "certificate")))]

    def show_pending(self, event):
        return ["pending %s" % " ".join(event["tasks"])] if event["tasks"] else []

    def show_report(self, event):
        words = ["report", show_string(self.text(event["message"])), "keys=%s" % ",".join(event["keys"])]
        return [" ".join(words + ([event["class"]] if event.get("class") else []))]

    def show_log(self, event):
        """The first line; with asyncio's own exception handler all of them, but for the places of a traceback."""
        lines = event["text"].split("\n")
        return ["log %s %s" % (event["level"], show_string(self.text(text))) for text in
                (lines if event.get("whole") else lines[:1])]

    def show_flow(self, event):
        return ["flow%s %s" % (self.at(event), event["call"])]

    def show_state(self, event):
        """What changed since the last state of this connection: API fields in one line, state fields in another."""
        number = event.get("conn", 1)
        before = self.states.setdefault(number, dict(START))
        lines = []
        for title, fields in (("now", NOW_FIELDS), ("state", STATE_FIELDS)):
            changed = [key for key in fields if key in event and event[key] != before[key]]
            if changed:
                lines.append("%s%s %s" % (title, self.at(event),
                                          " ".join("%s=%s" % (key, word(event[key])) for key in changed)))
        before.update({key: event[key] for key in before if key in event})
        return lines


def render(events, sorted_last=False):
    """The transcript and what else there was. `sorted_last`: run's own shutdown cancels a set, in no order."""
    renderer = Renderer()
    for event in events:
        renderer.add(event)
    if sorted_last and renderer.steps:
        last = max(event.get("step", 0) for event in events if event["ev"] in ("step", "end"))
        if last in renderer.steps:
            renderer.steps[last].sort()
    return renderer


WRITE_FIELD = re.compile(r" write=(\w+)")


def coarse(transcript):
    """The transcript as it may be compared on kernel sockets: of the write buffer only whether it is empty."""
    result, last = {}, {}
    for number in sorted(transcript):
        lines = [coarse_line(line, last) for line in transcript[number]]
        lines = [line for line in lines if line]
        if lines:
            result[number] = lines
    return result


def coarse_line(line, last):
    found = WRITE_FIELD.search(line)
    if layer(line) != "state" or not found:
        return line
    title = line.split(" ", 1)[0]
    value = "0" if found.group(1) == "0" else "some"
    unchanged = last.get(title, "0") == value
    last[title] = value
    line = WRITE_FIELD.sub("" if unchanged else " write=" + value, line)
    return None if line == title else line


def without_state(transcript):
    result = {}
    for number, lines in transcript.items():
        kept = [line for line in lines if layer(line) != "state"]
        if kept:
            result[number] = kept
    return result


def without_sizes(transcript):
    """The transcript as it is compared on TLS: nothing of the write buffer's size (Q-45)."""
    result = {}
    for number, lines in transcript.items():
        kept = [line for line in map(sizeless, lines) if line]
        if kept:
            result[number] = kept
    return result


def sizeless(line):
    """The line without the write buffer's size; none when nothing else is in it."""
    if layer(line) != "state" or not WRITE_FIELD.search(line):
        return line
    rest = WRITE_FIELD.sub("", line)
    return rest if " " in rest else None


def with_sizes(lines, plain):
    """TLS lines that equal plain ones but for the write buffer's size, as the plain ones: they are recorded once."""
    seen = [(sizeless(line), line) for line in plain]
    matcher = difflib.SequenceMatcher(None, [short for short, _ in seen if short], lines, autojunk=False)
    equal = {}
    for block in matcher.get_matching_blocks():
        equal.update({block.a + index: block.b + index for index in range(block.size)})
    result, at, place = [], 0, 0
    for short, line in seen:
        if short is None:
            result.append(line)     # nothing but the size: it vanishes when TLS columns are compared
            continue
        if place in equal:
            result += lines[at:equal[place]] + [line]
            at = equal[place] + 1
        place += 1
    return result + lines[at:]


def shown(transcript, backend):
    """The transcript as precisely as it may be compared on this backend."""
    if backend in tls.TLS_BACKENDS:
        return without_sizes(transcript)
    return transcript if backend == "mem" else coarse(transcript)


def comparable(transcript, case, backend):
    transcript = shown(transcript, backend)
    return without_state(transcript) if case.state_off else transcript


@functools.lru_cache(maxsize=256)       # the backends of a case follow each other, and most share their reference
def recorded(case, column, backend):
    """What is recorded for one version, as it is compared on this backend or any other of its `alike`."""
    return comparable(case.column(column, tls.class_of(backend)), case, backend)


def alike(backend):
    """The backend that stands for all whose transcripts are compared equally precisely."""
    return backend if backend == "mem" else "tls13-mem" if backend in tls.TLS_BACKENDS else "tcp"


class Difference:
    """The first place where two transcripts part."""

    def __init__(self, step, want, got):
        self.step = step
        self.want = want
        self.got = got
        self.layer = layer(want or got)

    def lines(self):
        return ["want  %s" % (self.want or "(nothing more in this step)"),
                "got   %s" % (self.got or "(nothing more in this step)")]


def first_difference(want, got):
    """API differences count before state differences of the same step, as they say more."""
    if want == got:
        return None
    for step in sorted(set(want) | set(got)):
        for wanted_layer in ("api", "state"):
            left = [line for line in want.get(step, []) if layer(line) == wanted_layer]
            right = [line for line in got.get(step, []) if layer(line) == wanted_layer]
            for index in range(max(len(left), len(right))):
                one = left[index] if index < len(left) else None
                other = right[index] if index < len(right) else None
                if one != other:
                    return Difference(step, one, other)
    return None
