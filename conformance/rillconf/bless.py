# SPDX-License-Identifier: MIT
"""Records what the CPythons did inside the case files, and changes nothing else in them.

Transcripts of several versions are merged: lines that all share stand alone, others carry a version predicate.
"""
import difflib
import os

from . import tls, transcript, version
from .case import Step, read_file


class Disagreement(Exception):
    """The backends of one version gave different transcripts: the case must exclude one, or is broken."""


def one_transcript(case, number, runs):
    """The transcript of one version from its runs {backend: steps} of one class; all backends must agree."""
    finest = min(runs, key=transcript.BACKENDS.index)
    chosen = transcript.shown(runs[finest], finest)
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
    """[(set of columns, line)] so that each version's lines are a subsequence: a merge by longest common parts."""
    merged = []
    order = sorted(columns, key=lambda column: (column[1], column[0] == "plain"), reverse=True)
    for number in order:        # the newest gives the order
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
    """Puts the live transcripts {(class, version): steps} in the case, beside older columns of versions that are not here."""
    keep = [column for column in case.record if column not in live and column[0] in case.classes()
            and case.digest == case.script_digest()]
    columns = {(kind, number): case.column(number, kind) for kind, number in keep}
    columns.update(live)
    versions = case.record = sorted(columns)
    case.digest = case.script_digest()
    case.end = case.end or Step("end", {"op": "end"}, 0)
    for index, step in enumerate(case.steps + [case.end], 1):
        lines = {column: columns[column].get(index, []) for column in versions}
        for kind, number in versions:
            if kind == "tls" and ("plain", number) in lines:
                lines[kind, number] = transcript.with_sizes(lines[kind, number], lines["plain", number])
        step.recorded = [(version.predicate_for_columns(chosen, versions), line) for chosen, line in merge(lines)]


def record_line(case):
    """`record 3.8.18 3.13.0 tls script=1a2b3c`: versions, and those of the TLS columns when they are others."""
    plain, over_tls = ([version.show(number) for number in case.versions(kind)] for kind in tls.CLASSES)
    words = plain + (["tls"] if over_tls else []) + ([] if over_tls == plain else over_tls)
    return "record  %s script=%s" % (" ".join(words), case.digest)


def write_case(case):
    """The case's lines, in the house's layout."""
    lines = list(case.header)
    if case.record:
        at = len(lines)
        while at > 0 and not lines[at - 1].strip():
            at -= 1
        lines.insert(at, record_line(case))
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
