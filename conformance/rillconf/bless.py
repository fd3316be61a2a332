# SPDX-License-Identifier: MIT
"""Records what the CPythons did inside the case files, and changes nothing else in them.

Transcripts of several versions are merged: lines that all share stand alone, others carry a version predicate.
"""
import difflib
import os

from . import transcript, version
from .case import Step, read_file


class Disagreement(Exception):
    """The backends of one version gave different transcripts: the case must exclude one, or is broken."""


def one_transcript(case, number, runs):
    """The transcript of one version from its runs {backend: steps}; all backends must agree."""
    finest = "mem" if "mem" in runs else sorted(runs)[0]
    chosen = runs[finest] if finest == "mem" else transcript.coarse(runs[finest])
    if 0 in chosen:
        raise Disagreement("%s: CPython %s: before the first step: %s" % (
            case.name, version.show(number), "; ".join(chosen[0])))
    for backend, steps in sorted(runs.items()):
        difference = transcript.first_difference(transcript.comparable(chosen, case, backend),
                                                 transcript.comparable(steps, case, backend))
        if difference:
            raise Disagreement("%s: CPython %s: %s and %s differ at step %d\n    %s: %s\n    %s: %s" % (
                case.name, version.show(number), finest, backend, difference.step,
                finest, difference.want, backend, difference.got))
    return transcript.without_state(chosen) if case.state_off else chosen


def merge(columns):
    """[(set of versions, line)] so that each version's lines are a subsequence: a merge by longest common parts."""
    merged = []
    for number in sorted(columns, reverse=True):        # the newest gives the order
        lines = columns[number]
        matcher = difflib.SequenceMatcher(None, [line for _, line in merged], lines, autojunk=False)
        result = []
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                result += [(versions | {number}, line) for versions, line in merged[a:b]]
            else:
                result += merged[a:b] + [({number}, line) for line in lines[c:d]]
        merged = result
    return merged


def record(case, live):
    """Puts the live transcripts {version: steps} in the case, beside older columns of versions that are not here."""
    keep = [number for number in case.record if number not in live and case.digest == case.script_digest()]
    columns = {number: case.column(number) for number in keep}
    columns.update(live)
    versions = sorted(columns)
    case.record = versions
    case.digest = case.script_digest()
    case.end = case.end or Step("end", {"op": "end"}, 0)
    for index, step in enumerate(case.steps + [case.end], 1):
        lines = merge({number: columns[number].get(index, []) for number in versions})
        step.recorded = [(version.predicate_for(chosen, versions), line) for chosen, line in lines]


def write_case(case):
    """The case's lines, in the house's layout."""
    lines = list(case.header)
    if case.record:
        at = len(lines)
        while at > 0 and not lines[at - 1].strip():
            at -= 1
        lines.insert(at, "record  %s script=%s" % (" ".join(map(version.show, case.record)), case.digest))
    for step in case.all_steps():
        if step is case.end and not step.recorded:
            continue
        lines += step.source.split("\n")
        for predicate, text in step.recorded:
            lines.append("        %s%s" % ("[%s] " % predicate if predicate else "", text))
    return lines + case.tail


def rewrite(path, blessed):
    """Rewrites one file with the recordings of the cases in `blessed`; true when it changed."""
    preamble, cases = read_file(path)
    lines = list(preamble)
    for case in cases:
        lines += write_case(blessed.get(case.name, case))
    text = "\n".join(lines).rstrip("\n") + "\n"
    with open(path, encoding="utf-8") as file:
        if file.read() == text:
            return False
    fresh = path + ".new"
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, path)
    return True
