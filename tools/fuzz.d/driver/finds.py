# SPDX-License-Identifier: MIT
"""A find, said to a person: what went wrong, where, how to see it again and how to keep it."""
import os
import re

FRAME = re.compile(r"^\s*#\d+ 0x[0-9a-f]+ in (\S+) (\S+?):\d+(?::\d+)?$")
ERROR = re.compile(r"^==\d+==\s?(ERROR|WARNING):|: runtime error: ")
NOISE = re.compile(r"^(#\d+\t|\s*NEW_(FUNC|PC)|INFO: |Running: |Executed )")
TEXT_LINES = 12


def _text_before(lines, at):
    """What the target itself printed before it gave up."""
    said = []
    for line in reversed(lines[:at]):
        if NOISE.match(line) or len(said) == TEXT_LINES:
            break
        said.append(line)
    return said[::-1]


def describe(log, home):
    """(one line: what and where, the target's own words) of a fuzzer's printed lines."""
    at = next((number for number, line in enumerate(log) if ERROR.search(line)), len(log))
    place = ""
    for line in log[at:]:
        match = FRAME.match(line)
        if match and match.group(2).startswith(home + os.sep):
            place = match.group(1)
            break
    summary = next((line for line in log[at:] if line.startswith("SUMMARY: ")), "SUMMARY: no summary")[len("SUMMARY: "):]
    runtime = next((line for line in log[at:] if ": runtime error: " in line), None)
    what = (runtime or summary).replace(home + os.sep, "")
    return (place + ": " if place else "") + what, _text_before(log, at)


def report(fuzzer, home, out):
    """One paragraph for each artifact of a fuzzer that has ended."""
    with open(fuzzer.log_path, errors="replace") as file:
        log = file.read().splitlines()
    what, said = describe(log, home)
    name = fuzzer.target.name
    for artifact in fuzzer.finds():
        shown = os.path.relpath(artifact, home)
        out.write("FIND %s: %s\n" % (name, what))
        for line in said:
            out.write("  | %s\n" % line)
        out.write("  input   %s (what was printed: %s)\n" % (shown, os.path.relpath(fuzzer.log_path, home)))
        out.write("  again   %s %s\n" % (os.path.relpath(fuzzer.command[0], home), shown))
        out.write("  smaller %s -minimize_crash=1 -max_total_time=30 -exact_artifact_path=smaller %s\n"
                  % (os.path.relpath(fuzzer.command[0], home), shown))
        out.write("  keep    tools/fuzz %s --case %s --name AREA/TOPIC\n" % (name, shown))
    out.flush()
