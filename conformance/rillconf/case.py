# SPDX-License-Identifier: MIT
"""Case files: reads `conformance/cases/<area>/*.case` into Case objects; every error names file and line.

The format is described in conformance/WRITING-CASES.md. A case keeps its own source lines, so that `--bless` changes
nothing but what it recorded.
"""
import hashlib
import os
import re

from . import tls, version
from .calls import parse_calls, parse_server_options, read_error, read_path
from .expr import Bad, Tokens, pack, parse_bytes, parse_number, parse_simple

BACKENDS = tls.PLAIN_BACKENDS + tls.TLS_BACKENDS
KINDS = ("connection", "reader", "nothing", "server", "protocol")
PEER_OPERATIONS = ("send", "read", "skip", "shutdown", "close", "reset", "window", "connect", "eof", "cut", "raw", "hold", "flight",
                   "handshake", "silent", "start-tls", "tell", "key-update", "renegotiate", "ticket")
CAPABILITIES = ("core", "virtual-clock", "half-close", "server", "timeout-scope", "uncancel", "tuple-separator",
                "close-clients", "task-group", "cancel-text", "happy-eyeballs", "all-errors", "keep-alive",
                "cleanup-socket", "ssl-shutdown-timeout", "protocol", "tls", "start-tls", "tls-extras", "by-hand")
FILE_OPERATIONS = ("create", "mkdir", "remove", "rename", "socket", "listen")
FAULTS = ("recv", "send", "shutdown", "accept", "socket", "connect", "bind", "listen")
PROTOCOL_FAILS = ("data_received", "eof_received", "pause_writing", "resume_writing")
RECORDED = re.compile(r"\s+(?:\[([^\]]*)\]\s+)?(\S.*)$")
RULE = re.compile(r"(R-\d[\dUV](?:\d|-\d\d)|[DQ]-\d+)$")


class CaseError(Exception):
    """Text begins with file:line."""


class Step:
    """One operation, its source line, and the lines recorded beneath it."""

    def __init__(self, source, op, line):
        self.source = source
        self.op = op
        self.line = line
        self.recorded = []      # (predicate or None, text)


class Case:
    def __init__(self, name, path, line):
        self.name = name
        self.path = path
        self.line = line
        self.header = []        # source lines up to the first operation, without `record`
        self.rules = []
        self.needs = []
        self.kind = "connection"
        self.limit = None
        self.handler = None
        self.server = {}
        self.resolve = []
        self.connect = []
        self.protocol = None
        self.debug = self.no_pause = False
        self.reports = None     # `default`: asyncio's own exception handler stays
        self.differ = None      # why the backends of one testee may differ
        self.excluded = {}      # backend -> reason
        self.impossible = {}    # those that cannot, so that what they carry cannot either
        self.state_off = None
        self.note = None
        self.record = []        # columns that are recorded: (class of backends, version)
        self.tls = tls.Tls()
        self.digest = None
        self.steps = []
        self.end = None
        self.tail = []          # comment and blank lines after the last operation

    def message(self, backend):
        """The `run` message for a testee."""
        message = {"run": self.name, "backend": backend, "with": self.kind, "ops": [step.op for step in self.steps]}
        if self.limit is not None:
            message["limit"] = self.limit
        if self.handler is not None:
            message["handler"] = self.handler
        message.update(self.server)
        for key in ("resolve", "connect", "protocol", "debug", "reports", "no_pause"):
            if getattr(self, key):
                message[key] = getattr(self, key)
        about_tls = self.tls.declared() if backend == "-" else self.tls_message(backend)
        if about_tls:
            message["tls"] = about_tls
        return message

    def tls_message(self, backend):
        if backend in tls.TLS_BACKENDS or self.speaks_tls():
            return self.tls.message(self.kind, backend)
        return None

    def every_call(self):
        for holder in [step.op for step in self.steps] + [self.handler or {}]:
            yield from every_call(holder.get("calls", []))

    def speaks_tls(self):
        """Whether the script itself says something of TLS, so that its peers must know how."""
        return bool(self.tls.declared()) or any(call.get("ssl") or call["call"] == "start_tls" for call in self.every_call())

    def classes(self):
        """The classes of backends that this case runs on."""
        return [name for name in tls.CLASSES if not set(tls.GROUPS[name]) <= set(self.excluded)]

    def script_digest(self):
        """Tells whether the recorded lines belong to this script."""
        parts = [repr(sorted(self.message("-").items(), key=lambda item: item[0]))]
        return hashlib.sha1("\n".join(parts).encode()).hexdigest()[:6]

    def all_steps(self):
        return self.steps + ([self.end] if self.end else [])

    def versions(self, kind="plain"):
        """The versions recorded for one class of backends."""
        return [number for recorded, number in self.record if recorded == kind]

    def column(self, wanted, kind="plain"):
        """The recorded transcript of one version: {step number: [line, ...]}, empty steps left out."""
        column = {}
        for number, step in enumerate(self.steps + [self.end], 1):
            lines = [text for predicate, text in (step.recorded if step else [])
                     if version.matches(predicate, wanted, kind)]
            if lines:
                column[number] = lines
        return column

    def uses_finish(self):
        return bool(self.steps) and self.steps[-1].op["op"] in ("finish", "interrupt")


