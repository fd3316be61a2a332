# SPDX-License-Identifier: MIT
"""Version predicates such as [<=3.11] or [3.8..3.11.2], and the shortest predicate for a set of versions.

A bound is compared on as many numbers as it has: 3.11.2 and 3.11.7 both satisfy <=3.11.
"""
import functools
import re

BOUND = r"\d+(?:\.\d+){0,2}"
TERM = re.compile(r"(?:(<=|>=)\s*(%s)|(%s)\.\.(%s)|(%s))$" % (BOUND, BOUND, BOUND, BOUND))


def parse(text):
    """'3.13.0' -> (3, 13, 0); what follows a plain number ('0rc1', '2+') is left out."""
    return tuple(int(re.match(r"\d+", part).group()) for part in text.split(".")[:3])


def show(version):
    return ".".join(map(str, version))


def compare(version, bound):
    cut = version[:len(bound)]
    return (cut > bound) - (cut < bound)


def term_matches(term, version):
    found = TERM.match(term.strip())
    if not found:
        raise ValueError("not a version predicate: %s" % term.strip())
    sign, limit, low, high, same = found.groups()
    if sign:
        order = compare(version, parse(limit))
        return order <= 0 if sign == "<=" else order >= 0
    if same:
        return compare(version, parse(same)) == 0
    return compare(version, parse(low)) >= 0 and compare(version, parse(high)) <= 0


PART = re.compile(r"\s*(?:(plain|tls)\b)?\s*(.*?)\s*$")


@functools.lru_cache(maxsize=4096)      # the same few predicates stand on thousands of lines
def matches(predicate, version, kind="plain"):
    """Whether a version's column of that class satisfies one of the terms; no predicate is satisfied by all.

    `[plain >=3.8; tls]`: parts by class, each with terms or without; a part without a class is for both.
    """
    if predicate is None:
        return True
    found = False
    for part in predicate.split(";"):
        wanted, terms = PART.match(part).groups()
        of_version = not terms and wanted or any([term_matches(term, version) for term in terms.split(",")])
        found = found or bool(of_version) and wanted in (None, kind)
    return found


def bound(version, neighbour):
    """The shortest prefix of version that tells it from its neighbour on one side of a run."""
    return show(version[:2] if version[:2] != neighbour[:2] else version)


def run_term(versions, first, last):
    low = bound(versions[first], versions[first - 1]) if first > 0 else None
    high = bound(versions[last], versions[last + 1]) if last + 1 < len(versions) else None
    if low is None and high is None:
        return None
    if low is None or high is None:
        return "<=" + high if low is None else ">=" + low
    if first == last:
        return low if low == high else show(versions[first])
    return low if low == high else "%s..%s" % (low, high)


def predicate_for(chosen, versions):
    """The predicate that picks `chosen` out of `versions`, both sorted or not; none when it picks all."""
    versions = sorted(versions)
    terms, first = [], None
    for index, version in enumerate(versions + [None]):
        inside = version is not None and version in chosen
        if inside and first is None:
            first = index
        elif not inside and first is not None:
            terms.append(run_term(versions, first, index - 1))
            first = None
    return None if None in terms else ", ".join(terms)


def predicate_for_columns(chosen, columns):
    """The predicate that picks some (class, version) columns out of all; none when it picks them all."""
    parts = []
    for kind in dict(columns):
        there = [number for of, number in columns if of == kind]
        picked = [number for of, number in chosen if of == kind]
        parts.append((kind, bool(picked), predicate_for(picked, there) if picked else None))
    if len({part[1:] for part in parts}) == 1:
        return parts[0][2]
    return "; ".join(" ".join(filter(None, (kind, terms))) for kind, picked, terms in parts if picked)
