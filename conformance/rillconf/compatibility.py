# SPDX-License-Identifier: MIT
"""docs/compatibility.md: what other implementations of asyncio streams do differently, out of their expectations."""
import collections

from . import expect, tls

IMPLEMENTATIONS = (("uvloop", "uvloop 0.17.0 on CPython 3.11.2, against CPython 3.11.2"),
                   ("pypy", "PyPy 7.3.11 (Python 3.9.16), against CPython 3.9.18"))
HEAD = """<!-- SPDX-License-Identifier: MIT -->
# How compatible are the implementations of asyncio streams?

Each implementation below replayed the cases of `conformance/` and was held against the CPython of its own version. A row is one departure: a rule of
[the specification](spec.md) that does not hold there, what the implementation does instead, and the cases that show it (`tools/conform --testee NAME -v CASE`
prints both transcripts). What is not in a table was the same on every backend it ran on. rill's own departures from CPython 3.13 are in [departures.md](departures.md).

Written by `tools/conform --compatibility` from `conformance/expectations/*.known`; a test compares the two.
"""


def backends_in_words(entries):
    """The backends on which the case does not run alike; `everywhere` when all of a class are meant."""
    names = set()
    for entry in entries:
        if entry.backends is None:
            return "everywhere"
        names.update(entry.backends)
    kinds = {tls.class_of(name) for name in names}
    return {("plain",): "sockets", ("tls",): "TLS", ("plain", "tls"): "sockets, TLS"}[tuple(sorted(kinds))]


def rows(entries):
    """Entries that say the same of the same rule make one row."""
    groups = collections.OrderedDict()
    for entry in sorted(entries, key=lambda entry: (entry.row, entry.reason)):
        groups.setdefault((entry.row, entry.reason), []).append(entry)
    for (rule, reason), group in groups.items():
        cases = sorted({entry.pattern for entry in group})
        shown = ", ".join("`%s`" % case for case in cases[:3]) + (" and %d more" % (len(cases) - 3) if len(cases) > 3 else "")
        yield "| %s | %s | %s | %s |" % (rule, reason.replace("|", "\\|"), backends_in_words(group), shown)


def page(folder):
    parts = [HEAD]
    for name, title in IMPLEMENTATIONS:
        known = expect.load(folder, name)
        lines = list(rows(known.entries))
        rules = len({entry.row for entry in known.entries})
        parts.append("## %s\n%d departures, from %d rules.\n\n| rule | what it does instead | over | shown by |\n|---|---|---|---|\n%s\n"
                     % (title, len(lines), rules, "\n".join(lines)))
    return "\n".join(parts)
