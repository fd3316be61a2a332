#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The testee CPython, watched: which branches of asyncio/streams.py its cases take (tools/conform --oracle-coverage).

A branch is one way of one conditional jump in the compiled module. From 3.12 on sys.monitoring tells them, before that a
trace function that looks at the frames of this file alone. What was taken is written when the testee ends.
usage: cpython_coverage.py FOLDER      replay cases, write FOLDER/VERSION-PROCESS.json: [[branch, way, case], ...]
       cpython_coverage.py --branches  print what there is: {"source": [...], "branches": [...]}
"""
import dis
import importlib.machinery
import importlib.util
import json
import os
import platform
import sys
import types

MODULE = "asyncio.streams"
BY_THE_IMPORT = "the import"     # instead of a case: what runs before the first
JUMPED, WENT_ON = "jump", "next"


def find_source():
    """The file, found without importing the package: its import shall be seen."""
    package = importlib.util.find_spec("asyncio").submodule_search_locations
    return importlib.machinery.PathFinder.find_spec(MODULE, package)


class Jump:
    """A conditional jump: where it goes on, where it jumps to, and which part of the source it decides by."""

    def __init__(self, code, instruction, line, following, target, positions):
        self.name = "%d %s %d" % (code.co_firstlineno, code.co_name, instruction.offset)
        self.function = code.co_name
        self.line = line
        self.ways = {WENT_ON: following, JUMPED: target}
        self.positions = positions
        self.loop = instruction.opname == "FOR_ITER"
        self.if_none = "NONE" in instruction.opname
        self.jumps_if = "NOT_NONE" in instruction.opname if self.if_none else "TRUE" in instruction.opname
        self.seen = set()


def is_conditional(instruction):
    name = instruction.opname
    return name == "FOR_ITER" or ("JUMP" in name and "_IF_" in name)


class Code:
    """The jumps of one code object, by offset; what a prefix stands before counts as the place of the prefix."""

    def __init__(self, code):
        self.jumps = {}
        found, line = [], code.co_firstlineno
        self.real = {}
        prefixes = []
        lines = dict(dis.findlinestarts(code))
        for one in dis.get_instructions(code):
            line = lines.get(one.offset) or line
            prefixes.append(one.offset)
            if one.opname in ("EXTENDED_ARG", "NOT_TAKEN"):
                continue
            self.real.update(dict.fromkeys(prefixes, one.offset))
            prefixes = []
            found.append((one, line))
        self.line_of = {one.offset: line for one, line in found}
        for (one, line), (after, _) in zip(found, found[1:]):
            if is_conditional(one):
                self.jumps[one.offset] = Jump(code, one, line, after.offset, self.real[one.argval],
                                              getattr(one, "positions", None))

    def line(self, offset):
        return self.line_of[offset]


def all_codes(code):
    """A code object and those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from all_codes(constant)


class Watch:
    """Notes each way of each jump once, with the case that took it first."""

    def __init__(self, spec):
        self.path = spec.origin
        self.codes = {}
        for code in all_codes(spec.loader.get_code(MODULE)):
            self.codes[code.co_firstlineno, code.co_name] = Code(code)
        self.taken = []
        self.case = BY_THE_IMPORT

    def find(self, code):
        return self.codes[code.co_firstlineno, code.co_name] if code.co_filename == self.path else None

    def note(self, jump, way):
        if way not in jump.seen:
            jump.seen.add(way)
            self.taken.append([jump.name, way, self.case])

    # from 3.12 on

    def monitor(self):
        monitoring = sys.monitoring
        tool = monitoring.COVERAGE_ID

        def on_branch(code, offset, destination):
            known = self.find(code)
            jump = known and known.jumps.get(offset)
            if not jump:
                return monitoring.DISABLE
            self.note(jump, WENT_ON if known.real.get(destination) == jump.ways[WENT_ON] else JUMPED)
            return monitoring.DISABLE if len(jump.seen) == len(jump.ways) else None     # it would disable both ways

        monitoring.use_tool_id(tool, "rill oracle coverage")
        monitoring.register_callback(tool, monitoring.events.BRANCH, on_branch)
        monitoring.set_events(tool, monitoring.events.BRANCH)

    # before

    def trace(self, frame, event, argument):
        """A frame begins or goes on after an await: no branch leads over either."""
        known = self.find(frame.f_code)
        if known is None:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        before = None

        def on_event(frame, event, argument):
            nonlocal before
            if event == "opcode":
                at = known.real[frame.f_lasti]
                if before is not None:
                    for way, destination in before.ways.items():
                        if destination == at:
                            self.note(before, way)
                before = known.jumps.get(at)
            return on_event
        return on_event

    def start(self):
        if hasattr(sys, "monitoring"):
            self.monitor()
        else:
            sys.settrace(self.trace)


def condition(jump, source):
    """The words that the jump decides by, where this CPython knows them (from 3.11 on) and they stand on one line."""
    at = jump.positions
    if at is None or at.col_offset is None or at.lineno != at.end_lineno:
        return ""
    return source[at.lineno - 1].encode()[at.col_offset:at.end_col_offset].decode()


def meaning(jump, way, words):
    """What it says of these words that this way is taken."""
    if jump.loop:
        return "one more" if way == WENT_ON else "the end of the loop"
    answer = jump.jumps_if if way == JUMPED else not jump.jumps_if
    if jump.if_none and words.endswith(" is None"):
        answer = not answer
    return "true" if answer else "false"


def list_branches(watch):
    with open(watch.path, encoding="utf-8") as file:
        source = file.read().split("\n")
    found = []
    for code in watch.codes.values():
        for jump in code.jumps.values():
            words = condition(jump, source)
            for way, offset in sorted(jump.ways.items()):
                found.append({"branch": jump.name, "way": way, "function": jump.function, "line": jump.line, "to": code.line(offset),
                              "condition": words, "is": meaning(jump, way, words)})
    found.sort(key=lambda one: (one["line"], int(one["branch"].split()[-1]), one["way"]))
    return {"source": source, "branches": found}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    watch = Watch(find_source())
    if sys.argv[1] == "--branches":
        print(json.dumps(list_branches(watch)))
        return 0
    watch.start()
    import cpython      # after the start: the module's own branches are taken by the import

    class Case(cpython.Case):
        def __init__(self, wire, script):
            watch.case = script["run"]
            super().__init__(wire, script)

    cpython.Case = Case
    status = cpython.serve("cpython")
    with open(os.path.join(sys.argv[1], "%s-%d.json" % (platform.python_version(), os.getpid())), "w") as file:
        json.dump(watch.taken, file)
    return status


if __name__ == "__main__":
    sys.exit(main())