class FileReader:
    """Reads one file, line by line."""

    def __init__(self, path, text):
        self.path = path
        self.lines = text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        self.preamble = []
        self.cases = []
        self.case = None
        self.unnamed = 0

    def read(self):
        for number, line in enumerate(self.lines, 1):
            try:
                self.line(number, line)
            except (Bad, ValueError) as bad:
                raise CaseError("%s:%d: %s" % (self.path, number, bad))
        for case in self.cases:
            self.check(case)
        return self.preamble, self.cases

    def line(self, number, line):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            self.keep(line)
        elif line[0].isspace():
            self.recorded_line(line)
        else:
            word = stripped.split(None, 1)[0]
            rest = line[len(word):]
            if word == "case":
                self.begin(rest.strip(), number)
            elif self.case is None:
                raise Bad("a file begins with `case`")
            elif hasattr(self, "header_" + word.replace("-", "_")):
                self.header_line(word.replace("-", "_"), rest, line)
            else:
                self.operation(line, number)

    def keep(self, line):
        """Comments and blank lines stay where they are."""
        if self.case is None:
            self.preamble.append(line)
        else:
            (self.case.tail if self.case.steps else self.case.header).append(line)

    def begin(self, name, number):
        area = os.path.basename(os.path.dirname(self.path))
        name = name.split("#")[0].strip()
        if not re.match(r"[a-z0-9-]+/[a-z0-9.-]+$", name):
            raise Bad("a case is named area/topic in small letters, digits and -: %s" % name)
        if area and name.split("/")[0] != area:
            raise Bad("case %s stands in the folder %s" % (name, area))
        self.case = Case(name, self.path, number)
        self.unnamed = 0
        if self.cases:
            self.case.header = trailing_comments(self.cases[-1])
        self.case.header.append("case    %s" % name)
        self.cases.append(self.case)

    def header_line(self, word, rest, line):
        if self.case.steps:
            raise Bad("`%s` belongs before the first operation" % word)
        getattr(self, "header_" + word)(rest.split(" #")[0].strip() if word != "note" else rest.strip())
        if word != "record":
            self.case.header.append(line)

    # header lines

    def header_rule(self, rest):
        self.case.rules = rest.replace(",", " ").split()
        for rule in self.case.rules:
            if not RULE.match(rule):
                raise Bad("not a rule of the specification: %s" % rule)
        if not 1 <= len(self.case.rules) <= 3:
            raise Bad("a case names one to three rules")

    def header_needs(self, rest):
        self.case.needs = rest.split()
        for need in self.case.needs:
            if need not in CAPABILITIES:
                raise Bad("unknown capability %s" % need)
            if need == "half-close":
                self.exclude(tls.TLS_BACKENDS, "TLS has no half-close")

    def header_with(self, rest):
        if rest not in KINDS:
            raise Bad("`with` is connection, reader, nothing, server or protocol")
        self.case.kind = rest
        if rest in ("reader", "nothing"):
            self.exclude(BACKENDS[1:], "no transport in this case")
        elif rest == "server":
            self.exclude(("mem", "pair"), "a server listens on tcp or unix")

    def header_limit(self, rest):
        tokens = Tokens(rest)
        self.case.limit = parse_number(tokens)
        tokens.expect_end()

    def header_handler(self, rest):
        self.case.handler = {"kind": "task", "calls": parse_calls(Tokens(rest), "h")[0]}

    def header_callback(self, rest):
        self.case.handler = {"kind": "callback", "calls": parse_calls(Tokens(rest), "h")[0]}

    def header_server(self, rest):
        self.case.server.update(parse_server_options(Tokens(rest)))

    def header_protocol(self, rest):
        """Words of keep_open, buffered, and fail=CALL."""
        self.case.protocol = {}
        for word in rest.split():
            if word in ("keep_open", "buffered"):
                self.case.protocol[word] = True
            elif word.startswith("fail=") and word[5:] in PROTOCOL_FAILS:
                self.case.protocol["fail"] = word[5:]
            else:
                raise Bad("`protocol` takes keep_open, buffered and fail=%s" % " or ".join(PROTOCOL_FAILS))

    def header_resolve(self, rest):
        """NAME = ADDRESS ... or NAME ! EAI_...; the name none is Python's None, "" the empty one."""
        words = rest.split()
        if len(words) < 2 or words[1] not in ("=", "!") or (words[1] == "!" and len(words) != 3):
            raise Bad("write `resolve NAME = ADDRESS ...` or `resolve NAME ! EAI_NONAME`")
        rule = {"name": {"none": None, '""': ""}.get(words[0], words[0])}
        rule.update({"error": words[2]} if words[1] == "!" else {"addresses": words[2:]})
        self.case.resolve.append(rule)

    def header_connect(self, rest):
        """ADDRESS never, ADDRESS after SECONDS [ERRNO], ADDRESS ERRNO, ADDRESS ok."""
        words = rest.split()
        rule = {"address": words.pop(0)}
        if words[:1] == ["after"] and len(words) > 1:
            rule["after"] = parse_number(Tokens(words[1]))
            words = words[2:]
        elif words in (["never"], ["ok"]):
            rule.update({"outcome": "never"} if words == ["never"] else {})
            words = []
        elif not words:
            raise Bad("write `connect ADDRESS never`, `ok`, `ERRNO` or `after SECONDS [ERRNO]`")
        if words:
            rule["errno"] = words.pop(0)
        if words or not re.match(r"E[A-Z0-9]+$", rule.get("errno", "EIO")):
            raise Bad("write `connect ADDRESS never`, `ok`, `ERRNO` or `after SECONDS [ERRNO]`")
        self.case.connect.append(rule)

    def header_debug(self, rest):
        if rest != "on":
            raise Bad("write `debug on`")
        self.case.debug = True

    def header_reports(self, rest):
        if rest != "default":
            raise Bad("write `reports default`")
        self.case.reports = rest

    def header_transport(self, rest):
        if rest != "cannot-pause":
            raise Bad("write `transport cannot-pause`")
        self.case.no_pause = True
        self.exclude(BACKENDS[1:], "only a memory transport can refuse to pause")

    def header_context(self, rest):
        name, context = tls.read_context(rest)
        self.case.tls.contexts[name] = context

    def header_tls_app(self, rest):
        self.case.tls.app.update(tls.read_app(rest))

    def header_tls_peer(self, rest):
        self.case.tls.peer.update(tls.read_peer(rest))

    def header_differ(self, rest):
        if not rest:
            raise Bad("write `differ REASON`")
        self.case.differ = rest

    def header_only(self, rest):
        chosen, reason = self.backends_and_reason(rest)
        for name in BACKENDS:
            if name not in chosen:
                self.case.excluded.setdefault(name, reason)

    def header_not(self, rest):
        self.exclude(*self.backends_and_reason(rest))

    def header_state(self, rest):
        word, _, reason = rest.partition(":")
        if word.strip() != "off" or not reason.strip():
            raise Bad("write `state off: reason`")
        self.case.state_off = reason.strip()

    def header_note(self, rest):
        self.case.note = rest

    def header_record(self, rest):
        """Versions, `tls` and the versions of the TLS columns (none: the same), and the script's digest."""
        versions, kind = {}, "plain"
        for word in rest.split():
            if word.startswith("script="):
                self.case.digest = word[len("script="):]
            elif word in tls.CLASSES:
                kind = word
                versions[kind] = []
            else:
                versions.setdefault(kind, []).append(version.parse(word))
        if versions.get("tls") == []:
            versions["tls"] = versions["plain"]
        self.case.record = [(kind, number) for kind in tls.CLASSES for number in versions.get(kind, ())]

    def backends_and_reason(self, rest):
        names, _, reason = rest.partition(":")
        names = tls.expand(names.replace(",", " ").split())
        if not reason.strip() or not names:
            raise Bad("write backends of %s, a colon and the reason" % " ".join(BACKENDS))
        return names, reason.strip()

    def exclude(self, names, reason):
        for name in names:
            self.case.excluded.setdefault(name, reason)
            self.case.impossible.setdefault(name, reason)

    # operations

    def operation(self, line, number):
        tokens = Tokens(line)
        if tokens.accept("end"):
            tokens.expect_end()
            self.case.end = Step(line, {"op": "end"}, number)
            return
        if self.case.end or self.case.uses_finish():
            raise Bad("nothing follows `end` or `finish`")
        settle = not tokens.accept("go")
        word = tokens.name("an operation")
        if not hasattr(self, "op_" + word):
            raise Bad("unknown operation %s" % word)
        op = getattr(self, "op_" + word)(tokens)
        tokens.expect_end()
        if not settle:
            op["settle"] = False
        self.case.header_done = True
        comments, self.case.tail = self.case.tail, []
        step = Step("\n".join(comments + [line.rstrip()]), op, number)
        self.case.steps.append(step)

    def connection_number(self, tokens, op):
        if tokens.accept("@"):
            op["conn"] = parse_number(tokens)

    def op_app(self, tokens):
        op = {"op": "app"}
        self.connection_number(tokens, op)
        self.unnamed += 1
        op["calls"], op["task"] = parse_calls(tokens, "a%d" % self.unnamed)
        if op["task"] != "a%d" % self.unnamed:
            self.unnamed -= 1
        return op

    def op_peer(self, tokens):
        op = {"op": "peer"}
        self.connection_number(tokens, op)
        op["do"] = tokens.name("what the peer does")
        if op["do"] not in PEER_OPERATIONS:
            raise Bad("a peer can %s, not %s" % (", ".join(PEER_OPERATIONS), op["do"]))
        if op["do"] == "skip":
            op.update(do="read", drop=True)
        elif op["do"] in ("send", "raw"):
            op["bytes"] = pack(parse_bytes(tokens))
        elif op["do"] == "start-tls" and not tokens.finished():
            op["first"] = pack(parse_bytes(tokens))
        elif op["do"] == "connect" and tokens.accept("plain"):
            op["plain"] = True
        elif op["do"] == "connect" and tokens.accept("server"):
            tokens.expect("=")
            op["server"] = parse_number(tokens)
        elif op["do"] in ("read", "window") and not tokens.finished():
            if not tokens.accept("none"):
                op["n"] = parse_number(tokens)
        return op

    def op_clock(self, tokens):
        tokens.expect("advance")
        return {"op": "clock", "seconds": parse_number(tokens)}

    def op_finish(self, tokens):
        op = {"op": "finish"}
        if tokens.accept("raise"):
            op["error"] = {}
            read_error(tokens, op["error"], "error")
        elif not tokens.finished():
            op["value"] = parse_simple(tokens)
        return op

    def op_interrupt(self, tokens):
        op = {"op": "interrupt"}
        if tokens.accept("swallow"):
            op["swallow"] = True
        return op

    def op_fault(self, tokens):
        """CALL NUMBER ERRNO [count=N], or CALL NUMBER short N."""
        op = {"op": "fault"}
        self.connection_number(tokens, op)
        op["call"] = tokens.name("a system call")
        if op["call"] not in FAULTS:
            raise Bad("faults are for %s, not %s" % (", ".join(FAULTS), op["call"]))
        op["at"] = parse_number(tokens)
        if tokens.accept("short"):
            op["short"] = parse_number(tokens)
        else:
            op["errno"] = tokens.name("an errno")
        if tokens.accept("count"):
            tokens.expect("=")
            op["count"] = parse_number(tokens)
        if self.case.kind != "nothing":
            self.exclude(["mem"], "faults are of system calls")
        return op

    def op_file(self, tokens):
        op = {"op": "file", "do": tokens.name("what to do")}
        if op["do"] not in FILE_OPERATIONS:
            raise Bad("`file` can %s, not %s" % (", ".join(FILE_OPERATIONS), op["do"]))
        read_path(tokens, op, "path")
        if op["do"] == "rename":
            read_path(tokens, op, "to")
        return op

    # recorded lines and the last checks

    def recorded_line(self, line):
        step = self.case and (self.case.end or (self.case.steps and self.case.steps[-1]))
        if not step:
            raise Bad("an indented line is a recorded result and follows an operation")
        predicate, text = RECORDED.match(line).groups()
        if predicate is not None:
            version.matches(predicate, (3, 13, 0))     # an unreadable predicate is an error here
        step.recorded.append((predicate, text.rstrip()))

    @staticmethod
    def exclude_tls(case):
        """What the carrier of a TLS backend cannot, it cannot either."""
        for backend in tls.TLS_BACKENDS:
            below = tls.carrier(backend, case.kind)
            if below is None or below in case.impossible:
                case.excluded.setdefault(backend, case.impossible[below or "mem"])
        if case.kind == "nothing" and case.speaks_tls() and "mem" not in case.impossible:
            case.excluded["mem"] = "the script speaks TLS: it runs as tls13-mem"
            del case.excluded["tls13-mem"]
        if case.kind == "server" and (case.handler or {}).get("kind") != "task":
            case.excluded.setdefault("start-tls", "a plain callback cannot wait for start_tls")

    def check(self, case):
        def fail(text):
            raise CaseError("%s:%d: case %s %s" % (case.path, case.line, case.name, text))
        self.exclude_tls(case)
        contexts = set(tls.DEFAULTS) | set(case.tls.contexts)
        meant = case.tls.names_meant() + [call["ssl"] for call in case.every_call() if isinstance(call.get("ssl"), str)]
        for name in set(meant) - contexts:
            fail("means a context %s, but there is none" % name)
        if case.tls.peer.get("hold") and case.kind in ("connection", "protocol"):
            fail("has a peer that holds the handshake of its own set-up")
        if not case.rules:
            fail("names no rule")
        if not case.steps:
            fail("has no operation")
        if set(case.excluded) >= set(BACKENDS):
            fail("runs on no backend")
        known = task_names(case)
        for task in tasks_meant([step.op for step in case.steps] + [case.handler or {}]):
            if task not in known and not re.match(r"h\d+$", task):
                fail("means a task %s, but there is none (a task is named by its first label)" % task)
        if case.handler and case.kind not in ("server", "nothing"):
            fail("has a handler but no server")
        if case.protocol is not None and case.kind != "protocol":
            fail("has a protocol but is not `with protocol`")


def every_call(calls):
    for call in calls:
        yield call
        yield from every_call(call.get("body", []) + ([call["inner"]] if "inner" in call else []))


def task_names(case):
    """The names that `cancel`, `await`, `shield` and `gather` can mean."""
    calls = [call for step in case.steps for call in every_call(step.op.get("calls", []))]
    calls += every_call((case.handler or {}).get("calls", []))
    spawned = {call["task"] for call in calls if call["call"] in ("spawn", "group_spawn")}
    return spawned | {step.op["task"] for step in case.steps if "task" in step.op} | {"self"}


def tasks_meant(holders):
    for holder in holders:
        for call in every_call(holder.get("calls", [])):
            if call["call"] in ("cancel", "await", "shield"):
                yield call["task"]
            elif call["call"] in ("gather", "wait"):
                yield from call["tasks"]


def trailing_comments(case):
    """The comment block right above a `case` line belongs to that case, not to the one before."""
    tail, block = case.tail, []
    while tail:
        block.insert(0, tail.pop())
    return block


def read_file(path, shown=None):
    with open(path, encoding="utf-8") as file:
        return FileReader(shown or path, file.read()).read()


def find_files(folder):
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".case"):
                yield os.path.join(root, name)


def read_all(folder):
    """Every case below the folder, in order of files; a name used twice is an error."""
    cases, seen = [], {}
    for path in find_files(folder):
        for case in read_file(path)[1]:
            if case.name in seen:
                raise CaseError("%s:%d: case %s is already in %s" % (path, case.line, case.name, seen[case.name]))
            seen[case.name] = path
            cases.append(case)
    return cases
